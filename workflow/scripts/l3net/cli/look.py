"""The commands l3net status and l3net doctor: a look at a run, and one at this machine."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from l3net.errors import ConfigError


def add_command(commands: argparse._SubParsersAction) -> None:
    """Add these commands and their options."""
    _add_status(commands)
    _add_doctor(commands)


def _add_status(commands: argparse._SubParsersAction) -> None:
    """Add l3net status and its options."""
    parser = commands.add_parser(
        "status",
        help="tell how far a run is",
        description="Tell how far a run is, from its files: jobs done, under way and failed, parts fetched, shards,"
        " epochs and accuracies so far, scores, and the time left. It works while the run goes on, on any machine that"
        " sees its files, and locks nothing.",
    )
    parser.set_defaults(run=tell_status)
    parser.add_argument("--run", dest="name", metavar="R", help="name of the run (default: the one busy last)")
    parser.add_argument(
        "--folder", type=Path, default=Path(), metavar="DIR", help="where the workflow was started (default: here)"
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON, for programs")


def tell_status(options: argparse.Namespace) -> int:
    """Print the status."""
    from l3net.runs import status_lines, status_of

    if options.json:
        print(json.dumps(status_of(options.name, options.folder), indent=1))
    else:
        print("\n".join(status_lines(options.name, options.folder)))
    return 0


def _add_doctor(commands: argparse._SubParsersAction) -> None:
    """Add l3net doctor and its options."""
    parser = commands.add_parser(
        "doctor",
        help="look at this machine, and say what to do about what is missing",
        description="Look at what the workflow needs: Python, ffmpeg, the compiled convolutions, a JavaScript runtime,"
        " SLURM, disks, locks, GPUs and what TensorFlow sees of them; and say what to do about each. Ends with 1 where"
        " something is missing that every run needs.",
    )
    parser.set_defaults(run=examine_machine)
    add = parser.add_argument
    add("--folder", type=Path, default=Path(), metavar="DIR", help="where the workflow is started (default: here)")
    add("--gpu", action="store_true", help="try how large a batch of training fits the GPU (takes minutes)")
    add("--precision", choices=("float32", "mixed_bfloat16", "mixed_float16"), default="mixed_bfloat16",
        help="with --gpu: precision of the training, train.precision (default: mixed_bfloat16)")  # fmt: skip
    add("--width", type=float, default=1.0, metavar="SHARE", help="with --gpu: network.width (default: 1)")
    add("--image-size", type=int, default=224, metavar="PIXELS", help="with --gpu: samples.image_size (default: 224)")
    add("--front-end", default="mel256", metavar="NAME", help="with --gpu: front end of the model (default: mel256)")
    add("--json", action="store_true", help="print JSON, for programs")


def examine_machine(options: argparse.Namespace) -> int:
    """Print what is found, each as soon as it is."""
    from l3net.machine import examine

    if not options.folder.is_dir():
        raise ConfigError(f"--folder {options.folder}: no such folder; expected the one where the workflow is started")
    words = ["precision", "width", "image_size", "front_end"]
    given = [word for name in words for word in (f"--{name.replace('_', '-')}", str(getattr(options, name)))]
    found = []
    for finding in examine(options.folder, batch_options=given if options.gpu else None):
        found.append(finding)
        if not options.json:
            print("\n".join(finding.lines()), flush=True)
    if options.json:
        print(json.dumps([asdict(finding) for finding in found], indent=1))
    return int(any(finding.state == "bad" for finding in found))
