"""AudioSet's lists, ontology and filters, and the choice of clips, against a reading by the csv module."""

import csv
import json
from pathlib import Path

import pytest

from l3net.audioset.clip import clip_path
from l3net.audioset.clip_selection import clips_with_labels, part_clips
from l3net.audioset.clip_tables import read_clip_list, read_manifest
from l3net.audioset.ontology import Ontology, read_filter, read_ontology
from l3net.audioset.segment_lists import read_segments
from l3net.errors import ClipError, ConfigError
from l3net.runtime.hashing import stable_hash

HEAD = "# Segments csv created Sun Mar  5 10:54:31 2017\n# num_ytids=1\n# YTID, start_seconds, ...\n"
TREE = Ontology(
    {"/m/a": "Animal", "/m/b": "Dog", "/m/c": "Bark", "/m/d": "Guitar", "/m/bb": "Music", "/m/e": "Bark, wild"},
    {"/m/a": ["/m/b"], "/m/b": ["/m/c"], "/m/c": [], "/m/d": [], "/m/bb": ["/m/d"], "/m/e": []},
)


def listed(path: Path, *rows: str, head: str = HEAD) -> Path:
    path.write_text(head + "".join(f"{row}\n" for row in rows))
    return path


def row(ytid: str, labels: str, start: float = 30.0) -> str:
    return f'{ytid}, {start:.3f}, {start + 10:.3f}, "{labels}"'


class TestSegments:
    def test_official_format(self, tmp_path):
        path = listed(tmp_path / "s.csv", row("--PJHxphWEs", "/m/09x0r,/t/dd00088"), row("-aaaaaaaaa_", "/m/012xff", 0))
        table = read_segments(path)
        assert table.to_dict("list") == {
            "ytid": ["--PJHxphWEs", "-aaaaaaaaa_"],
            "start_seconds": [30.0, 0.0],
            "end_seconds": [40.0, 10.0],
            "labels": ["/m/09x0r,/t/dd00088", "/m/012xff"],
        }

    def test_windows_line_ends_blank_lines_and_single_labels_without_quotes(self, tmp_path):
        path = tmp_path / "s.csv"
        path.write_bytes(b'# x\r\n\r\naaaaaaaaaaa, 1.0, 2.5, "/m/a,/m/b"\r\nbbbbbbbbbbb,3,4,/m/c\r\n\r\n')
        table = read_segments(path)
        assert table["labels"].tolist() == ["/m/a,/m/b", "/m/c"]
        assert table["end_seconds"].tolist() == [2.5, 4.0]

    @pytest.mark.parametrize(
        ("bad", "message"),
        [
            ('--exec=rm -rf, 0.0, 10.0, "/m/a"', "line 5: '--exec=rm -rf, 0.0, 10.0, "),
            ('../../../x.., 0.0, 10.0, "/m/a"', "line 5: .* is not a segment row; expected YTID, start_seconds"),
            ('bbbbbbbbbbb, ten, 10.0, "/m/a"', "line 5: "),
            ('bbbbbbbbbbb, -1.0, 10.0, "/m/a"', "line 5: "),
            ("bbbbbbbbbbb, 0.0, 10.0", "line 5: "),
            ('bbbbbbbbbbb, 0.0, 10.0, "Guitar"', "line 5: "),
            ('bbbbbbbbbbb, 0.0, 10.0, ""', "line 5: "),
            ('bbbbbbbbbbb, 20.0, 10.0, "/m/a"', "line 5: the clip ends before it starts"),
        ],
    )
    def test_rows_that_do_not_parse_are_named(self, bad, message, tmp_path):
        path = listed(tmp_path / "s.csv", row("aaaaaaaaaaa", "/m/a"), bad)
        with pytest.raises(ClipError, match=f"s.csv, {message}") as caught:
            read_segments(path)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        ("data", "message"), [(b"", "is empty"), (b"\xff\xfe\x00x\n", "cannot be read|segment row")]
    )
    def test_files_that_are_no_lists(self, data, message, tmp_path):
        (tmp_path / "s.csv").write_bytes(data)
        with pytest.raises(ClipError, match=message):
            read_segments(tmp_path / "s.csv")

    def test_missing_file(self, tmp_path):
        with pytest.raises(ClipError, match=r"s\.csv: cannot be read as a segment list"):
            read_segments(tmp_path / "s.csv")

    def test_real_lists_are_read_whole(self, shared_data):
        for name in ("balanced_train_segments.csv", "unbalanced_train_segments.first65497.csv"):
            path = shared_data / "audioset" / name
            table = read_segments(path)
            with open(path, newline="") as file:
                oracle = [r for r in csv.reader(file, skipinitialspace=True) if not r[0].startswith("#")]
            assert table["ytid"].tolist() == [r[0] for r in oracle]
            assert table["labels"].tolist() == [r[3] for r in oracle]
            assert table["start_seconds"].tolist() == [float(r[1]) for r in oracle]


