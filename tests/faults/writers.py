"""Every way in which the project writes a large file, run one after another as stages by a process of its own.

python -m tests.faults.writers FOLDER [--file-limit BYTES] writes to FOLDER and prints a line of JSON for each writer.
"""

import argparse
import io
import json
import logging
import resource
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from l3net.files import atomic
from l3net.runtime import stage

N = 300_000  # float32 values of a piece; four pieces are more than any of the disks and limits here takes
NAMES = ("shard.h5", "checkpoint.h5", "dataset.h5", "vectors.h5", "vectors.npz", "vectors.parquet", "table.csv")
WITH_TENSORFLOW = ("openl3.h5", "embedding.keras", "saved_model")


def rows() -> np.ndarray:
    return np.random.default_rng(0).random((N // 100, 100), np.float32)


def write_shard(output: Path) -> None:
    from l3net.samples.shard_format import SAMPLE
    from l3net.samples.shard_writer import ShardWriter

    with atomic.replacing(output) as temporary:
        writer = ShardWriter(temporary, {"part": 0})
        try:
            for _ in range(4):
                writer.add_clip([bytes(N)] * 4, np.zeros(N, np.int16), "/m/0dog", ytid="a" * 11)
            writer.finish(np.zeros(0, SAMPLE), [])
        finally:
            writer.close()


def write_checkpoint(output: Path) -> None:
    from l3net.training.checkpoint import Checkpoint, write_checkpoint

    write_checkpoint(output, Checkpoint({"epoch": 1}, {f"layer/{n}": rows() for n in range(4)}))


def write_dataset_vectors(output: Path) -> None:
    from l3net.vectors import DatasetVectorsWriter

    clips = pd.DataFrame(
        [(f"{n}.wav", "dog", "1", "g") for n in range(4)], columns=["filename", "label", "fold", "group"]
    )
    with atomic.replacing(output) as temporary, DatasetVectorsWriter(temporary, 100, clips, {}) as writer:
        for _ in range(4):
            writer.append(rows(), np.zeros(len(rows())))
            writer.end_clip()


def write_vectors(output: Path) -> None:
    from l3net.vectors.vector_file import vector_writer

    with atomic.replacing(output) as temporary, vector_writer(temporary, 100, {}) as writer:
        for _ in range(4):
            writer.append(rows(), np.zeros(len(rows())))


def write_table(output: Path) -> None:
    atomic.write_csv(pd.DataFrame(rows()), output)


def _network():
    from l3net import models

    return models.embedding_network(models.build_l3("mel128", image_size=32, width=0.5), pooling=512)


def write_openl3(output: Path) -> None:
    from l3net.models.openl3_weights import write_openl3_weights

    write_openl3_weights(_network(), output, "audio_embedding_layer")


def write_keras(output: Path) -> None:
    from l3net.embeddings import add_keras_metadata

    with atomic.replacing(output) as temporary:
        _network().save(temporary)
        add_keras_metadata(temporary, {})


def write_saved_model(output: Path) -> None:
    from l3net import models

    models.export_embedding(_network(), {}, output)


WRITERS: dict[str, Callable[[Path], None]] = {
    "shard.h5": write_shard,
    "checkpoint.h5": write_checkpoint,
    "dataset.h5": write_dataset_vectors,
    **dict.fromkeys(("vectors.h5", "vectors.npz", "vectors.parquet"), write_vectors),
    "table.csv": write_table,
    "openl3.h5": write_openl3,
    "embedding.keras": write_keras,
    "saved_model": write_saved_model,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="+")
    parser.add_argument("--prefix", default="")
    parser.add_argument("--file-limit", type=int)
    options = parser.parse_args()
    if options.file_limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (options.file_limit, options.file_limit))
    log = logging.getLogger("l3net")
    for name in options.names:
        target, said, code = options.folder / (options.prefix + name), io.StringIO(), 0
        log.handlers, log.propagate = [logging.StreamHandler(said)], False
        try:
            stage.run(WRITERS[name], lambda target=target: {"output": target}, targets=[str(target)])
        except SystemExit as ended:
            code = ended.code
        left = sorted(str(path) for path in options.folder.glob("*")) if options.folder.is_dir() else []
        print(json.dumps({"name": name, "code": code, "said": said.getvalue(), "left": left}), flush=True)


if __name__ == "__main__":
    main()
