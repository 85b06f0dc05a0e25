"""Exports for PyTorch: read and run by a Python that has torch and nothing of this project.

The Python of ``L3NET_TORCH_PYTHON``, else this one, if it has torch.
"""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from l3net.cli.main import main
from l3net.errors import WeightsError
from l3net.exchange import export_embedding, torch_export
from l3net.exchange.torch_file import write_torch_file
from l3net.models.l3 import embedding_network, vision_embedding_network
from tests import tiny_embedding

PYTHON = os.environ.get("L3NET_TORCH_PYTHON", sys.executable)
RUN = """
import sys
import numpy, torch
sys.path.insert(0, sys.argv[1])
import embedding
assert not {"tensorflow", "keras", "l3net"} & set(sys.modules)
model = embedding.load(sys.argv[1] + "/embedding.pt")
with torch.no_grad():
    numpy.save(sys.argv[1] + "/vectors.npy", model(torch.from_numpy(numpy.load(sys.argv[1] + "/inputs.npy"))).numpy())
"""


@pytest.fixture(scope="module")
def python() -> str:
    if subprocess.run([PYTHON, "-c", "import torch, numpy"], capture_output=True).returncode:
        pytest.skip("PyTorch is not installed; name a Python that has it and numpy in L3NET_TORCH_PYTHON")
    return PYTHON


