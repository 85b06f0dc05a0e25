"""The choice of a subset's clips, against plain Python, and of a part's clips."""

import csv
import json

import pytest

from l3net.audioset.clip_selection import clips_with_labels, part_clips
from l3net.audioset.ontology import Ontology, read_filter, read_ontology
from l3net.errors import ClipError
from tests.audioset.lists import listed, row

TREE = Ontology(
    {"/m/a": "Animal", "/m/b": "Dog", "/m/c": "Bark", "/m/d": "Guitar", "/m/bb": "Music", "/m/e": "Bark, wild"},
    {"/m/a": ["/m/b"], "/m/b": ["/m/c"], "/m/c": [], "/m/d": [], "/m/bb": ["/m/d"], "/m/e": []},
)


def test_labels_match_whole_and_children_only_where_asked(tmp_path):
    rows = [row("aaaaaaaaaaa", "/m/bb"), row("bbbbbbbbbbb", "/m/b"), row("ccccccccccc", "/m/d,/m/c")]
    path = listed(tmp_path / "s.csv", *rows)
    assert clips_with_labels([path], TREE, {"/m/b"})["ytid"].to_list() == ["bbbbbbbbbbb"]
    assert clips_with_labels([path], TREE, TREE.with_descendants("/m/b"))["ytid"].to_list() == [
        "bbbbbbbbbbb",
        "ccccccccccc",
    ]


def test_sorted_each_clip_once_and_independent_of_the_lists_order(tmp_path):
    one = listed(tmp_path / "1.csv", row("bbbbbbbbbbb", "/m/a", 60), row("bbbbbbbbbbb", "/m/a", 0))
    two = listed(tmp_path / "2.csv", row("aaaaaaaaaaa", "/m/a"), row("bbbbbbbbbbb", "/m/a", 60))
    clips = clips_with_labels([one, two], TREE, {"/m/a"})
    assert clips.select("ytid", "start_seconds").rows() == [
        ("aaaaaaaaaaa", 30),
        ("bbbbbbbbbbb", 0),
        ("bbbbbbbbbbb", 60),
    ]
    assert clips.equals(clips_with_labels([two, one], TREE, {"/m/a"}))


def test_a_clip_in_two_lists_keeps_the_labels_of_its_first_row(tmp_path):
    one = listed(tmp_path / "1.csv", row("bbbbbbbbbbb", "/m/b"))
    two = listed(tmp_path / "2.csv", row("bbbbbbbbbbb", "/m/a,/m/b"))
    for lists, labels in (([one, two], "/m/b"), ([two, one], "/m/a,/m/b")):
        assert clips_with_labels(lists, TREE, None)["labels"].to_list() == [labels]


def test_fewer_clips_are_among_more(tmp_path):
    path = listed(tmp_path / "s.csv", *[row(f"{n:011d}", "/m/a") for n in range(200)])
    chosen = {n: set(clips_with_labels([path], TREE, {"/m/a"}, n)["ytid"]) for n in (10, 50, 500)}
    assert chosen[10] < chosen[50] < chosen[500]
    assert [len(chosen[n]) for n in (10, 50, 500)] == [10, 50, 200]


def test_label_outside_the_ontology_is_named_with_its_line(tmp_path):
    path = listed(tmp_path / "s.csv", row("aaaaaaaaaaa", "/m/a"), row("bbbbbbbbbbb", "/m/a,/m/zz"))
    with pytest.raises(ClipError, match=r"s\.csv, line 5: the ontology has no label /m/zz"):
        clips_with_labels([path], TREE, {"/m/a"})


