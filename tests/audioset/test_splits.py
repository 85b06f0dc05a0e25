"""Parts and splits: where a video goes, and that rules and library agree."""

import hashlib

import pytest

from l3net.audioset.splits import SPLITS, part_of, parts_of, split_of


def test_a_part_is_the_remainder_of_the_ids_hash() -> None:
    digest = hashlib.blake2b(b"--2hxJ7vTaE", digest_size=8).hexdigest()
    assert part_of("--2hxJ7vTaE", 10) == int(digest, 16) % 10


def test_parts_are_even() -> None:
    counts = [0] * 10
    for n in range(20000):
        counts[part_of(f"{n:011d}", 10)] += 1
    assert max(abs(count - 2000) for count in counts) < 5 * 2000**0.5


@pytest.mark.parametrize(
    ("parts", "counts"), [(10, (8, 1, 1)), (100, (80, 10, 10)), (800, (640, 80, 80)), (1, (0, 0, 1)), (7, (5, 1, 1))]
)
def test_the_first_parts_train_and_the_last_parts_test(parts: int, counts: tuple[int, int, int]) -> None:
    splits = [split_of(part, parts) for part in range(parts)]
    assert tuple(splits.count(split) for split in SPLITS) == counts
    assert splits == sorted(splits, key=SPLITS.index)


@pytest.mark.parametrize("parts", [1, 3, 10, 800])
def test_the_parts_of_all_splits_are_all_parts(parts: int) -> None:
    together = [part for split in SPLITS for part in parts_of(split, parts)]
    assert together == list(range(parts))
    assert all(split_of(part, parts) == split for split in SPLITS for part in parts_of(split, parts))


def test_a_split_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="'dev'; expected one of train, valid, test"):
        parts_of("dev", 10)
