"""The command l3net clips: what is kept of clips that were not obtained."""

import argparse
from pathlib import Path


def add_command(commands: argparse._SubParsersAction) -> None:
    """Add this command and its options."""
    parser = commands.add_parser(
        "clips",
        help="have clips fetched again that were given up",
        description="Change what the store remembers of clips that were not obtained.",
    )
    kinds = parser.add_subparsers(required=True, metavar="WHAT")
    retry = kinds.add_parser(
        "retry",
        help="un-mark clips, so that fetch_clips asks for them again",
        description="Remove the records of clips that were not obtained, so that the next snakemake -R fetch_clips asks"
        " for them again. Clips that are there are never touched.",
    )
    retry.set_defaults(run=run)
    retry.add_argument("--store", type=Path, required=True, metavar="DIR", help="folder of the clips (audioset.store)")
    retry.add_argument("--status", default="", metavar="WORD", help="only those of this status, such as removed")
    retry.add_argument("--reason", default="", metavar="TEXT", help="only those whose reason contains this text")
    retry.add_argument("--since", default="", metavar="DATE", help="only those attempted since this date or time (UTC)")


def run(options: argparse.Namespace) -> int:
    """Un-mark the clips, and say how many there were and how to go on."""
    from l3net.acquisition import unmark_clips

    n = unmark_clips(options.store, status=options.status, reason=options.reason, since=options.since)
    print(f"{n} clips are asked for again by: snakemake -R fetch_clips")
    return 0