@pytest.mark.parametrize("subset", ["music", "environmental", "environmental_published"])
def test_real_list_and_filters_against_plain_python(subset, root, shared_data):
    tree = read_ontology(root / "resources" / "ontology.json")
    filter_path = root / "resources" / "filters" / f"{subset}.csv"
    nodes = {node["id"]: node for node in json.loads((root / "resources" / "ontology.json").read_text())}
    wanted = set()

    def add(node: dict, deep: bool) -> None:
        wanted.add(node["id"])
        for child in node["child_ids"] if deep else []:
            add(nodes[child], deep)

    with open(filter_path, newline="") as file:
        for line in csv.DictReader(file):
            (node,) = [node for node in nodes.values() if node["name"] == line["label"]]
            add(node, line["include_children"] == "true")
    path = shared_data / "audioset" / "balanced_train_segments.csv"
    with open(path, newline="") as file:
        rows = [r for r in csv.reader(file, skipinitialspace=True) if not r[0].startswith("#")]
    oracle = sorted(r[0] for r in rows if wanted & set(r[3].split(",")))
    assert clips_with_labels([path], tree, read_filter(filter_path, tree))["ytid"].to_list() == oracle
    assert len(oracle) > 1000


@pytest.mark.parametrize(
    ("subset", "balanced", "unbalanced", "millions"),
    [
        ("music", 4654, 9311, 0.299),
        ("environmental", 4173, 7495, 0.242),
        ("environmental_published", 2327, 6207, 0.198),
    ],
)
def test_counts_behind_the_extrapolation_to_all_of_audioset(subset, balanced, unbalanced, millions, root, shared_data):
    """The balanced list and the first 65,497 rows of the unbalanced one; docs/scale.md has the extrapolation."""
    tree = read_ontology(root / "resources" / "ontology.json")
    wanted = read_filter(root / "resources" / "filters" / f"{subset}.csv", tree)
    names = ("balanced_train_segments.csv", "unbalanced_train_segments.first65497.csv")
    found = [len(clips_with_labels([shared_data / "audioset" / name], tree, wanted)) for name in names]
    assert found == [balanced, unbalanced]
    # The list of evaluation clips is as balanced as the balanced one.
    whole = found[0] * (22_160 + 20_371) / 22_160 + found[1] * 2_041_789 / 65_497
    assert whole == pytest.approx(millions * 1e6, rel=0.005)


def test_the_published_filter_is_the_same_names_without_descendants(root):
    folder = root / "resources" / "filters"
    ours, published = (
        list(csv.DictReader((folder / f"{name}.csv").read_text().splitlines()))
        for name in ("environmental", "environmental_published")
    )
    assert [row["label"] for row in published] == [row["label"] for row in ours]
    assert {row["include_children"] for row in published} == {"false"}
    assert len(published) == 20


def test_clips_of_a_part_of_several_lists(tmp_path):
    head = "ytid,start_seconds,end_seconds,labels\n"
    (tmp_path / "a.csv").write_text(head + '-----------,30.0,40.0,"/m/a,/m/b"\nNA---------,1.5,2.5,/m/a\n')
    (tmp_path / "b.csv").write_text(head + "-----------,30.0,40.0,/m/a\n12345678901,0.0,1.0,/m/a\n")
    lists = [tmp_path / "a.csv", tmp_path / "b.csv"]
    found, _ = part_clips(lists, 0, 1)
    assert [(clip.ytid, clip.seconds) for clip in found] == [
        ("-----------", 10),
        ("12345678901", 1),
        ("NA---------", 1),
    ]


def test_balanced_parts_hold_every_clip_once_and_no_video_twice(tmp_path):
    rows = [f"{n:011d},{start}.0,{start + 10}.0,/m/a\n" for n in range(12) for start in (0, 10)]
    for name, some in (("a", rows[:16]), ("b", rows[8:])):
        (tmp_path / f"{name}.csv").write_text("ytid,start_seconds,end_seconds,labels\n" + "".join(some))
    lists = [tmp_path / "a.csv", tmp_path / "b.csv"]
    parts = [part_clips(lists, part, 10, "balanced") for part in range(10)]
    assert {n for _, n in parts} == {24}
    assert sum(len(clips) for clips, _ in parts) == 24
    videos = [{clip.ytid for clip in clips} for clips, _ in parts]
    assert sum(map(len, videos)) == 12
    assert 1 not in map(len, videos)
    assert videos[8] and videos[9]
