"""fetch_segments, select_clips and report_attrition on small lists."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from l3net.audioset.clip import STATUSES
from l3net.audioset.clip_tables import MANIFEST_COLUMNS, read_clip_list
from l3net.audioset.splits import deal_videos, part_of
from l3net.errors import ClipError, ConfigError
from l3net.files.kept import stable_hash
from tests.loopback import serving
from tests.stages.loading import SCRIPTS, stage_function

fetch_segments = stage_function("fetch_segments")
select_clips = stage_function("select_clips")
report_attrition = stage_function("report_attrition")
LIST = b'# YTID, start_seconds, end_seconds, positive_labels\naaaaaaaaaaa, 0.000, 10.000, "/m/04rlf,/m/0342h"\n'


class TestFetchSegments:
    def test_from_a_path_and_from_an_address(self, tmp_path):
        (tmp_path / "list.csv").write_bytes(LIST)
        with serving() as server:
            server.answers["/list.csv"] = lambda n, is_range: 503 if n == 1 else LIST
            targets = [tmp_path / "0.csv", tmp_path / "1.csv"]
            fetch_segments(targets, sources=[str(tmp_path / "list.csv"), f"{server.url}/list.csv"])
        assert [path.read_bytes() for path in targets] == [LIST, LIST]

    @pytest.mark.parametrize(
        ("source", "error", "message"),
        [
            ("nowhere.csv", ClipError, r"nowhere\.csv: the segment list cannot be read"),
            ("ftp://example.org/x.csv", ConfigError, "is neither a path nor an http"),
            ("file:///etc/passwd", ConfigError, "is neither a path nor an http"),
            ("{server}/404.csv", ClipError, r"audioset\.segments: http://.*/404\.csv cannot be fetched: 404 Not Found"),
            ("{server}/page.csv", ClipError, r"/page\.csv, line 1: .* is not a segment row"),
        ],
    )
    def test_lists_that_cannot_be_had(self, source, error, message, tmp_path):
        with serving() as server:
            server.answers["/page.csv"] = b"<html>Not what you wanted</html>"
            with pytest.raises(error, match=message):
                fetch_segments([tmp_path / "0.csv"], sources=[source.replace("{server}", server.url)])
        assert list(tmp_path.iterdir()) == []


class TestSelectClips:
    def command(self, root: Path, *arguments: object) -> subprocess.CompletedProcess:
        command = [
            sys.executable,
            SCRIPTS / "select_clips.py",
            "--ontology",
            root / "resources/ontology.json",
            *arguments,
        ]
        return subprocess.run([str(word) for word in command], capture_output=True, text=True)

    def test_command_line(self, root, tmp_path):
        (tmp_path / "a.csv").write_bytes(LIST)
        (tmp_path / "b.csv").write_bytes(LIST.replace(b"aaaaaaaaaaa", b"--bbbbbbbbb"))
        lists = ["--segments", tmp_path / "a.csv", tmp_path / "b.csv"]
        music = root / "resources/filters/music.csv"
        done = self.command(root, *lists, "--filter", music, "--output", tmp_path / "clips.csv")
        assert done.returncode == 0, done.stderr
        table = read_clip_list(tmp_path / "clips.csv")
        assert table["ytid"].tolist() == ["--bbbbbbbbb", "aaaaaaaaaaa"]
        assert table["labels"].tolist() == ["/m/04rlf,/m/0342h"] * 2

    def test_filter_that_names_no_label_of_the_ontology(self, root, tmp_path):
        (tmp_path / "a.csv").write_bytes(LIST)
        (tmp_path / "f.csv").write_text("label,include_children\nAcoustic guitr,false\n")
        done = self.command(
            *(
                root,
                "--segments",
                tmp_path / "a.csv",
                "--filter",
                tmp_path / "f.csv",
                "--output",
                tmp_path / "clips.csv",
            )
        )
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert (
            "f.csv, line 2: the ontology has no label 'Acoustic guitr'; did you mean 'Acoustic guitar'?" in done.stderr
        )
        assert not (tmp_path / "clips.csv").exists()

    @pytest.mark.parametrize("of_all", [None, Path("all")])
    def test_no_filter_takes_every_clip_whatever_its_labels(self, of_all, root, tmp_path):
        rows = '-----------, 0.0, 3.5, "/own/V%C3%B6gel,/own/x"\nNA---------, 10, 20, "/own/"\n'
        (tmp_path / "a.csv").write_bytes(LIST + rows.encode())
        select_clips([tmp_path / "a.csv"], root / "resources/ontology.json", of_all, tmp_path / "c.csv")
        found = pd.read_csv(tmp_path / "c.csv", keep_default_na=False)
        n_listed = sum(not line.startswith(b"#") for line in LIST.splitlines())
        assert len(found) == n_listed + 2
        assert found.set_index("ytid")["labels"]["-----------"] == "/own/V%C3%B6gel,/own/x"

    def test_no_clip_is_an_error(self, root, tmp_path):
        (tmp_path / "a.csv").write_bytes(LIST)
        (tmp_path / "f.csv").write_text("label,include_children\nBark,false\n")
        with pytest.raises(ClipError, match=r"no clip in .* has a label of"):
            select_clips([tmp_path / "a.csv"], root / "resources/ontology.json", tmp_path / "f.csv", tmp_path / "c.csv")


class TestReportAttrition:
    @pytest.fixture
    def inputs(self, root, tmp_path) -> dict:
        """Forty clips in ten parts, of two subsets that share the first ten; every fourth is gone."""
        ids = [f"{n:011d}" for n in range(40)]
        for subset, chosen in {"music": ids[:25], "urban": ids[:10] + ids[25:]}.items():
            rows = [f'{ytid},0.0,10.0,"/m/04rlf,/m/0342h"' for ytid in chosen]
            (tmp_path / f"{subset}.csv").write_text("\n".join(["ytid,start_seconds,end_seconds,labels", *rows]) + "\n")
        frame = pd.DataFrame({"ytid": ids, "start_seconds": 0.0, "end_seconds": 10.0, "attempts": 1})
        frame["status"] = ["removed" if n % 4 == 0 else "ok" for n in range(40)]
        frame["reason"] = [f"no video {ytid}, looked {n} times" for n, ytid in enumerate(ids)]
        frame = frame.reindex(columns=MANIFEST_COLUMNS)
        frame["part"] = [part_of(ytid, 10) for ytid in ids]
        manifests = [tmp_path / f"part-{part}.csv" for part in range(10)]
        for part, path in enumerate(manifests):
            frame[frame["part"] == part].drop(columns="part").to_csv(path, index=False)
        return {
            "clips": [tmp_path / "music.csv", tmp_path / "urban.csv"],
            "manifests": manifests,
            "ontology": root / "resources/ontology.json",
            "attrition": tmp_path / "attrition.csv",
            "by_label": tmp_path / "by_label.csv",
            "subsets": ["music", "urban"],
            "parts": 10,
        }

    def test_counts(self, inputs):
        report_attrition(**inputs)
        table = pd.read_csv(inputs["attrition"])
        assert list(table) == ["subset", "split", "status", "n"]
        assert len(table) == 2 * 3 * len(STATUSES)
        ids = {"music": range(25), "urban": [*range(10), *range(25, 40)]}
        for subset, chosen in ids.items():
            for split, parts in {"train": range(8), "valid": [8], "test": [9]}.items():
                here = [n for n in chosen if stable_hash(f"{n:011d}") % 10 in parts]
                row = table[(table["subset"] == subset) & (table["split"] == split)].set_index("status")["n"]
                assert row["removed"] == sum(n % 4 == 0 for n in here)
                assert row["ok"] == sum(n % 4 != 0 for n in here)
                assert row.sum() == len(here)

    def test_by_label_puts_like_reasons_together(self, inputs):
        report_attrition(**inputs)
        table = pd.read_csv(inputs["by_label"])
        assert set(table["label"]) == {"Music", "Guitar"}
        assert set(table["reason"]) == {"no video {ytid}, looked # times"}
        assert table["n"].sum() == 2 * 50

    def test_too_few_clips_stop_the_run_with_one_line(self, inputs):
        counts = {}
        for subset, chosen in {"music": range(25)}.items():
            counts[subset] = sum(n % 4 != 0 and part_of(f"{n:011d}", 10) == 8 for n in chosen)
        with pytest.raises(
            ClipError, match=r"has \d+ usable clips in split \w+, expected audioset.min_clips = 15"
        ) as caught:
            report_attrition(**inputs, min_clips=15)
        assert "\n" not in str(caught.value)
        report_attrition(**inputs, min_clips=0)

    def test_a_split_that_cannot_be_used_keeps_the_tables(self, inputs):
        with pytest.raises(ClipError, match=r"\. Counts of all clips: .*/attrition_failed\.csv$") as caught:
            report_attrition(**inputs, min_clips=15)
        assert len(str(caught.value)) <= 400
        for name in ("attrition", "by_label"):
            kept = inputs[name].with_name(f"{inputs[name].stem}_failed.csv")
            assert kept.read_bytes() == inputs[name].read_bytes()
        report_attrition(**inputs)
        assert not list(inputs["attrition"].parent.glob("*_failed.csv"))

    def test_balanced_counts_by_the_dealing_of_all_subsets_together(self, inputs):
        frame = pd.concat([pd.read_csv(path, dtype={"ytid": str}) for path in inputs["manifests"]])
        frame.to_csv(inputs["manifests"][0], index=False)
        report_attrition(**inputs | {"manifests": inputs["manifests"][:1]}, split="balanced")
        table = pd.read_csv(inputs["attrition"])
        dealt = deal_videos([f"{n:011d}" for n in range(40)], 10, "balanced")
        for subset, chosen in {"music": range(25), "urban": [*range(10), *range(25, 40)]}.items():
            for split, parts in {"train": range(8), "valid": [8], "test": [9]}.items():
                n = sum(dealt[f"{n:011d}"] in parts for n in chosen)
                assert table[(table["subset"] == subset) & (table["split"] == split)]["n"].sum() == n

    def test_clip_without_a_manifest_row(self, inputs):
        with pytest.raises(ClipError, match=r"clips of .*music.csv are in no manifest, 0000000\d+ first"):
            report_attrition(**inputs | {"manifests": inputs["manifests"][1:]})
