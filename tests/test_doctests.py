"""Runs the examples in the docstrings of the installed package.

`pytest --doctest-modules python/slowthink` would import the source tree, which holds no compiled module after a
plain `pip install .`.
"""

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest
import slowthink

MODULES = [
    slowthink.__name__,
    *(m.name for m in pkgutil.walk_packages(slowthink.__path__, "slowthink.") if not m.name.endswith("__main__")),
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    module = importlib.import_module(name)
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert result.failed == 0, "the examples that failed are printed above"


def test_guides() -> None:
    """The examples in docs/; a source distribution comes without that folder."""
    for path in sorted((Path(__file__).resolve().parents[1] / "docs").glob("*.md")):
        result = doctest.testfile(
            str(path),
            module_relative=False,
            optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS,
            encoding="utf-8",
        )
        assert result.failed == 0, f"the examples of {path.name} that failed are printed above"
