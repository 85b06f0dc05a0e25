"""fetch_clips against a loopback server and a folder: every status, exact lengths, sync, and what a re-run asks for."""

import re
import shutil
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

from l3net.audioset.clip import clip_path
from l3net.audioset.clip_tables import read_manifest
from l3net.errors import ConfigError
from tests import media_sources
from tests.loopback import serving
from tests.stages.loading import stage_function

fetch_clips = stage_function("fetch_clips")
FAST = {"part": 0, "parts": 1, "short_side": 64, "preset": "ultrafast", "back_off_seconds": 0.01, "give_up_after": 1000}


def clip_list(path: Path, ytids: list[str], start: float = 1.0, end: float = 11.0) -> Path:
    rows = [f'{ytid},{start},{end},"/m/04rlf"' for ytid in sorted(ytids)]
    path.write_text("\n".join(["ytid,start_seconds,end_seconds,labels", *rows]) + "\n")
    return path


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("kinds")
    good = media_sources.every_kind(folder)
    return {**good, **media_sources.broken_kind(folder, good["plain"])}


EXPECTED = {
    "three_seconds": ("short", "3.00 s of 10 s are there"),
    "silent": ("invalid_media", "silent from end to end"),
    "audio_only": ("invalid_media", "no picture"),
    "video_only": ("invalid_media", "no sound"),
    "truncated": ("invalid_media", "truncated: 5.93 s came of 10.00 s"),
    "headless": ("invalid_media", "ffmpeg cannot read what came"),
    "code_404": ("removed", "HTTP 404"),
    "code_403": ("http_error", "HTTP 403"),
    "code_429": ("rate_limited", "HTTP 429"),
    "code_500": ("http_error", "HTTP 500"),
    "code_451": ("geo_blocked", "HTTP 451"),
    "range_403": ("http_error", "HTTP 403"),
    "reset": ("network", None),
}
ATTEMPTS = {"truncated": 3, "headless": 3, "code_403": 3, "code_429": 3, "code_500": 3, "range_403": 3, "reset": 3}


@pytest.fixture(scope="module")
def part(kinds, tmp_path_factory):
    """A part of 62 clips of every kind, fetched over http; with the server, to be asked again."""
    folder = tmp_path_factory.mktemp("part")
    good = ["plain", "rotated", "odd", "variable", "surround", "film", "late_sound"]
    names = [*(good * 7)[:45], "code_404", "code_403", "code_429", "code_500", "code_451", "range_403", "reset"]
    names += ["silent", "audio_only", "video_only", "three_seconds", "truncated", "headless", "passing_500"]
    names += ["passing_429", "passing_reset", "plain"]
    kind_of = {f"clip-{n:06d}": name for n, name in enumerate(names)}
    with serving() as server:
        for ytid, kind in kind_of.items():
            answer = kinds.get(kind, "reset")
            if kind.startswith("code_"):
                answer = int(kind[5:])
            elif kind == "range_403":  # the page answers, the media's bytes do not
                answer = lambda n, is_range: 403 if is_range else kinds["plain"]  # noqa: E731
            elif kind.startswith("passing_"):
                trouble = {"500": 500, "429": 429, "reset": "reset"}[kind[8:]]
                answer = lambda n, is_range, trouble=trouble: trouble if n <= 1 else kinds["plain"]  # noqa: E731
            server.answers[f"/{ytid}.mp4"] = answer
        settings = FAST | {
            "clips": [clip_list(folder / "clips.csv", list(kind_of))],
            "source": "http",
            "url_template": server.url + "/{ytid}.mp4?key=SECRET",
            "store": folder / "store",
            "allow_private_addresses": True,
            "timeout_seconds": 10.0,
        }
        fetch_clips(manifest=folder / "first.csv", **settings)
        table = read_manifest(folder / "first.csv").assign(kind=list(kind_of.values()))
        yield server, settings, table, folder


