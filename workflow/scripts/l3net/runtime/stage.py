"""Running a stage function as a Snakemake job or as a command.

The parameters of a stage function carry the names of its rule's inputs, outputs and params. Under Snakemake the names
are compared both ways; in a shell the same signature becomes a command with one ``--option`` for each parameter.
"""

import argparse
import inspect
import json
import logging
import os
import sys
import types
import typing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from l3net.errors import ConfigError, L3Error
from l3net.files.system_errors import file_system_line, system_errno
from l3net.runtime.logs import log_to
from l3net.runtime.quick_start import start_quickly
from l3net.runtime.signals import INTERRUPTED, end_on_signals, exit_code_of_signal

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")


def main(function: Callable[..., Any], snakemake: Any = None) -> None:
    """Run `function` with the arguments of the Snakemake job, or with those of the command line.

    An `L3Error` becomes one line on standard error and exit code 1; ``L3NET_TRACEBACK=1`` shows where it arose. So does
    an error of the file system. SIGTERM, with which a time limit of SLURM comes, and SIGINT, from a keyboard, end the
    stage as an error would, so that nothing half-written stays.
    """
    end_on_signals()
    start_quickly()
    logging.getLogger("l3net").propagate = False  # libraries give the root logger a handler: lines would come twice
    if snakemake is None:
        log_to(None)
        arguments = vars(command_line(function).parse_args())
        run(function, lambda: arguments)
    else:
        with _one_line(function.__name__):
            values = " ".join(str(value) for value in snakemake.wildcards if str(value))
            log_to(snakemake.log[0] if snakemake.log else None, f"{snakemake.rule} {values}".strip())
        _cap_threads(snakemake.threads)
        run(function, lambda: bind(function, snakemake), targets=list(snakemake.output))


def run(function: Callable[..., Any], arguments: Callable[[], dict[str, Any]], *, targets: list[str] = ()) -> None:
    """Call ``function(**arguments())``; report an `L3Error` of either as one line and exit with 1.

    Parameters
    ----------
    targets : the files that the stage makes, which are named where an error of the file system names none.
    """
    with _one_line(function.__name__, targets):
        function(**arguments())


@contextmanager
def _one_line(name: str, targets: list[str] = ()) -> Iterator[None]:
    """Report an `L3Error` or an error of the file system as one line, another error with its traceback; exit with 1.

    After a signal the exit code is the signal's; an interruption is reported as one line too.
    """
    log = logging.getLogger("l3net")
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        code = exit_code_of_signal()
        if isinstance(error, KeyboardInterrupt) or code == INTERRUPTED:
            log.error("%s: interrupted; run again to go on", name)
            sys.exit(INTERRUPTED)
        if code is not None:
            sys.exit(code)
        is_of_system = isinstance(error, OSError) or system_errno(error) is not None
        if not (is_of_system or isinstance(error, L3Error)):
            log.exception("%s: unexpected error", name)
            sys.exit(1)
        log.error("%s: %s", name, file_system_line(error, targets) if is_of_system else error)
        if os.environ.get("L3NET_TRACEBACK"):
            raise
        sys.exit(1)


def bind(function: Callable[..., Any], snakemake: Any) -> dict[str, Any]:
    """Take the arguments of `function` from a Snakemake job.

    Inputs and outputs without a name are dependencies only. A parameter ``threads`` receives the job's threads.

    Raises
    ------
    ConfigError
        A name stands in the rule alone, in the function alone, or twice in the rule.
    """
    given: dict[str, Any] = {}
    for section in (snakemake.input, snakemake.output, snakemake.params):
        for name, value in section.items():
            if name in given:
                raise ConfigError(f"rule {snakemake.rule} names '{name}' twice among input, output and params")
            given[name] = value
    parameters = inspect.signature(function).parameters
    if "threads" in parameters:
        given["threads"] = snakemake.threads
    where = f"rule {snakemake.rule} and {function.__name__}() in {Path(inspect.getfile(inspect.unwrap(function))).name}"
    if unknown := sorted(set(given) - set(parameters)):
        raise ConfigError(f"{where} disagree: the function has no parameter {', '.join(unknown)}")
    required = {name for name, p in parameters.items() if p.default is inspect.Parameter.empty}
    if missing := sorted(required - set(given)):
        raise ConfigError(f"{where} disagree: the rule does not give {', '.join(missing)}")
    hints = typing.get_type_hints(function)
    return {name: _convert(value, hints.get(name, Any)) for name, value in given.items()}


def command_line(function: Callable[..., Any]) -> argparse.ArgumentParser:
    """Make a parser with one option for each parameter of `function`; a parameter with a default is optional."""
    parser = argparse.ArgumentParser(
        prog=f"{function.__name__}.py",
        description=inspect.getdoc(function),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    hints = typing.get_type_hints(function)
    for name, parameter in inspect.signature(function).parameters.items():
        hint = hints.get(name, str)
        settings = _option(hint)
        if parameter.default is inspect.Parameter.empty:
            settings["required"] = _without_none(hint) is hint  # what may be None need not be given
        else:
            settings["default"] = parameter.default
            settings["help"] = f"default: {parameter.default}"
        parser.add_argument(f"--{name.replace('_', '-')}", **settings)
    return parser


def options(function: Callable[..., Any], arguments: dict[str, Any]) -> list[str]:
    """Write `arguments` of `function` as words that `command_line` reads back; None and defaults are left out."""
    words: list[str] = []
    for name, parameter in inspect.signature(function).parameters.items():
        value, flag = arguments.get(name, parameter.default), name.replace("_", "-")
        if value is None or value is inspect.Parameter.empty or value == parameter.default:
            continue
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        elif isinstance(value, list):
            words += [f"--{flag}", *map(str, value)]
        else:
            words.append(f"--{flag}={json.dumps(value) if isinstance(value, dict) else value}")
    return words


def _option(hint: Any) -> dict[str, Any]:
    """Choose argparse's settings for a parameter of type `hint`."""
    plain, origin = _without_none(hint), typing.get_origin(_without_none(hint))
    if plain is bool:
        return {"action": argparse.BooleanOptionalAction}
    if origin is list:
        return {"nargs": "*", "type": (typing.get_args(plain) or (str,))[0]}
    if plain is dict or origin is dict or plain is Any:
        return {"type": json.loads, "metavar": "JSON"}
    if origin in (typing.Union, types.UnionType):
        return {"type": _number_or_text}
    return {"type": plain}


def _convert(value: Any, hint: Any) -> Any:
    """Convert a value of the rule to the type of the parameter: paths become `Path`, sequences become lists."""
    plain = _without_none(hint)
    is_list = not isinstance(value, str | dict) and hasattr(value, "__iter__")
    if typing.get_origin(plain) is list:
        kind = (typing.get_args(plain) or (Any,))[0]
        return [_convert(item, kind) for item in (value if is_list else [value])]
    if is_list and plain is Path:
        if plain is not hint and not list(value):
            return None
        (value,) = value
    if value is None or plain is not Path:
        return value
    return Path(value)


def _without_none(hint: Any) -> Any:
    """Return ``X`` for ``X | None``, any other type as it is."""
    kinds = [kind for kind in typing.get_args(hint) if kind is not type(None)]
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return kinds[0] if is_union and len(kinds) == 1 else hint


def _number_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _cap_threads(threads: int) -> None:
    """Tell numerical libraries, which otherwise take every core, how many threads this job has."""
    for name in _THREAD_VARIABLES:
        os.environ[name] = str(threads)
