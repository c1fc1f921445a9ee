from slowthink._run import Options

__all__ = ["build_info", "spin"]

def build_info() -> tuple[str, str, str, str]: ...
def spin(n_items: int, milliseconds: float, options: Options, panic_at: int | None = None) -> list[int]: ...

# samples.best_of

# samples.experts

# samples.intervals

# samples.log

# samples.majority

# samples.pass

# samples.planning

# samples.rating

# samples.reward_models

# samples.weighted
