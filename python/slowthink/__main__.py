"""``python -m slowthink``."""

import sys

from slowthink.cli import main

if __name__ == "__main__":
    sys.exit(main())