def test_a_blocked_job_ends_well_and_goes_on_later(kinds, tmp_path, caplog):
    ytids = [f"block-{n:05d}" for n in range(8)]
    with serving() as server:
        server.answers = {f"/{ytid}.mp4": 429 for ytid in ytids} | {f"/{ytids[0]}.mp4": kinds["three_seconds"]}
        settings = FAST | {"source": "http", "url_template": server.url + "/{ytid}.mp4", "give_up_after": 3}
        settings |= {"allow_private_addresses": True, "store": tmp_path / "store", "workers": 1}
        clips = [clip_list(tmp_path / "clips.csv", ytids)]
        fetch_clips(clips, tmp_path / "m.csv", **settings)
        table = read_manifest(tmp_path / "m.csv")
        assert table["status"].tolist() == ["short"] + ["rate_limited"] * 7
        assert table["attempts"].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
        assert table["reason"].iloc[-1] == "not tried: the job gave up before"
        assert sum(server.requests.values()) - server.requests[f"/{ytids[0]}.mp4"] == 3
        assert "part 0: gave up after 3 blocks (rate_limited)" in caplog.text
        assert "snakemake -R fetch_clips" in caplog.text
        server.answers = dict.fromkeys(server.answers, kinds["three_seconds"])
        first = server.requests[f"/{ytids[0]}.mp4"]
        fetch_clips(clips, tmp_path / "m.csv", **settings)
        assert read_manifest(tmp_path / "m.csv")["status"].tolist() == ["short"] * 8
        assert server.requests[f"/{ytids[0]}.mp4"] == first


def test_a_folder_that_gained_a_video_is_looked_into_again(kinds, tmp_path):
    videos = tmp_path / "videos"
    videos.mkdir()
    settings = FAST | {"source": "directory", "directory": videos, "store": tmp_path / "store"}
    clips = [clip_list(tmp_path / "clips.csv", ["later-00000"])]
    fetch_clips(clips, tmp_path / "m.csv", **settings)
    assert read_manifest(tmp_path / "m.csv")["status"].tolist() == ["removed"]
    shutil.copy(kinds["three_seconds"], videos / "later-00000.mp4")
    fetch_clips(clips, tmp_path / "m.csv", **settings)
    assert read_manifest(tmp_path / "m.csv")["status"].tolist() == ["short"]


def test_a_title_that_is_not_utf8_is_no_reason_to_fail(kinds, tmp_path):
    videos = tmp_path / "videos"
    videos.mkdir()
    made = media_sources.run("-i", kinds["three_seconds"], "-c", "copy", "-metadata", "title=R@cit",
                             to=videos / "latin-00000.mkv")  # fmt: skip
    made.write_bytes(made.read_bytes().replace(b"R@cit", "Récit".encode("latin-1")))
    clips = [clip_list(tmp_path / "clips.csv", ["latin-00000"])]
    fetch_clips(clips, tmp_path / "m.csv", source="directory", directory=videos, store=tmp_path / "store", **FAST)
    assert read_manifest(tmp_path / "m.csv")["status"].tolist() == ["short"]


def test_estimate_and_progress_are_told(kinds, tmp_path, caplog):
    (tmp_path / "videos").mkdir()
    shutil.copy(kinds["three_seconds"], tmp_path / "videos" / "there-00000.mp4")
    clips = [clip_list(tmp_path / "clips.csv", ["there-00000", "lost--00000"])]
    expect = {"megabytes_per_clip": 500.0, "clips_per_hour": 4, "obtainable": 0.5}
    with caplog.at_level("INFO", logger="l3net"):
        fetch_clips(clips, tmp_path / "m.csv", source="directory", directory=tmp_path / "videos", store=tmp_path / "s",
                    expect=expect, **FAST)  # fmt: skip
    assert "part 0 of 1: 2 of 2 clips to fetch, about 1 of them obtainable, 0.50 GB, 0.5 h" in caplog.text
    assert "fetching: 2 of 2 clips" in caplog.text


