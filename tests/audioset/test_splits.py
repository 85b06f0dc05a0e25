"""Parts and splits: where a video goes, and that rules and library agree."""

import hashlib

import pytest

from l3net.audioset.splits import DEALINGS, SPLITS, deal_videos, part_of, parts_of, split_of
from l3net.errors import ConfigError


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


def names(n: int) -> list[str]:
    return [f"{n:011d}" for n in range(n)]


def splits_of(dealt: dict[str, int], parts: int) -> dict[str, set[str]]:
    return {split: {ytid for ytid, part in dealt.items() if split_of(part, parts) == split} for split in SPLITS}


def test_by_their_hash_videos_go_where_they_went() -> None:
    assert deal_videos(names(50), 10) == {ytid: part_of(ytid, 10) for ytid in names(50)}


@pytest.mark.parametrize("parts", [6, 7, 10, 50])
@pytest.mark.parametrize("n", [6, 7, 12, 29, 100, 2000])
def test_balanced_fills_every_split_with_its_share(n: int, parts: int) -> None:
    dealt = deal_videos(names(n), parts, "balanced")
    assert set(dealt) == set(names(n))
    counts = [sum(part == number for part in dealt.values()) for number in range(parts)]
    assert 1 not in counts, "a part of one video has no mismatch"
    shares = {split: len(videos) / n for split, videos in splits_of(dealt, parts).items()}
    for split in SPLITS:
        of_parts = len(parts_of(split, parts)) / parts
        assert abs(shares[split] - of_parts) <= max(2 / n, 0.5 / n + 1e-9) + (split == "train") * 2 / n
        used = [count for number, count in enumerate(counts) if count and split_of(number, parts) == split]
        assert max(used) - min(used) <= 1


def test_twenty_nine_videos_in_ten_parts() -> None:
    assert {split: len(videos) for split, videos in splits_of(deal_videos(names(29), 10, "balanced"), 10).items()} == {
        "train": 23,
        "valid": 3,
        "test": 3,
    }


def test_balanced_is_a_function_of_the_set_of_videos() -> None:
    dealt = deal_videos(names(40), 10, "balanced")
    assert deal_videos(names(40)[::-1] + names(40)[:7], 10, "balanced") == dealt


@pytest.mark.parametrize("n", range(6))
def test_balanced_with_too_few_videos_fills_train_first(n: int) -> None:
    dealt = deal_videos(names(n), 10, "balanced")
    found = splits_of(dealt, 10)
    assert set(dealt) == set(names(n))
    assert [len(found[split]) for split in SPLITS] == [min(n, 2), max(min(n - 2, 2), 0), max(n - 4, 0)]


def test_a_video_more_moves_few_to_another_split() -> None:
    before, after = (splits_of(deal_videos(names(n), 10, "balanced"), 10) for n in (100, 101))
    assert sum(len(before[split] - after[split]) for split in SPLITS) <= 2


def test_another_way_of_dealing_is_refused() -> None:
    assert DEALINGS == ("hash", "balanced", "column")
    with pytest.raises(ConfigError, match=r"audioset\.split is 'even'; expected one of hash, balanced, column"):
        deal_videos(names(3), 10, "even")
