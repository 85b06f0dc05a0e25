"""The command l3net: its help and wrong arguments are answered without TensorFlow; info and export."""

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

import l3net
from l3net.cli.info import readable
from l3net.cli.main import main
from l3net.vectors.vector_file import vector_writer
from tests import tiny_embedding

RUN = """
import sys
from l3net.cli.main import main
try:
    code = main(sys.argv[1:])
except SystemExit as ended:
    code = ended.code
print("exit", code, [name for name in ("tensorflow", "keras", "sklearn", "pandas") if name in sys.modules])
"""
HERE = __file__


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], 2),
        (["--help"], 0),
        (["embed", "--help"], 0),
        (["embed", HERE], 2),  # without --output
        (["embed", HERE, "--output", "o"], 1),
        (["embed", HERE, "--output", "o", "--model", "none.keras"], 1),
        (["embed", HERE, "--output", "o", "--model", HERE], 1),
        (["embed", HERE, "--output", "o", "--model", HERE, "--hop-seconds", "0"], 1),
        (["embed", HERE, "--output", "o", "--model", HERE, "--hop-seconds", "1.5"], 1),
        (["embed", HERE, "--output", "o", "--pool", "median"], 1),
        (["embed", HERE, "--output", "o", "--batch-size", "0"], 1),
        (["embed", HERE, "--output", "o", "--settings", "{"], 2),
        (["embed", HERE, "--output", "o", "--settings", '{"kind": "soundnet", "layer": "conv9"}'], 1),
        (["export", "none.keras", "a.pb"], 1),
        (["export", HERE, "a.onnx"], 1),
        (["info", "none.keras"], 1),
        (["doctor", "--folder", "none"], 1),
        (["probe", "none"], 1),
        (["real-input", "none.csv", "o"], 1),
        (["--version"], 0),
        (["status"], 1),
        (["doctor", "--precision", "double"], 2),
    ],
    ids=lambda value: " ".join(value).replace(HERE, "FILE") if isinstance(value, list) else None,
)
def test_an_answer_needs_no_tensorflow(arguments: list[str], code: int, tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", RUN, *arguments], capture_output=True, text=True, cwd=tmp_path)
    assert ended.stdout.splitlines()[-1] == f"exit {code} []"
    if code == 1:
        assert ended.stderr.startswith("l3net: ")
        assert ended.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_info_prints_what_a_reader_wants_first_and_all_of_it_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    tiny_embedding.write_embedding(tmp_path / "embedding.keras")
    assert main(["info", str(tmp_path / "embedding.keras"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["samples_seen"] == 200
    assert main(["info", str(tmp_path / "embedding.keras")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "kind                  l3, sound"
    assert "training samples      200" in lines
    assert not any("{" in line for line in lines)


@pytest.mark.parametrize("suffix", [".npz", ".h5", ".parquet"])
def test_info_of_vectors_tells_their_sound_and_their_model(
    suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    path = tmp_path / f"dog{suffix}"
    about = {"hop_seconds": 0.5, "source": "dog.wav", "pool": [], "embedding": {"kind": "l3", "subset": "mine"}}
    with vector_writer(path, 2, about) as writer:
        writer.append(np.zeros((3, 2), np.float32), np.arange(3.0))
    assert main(["info", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["hop seconds           0.5", "source                dog.wav"]
    assert "  trained on            mine" in lines
    assert main(["info", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == about


def test_info_of_a_table_or_data_of_others_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    np.savez(tmp_path / "a.npz", embedding=np.zeros(3))
    parquet.write_table(pyarrow.table({"a": [1]}), tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_text("text")
    for name, text in {"a.h5": None, "b.h5": "no JSON", "c.h5": "[]"}.items():
        with h5py.File(tmp_path / name, "w") as file:
            file.attrs.update({} if text is None else {"metadata": text})
    for path in sorted(tmp_path.iterdir()):
        assert main(["info", str(path)]) == 1
        said = capsys.readouterr().err
        assert said.startswith(f"l3net: {path}: ") and said.count("\n") == 1, said


def test_info_of_vectors_that_may_not_be_read_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def refuse(path: Path) -> dict:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    (tmp_path / "a.parquet").touch()
    monkeypatch.setattr("l3net.vectors.read_vector_metadata", refuse)
    assert main(["info", str(tmp_path / "a.parquet")]) == 1
    assert capsys.readouterr().err.startswith(f"l3net: {tmp_path / 'a.parquet'}: permission denied; give yourself")


def test_info_of_a_whole_training_is_lines_and_no_braces() -> None:
    training = {"config": json.dumps({"batch_size": 16, "network": {"width": 1, "seed": 3}}), "commit": "abc"}
    metadata = {"kind": "l3-vision", "validation_accuracy": 0.9312, "samples_seen": 1_234_567, "training": training}
    lines = readable({**metadata, "versions": '{"keras": "3.13.2"}', "epoch": None})
    assert lines[0] == "kind                  l3-vision, images"
    assert "training samples      1,234,567" in lines
    assert "validation accuracy   93.1 % (correspondence)" in lines
    assert "  network             seed 3, width 1" in lines
    assert lines[-2:] == ["versions:", "  keras               3.13.2"]
    assert not any(line.startswith("epoch") for line in lines)


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"l3net {l3net.__version__}\n")


def test_export_writes_openl3s_file(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    tiny_embedding.write_embedding(tmp_path / "narrow.keras")
    assert main(["export", str(tmp_path / "narrow.keras"), str(tmp_path / "narrow.h5")]) == 1
    assert "only models of network.width 1 can be exported to openl3" in capsys.readouterr().err
    tiny_embedding.write_embedding(tmp_path / "embedding.keras", width=1.0, hop_length=242)
    assert main(["export", str(tmp_path / "embedding.keras"), str(tmp_path / "openl3.h5")]) == 0
    with h5py.File(tmp_path / "openl3.h5") as file:
        assert file.attrs["layer_names"][-1] == b"audio_embedding_layer"


SLOW = """
import sys, time
from pathlib import Path
from l3net.cli import info, main
from l3net.files import atomic

def run(options):
    with atomic.replacing(options.model) as temporary:
        temporary.write_text("half")
        print("half", flush=True)
        time.sleep(60)

info.run = run
sys.exit(main.main(["info", sys.argv[1]]))
"""


def test_sigterm_leaves_nothing_half_written(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SLOW, tmp_path / "a.npz"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "half\n"
    process.terminate()
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (143, "ended by SIGTERM; run again to go on\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a file that is always full")
def test_an_answer_that_finds_no_room_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "store.json").write_text("{}")
    words = ["clips", "retry", "--store", str(tmp_path), "--status", "removed"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "l3net.cli.main", *words]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=environment)
    said = "l3net: standard output: the disk is full; make room, or write to another disk, then run again\n"
    assert (ended.returncode, ended.stderr) == (1, said)


def test_the_help_lists_every_command_in_a_few_words_and_each_explains_itself(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert re.search(r"^ +embed +embed sound files, images or videos$", capsys.readouterr().out, re.MULTILINE)
    with pytest.raises(SystemExit):
        main(["embed", "--help"])
    assert "Write the vectors of sound files; with a vision.keras, of images" in capsys.readouterr().out


@pytest.mark.parametrize("is_buffered", [False, True])
def test_a_reader_that_ends_first_is_no_error(is_buffered: bool) -> None:
    """As in ``l3net doctor | head -3``."""
    code = "import sys; from l3net.cli import look, main; look.tell_status = lambda options: print('x') or 0"
    command = [sys.executable, *([] if is_buffered else ["-u"]), "-c", f"{code}; sys.exit(main.main(['status']))"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, env=environment)
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (141, "")


def test_another_pipe_that_breaks_is_an_error() -> None:
    command = [sys.executable, "-c", "import sys; from l3net.cli import look, main\n"
               "def fail(options): raise BrokenPipeError(32, 'Broken pipe')\n"
               "look.tell_status = fail; sys.exit(main.main(['status']))"]  # fmt: skip
    ended = subprocess.run(command, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (1, "l3net: Broken pipe\n")
