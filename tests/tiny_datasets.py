"""Small downstream data sets and embeddings files, drawn, for tests of what comes after them."""

from pathlib import Path

import h5py
import numpy as np
import soundfile

FACTS = {"kind": "l3", "front_end": "mel256", "subset": "music", "epoch": 8, "samples_seen": 6144}


def write_embeddings(
    path: Path,
    *,
    n_classes: int = 4,
    clips_per_class: int = 12,
    windows: int = 3,
    n_dimensions: int = 16,
    folds: tuple[str, ...] = ("1", "2", "3"),
    separation: float = 3.0,
    clips_per_group: int = 2,
    seed: int = 0,
    **attributes: object,
) -> Path:
    """Write an embeddings file whose classes lie `separation` deviations apart; clips of a group share a sound."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(n_classes), clips_per_class)
    group = np.arange(labels.size) // clips_per_group
    fold = [folds[g % len(folds)] for g in group]
    centres = rng.standard_normal((n_classes, n_dimensions)) * separation
    shared = rng.standard_normal((group.max() + 1, n_dimensions))
    clips = centres[labels] + shared[group]
    noise = 0.5 * rng.standard_normal((labels.size, windows, n_dimensions))
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file["embedding"] = (clips[:, None] + noise).reshape(-1, n_dimensions).astype(np.float32)
        file["offsets"] = np.arange(labels.size + 1) * windows
        file["timestamps"] = np.tile(np.arange(windows) * 0.5, labels.size)
        columns = {"filename": [f"{i:03d}.wav" for i in range(labels.size)], "label": [f"class {c}" for c in labels]}
        columns |= {"fold": fold, "group": [f"recording {g}" for g in group]}
        for name, values in columns.items():
            file.create_dataset(f"clips/{name}", data=values, dtype=h5py.string_dtype())
        file.attrs.update({**FACTS, "model_seed": 0, "hop_seconds": 0.5, **attributes})
    return path


def write_sound(path: Path, seed: int, *, seconds: float = 0.1, rate: int = 8000) -> Path:
    """Write a short recording of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * rate)), rate)
    return path


def lay_out_us8k(folder: Path, *, n_folds: int = 3, per_fold: int = 4) -> Path:
    """Lay out a tiny data set as UrbanSound8K's archive: two slices of every recording, in one fold."""
    lines = ["slice_file_name,fsID,start,end,salience,fold,classID,class"]
    for fold in range(1, n_folds + 1):
        for n in range(per_fold):
            recording, label = 100 * fold + n // 2, ("siren", "drilling")[n // 2 % 2]
            name = f"{recording}-{n // 2 % 2}-0-{n}.wav"
            write_sound(folder / "audio" / f"fold{fold}" / name, 10 * fold + n)
            lines.append(f"{name},{recording},0.0,0.1,1,{fold},{n // 2 % 2},{label}")
    (folder / "metadata").mkdir()
    (folder / "metadata" / "UrbanSound8K.csv").write_text("\n".join(lines) + "\n")
    return folder


def lay_out_esc50(folder: Path) -> Path:
    """Lay out a tiny data set as ESC-50's archive: five folds, two classes, one of them of ESC-10."""
    lines = ["filename,fold,target,category,esc10,src_file,take"]
    for fold in range(1, 6):
        for target, (category, in_esc10) in enumerate((("dog", True), ("chirping_birds", False), ("rain", True))):
            name = f"{fold}-{100 * fold + target}-A-{target}.wav"
            write_sound(folder / "audio" / name, 10 * fold + target)
            lines.append(f"{name},{fold},{target},{category},{in_esc10},{100 * fold + target},A")
    (folder / "meta").mkdir()
    (folder / "meta" / "esc50.csv").write_text("\n".join(lines) + "\n")
    return folder


def lay_out_dcase2013(folder: Path, *, coded: bool = False) -> Path:
    """Lay out a tiny data set as DCASE 2013's archives; the test set under coded names, with the key, if `coded`."""
    key = ["fold,wavname,md5sum,decodedname"]
    for n, name in enumerate(("bus01.wav", "bus02.wav", "tube01.wav", "tube02.wav")):
        write_sound(folder / "scenes_stereo" / name, n)
        test_name = f"1_abcde{n}.wav" if coded else name
        write_sound(folder / "scenes_stereo_testset" / test_name, 10 + n)
        key.append(f"fold1_testgt.txt,{test_name},00,{name}")
    if coded:
        (folder / "dcase2013_task1_filenamekey.csv").write_text("\n".join(key) + "\n\n")
    return folder
