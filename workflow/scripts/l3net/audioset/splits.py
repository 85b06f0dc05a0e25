"""Which part a video belongs to, and which split a part belongs to.

The split of a part depends on its number alone (`split_of`), so rules know it before there is any data. Which part a
video is in depends on the hash of its id alone (``hash``), or on all ids of the list (``balanced``).
"""

from collections.abc import Iterable, Mapping

from l3net.errors import ConfigError
from l3net.files import stable_hash

SPLITS = ("train", "valid", "test")
DEALINGS = ("hash", "balanced", "column")
LEAST_VIDEOS = 2  # of a part: a mismatch hears another video of its part
_TRAIN_SHARE, _TRAIN_AND_VALID_SHARE = 0.8, 0.9
_GOOD_VIDEOS = 4  # of a part where there are few: more, so that mismatches hear several others


def part_of(ytid: str, parts: int) -> int:
    """Return the part, 0 to ``parts - 1``, that the hash of a video's id leads to.

    The part depends on the video's id alone, so it never moves when a list grows or a clip disappears.
    """
    return stable_hash(ytid) % parts


def deal_videos(
    ytids: Iterable[str], parts: int, split: str = "hash", own: Mapping[str, str] | None = None
) -> dict[str, int]:
    """Return the part of each video of a list.

    ``balanced`` sorts the videos by the hash of their ids and gives the first to test, the next to valid and the others
    to train, each its share of the videos, but two or more. Within a split, as many parts are used as can have
    four videos each; further ones stay empty. The order of the list and repetitions do not matter. A video that is
    added moves few others: those at the border of two splits, and between parts of a split.

    Parameters
    ----------
    ytids : the ids of all videos of a run, of all its subsets.
    parts : how many parts there are.
    split : ``hash`` (`part_of`), ``balanced``, or ``column``: each video into a part of its `own` split, by the hash of
        its id. Where no video is of valid, those of train are dealt to its parts too.
    own : the split of each video, for ``column``.

    Raises
    ------
    ConfigError
        Another word for `split`.
    """
    if split not in DEALINGS:
        raise ConfigError(f"audioset.split is {split!r}; expected one of {', '.join(DEALINGS)}")
    if split == "hash":
        return {ytid: part_of(ytid, parts) for ytid in set(ytids)}
    if split == "column":
        numbers = {name: parts_of(name, parts) for name in SPLITS}
        if "valid" not in own.values():
            numbers["train"] = numbers["train"] + numbers["valid"]
        return {ytid: numbers[own[ytid]][part_of(ytid, len(numbers[own[ytid]]))] for ytid in set(ytids)}
    order = sorted(set(ytids), key=lambda ytid: (stable_hash(ytid), ytid))
    sizes = _balanced_sizes(len(order), parts)
    found, first = {}, 0
    for name in reversed(SPLITS):
        videos, numbers = order[first : first + sizes[name]], parts_of(name, parts)
        used = numbers[: max(len(videos) // _GOOD_VIDEOS, 1)]
        found |= {ytid: used[n % len(used)] for n, ytid in enumerate(videos)}
        first += sizes[name]
    return found


def _balanced_sizes(n_videos: int, parts: int) -> dict[str, int]:
    """Return how many of `n_videos` each split has: its share of the parts, and two for each where there are six."""
    sizes = {name: max(round(n_videos * len(parts_of(name, parts)) / parts), LEAST_VIDEOS) for name in SPLITS[1:]}
    sizes["train"] = max(n_videos - sum(sizes.values()), min(n_videos, LEAST_VIDEOS))
    sizes["valid"] = min(sizes["valid"], n_videos - sizes["train"])
    sizes["test"] = n_videos - sizes["train"] - sizes["valid"]
    return sizes


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
