"""A folder, or a zip, with all that somebody else needs to use a model: the card, the weights in every format that
they can have, checksums, and a test of three lines."""

import logging
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from l3net.errors import ConfigError, L3Error
from l3net.files import atomic, printable, sha256_of
from l3net.media import SAMPLE_RATE
from l3net.sharing.card import CardFacts, model_card

EXPORTS = {"embedding.h5": "openl3", "embedding.onnx": "ONNX", "embedding.pt": "PyTorch"}
CHECK = """import l3net, numpy as np
vectors, _ = l3net.embed(np.load("check_sound.npy"), 48000, model="embedding.keras", hop_seconds=0.5)
np.testing.assert_allclose(vectors, np.load("check_vectors.npy"), rtol=0, atol={tolerance:.1e}); print("as expected")
"""
_OTHER_ARCHIVES = (".7z", ".bz2", ".gz", ".keras", ".rar", ".tar", ".tgz", ".xz", ".zst")
_log = logging.getLogger("l3net")


def share_model(model: Path, target: Path) -> list[str]:
    """Write what travels with a model: README.md, embedding.keras, exports, check.py, SHA256SUMS.

    Parameters
    ----------
    model : an embedding.keras. The README.md beside it, which a run writes, is taken as the card; without one the card
        has what the file itself tells.
    target : a folder to make, or a name that ends with .zip.

    Returns
    -------
    list of str
        A line for each format that the model cannot have, with the reason.

    Raises
    ------
    WeightsError
        A file that is no embedding.keras.
    ConfigError
        A target that is there already, or an archive that is no zip.
    """
    from l3net.embeddings import load_network, read_keras_metadata

    about = read_keras_metadata(model)
    if target.exists():
        raise ConfigError(f"{target}: is there already; name a folder or a .zip that is not")
    if target.suffix.lower() in _OTHER_ARCHIVES:
        raise ConfigError(f"{target}: only a zip is packed; name it {target.name.partition('.')[0]}.zip, or a folder")
    with atomic.working_folder(target) as scratch:
        folder = scratch / printable(target.stem if target.suffix == ".zip" else target.name)  # a zip holds texts alone
        folder.mkdir()
        card = model.with_name("README.md")
        text = card.read_text(encoding="utf-8") if card.exists() else model_card(about, CardFacts())
        (folder / "README.md").write_text(text, encoding="utf-8")
        shutil.copyfile(model, folder / "embedding.keras")
        network, _ = load_network(model)
        left_out = _export(network, about, folder)
        _write_check(model, folder)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        sums = [f"{sha256_of(path)}  {path.relative_to(folder).as_posix()}\n" for path in files]
        (folder / "SHA256SUMS").write_text("".join(sums))
        _publish(folder, target)
    return left_out


def _export(network: Any, about: dict[str, Any], folder: Path) -> list[str]:
    """Write every export that the network and the installed packages allow; return why others are not there."""
    from l3net import exchange, models

    left_out = []
    for name, format in EXPORTS.items():
        try:
            models.check_export_format(folder / name)
            exchange.export_embedding(network, about, folder / name)
        except L3Error as error:
            (folder / name).unlink(missing_ok=True)
            left_out.append(
                f"without {name} ({format}): {str(error).replace(f'{folder}/', '').removeprefix(f'{name}: ')}"
            )
    return left_out


def _write_check(model: Path, folder: Path) -> None:
    """Write a sound, its vectors and the program that compares them with what somebody's installation gives."""
    from l3net.embeddings import embed

    sound = np.random.default_rng(0).normal(0.0, 0.1, 96_000).astype(np.float32)  # two seconds of noise
    vectors, _ = embed(sound, SAMPLE_RATE, model=model, hop_seconds=0.5)
    np.save(folder / "check_sound.npy", sound)
    np.save(folder / "check_vectors.npy", vectors)
    (folder / "check.py").write_text(CHECK.format(tolerance=1e-3 * float(np.abs(vectors).max())))


def _publish(folder: Path, target: Path) -> None:
    """Move the finished folder to its place, or pack it there."""
    if target.suffix != ".zip":
        folder.rename(target)
        return
    with atomic.replacing(target) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder.parent))
