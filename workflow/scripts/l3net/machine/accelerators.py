"""GPUs: what the driver has, what TensorFlow sees of them, and the largest batch that fits.

TensorFlow is asked in a process of its own: a driver that does not fit may end it, and the doctor must live on.
"""

import json
import os
import shutil
import subprocess
import sys
from typing import Any

from l3net.machine.finding import Finding

_SECONDS = 300
_GPU_SETUP = "make setup GPU=1"


def examine_gpus() -> list[Finding]:
    """Compare the cards that the driver has with those that TensorFlow can use."""
    cards = _cards()
    seen, problem = _ask_python("-m", "l3net.devices.seen")
    if seen is None:
        return [Finding("TensorFlow", "bad", f"does not start: {problem}", "make setup")]
    usable = [gpu for gpu in seen["gpus"] if not gpu["error"]]
    about = f"TensorFlow {seen['version']}"
    about += (
        f", built for CUDA {seen['cuda']} and cuDNN {seen['cudnn']}" if seen["built_with_cuda"] else ", without CUDA"
    )
    if not cards and not seen["gpus"]:
        found = "none: training takes a CPU, which is enough for the demo and small runs"
        return [Finding("GPU", "good", found), Finding("TensorFlow", "good", about)]
    findings = [Finding("GPU", "good", "; ".join(cards) or ", ".join(gpu["name"] for gpu in seen["gpus"]))]
    if usable:
        names = ", ".join(f"{gpu['name']} ({'.'.join(map(str, gpu['compute_capability']))})" for gpu in usable)
        findings.append(Finding("TensorFlow", "good", f"{about}; computes on {names}"))
    broken = [gpu for gpu in seen["gpus"] if gpu["error"]]
    findings += [
        Finding("TensorFlow", "bad", f"{gpu['name']}: {gpu['error']}", "update the driver, or free the card")
        for gpu in broken
    ]
    if not seen["gpus"]:
        advice = (
            f"{_GPU_SETUP} installs CUDA's libraries; then the driver must be new enough (nvidia-smi shows its CUDA)"
        )
        if os.environ.get("CUDA_VISIBLE_DEVICES") == "":
            advice = "CUDA_VISIBLE_DEVICES is empty, which hides every card: unset it"
        findings.append(Finding("TensorFlow", "bad", f"{about}; sees none of the cards", advice))
    return findings


def largest_batches(options: list[str]) -> Finding:
    """Find the largest batch of one training step that fits the first GPU, in powers of two.

    Parameters
    ----------
    options : what `l3net.training.largest_batch` is given: the network and the precision.
    """
    found, problem = _ask_python("-m", "l3net.training.largest_batch", *options)
    if found is None:
        return Finding("largest batch", "bad", f"no step could be tried: {problem}", "l3net doctor tells what is wrong")
    if not found["has_gpu"]:
        return Finding("largest batch", "note", "no GPU that TensorFlow sees, so none was tried")
    if not found["largest"]:
        return Finding(
            "largest batch", "bad", "not even one sample fits the card", "free the card, or a smaller network"
        )
    text = f"{found['largest']} samples fit ({found['memory']:.1f} GB), {found['network']}"
    return Finding("largest batch", "good", text, f"train.batch_size up to {found['largest']}; the paper's is 64")


def _cards() -> list[str]:
    """Return the name, memory and driver of each card that nvidia-smi lists."""
    if not (program := shutil.which("nvidia-smi")):
        return []
    query = "--query-gpu=name,memory.total,driver_version"
    try:
        ended = subprocess.run([program, query, "--format=csv,noheader"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return []
    lines = [line.split(", ") for line in ended.stdout.splitlines() if ended.returncode == 0]
    return [f"{name}, {memory}, driver {driver}" for name, memory, driver in (line for line in lines if len(line) == 3)]


def _ask_python(*words: str) -> tuple[dict[str, Any] | None, str]:
    """Return the JSON that a module prints on its last line, or what went wrong."""
    try:
        ended = subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        return None, f"no answer after {_SECONDS} s"
    try:
        return json.loads(ended.stdout.splitlines()[-1]), ""
    except (IndexError, ValueError):
        return None, (ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"])[-1][:200]
