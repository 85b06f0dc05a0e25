"""Nine small inputs, rebuilt from public reports of tools like this one, in ../shared/cases: what must come of each."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from l3net.audioset.clip_tables import read_manifest
from l3net.audioset.segment_lists import read_segments
from l3net.errors import ClipError
from l3net.media.audio import read_audio
from l3net.media.video import open_clip
from tests.faults.results import Notes
from tests.stages.loading import stage_function

ROOT = Path(__file__).parents[2]
CASES = ROOT.parent / "shared" / "cases"
RATE = 48000

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the folder of cases (../shared/cases) is not here")


@pytest.fixture(autouse=True)
def noted(request: pytest.FixtureRequest, notes: Notes):
    """Note what came of a case once its test has passed."""
    failed = request.session.testsfailed
    yield
    if request.session.testsfailed > failed:
        return
    case, must = request.node.get_closest_marker("case").args
    notes.note("cases", case, must=must, came="as it must", test=request.node.name)


def case(name: str, must: str):
    return pytest.mark.case(name, must)


def pitch(sound: np.ndarray, start: float, end: float) -> float:
    """Return the loudest frequency between two times, in Hz."""
    piece = sound[round(start * RATE) : round(end * RATE)]
    return float(np.fft.rfftfreq(piece.size, 1 / RATE)[np.abs(np.fft.rfft(piece * np.hanning(piece.size))).argmax()])


def clip_of(video: Path, folder: Path, start: float, end: float) -> tuple[dict, Path | None]:
    """Cut a clip as fetch_clips does; return its row in the manifest and its file in the store."""
    (folder / "videos").mkdir()
    (folder / "videos" / f"abcdefghijk{video.suffix}").symlink_to(video)
    clips = folder / "clips.csv"
    clips.write_text(f'ytid,start_seconds,end_seconds,labels\nabcdefghijk,{start},{end},"/m/04rlf"\n')
    where = {"source": "directory", "directory": folder / "videos", "store": folder / "store", "part": 0, "parts": 1}
    stage_function("fetch_clips")([clips], folder / "manifest.csv", **where)
    row = read_manifest(folder / "manifest.csv").iloc[0].to_dict()
    return row, next((folder / "store").rglob("*.mkv"), None)


@case("latin1_title.wav", "read as any other file")
def test_a_title_that_is_no_utf8() -> None:
    sound = read_audio(CASES / "latin1_title.wav")
    assert len(sound) == pytest.approx(3 * RATE, abs=RATE / 100)
    assert np.abs(sound).max() > 0.01


@case("latin1short.mkv", "status `short`, manifest written")
def test_a_short_video_with_such_a_title(tmp_path: Path) -> None:
    row, _ = clip_of(CASES / "latin1short.mkv", tmp_path, 0.0, 10.0)
    assert row["status"] == "short"
    assert re.fullmatch(r"6\.\d\d s of 10 s are there", row["reason"]), row["reason"]


@case("gapB.mka", "7 s, silence from 2 to 5 s, 1 kHz from 5.0 s")
def test_a_gap_in_the_time_stamps() -> None:
    sound = read_audio(CASES / "gapB.mka")
    assert len(sound) / RATE == pytest.approx(7.0, abs=0.1)
    assert pitch(sound, 0.1, 1.9) == pytest.approx(440, abs=2)
    assert np.abs(sound[round(2.1 * RATE) : round(4.9 * RATE)]).max() < 1e-4
    assert pitch(sound, 5.1, 6.9) == pytest.approx(1000, abs=2)


@case("vbr_noxing_quiet_first.mp3", "26.0 s, read to its end")
def test_a_length_that_the_demuxer_guesses() -> None:
    assert len(read_audio(CASES / "vbr_noxing_quiet_first.mp3")) / RATE == pytest.approx(26.0, abs=0.1)


@case("one_zero_byte_after.mp3", "5.00 s, the byte is no damage")
def test_a_byte_behind_the_last_frame() -> None:
    assert len(read_audio(CASES / "one_zero_byte_after.mp3")) / RATE == pytest.approx(5.0, abs=0.06)


@case("late_clock.opus", "5.00 s, its clock's beginning is time 0")
def test_a_clock_that_does_not_begin_at_0() -> None:
    sound = read_audio(CASES / "late_clock.opus")
    assert len(sound) / RATE == pytest.approx(5.0, abs=0.06)
    assert np.abs(sound[: RATE // 10]).max() > 0.01  # no silence in the place of what the clock left out


@case("frozenvfr00.mp4", "of the clip from 4 to 14 s, red until 5.0 s, then blue")
def test_a_frame_is_shown_until_the_next_one(tmp_path: Path) -> None:
    row, kept = clip_of(CASES / "frozenvfr00.mp4", tmp_path, 4.0, 14.0)
    assert row["status"] == "ok"
    with open_clip(kept) as container:
        is_red = [
            (lambda pixel: int(pixel[0]) > int(pixel[2]))(frame.to_ndarray(format="rgb24")[20, 20])
            for frame in container.decode(video=0)
        ]
    assert len(is_red) == 300
    assert is_red.index(False) == pytest.approx(150, abs=1)
    assert not any(is_red[152:])


@case("excel_NAME_segments.csv", "refused, the lines named, and what probably happened")
def test_ids_that_a_spreadsheet_replaced() -> None:
    with pytest.raises(ClipError, match=r"excel_NAME_segments\.csv, line \d+, \d+: a spreadsheet replaced the id"):
        read_segments(CASES / "excel_NAME_segments.csv")


@case("nolock.c", "shards, vectors and checkpoints are written and read where no lock can be had")
def test_no_service_for_locks(tmp_path: Path) -> None:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler is installed")
    library = tmp_path / "nolock.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, CASES / "nolock.c"], check=True)
    code = (
        "import sys; from pathlib import Path; from tests.small_store import SmallStore\n"
        "from tests import tiny_embedding, tiny_datasets; from tests.stages.loading import stage_function\n"
        "folder = Path(sys.argv[1]); store = SmallStore(folder, n_clips=3, seconds=3.0).write()\n"
        "store.make_index(store.make_shard())\n"
        "from l3net.training.checkpoint import read_checkpoint\n"
        "tiny_embedding.write_checkpoint(folder / 'c.h5', width=1/16); read_checkpoint(folder / 'c.h5')\n"
        "tiny_datasets.lay_out_us8k(folder / 'us8k')\n"
        "stage_function('fetch_dataset')('us8k', {'layout': 'us8k', 'source': str(folder / 'us8k')},"
        " folder / 'i.csv', folder / 'd')\n"
        "stage_function('embed_dataset')(folder / 'i.csv', folder / 'v.h5', dataset='us8k', embedding='cheap',"
        " settings={'kind': 'hear', 'module': 'tests.faults.cheap_embedding'}, hop_seconds=0.1)\n"
    )
    environment = {**os.environ, "LD_PRELOAD": str(library)}
    environment.pop("HDF5_USE_FILE_LOCKING", None)
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "run")], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "run" / "v.h5").exists()
