"""What is said of GPUs, by what the driver lists and by what TensorFlow answers."""

from pathlib import Path
from typing import Any

import pytest

from l3net.machine import accelerators
from tests.machine.test_programs import script

CARD = "NVIDIA H100 80GB HBM3, 81559 MiB, 550.54.15"
SEEN = {"version": "2.20.0", "built_with_cuda": True, "cuda": "12.5.1", "cudnn": "9"}
GPU = {"name": "NVIDIA H100 80GB HBM3", "error": "", "compute_capability": [9, 0]}


def answered(monkeypatch: pytest.MonkeyPatch, gpus: list[dict], *, listed: bool) -> list[tuple]:
    monkeypatch.setattr(accelerators, "_ask_python", lambda *words: ({**SEEN, "gpus": gpus}, ""))
    monkeypatch.setattr(accelerators, "_cards", lambda: [CARD] if listed else [])
    return [(one.subject, one.state, one.found, one.advice) for one in accelerators.examine_gpus()]


def test_a_card_that_tensorflow_computes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    (card, seen) = answered(monkeypatch, [GPU], listed=True)
    assert card == ("GPU", "good", CARD, "")
    assert seen[1] == "good"
    assert seen[2].endswith("computes on NVIDIA H100 80GB HBM3 (9.0)")


def test_a_card_that_tensorflow_does_not_see(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    (_, seen) = answered(monkeypatch, [], listed=True)
    assert seen[1] == "bad"
    assert seen[3].startswith("make setup GPU=1 installs CUDA's libraries")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert "CUDA_VISIBLE_DEVICES is empty" in answered(monkeypatch, [], listed=True)[1][3]


def test_a_card_that_is_listed_and_cannot_compute(monkeypatch: pytest.MonkeyPatch) -> None:
    (_, broken) = answered(monkeypatch, [{**GPU, "error": "CUDA_ERROR_OUT_OF_MEMORY"}], listed=True)
    assert broken[1:3] == ("bad", "NVIDIA H100 80GB HBM3: CUDA_ERROR_OUT_OF_MEMORY")


def test_no_card_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [one[1] for one in answered(monkeypatch, [], listed=False)] == ["good", "good"]


def test_a_tensorflow_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerators, "_ask_python", lambda *words: (None, "Illegal instruction"))
    (found,) = accelerators.examine_gpus()
    assert (found.state, found.found) == ("bad", "does not start: Illegal instruction")


def test_the_driver_is_asked_in_its_own_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script(tmp_path, "nvidia-smi", f'[ "$1" = --query-gpu=name,memory.total,driver_version ] && echo "{CARD}"')
    monkeypatch.setenv("PATH", str(tmp_path))
    assert accelerators._cards() == ["NVIDIA H100 80GB HBM3, 81559 MiB, driver 550.54.15"]
    script(tmp_path, "nvidia-smi", "echo 'NVIDIA-SMI has failed'; exit 9")
    assert accelerators._cards() == []


@pytest.mark.parametrize(
    ("answer", "state", "text"),
    [
        ({"has_gpu": False}, "note", "none was tried"),
        ({"has_gpu": True, "largest": 0}, "bad", "not even one sample"),
        ({"has_gpu": True, "largest": 512, "memory": 61.2, "network": "mel256"}, "good", "512 samples fit (61.2 GB)"),
    ],
)
def test_the_largest_batch(monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any], state: str, text: str) -> None:
    monkeypatch.setattr(accelerators, "_ask_python", lambda *words: (answer, ""))
    found = accelerators.largest_batches(["--width", "1"])
    assert found.state == state
    assert text in found.found


def test_what_a_module_prints_last_is_its_answer() -> None:
    assert accelerators._ask_python("-c", "print('words'); print('{\"a\": 1}')") == ({"a": 1}, "")
    found, problem = accelerators._ask_python("-c", "import sys; sys.exit('no driver')")
    assert (found, problem) == (None, "no driver")
