"""`pip install l3net` without the extra `workflow`: embedding, export and the probe need none of its packages."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import numpy as np
import pytest
import scipy.io.wavfile

from tests import tiny_embedding

ROOT = Path(__file__).parents[2]
PLAYED = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {missing}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
"""


def missing_modules() -> set[str]:
    """Return the modules of the packages that the extra `workflow` adds to an installation without it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [re.match(r"[A-Za-z0-9_.-]+", line)[0] for line in project["optional-dependencies"]["workflow"]]
    names = {name.lower().replace("_", "-") for name in wanted}
    modules = {module for module, of in packages_distributions().items() if {name.lower() for name in of} & names}
    assert {"snakemake", "yt_dlp", "pandas", "matplotlib", "polars", "soundfile", "rocrate"} <= modules
    return modules


def run(code: str, *arguments: object) -> subprocess.CompletedProcess:
    program = PLAYED.format(missing=sorted(missing_modules())) + code
    return subprocess.run([sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    tiny_embedding.write_embedding(folder / "embedding.keras")
    rng = np.random.default_rng(1)
    for name in ("a/1", "a/2", "a/3", "b/1", "b/2", "b/3"):
        (folder / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        sound = rng.normal(0, 3000 if name[0] == "a" else 300, 72000).astype(np.int16)
        scipy.io.wavfile.write(folder / "in" / f"{name}.wav", 48000, sound)
    return folder


CODE = """
import numpy as np, l3net, l3net.hear
from l3net.cli.main import main
folder, model, target = sys.argv[1:]
for format in ("npz", "h5", "parquet"):
    print(main(["embed", folder, "--model", model, "--output", f"{target}/{format}", "--format", format]))
print(main(["info", model]))
print(main(["probe", folder, "--model", model, "--hop-seconds", "1"]))
sound = np.random.default_rng(0).normal(0, 0.1, 48000).astype("float32")
print("vectors", *l3net.embed(sound, 48000, model=model)[0].shape, l3net.hear.load_model(model).sample_rate)
"""


def test_sound_is_embedded_without_the_packages_of_the_workflow(files: Path, tmp_path: Path) -> None:
    ended = run(CODE, files / "in", files / "embedding.keras", tmp_path)
    assert ended.returncode == 0, ended.stderr
    for format in ("npz", "h5", "parquet"):
        assert len(list((tmp_path / format).rglob(f"*.{format}"))) == 6
    assert ended.stdout.endswith("vectors 1 256 48000\n")