def test_progress_is_told_while_clips_come(kinds, tmp_path, caplog, monkeypatch):
    from l3net.runtime import progress

    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0.0)
    (tmp_path / "videos").mkdir()
    clips = [clip_list(tmp_path / "clips.csv", [f"there-0000{n}" for n in range(3)])]
    for n in range(3):
        shutil.copy(kinds["three_seconds"], tmp_path / "videos" / f"there-0000{n}.mp4")
    with caplog.at_level("INFO", logger="l3net"):
        fetch_clips(clips, tmp_path / "m.csv", source="directory", directory=tmp_path / "videos", store=tmp_path / "s",
                    workers=1, **FAST)  # fmt: skip
    told = [record.message for record in caplog.records if record.message.startswith("fetching: ")]
    assert [line.split(" clips, ")[0] for line in told[:3]] == [f"fetching: {n} of 3" for n in (1, 2, 3)]
    assert re.search(r"fetching: 1 of 3 clips, [\d.e+-]+/s, [\d.]+ min left", told[0])


def test_a_worker_pauses_between_requests(kinds, tmp_path, monkeypatch):
    from l3net.acquisition.part_job import time

    pauses = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    (tmp_path / "videos").mkdir()
    clips = [clip_list(tmp_path / "clips.csv", ["lost--00000", "lost--00001"])]
    fetch_clips(clips, tmp_path / "m.csv", source="directory", directory=tmp_path / "videos", store=tmp_path / "s",
                sleep_interval=7.5, attempts=1, **FAST)  # fmt: skip
    assert pauses == [7.5, 7.5]


def test_secrets_are_used_and_written_nowhere(tmp_path, caplog, capfd):
    answers = {
        "lost--00000": 403,
        "lost--00001": "reset",
        "lost--00002": 429,
        "lost--00003": 404,
        "lost--00004": b"page",
    }
    jar = tmp_path / "cookies.txt"
    jar.write_text("# Netscape HTTP Cookie File\nexample.invalid\tFALSE\t/\tFALSE\t2147483647\tlogin\tSECRET\n")
    with serving() as proxy, caplog.at_level("DEBUG"):
        proxy.answers = {f"http://example.invalid/{ytid}.mp4": answer for ytid, answer in answers.items()}
        fetch_clips(
            [clip_list(tmp_path / "clips.csv", list(answers))],
            tmp_path / "m.csv",
            source="http",
            url_template="http://example.invalid/{ytid}.mp4?key=SECRET",
            proxy=proxy.url.replace("http://", "http://me:SECRET@"),
            cookies=str(jar),
            store=tmp_path / "store",
            **FAST,
        )
    assert {request.get("Cookie") for request in proxy.headers} - {None} == {"login=SECRET"}
    assert all("Proxy-Authorization" in request for request in proxy.headers)
    written = [tmp_path / "m.csv", *(path for path in (tmp_path / "store").rglob("*") if path.is_file())]
    texts = [caplog.text, *capfd.readouterr(), *(path.read_text() for path in written)]
    assert "rate_limited" in caplog.text
    assert not any("SECRET" in text or "bWU6" in text for text in texts)


def test_a_store_holds_one_kind_of_clips(tmp_path):
    (tmp_path / "videos").mkdir()
    settings = FAST | {"source": "directory", "directory": tmp_path / "videos", "store": tmp_path / "store"}
    clips = [clip_list(tmp_path / "clips.csv", ["lost--00000"])]
    fetch_clips(clips, tmp_path / "m.csv", **settings)
    with pytest.raises(ConfigError, match="holds clips with short_side 64, not short_side 96: name another store"):
        fetch_clips(clips, tmp_path / "m.csv", **settings | {"short_side": 96})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": "ftp"}, "audioset.source is 'ftp'; expected directory, tar, http or youtube"),
        ({"source": "directory"}, "audioset.directory is null"),
        ({"source": "directory", "directory": Path("nowhere")}, "audioset.directory 'nowhere' is not a folder"),
        ({"source": "http"}, "audioset.url_template must be"),
        ({"source": "http", "url_template": "http://example.org/x.mp4"}, "audioset.url_template must be"),
        ({"source": "http", "url_template": "file:///{ytid}"}, "audioset.url_template must be"),
        ({"source": "youtube", "cookies": "nowhere.txt"}, "audioset.cookies 'nowhere.txt' cannot be read"),
        ({"source": "youtube", "proxy": "socks5://me:SECRET@host:1"}, "audioset.proxy has the scheme 'socks5'"),
    ],
)
def test_settings_that_cannot_be_used_are_told_in_one_line(change, message, tmp_path):
    clips = [clip_list(tmp_path / "clips.csv", ["lost--00000"])]
    with pytest.raises(ConfigError, match=message) as caught:
        fetch_clips(clips, tmp_path / "m.csv", store=tmp_path / "store", **FAST | change)
    assert "\n" not in str(caught.value) and "SECRET" not in str(caught.value)
    assert not (tmp_path / "m.csv").exists()


