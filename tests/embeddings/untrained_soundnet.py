"""Write the weights of an untrained SoundNet, the floor of docs/embeddings.md:

    python -m tests.embeddings.untrained_soundnet untrained.npy
    l3net probe ../shared/data/esc10 --settings '{"kind": "soundnet", "layer": "conv5"}' --model untrained.npy

Kernels are He-normal, biases are zero, and the batch norms change nothing.
"""

import sys
from pathlib import Path

import numpy as np

from l3net.embeddings.soundnet import EPSILON, LAYERS, TRUNK


def write_untrained_soundnet(path: Path, seed: int = 0) -> None:
    """Write drawn weights in the layout of the TensorFlow port."""
    rng, channels_in, weights = np.random.default_rng(seed), 1, {}
    for name, layer in LAYERS.items():
        shape = (layer.kernel, 1, channels_in, layer.channels)
        kernel = rng.normal(0.0, np.sqrt(2.0 / (layer.kernel * channels_in)), shape).astype(np.float32)
        zeros, ones = np.zeros(layer.channels, np.float32), np.ones(layer.channels, np.float32)
        weights[name] = {"weights": kernel, "biases": zeros}
        if name in TRUNK:
            weights[name] |= {"mean": zeros, "var": ones - np.float32(EPSILON), "gamma": ones, "beta": zeros}
            channels_in = layer.channels
    with open(path, "wb") as file:
        np.lib.format.write_array(file, np.array(weights, object), allow_pickle=True)


if __name__ == "__main__":
    write_untrained_soundnet(Path(sys.argv[1]))
