"""The precisions in which a network can be used; named without TensorFlow, so that wrong ones are found at once."""

from l3net.errors import ConfigError

PRECISIONS = ("float32", "bfloat16")


def check_precision(precision: str) -> None:
    """Raise a `ConfigError` for a precision that is not one of `PRECISIONS`."""
    if precision not in PRECISIONS:
        raise ConfigError(f"precision is {precision!r}; expected one of {', '.join(PRECISIONS)}")