class TestSelect:
    def test_labels_match_whole_and_children_only_where_asked(self, tmp_path):
        rows = [row("aaaaaaaaaaa", "/m/bb"), row("bbbbbbbbbbb", "/m/b"), row("ccccccccccc", "/m/d,/m/c")]
        path = listed(tmp_path / "s.csv", *rows)
        assert clips_with_labels([path], TREE, {"/m/b"})["ytid"].to_list() == ["bbbbbbbbbbb"]
        assert clips_with_labels([path], TREE, TREE.with_descendants("/m/b"))["ytid"].to_list() == [
            "bbbbbbbbbbb",
            "ccccccccccc",
        ]

    def test_sorted_each_clip_once_and_independent_of_the_lists_order(self, tmp_path):
        one = listed(tmp_path / "1.csv", row("bbbbbbbbbbb", "/m/a", 60), row("bbbbbbbbbbb", "/m/a", 0))
        two = listed(tmp_path / "2.csv", row("aaaaaaaaaaa", "/m/a"), row("bbbbbbbbbbb", "/m/a", 60))
        clips = clips_with_labels([one, two], TREE, {"/m/a"})
        assert clips.select("ytid", "start_seconds").rows() == [
            ("aaaaaaaaaaa", 30),
            ("bbbbbbbbbbb", 0),
            ("bbbbbbbbbbb", 60),
        ]
        assert clips.equals(clips_with_labels([two, one], TREE, {"/m/a"}))

    def test_fewer_clips_are_among_more(self, tmp_path):
        path = listed(tmp_path / "s.csv", *[row(f"{n:011d}", "/m/a") for n in range(200)])
        chosen = {n: set(clips_with_labels([path], TREE, {"/m/a"}, n)["ytid"]) for n in (10, 50, 500)}
        assert chosen[10] < chosen[50] < chosen[500]
        assert [len(chosen[n]) for n in (10, 50, 500)] == [10, 50, 200]

    def test_label_outside_the_ontology_is_named_with_its_line(self, tmp_path):
        path = listed(tmp_path / "s.csv", row("aaaaaaaaaaa", "/m/a"), row("bbbbbbbbbbb", "/m/a,/m/zz"))
        with pytest.raises(ClipError, match=r"s\.csv, line 5: the ontology has no label /m/zz"):
            clips_with_labels([path], TREE, {"/m/a"})

    @pytest.mark.parametrize("subset", ["music", "environmental"])
    def test_real_list_and_filters_against_plain_python(self, subset, root, shared_data):
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


class TestFilter:
    def test_quoted_names_and_descendants(self, tmp_path):
        path = tmp_path / "f.csv"
        path.write_text('label,include_children\nAnimal,true\n"Bark, wild",false\nMusic,False\n')
        assert read_filter(path, TREE) == {"/m/a", "/m/b", "/m/c", "/m/e", "/m/bb"}

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("label,include_children\nGuitr,false\n", r"f\.csv, line 2: .* no label 'Guitr'; did you mean 'Guitar'"),
            ("label,include_children\nGuitar,maybe\n", "line 2: include_children is 'maybe'; expected true or false"),
            ("label,include_children\nGuitar\n", "line 2: include_children is 'none'; expected true or false"),
            ("name,children\nGuitar,true\n", "columns are .*; expected label,include_children"),
            ("label,include_children\n", "names no label"),
        ],
    )
    def test_bad_filters(self, text, message, tmp_path):
        (tmp_path / "f.csv").write_text(text)
        with pytest.raises(ConfigError, match=message):
            read_filter(tmp_path / "f.csv", TREE)

    @pytest.mark.parametrize("text", ["{", "{}", '[{"id": 1}]', "[1]"])
    def test_bad_ontology(self, text, tmp_path):
        (tmp_path / "o.json").write_text(text)
        with pytest.raises(ConfigError, match=r"o\.json: not AudioSet's ontology"):
            read_ontology(tmp_path / "o.json")


class TestPlaces:
    def test_clip_path(self):
        path = clip_path("store", "--PJHxphWEs", 30.0, 40.25)
        folder = f"{stable_hash('--PJHxphWEs') % 256:02x}"
        assert path == Path("store") / folder / "--PJHxphWEs_0030000_0040250.mkv"

    def test_clips_of_a_part_of_several_lists(self, tmp_path):
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

    def test_clip_lists_and_manifests_that_are_none(self, tmp_path):
        (tmp_path / "x.csv").write_text("a,b\n1,2\n")
        for reader in (read_clip_list, read_manifest, lambda path: part_clips([path], 0, 1)):
            with pytest.raises(ClipError, match=r"x\.csv: (no column|cannot be read)"):
                reader(tmp_path / "x.csv")
            with pytest.raises(ClipError, match=r"missing\.csv: cannot be read"):
                reader(tmp_path / "missing.csv")
