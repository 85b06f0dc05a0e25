"""The command l3net real-input: lay out recordings of one's own as the workflow takes them."""

import argparse
import csv
import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from l3net.errors import ConfigError

if TYPE_CHECKING:
    from l3net.audioset.ontology import Ontology

PARTS = 10  # audioset.parts: 0 to 7 are train, 8 is valid, 9 is test
SEGMENT_SECONDS = 10.0
# ESC-10's folders, in order, by the names and numbers that ESC-50 gives their classes.
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
_DESCRIPTION = """
Lay out recordings of your own in the folder TARGET as the workflow takes them: TARGET/segments.csv, a list in
AudioSet's format, and TARGET/videos/, the videos by their ids (audioset.segments and audioset.directory of the
configuration). Files are linked, not copied.

LIST is a CSV with a row for each segment of ten seconds and the columns
  file           a video, below --folder
  label          a name of AudioSet's ontology, such as Piano
  start_seconds  where the segment begins
  part           the part its video belongs to: 0 to 7 are train, 8 is valid, 9 is test (audioset.parts: 10);
                 empty for a part by chance
Segments of one video get ids of their own, so they may be in different parts.
"""


@dataclass(frozen=True)
class Segment:
    """Ten seconds of a video: its file, its label's mid, where it starts, and the part that it is to belong to."""

    file: Path
    mid: str
    start_seconds: float
    part: int | None

    @property
    def ytid(self) -> str:
        """An id of eleven characters that begins like the file's name and belongs to the part."""
        return draw_id(f"{self.file.stem}{self.file.suffix[1:2]}{self.start_seconds:02.0f}", self.part)


def add_command(commands: argparse._SubParsersAction) -> None:
    """Add this command and its options."""
    parser = commands.add_parser(
        "real-input",
        help="lay out recordings of your own for the workflow",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    parser.add_argument("list", type=Path, metavar="LIST", help="a CSV: file,label,start_seconds,part")
    parser.add_argument("target", type=Path, metavar="TARGET", help="folder to make, such as resources/real")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="folder of the videos (default: that of LIST)")
    parser.add_argument("--esc10", type=Path, metavar="DIR", help="ESC-10's ten folders; laid out as TARGET/ESC-50/")
    parser.add_argument(
        "--ontology",
        type=Path,
        default=Path("resources/ontology.json"),
        metavar="JSON",
        help="AudioSet's labels (default: resources/ontology.json)",
    )


def run(options: argparse.Namespace) -> int:
    """Lay out the videos of the list, and ESC-10 where it is given: all of it, or nothing after an error."""
    from l3net.files import atomic

    names = ["videos", "segments.csv", *(["ESC-50"] if options.esc10 else [])]
    if there := [options.target / name for name in names if os.path.lexists(options.target / name)]:
        raise ConfigError(f"{there[0]}: is there already; remove it, or name another folder")
    with atomic.working_folder(options.target) as work:
        lay_out_videos(options.list, options.folder or options.list.parent, work, options.ontology)
        if options.esc10:
            lay_out_esc10(options.esc10, work / "ESC-50")
        options.target.mkdir(exist_ok=True)
        for name in names:
            (work / name).rename(options.target / name)
    return 0


def lay_out_videos(segment_list: Path, folder: Path, target: Path, ontology: Path) -> None:
    """Write ``segments.csv`` and link ``videos/{ytid}.*`` in `target`.

    Raises
    ------
    ConfigError
        A list that cannot be read, an unknown label, or a video that is missing.
    """
    from l3net.audioset import read_ontology

    segments = list(_read_segments(segment_list, folder, read_ontology(ontology)))
    (target / "videos").mkdir(parents=True)
    rows = []
    for segment in segments:
        (target / "videos" / f"{segment.ytid}{segment.file.suffix}").symlink_to(segment.file)
        end = segment.start_seconds + SEGMENT_SECONDS
        rows.append(f'{segment.ytid}, {segment.start_seconds:.3f}, {end:.3f}, "{segment.mid}"')
    header = [
        "# Segments csv of real recordings",
        f"# num_ytids={len(rows)}",
        "# YTID, start_seconds, end_seconds, positive_labels",
    ]
    (target / "segments.csv").write_text("\n".join([*header, *sorted(rows)]) + "\n", encoding="utf-8")


def _read_segments(segment_list: Path, folder: Path, ontology: "Ontology") -> Iterator[Segment]:
    from l3net.files import foreign, read_text

    what = "a list of segments, a CSV with the columns file, label, start_seconds and part"
    text = read_text(segment_list, ConfigError, what)
    with foreign(segment_list, ConfigError, what):
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
    for number, row in enumerate(rows, start=2):
        where = f"{segment_list}:{number}"
        try:
            start, part = float(row["start_seconds"]), int(row["part"]) if row["part"] else None
            path, mid = (folder / row["file"]).resolve(), ontology.mid_of(row["label"], where)
        except (KeyError, TypeError, ValueError):
            raise ConfigError(f"{where}: expected file,label,start_seconds,part, such as a.mp4,Piano,0,8") from None
        if part is not None and not 0 <= part < PARTS:
            raise ConfigError(f"{where}: part is {part}; expected 0 to {PARTS - 1}, or nothing")
        if not path.is_file():
            raise ConfigError(f"{where}: {path}: no such file")
        yield Segment(path, mid, start, part)


def draw_id(name: str, part: int | None) -> str:
    """Return an id of eleven characters that begins like `name` and belongs to `part`, or to any part."""
    from l3net.audioset import part_of

    stem = re.sub("[^A-Za-z0-9]", "_", name)[-7:].ljust(7, "_")
    ids = (f"{stem}{n:04d}" for n in range(10_000))
    return next(ytid for ytid in ids if part is None or part_of(ytid, PARTS) == part)


def lay_out_esc10(source: Path, target: Path) -> None:
    """Lay out ESC-10's folders as ESC-50: ``meta/esc50.csv`` and ``audio/``.

    Raises
    ------
    ConfigError
        A folder that does not have the ten folders of ESC-10.
    """
    from l3net.files import is_of_a_system

    folders = sorted(path for path in source.glob("*") if path.is_dir() and not is_of_a_system(path.name))
    if len(folders) != len(ESC10):
        raise ConfigError(f"{source}: {len(folders)} folders; expected the {len(ESC10)} of ESC-10")
    (target / "audio").mkdir(parents=True)
    (target / "meta").mkdir()
    with open(target / "meta" / "esc50.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["filename", "fold", "target", "category", "esc10", "src_file", "take"])
        for folder, (category, number) in zip(folders, ESC10.items(), strict=True):
            for path in sorted(path for path in folder.glob("*.ogg") if not is_of_a_system(path.name)):
                fold, clip, take = path.stem.split("-")
                name = f"{path.stem}-{number}.ogg"
                (target / "audio" / name).symlink_to(path.resolve())
                table.writerow([name, fold, number, category, True, clip, take])
