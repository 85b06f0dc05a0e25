"""The command l3net videos: make a list of a folder of one's own videos, for the workflow to train on."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from l3net.errors import ConfigError

if TYPE_CHECKING:
    from l3net.acquisition import OwnVideos

_NAMED_AT_MOST = 20
_ONTOLOGY = Path("resources/ontology.json")
_PRESETS_LIST = Path("my/segments.csv")  # which presets/own.yaml reads
_DESCRIPTION = """
Look at every video in FOLDER and below it, and write what the workflow needs to train on them:

  my/segments.csv          a list in AudioSet's format: an id of 11 characters, two times, labels (audioset.segments)
  my/videos/               a link to each video, named by its id (audioset.directory)
  my/segments.videos.csv   what each file is called there, or why it was left out

Videos may have any name and stand in any sub-folder; FOLDER itself is only read. Longer videos are cut into segments.
A sub-folder of FOLDER is the label of the videos in it. Called again, the command adds what is new; ids stay.
"""


def add_command(commands: argparse._SubParsersAction) -> None:
    """Add this command and its options."""
    parser = commands.add_parser(
        "videos",
        help="list a folder of your own videos, to train on them",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder of the videos")
    parser.add_argument(
        "--output",
        type=Path,
        default=_PRESETS_LIST,
        metavar="CSV",
        help="the list (default: my/segments.csv)",
    )
    parser.add_argument(
        "--every", type=float, default=10.0, metavar="SECONDS", help="seconds of a segment (default: 10)"
    )
    parser.add_argument("--no-labels", action="store_true", help="take no labels from sub-folders")
    parser.add_argument(
        "--ontology",
        type=Path,
        metavar="JSON",
        help=f"AudioSet's labels, for folders of those names (default: {_ONTOLOGY})",
    )


def run(options: argparse.Namespace) -> int:
    """Write the list and the links, and say what became of the files."""
    from l3net.acquisition import list_own_videos
    from l3net.audioset import read_ontology

    ontology = options.ontology or (_ONTOLOGY if _ONTOLOGY.is_file() else None)
    mids = {name.lower(): mid for mid, name in read_ontology(ontology).names.items()} if ontology else {}
    if options.output.suffix.lower() != ".csv":
        raise ConfigError(f"--output {options.output}: expected the name of a CSV, such as my/segments.csv")
    made = list_own_videos(
        options.folder,
        options.output,
        every_seconds=options.every,
        with_labels=not options.no_labels,
        mids=mids,
    )
    print("\n".join(_summary(made, mids)))
    return 0


def _summary(made: "OwnVideos", mids: dict[str, str]) -> list[str]:
    from l3net.audioset import LEAST_VIDEOS, SPLITS
    from l3net.runtime import counted

    taken, left_out = made.table[made.table["segments"] > 0], made.table[made.table["segments"] == 0]
    labels = sorted(set(taken["label"]) - {""})
    known = sum(label.lower().replace("_", " ") in mids for label in labels)
    of_labels = f", {counted(len(labels), 'label')} ({known} of AudioSet's)" if labels else ", no labels"
    lines = [
        f"{made.segments}: {counted(taken['segments'].sum(), 'segment')} of {counted(len(taken), 'video')},"
        f" {taken['seconds'].sum() / 60:.1f} minutes{of_labels}",
        f"{made.links}: a link to each of them by its id",
        f"{made.record}: what each file is called there",
    ]
    if made.n_gone:
        lines.append(f"{counted(made.n_gone, 'video')} of the earlier list gone or changed; the links are removed")
    if len(left_out):
        lines.append(f"left out, {len(left_out)} of {counted(len(made.table), 'file')}:")
        named = left_out[["file", "left_out"]].itertuples(index=False)
        lines += [f"  {file}: {why}" for file, why in list(named)[:_NAMED_AT_MOST]]
        if len(left_out) > _NAMED_AT_MOST:
            lines.append(f"  ... and {len(left_out) - _NAMED_AT_MOST} more, in {made.record}")
    if len(taken) < LEAST_VIDEOS * len(SPLITS):
        lines.append(
            f"too few to train on, {counted(len(taken), 'video')}: {', '.join(SPLITS)} need {LEAST_VIDEOS} each;"
            " cut long ones into files, if they show different things, or add some"
        )
    elif made.segments == _PRESETS_LIST:
        lines.append("next: snakemake --cores all --configfile presets/own.yaml")
    else:
        lines.append(
            "next: a configuration as presets/own.yaml, with a run of its own,"
            f" audioset.segments: [{made.segments}] and audioset.directory: {made.links}"
        )
    return lines
