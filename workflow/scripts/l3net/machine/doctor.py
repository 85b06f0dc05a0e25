"""The whole examination of a machine, in the order in which a user would ask."""

from collections.abc import Iterator
from pathlib import Path

from l3net.machine import accelerators, file_system, programs
from l3net.machine.finding import Finding


def examine(folder: Path, *, batch_options: list[str] | None = None) -> Iterator[Finding]:
    """Yield what is found, one thing after the other; asking TensorFlow takes some seconds.

    Parameters
    ----------
    folder : where the workflow is started; its results and clips go below.
    batch_options : also try how large a batch fits the GPU, of this network (`accelerators.largest_batches`).
    """
    yield programs.examine_python()
    yield programs.examine_cpu()
    yield programs.examine_ffmpeg()
    yield programs.examine_convolutions()
    yield programs.examine_js_runtime()
    yield programs.examine_slurm()
    yield file_system.examine_disk("disk of the results", folder / "results")
    yield file_system.examine_disk("disk of the clips", folder / "resources" / "clips")
    yield file_system.examine_locks(folder / "results")
    yield file_system.examine_shared_memory()
    yield from accelerators.examine_gpus()
    if batch_options is not None:
        yield accelerators.largest_batches(batch_options)
