"""Make three small synthetic downstream data sets in the official layouts of UrbanSound8K, ESC-50 and DCASE 2013."""

import csv
import hashlib
import io
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from l3net.demo import DCASE2013, ESC50, US8K, Recording, generator, make_recording
from l3net.files import atomic, stable_hash
from l3net.runtime import stage, track_progress

US8K_SECONDS, ESC50_SECONDS, DCASE2013_SECONDS = 4.0, 5.0, 6.0
_ESC10 = {"dog", "rain", "clock_tick", "helicopter"}


def make_demo_datasets(
    us8k: Path, esc50: Path, dcase2013: Path, *, seed: int, clips_per_class: int = 10, threads: int = 1
) -> None:
    """Write three data sets of synthetic recordings. Nothing in them is real.

    Parameters
    ----------
    us8k : folder to write: metadata/UrbanSound8K.csv and audio/fold1 to fold10, ten classes.
    esc50 : folder to write: meta/esc50.csv and audio/, ten of the fifty classes.
    dcase2013 : folder to write: scenes_stereo/, scenes_stereo_testset/ and the key of the test set, ten scenes.
    seed : of everything that is drawn; the same seed gives the same recordings.
    clips_per_class : recordings of each class in each data set, of scenes as many to train and as many to test with; a
        third of UrbanSound8K's give two slices each.
    threads : recordings made at a time.
    """
    with (
        atomic.replacing_folder(us8k) as us8k_folder,
        atomic.replacing_folder(esc50) as esc50_folder,
        atomic.replacing_folder(dcase2013) as dcase2013_folder,
    ):
        recordings = [
            *lay_out_us8k(us8k_folder, seed, clips_per_class),
            *lay_out_esc50(esc50_folder, seed, clips_per_class),
            *lay_out_dcase2013(dcase2013_folder, clips_per_class),
        ]
        make = partial(make_recording, seed=seed)
        with ProcessPoolExecutor(threads) as pool:
            for _ in track_progress(
                pool.map(make, recordings, chunksize=8), "making recordings", len(recordings), "recordings"
            ):
                pass
        _write_key(dcase2013_folder)


def lay_out_us8k(folder: Path, seed: int, clips_per_class: int) -> list[Recording]:
    """Write UrbanSound8K's table; return the recordings to make. Slices of one recording share fsID and fold."""
    rng = generator(seed, "UrbanSound8K")
    header = ("slice_file_name", "fsID", "start", "end", "salience", "fold", "classID", "class")
    rows, recordings = [], []
    fsids = rng.choice(200_000, (len(US8K), clips_per_class), replace=False) + 1000
    for (name, recipe), own in zip(US8K.items(), fsids, strict=True):
        for n, fsid in enumerate(own):
            fold, rate = n % 10 + 1, int(rng.choice([22_050, 44_100, 48_000]))
            channels = int(rng.integers(1, 3))
            for piece in range(1 + (n % 3 == 0)):
                seconds = US8K_SECONDS if rng.random() < 0.8 else round(float(rng.uniform(0.6, US8K_SECONDS)), 2)
                file = f"{fsid}-{recipe.number}-0-{piece}.wav"
                start, salience = piece * US8K_SECONDS, int(rng.integers(1, 3))
                rows.append((file, fsid, start, start + seconds, salience, fold, recipe.number, name))
                path = folder / "audio" / f"fold{fold}" / file
                recordings.append(Recording(path, recipe, seconds, rate, channels, f"UrbanSound8K/{file}"))
    _write_table(folder / "metadata" / "UrbanSound8K.csv", header, sorted(rows))
    return recordings


def lay_out_esc50(folder: Path, seed: int, clips_per_class: int) -> list[Recording]:
    """Write ESC-50's table; return the recordings to make."""
    rng = generator(seed, "ESC-50")
    header = ("filename", "fold", "target", "category", "esc10", "src_file", "take")
    rows, recordings = [], []
    sources = rng.choice(250_000, (len(ESC50), clips_per_class), replace=False) + 1000
    for (name, recipe), own in zip(ESC50.items(), sources, strict=True):
        for n, source in enumerate(own):
            fold = n % 5 + 1
            file = f"{fold}-{source}-A-{recipe.number}.wav"
            rows.append((file, fold, recipe.number, name, name in _ESC10, source, "A"))
            path = folder / "audio" / file
            recordings.append(Recording(path, recipe, ESC50_SECONDS, 44_100, 1, f"ESC-50/{file}"))
    _write_table(folder / "meta" / "esc50.csv", header, sorted(rows))
    return recordings


def lay_out_dcase2013(folder: Path, clips_per_class: int) -> list[Recording]:
    """Return the recordings of DCASE 2013's scenes to make: as many to train with as to test with."""
    recordings = []
    for name, recipe in DCASE2013.items():
        for n in range(2 * clips_per_class):
            part = "scenes_stereo" if n % 2 == 0 else "scenes_stereo_testset"
            path = folder / part / f"{name}{n // 2 + 1:02d}.wav"
            recordings.append(Recording(path, recipe, DCASE2013_SECONDS, 44_100, 2, f"DCASE2013/{part}/{path.name}"))
    return recordings


def _write_key(folder: Path) -> None:
    """Rename the test recordings so that their names tell nothing, as in the challenge, and write the key to them."""
    rows = []
    for path in sorted((folder / "scenes_stereo_testset").iterdir()):
        digits = stable_hash(path.name)
        code = "".join(chr(ord("a") + digits // 26**place % 26) for place in range(6))
        rows.append(("fold1_testgt_demo.txt", f"1_{code}.wav", hashlib.md5(path.read_bytes()).hexdigest(), path.name))
        path.rename(path.with_name(f"1_{code}.wav"))
    header = ("fold", "wavname", "md5sum", "decodedname")
    _write_table(folder / "dcase2013_task1_filenamekey.csv", header, sorted(rows))


def _write_table(path: Path, header: tuple[str, ...], rows: list[tuple]) -> None:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerows([header, *rows])
    atomic.write_text(path, text.getvalue())


if __name__ == "__main__":
    stage.main(make_demo_datasets, globals().get("snakemake"))