def test_every_status_is_right(part):
    _, _, table, _ = part
    assert len(table) == 62
    for row in table.itertuples():
        status, reason = EXPECTED.get(row.kind, ("ok", ""))
        assert row.status == status, row
        assert reason is None or row.reason == reason, row
        assert row.attempts == (2 if row.kind.startswith("passing") else ATTEMPTS.get(row.kind, 1)), row
        assert (row.sha256 != "") == (status in ("ok", "short"))


def test_ok_clips_have_300_frames_and_10_seconds(part):
    _, settings, table, _ = part
    for row in table[table["status"] == "ok"].drop_duplicates("kind").itertuples():
        path = clip_path(settings["store"], row.ytid, row.start_seconds, row.end_seconds)
        with av.open(str(path)) as container:
            assert [stream.codec_context.name for stream in container.streams] == ["h264", "flac"]
            assert container.streams.video[0].average_rate == 30
            n_frames = sum(1 for _ in container.decode(video=0))
        with av.open(str(path)) as container:
            assert container.streams.audio[0].rate == 48000
            n_samples = sum(frame.samples for frame in container.decode(audio=0))
        assert abs(n_frames - 300) <= 1, row.kind
        assert abs(n_samples / 48000 - 10) <= 0.05, row.kind
        assert (row.width, row.height) == ((64, 86) if row.kind == "rotated" else (86, 64)), row.kind
        assert row.bytes == path.stat().st_size


def test_picture_and_sound_are_in_sync(part):
    _, settings, table, _ = part
    for row in table[table["status"] == "ok"].drop_duplicates("kind").itertuples():
        path = clip_path(settings["store"], row.ytid, row.start_seconds, row.end_seconds)
        flashes, clicks = media_sources.flashes_and_clicks(path)
        np.testing.assert_allclose(flashes, clicks, atol=0.040, err_msg=row.kind)
        np.testing.assert_allclose(clicks, [2.0, 5.0, 8.0], atol=0.040, err_msg=row.kind)


def test_same_bytes_from_a_folder_as_over_http(part, kinds, tmp_path):
    _, _, table, _ = part
    row = table[table["kind"] == "variable"].iloc[0]
    (tmp_path / "videos").mkdir()
    shutil.copy(kinds["variable"], tmp_path / "videos" / f"{row.ytid}.mp4")
    clips = clip_list(tmp_path / "clips.csv", [row.ytid])
    fetch_clips([clips], tmp_path / "m.csv", source="directory", directory=tmp_path / "videos", store=tmp_path / "s",
                **FAST)  # fmt: skip
    assert read_manifest(tmp_path / "m.csv")["sha256"].item() == row.sha256


def test_a_rerun_asks_again_for_the_retryable_alone(part):
    server, settings, table, folder = part
    before = server.requests.copy()
    fetch_clips(manifest=folder / "second.csv", **settings)
    asked = {path[1:12] for path, n in server.requests.items() if n > before[path]}
    retryable = table["status"].isin(["http_error", "rate_limited", "network", "invalid_media"])
    assert asked == set(table.loc[retryable, "ytid"])
    second = read_manifest(folder / "second.csv")
    had = ~retryable
    pd.testing.assert_frame_equal(second[had], table[had].drop(columns="kind"))
    assert (second.loc[retryable, "attempts"] > table.loc[retryable, "attempts"]).all()


def test_nothing_partial_is_left_and_no_secret_is_written(part):
    _, settings, _, folder = part
    files = [path for path in settings["store"].rglob("*") if path.is_file()]
    assert {path.suffix for path in files if ".work" not in path.parts} == {".mkv", ".json"}
    assert [path.name for path in (settings["store"] / ".work").iterdir()] == ["lock"]
    texts = [path.read_text() for path in [*files, folder / "first.csv"] if path.suffix in {".json", ".csv"}]
    assert not any("SECRET" in text for text in texts)
