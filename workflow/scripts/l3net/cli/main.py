"""The command l3net: find the command that is asked for, run it, and say in one line what went wrong."""

import argparse
import io
import logging
import os
import select
import sys

from l3net import __version__
from l3net.cli import clips, embed, export, info, look, probe, real_input, share, videos
from l3net.errors import L3Error
from l3net.files.system_errors import file_system_line, system_errno
from l3net.runtime.quick_start import start_quickly
from l3net.runtime.signals import INTERRUPTED, end_on_signals, exit_code_of_signal

_COMMANDS = (embed, export, info, share, probe, videos, real_input, clips, look)
_STANDARD_OUTPUT, _NO_READER = "standard output", 141
_log = logging.getLogger("l3net")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Returns
    -------
    int
        The exit code: 0, 1 after an error of the user's or a file that could not be read, 2 without a command,
        130 after an interruption, 141 where what reads the output has ended, as `head` does.
    """
    parser = make_parser()
    if not (sys.argv[1:] if arguments is None else arguments):
        parser.print_help()
        return 2
    options = parser.parse_args(arguments)
    screen = logging.StreamHandler()
    screen.setFormatter(logging.Formatter("%(message)s"))
    _log.setLevel(logging.INFO)
    _log.handlers = [screen]
    if isinstance(sys.stdout, io.TextIOWrapper):  # names of files may be no text, or none of the terminal's alphabet
        sys.stdout.reconfigure(errors="backslashreplace")
    end_on_signals()
    start_quickly()
    try:
        code = options.run(options)
        _flush_output()
        return code
    except KeyboardInterrupt:
        return _interrupted()
    except Exception as error:
        if (code := exit_code_of_signal()) is not None:
            return _interrupted() if code == INTERRUPTED else code
        if _has_no_reader(error):
            return _NO_READER
        line = _line(error)
        if line is None or os.environ.get("L3NET_TRACEBACK"):
            raise
        print(f"l3net: {line}", file=sys.stderr)
        return 1


def _flush_output() -> None:
    """Write what was printed, which may go to a file on a full disk; Python would tell it in three lines at its end."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # where the end of Python may write it
        raise OSError(error.errno, error.strerror, _STANDARD_OUTPUT) from None


def _has_no_reader(error: Exception) -> bool:
    """Return whether an error is that of standard output whose reader has ended; what is unwritten is dropped then."""
    if not isinstance(error, BrokenPipeError):
        return False
    output = sys.stdout.fileno()
    asked = select.poll()
    asked.register(output, select.POLLOUT)
    is_ours = error.filename == _STANDARD_OUTPUT or any(state & select.POLLERR for _, state in asked.poll(0))
    if is_ours:
        os.dup2(os.open(os.devnull, os.O_WRONLY), output)  # where the end of Python may write what is left
    return is_ours


def _interrupted() -> int:
    print("l3net: interrupted; what is done is kept, the same command goes on", file=sys.stderr)
    return INTERRUPTED


def _line(error: Exception) -> str | None:
    """Return what to say of an error; None of one that is a fault of the program."""
    if isinstance(error, L3Error):
        return str(error)
    if isinstance(error, ModuleNotFoundError):  # embedding is installed without the packages of the workflow
        package = error.name or "l3net"
        is_ours = package.partition(".")[0] == "l3net"
        return None if is_ours else f"this needs the package {package}: pip install 'l3net[workflow]'"
    is_of_system = isinstance(error, OSError) or system_errno(error) is not None  # such as a full disk
    return file_system_line(error) if is_of_system else None


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line; each module of a command adds its own options."""
    parser = argparse.ArgumentParser(
        prog="l3net",
        description="Embed sounds and videos, look after trained models, and tell how a run and this machine are.",
        epilog="l3net COMMAND --help tells more. The workflow itself is started with snakemake (README.md).",
    )
    parser.add_argument("--version", action="version", version=f"l3net {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    for command in _COMMANDS:
        command.add_command(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
