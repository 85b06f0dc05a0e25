"""Lays out the folder of real recordings for the workflow: videos with a list in AudioSet's format, ESC-10 as ESC-50.

    python -m tests.workflow.lay_out_real_input ../shared/data resources/real
    snakemake --cores all --configfile presets/real.yaml

Files are linked, not copied. Labels are AudioSet's that fit what a clip shows and that a filter lets through; clips
that fit none keep a label of no subset. One video may give several segments: each has an id of its own, drawn so that
both subsets have clips in all three splits.
"""

import csv
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from l3net.audioset.splits import part_of

PARTS = 10  # audioset.parts: 0 to 7 train, 8 valid, 9 test
SEGMENT_SECONDS = 10.0
# ESC-10's folders, in order, by ESC-50's names and numbers.
ESC10 = {
    "dog": 0,
    "rain": 10,
    "sea_waves": 11,
    "crying_baby": 20,
    "clock_tick": 38,
    "sneezing": 21,
    "helicopter": 40,
    "chainsaw": 41,
    "rooster": 1,
    "crackling_fire": 12,
}


@dataclass(frozen=True)
class Video:
    """A file, the label of its clips, the part they are to fall in, and where its segments start."""

    file: str
    label: str
    part: int
    starts: tuple[float, ...] = (0.0,)


_GRID = (
    "bbaf2n",
    "brbk7n",
    "id2_swwp2s",
    "lbax4n",
    "lbbc2a",
    "lrwp9a",
    "lwbsza",
    "pwij3p",
    "sbia1a",
    "sbwe5n",
    "swiz3n",
)
VIDEOS = (
    Video("open/big_buck_bunny_0_30.webm", "Orchestra", 0, (0.0, 5.0, 10.0)),
    Video("open/big_buck_bunny_0_30.webm", "Orchestra", 8, (20.0,)),
    Video("open/bigbuckbunny_6ch.mp4", "Orchestra", 8),
    Video("open/big_buck_bunny_432_433.webm", "Musical ensemble", 3),
    Video("open/chaplin.mp4", "Piano", 9, (0.0, 4.0)),
    *(Video(f"open/grid_{name}.mpg", "Male speech, man speaking", n % 3) for n, name in enumerate(_GRID[:9])),
    *(Video(f"open/grid_{name}.mpg", "Male speech, man speaking", 8) for name in _GRID[9:]),
    Video("open/small.mp4", "Engine", 0),
    Video("open/bento.mp4", "Bark", 1),
    Video("open/friday.mp4", "Conversation", 9),
    Video("open/nasa_13013.mp4", "Male speech, man speaking", 9, (0.0, 3.0)),
    Video("negative/partly_silent_motorbikes.mp4", "Motorcycle", 1),
    Video("negative/silent_audio_flower.webm", "Vehicle", 2),
    Video("negative/no_audio_bikes.mp4", "Bicycle", 3),
    Video("negative/no_audio_carphone_176x144.mp4", "Conversation", 3),
    Video("negative/audio_only.mp4", "Orchestra", 3),
    *(Video(f"open/stream-of-water.{suffix}", "Stream", 0) for suffix in ("mp4", "webm")),
    *(Video(f"open/{name}.mp4", "Bird", 0) for name in ("bee", "butterfly")),
    *(
        Video(f"open/mdn_toy_{name}.webm", "White noise", 0)
        for name in ("crystal", "elf", "frog", "monster", "pig", "rabbit")
    ),
)


def lay_out(shared: Path, target: Path, ontology: Path) -> None:
    """Lay out the recordings of `shared` in `target`: segments.csv, videos/ and ESC-50/."""
    by_name = {node["name"]: node["id"] for node in json.loads(ontology.read_text(encoding="utf-8"))}
    rows = []
    (target / "videos").mkdir(parents=True)
    for video in VIDEOS:
        source = (shared / "video" / video.file).resolve(strict=True)
        for start in video.starts:
            ytid = draw_id(f"{source.stem}{source.suffix[1]}{start:02.0f}", video.part)
            (target / "videos" / f"{ytid}{source.suffix}").symlink_to(source)
            rows.append(f'{ytid}, {start:.3f}, {start + SEGMENT_SECONDS:.3f}, "{by_name[video.label]}"')
    rows.append(f'{draw_id("gone", 0)}, 30.000, 40.000, "{by_name["Piano"]}"')  # AudioSet names what is no more
    header = [
        "# Segments csv of real recordings",
        f"# num_ytids={len(rows)}",
        "# YTID, start_seconds, end_seconds, positive_labels",
    ]
    (target / "segments.csv").write_text("\n".join([*header, *sorted(rows)]) + "\n", encoding="utf-8")
    lay_out_esc10(shared / "esc10", target / "ESC-50")


def lay_out_esc10(source: Path, target: Path) -> None:
    """Lay out the folders of ESC-10 as ESC-50: meta/esc50.csv and audio/."""
    (target / "audio").mkdir(parents=True)
    (target / "meta").mkdir()
    folders = sorted(path for path in source.iterdir() if path.is_dir())
    with open(target / "meta" / "esc50.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["filename", "fold", "target", "category", "esc10", "src_file", "take"])
        for folder, (category, number) in zip(folders, ESC10.items(), strict=True):
            for path in sorted(folder.glob("*.ogg")):
                fold, clip, take = path.stem.split("-")
                name = f"{path.stem}-{number}.ogg"
                (target / "audio" / name).symlink_to(path.resolve())
                table.writerow([name, fold, number, category, True, clip, take])


def draw_id(name: str, part: int) -> str:
    """Return an id of eleven characters that begins like `name` and falls in `part`."""
    stem = "".join(c if c.isascii() and c.isalnum() else "_" for c in name)[-7:].ljust(7, "_")
    return next(ytid for n in range(10_000) if part_of(ytid := f"{stem}{n:04d}", PARTS) == part)


if __name__ == "__main__":
    lay_out(Path(sys.argv[1]), Path(sys.argv[2]), Path("resources/ontology.json"))