def by_torch(python: str, folder: Path, inputs: np.ndarray) -> np.ndarray:
    np.save(folder / "inputs.npy", inputs)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ended = subprocess.run(
        [python, "-c", RUN, str(folder)], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    return np.load(folder / "vectors.npy")


def compare(python: str, folder: Path, network: keras.Model, inputs: np.ndarray) -> None:
    export_embedding(network, {}, folder / "embedding.pt")
    ours, theirs = network.predict(inputs, verbose=0), by_torch(python, folder, inputs)
    assert theirs.shape == ours.shape
    np.testing.assert_allclose(theirs, ours, rtol=1e-5, atol=1e-5 * np.abs(ours).max())


def sounds() -> np.ndarray:
    """Noise, a chord in noise, silence but for a click, a tone and a sweep: the last two leave most bins empty."""
    rng, t = np.random.default_rng(1), np.arange(48_000) / 48_000
    chord = sum(np.sin(2 * np.pi * f * t) for f in (220, 277.2, 1000)) / 6 + rng.normal(0, 0.01, t.size)
    click = rng.normal(0, 1e-3, t.size)
    click[20_000:20_050] = 0.9
    tone, sweep = 0.5 * np.sin(2 * np.pi * 440 * t), 0.7 * np.sin(2 * np.pi * (200 * t + 9000 * t * t))
    return np.stack([rng.uniform(-0.5, 0.5, t.size), chord, click, tone, sweep]).astype(np.float32)


@pytest.mark.parametrize("version", ["training", "openl3"])
@pytest.mark.parametrize("front_end", ["linear", "mel128", "mel256"])
def test_sound_gives_the_vectors_of_the_network(front_end: str, version: str, python: str, tmp_path: Path) -> None:
    model = tiny_embedding.network(front_end=front_end, version=version, hop_length=242)
    compare(python, tmp_path, embedding_network(model, pooling=6144), sounds())


USE = """
import sys, torch
sys.path.insert(0, sys.argv[1])
import embedding
model = embedding.load(sys.argv[1] + "/embedding.pt")
torch.manual_seed(0)
sound = torch.rand(4, 48000) - 0.5
with torch.no_grad():
    vectors = model(sound)
    singly, traced = torch.cat([model(one[None]) for one in sound]), torch.jit.trace(model, sound[:1])(sound)
    others = singly, traced, model(sound.double())
for other in others:
    difference = ((other - vectors).abs().max() / vectors.abs().max()).item()
    assert difference < 1e-5, difference
for wrong in (sound[:, :24000], torch.cat([sound, sound], 1), sound[0], (sound * 32767).to(torch.int16)):
    try:
        model(wrong)
    except ValueError as error:
        print(error)
sound.requires_grad_()
model(sound).sum().backward()
assert sound.grad.abs().sum() > 0
"""


def test_any_batch_and_float_and_nothing_else(python: str, tmp_path: Path) -> None:
    """A sound longer than the network's second, or whole numbers, would give vectors of something else."""
    export_embedding(embedding_network(tiny_embedding.network()), {}, tmp_path / "embedding.pt")
    ended = subprocess.run([python, "-c", USE, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-2000:]
    expected = "; expected floating point of shape ['batch', 48000]"
    shapes = ("float32 of shape [4, 24000]", "float32 of shape [4, 96000]", "float32 of shape [48000]")
    found = [f"the input is torch.{what}{expected}" for what in (*shapes, "int16 of shape [4, 48000]")]
    assert ended.stdout.splitlines() == found


def test_maxima_over_the_whole_map_and_another_hop(python: str, tmp_path: Path) -> None:
    compare(python, tmp_path, embedding_network(tiny_embedding.network(), pooling=512), sounds())


@pytest.mark.parametrize("size", [64, 75])
def test_images_give_the_vectors_of_the_network(size: int, python: str, tmp_path: Path) -> None:
    """75 pixels divide by none of the pools."""
    images = np.random.default_rng(1).uniform(-1, 1, (2, size, size, 3)).astype(np.float32)
    compare(python, tmp_path, vision_embedding_network(tiny_embedding.network(image_size=size)), images)


def test_the_command_writes_both_files(python: str, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    network = tiny_embedding.write_embedding(tmp_path / "embedding.keras")
    assert main(["export", str(tmp_path / "embedding.keras"), str(tmp_path / "embedding.pt")]) == 0
    theirs = by_torch(python, tmp_path, sounds())
    np.testing.assert_allclose(theirs, network.predict(sounds(), verbose=0), rtol=1e-4, atol=1e-4)


def test_a_file_that_is_another_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "embedding.py").write_text("mine")
    with pytest.raises(WeightsError, match=r"embedding\.py: is another file, and the module for embedding\.pt goes"):
        export_embedding(embedding_network(tiny_embedding.network()), {}, tmp_path / "embedding.pt")
    assert [path.name for path in tmp_path.iterdir()] == ["embedding.py"]


def test_the_module_needs_torch_alone_and_is_short() -> None:
    import l3net.exchange as room

    text = (Path(room.__file__).parent / "torch_embedding.py").read_text()
    assert len(text.splitlines()) <= 66
    assert {line.split()[1].split(".")[0] for line in text.splitlines() if line.startswith(("import", "from"))} == {
        "torch"
    }


def test_the_file_is_a_zip_of_plain_members(tmp_path: Path) -> None:
    write_torch_file(tmp_path / "a.pt", {"values": np.arange(6).reshape(2, 3), "settings": {"n": 1, "none": None}})
    with zipfile.ZipFile(tmp_path / "a.pt") as file:
        assert {one.compress_type for one in file.infolist()} == {zipfile.ZIP_STORED}
        np.testing.assert_array_equal(np.frombuffer(file.read("archive/data/0"), "<f4"), np.arange(6))
    with pytest.raises(TypeError, match="set cannot be written"):
        write_torch_file(tmp_path / "b.pt", {"a": set()})
    assert not (tmp_path / "b.pt").exists()


@pytest.mark.parametrize(
    ("front_end", "version", "expected"),
    [
        ("mel128", "openl3", (1.0, 10.0, 1e-10)),  # openl3's mel filters lie over magnitudes
        ("mel128", "training", (2.0, 5.0, 1e-20)),
        ("linear", "openl3", (2.0, 5.0, 1e-20)),
    ],
)
def test_decibels_are_of_what_the_front_end_filters(front_end: str, version: str, expected: tuple) -> None:
    """No PyTorch is needed to see which power of the spectrum a file asks for."""
    network = embedding_network(tiny_embedding.network(front_end=front_end, version=version))
    found = torch_export._front_end(network.get_layer("front_end"))
    assert (found["exponent"], found["tens"], found["floor"]) == expected
