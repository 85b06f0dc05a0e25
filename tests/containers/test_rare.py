"""Rare sounds: those that state a length are told when they are cut, of the others the log says that none can tell."""

import random
import struct
from pathlib import Path

import pytest
import soundfile

from l3net.containers import check_whole
from l3net.errors import ClipError
from l3net.media.audio import check_audio
from tests import media_sources

SOUND = ["-f", "lavfi", "-i", "aevalsrc=0.3*sin(2*PI*(300+100*t)*t):s=44100:d=3", "-strict", "-2"]
STATED = ["a.rm", "a.sox", "a.adx", "a.thd", "a.mlp", "a.mmf", "a.vag", "a.svx", "plain.swf"]
UNTOLD = {"a.nut": "nut", "a.sf": "ircam", "a.sbc": "sbc", "a.g722": "g722", "a.paf": "epaf", "a.swf": "swf"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("rare")
    more = {"a.sf": ["-f", "ircam"], "a.g722": ["-ar", "16000"]}
    names = {*STATED, *UNTOLD} - {"a.svx", "a.paf", "plain.swf"}
    found = {name: media_sources.run(*SOUND, *more.get(name, []), to=folder / name) for name in names}
    sound = soundfile.read(media_sources.run(*SOUND, to=folder / "a.wav"))
    for name in ("a.svx", "a.paf"):
        found[name] = folder / name
        soundfile.write(folder / name, *sound, format=name[2:].upper())
    flash = found["a.swf"].read_bytes()  # its size stands for one that was not known
    found["plain.swf"] = folder / "plain.swf"
    found["plain.swf"].write_bytes(flash[:4] + struct.pack("<I", len(flash)) + flash[8:])
    return found


def ends_of_units(data: bytes) -> set[int]:
    """Return where the access units of TrueHD end: a cut there leaves a shorter stream of whole ones."""
    ends, at = set(), 0
    while at < len(data):
        at += 2 * (int.from_bytes(data[at : at + 2]) % 4096)
        ends.add(at)
    return ends


@pytest.mark.parametrize("name", STATED)
def test_a_whole_one_passes_and_a_cut_one_never(
    name: str, made: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert check_audio(made[name]) == pytest.approx(3.0, abs=0.1)
    assert not caplog.messages
    data = made[name].read_bytes()
    rng = random.Random(name)
    between = ends_of_units(data) if name in ("a.thd", "a.mlp") else set()
    cuts = {rng.randrange(len(data) // 20, len(data) - 20) for _ in range(20)} | {len(data) - 17}
    for at in (cuts | {end + 1 for end in between if end + 1 < len(data)}) - between:
        (tmp_path / name).write_bytes(data[:at])
        with pytest.raises(ClipError, match=r"cut off: the file has \d+ bytes, its header states \d+"):
            check_whole(tmp_path / name)


@pytest.mark.parametrize("name", UNTOLD)
def test_where_none_can_tell_the_log_says_so(
    name: str, made: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    assert check_audio(made[name]) == pytest.approx(3.0, abs=0.1)
    (said,) = caplog.messages
    assert said.startswith(f"{made[name]}: states no length ({UNTOLD[name]}), so a cut file would not be told")


def test_lengths_that_were_not_known_are_none(made: dict[str, Path], tmp_path: Path) -> None:
    data = bytearray(made["a.rm"].read_bytes())
    at = data.index(b"DATA")
    data[at + 4 : at + 8] = bytes(4)  # a live stream
    (tmp_path / "a.rm").write_bytes(data)
    assert check_whole(tmp_path / "a.rm") is False
    data = bytearray(made["a.sox"].read_bytes())
    data[8:16] = bytes(8)
    (tmp_path / "a.sox").write_bytes(data)
    assert check_whole(tmp_path / "a.sox") is False


@pytest.mark.parametrize("seed", range(60))
def test_a_harmed_header_ends_in_an_answer(seed: int, made: dict[str, Path], tmp_path: Path) -> None:
    rng = random.Random(seed)
    name = STATED[seed % len(STATED)]
    data = bytearray(made[name].read_bytes())
    for _ in range(4):
        data[rng.randrange(4, 60)] = rng.choice([0, 255, 127, 128, rng.randrange(256)])
    (tmp_path / name).write_bytes(data)
    try:
        assert check_whole(tmp_path / name) in (True, False)
    except ClipError as error:
        assert "\n" not in str(error)
