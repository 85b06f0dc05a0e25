"""Which part a video belongs to, and which split a part belongs to."""

from l3net.files import stable_hash

SPLITS = ("train", "valid", "test")
_TRAIN_SHARE, _TRAIN_AND_VALID_SHARE = 0.8, 0.9


def part_of(ytid: str, parts: int) -> int:
    """Return the part, 0 to ``parts - 1``, that a video belongs to.

    The part depends on the video's id alone, so it never moves when a list grows or a clip disappears.
    """
    return stable_hash(ytid) % parts


def split_of(part: int, parts: int) -> str:
    """Return the split of a part: the first 80 % of the parts are train, the next 10 % valid, the last 10 % test."""
    if part < int(parts * _TRAIN_SHARE):
        return "train"
    return "valid" if part < int(parts * _TRAIN_AND_VALID_SHARE) else "test"


def parts_of(split: str, parts: int) -> list[int]:
    """Return the parts, in ascending order, that make up a split of ``parts`` parts."""
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}; expected one of {', '.join(SPLITS)}")
    return [part for part in range(parts) if split_of(part, parts) == split]
