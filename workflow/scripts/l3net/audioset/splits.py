"""Which part a video belongs to, and which split a part belongs to."""

from l3net.runtime import stable_hash

SPLITS = ("train", "valid", "test")


def split_of(part: int, parts: int) -> str:
    """Return the split of a part: the first 80 % of the parts are train, the next 10 % valid, the last 10 % test."""
    if part < int(parts * 0.8):
        return "train"
    return "valid" if part < int(parts * 0.9) else "test"


def part_of(ytid: str, n_parts: int) -> int:
    """Return the part, 0 to ``n_parts - 1``, that a video belongs to.

    The part depends on the video's id alone, so it never moves when a list grows or a clip disappears.
    """
    return stable_hash(ytid) % n_parts
