"""The programs beside Python: ffmpeg, a JavaScript runtime, SLURM, and the compiled convolutions."""

import os
import platform
import shutil
import subprocess
from importlib import metadata

from l3net import __version__
from l3net.downloads import js_runtime
from l3net.errors import ConfigError
from l3net.inference import winograd
from l3net.machine.finding import Finding
from l3net.media import ffmpeg_binary

_SECONDS = 20
_EXPECTED = ("tensorflow", "keras", "snakemake", "yt-dlp")


def examine_python() -> Finding:
    """Name Python and the packages that most depends on."""
    versions, missing = [], []
    for name in _EXPECTED:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    found = f"{platform.python_version()}; l3net {__version__}, {', '.join(versions)}"
    if "tensorflow" in missing or "keras" in missing:
        return Finding("Python", "bad", f"{found}; not installed: {', '.join(missing)}", "make setup")
    advice = "to run the workflow: make setup, or pip install 'l3net[workflow]'; embedding needs none of it"
    return Finding("Python", "note" if missing else "good", found, advice if missing else "")


def examine_ffmpeg() -> Finding:
    """Look for an ffmpeg that can write the store's clips."""
    try:
        path = ffmpeg_binary()
    except ConfigError as error:
        return Finding("ffmpeg", "bad", str(error), "make setup brings one (imageio-ffmpeg); or install your system's")
    said = _ask(path, "-hide_banner", "-version")
    if said is None:
        return Finding("ffmpeg", "bad", f"{path} does not run", "reinstall it: make setup, or your system's package")
    return Finding("ffmpeg", "good", f"{said.split(' Copyright')[0].splitlines()[0]} ({path})")


def examine_convolutions() -> Finding:
    """Look for the compiled convolutions, which CPUs embed with."""
    if lanes := winograd.available_lanes():
        return Finding("compiled convolutions", "good", f"built, {lanes[0]} channels to a register")
    fix = "make setup again" if shutil.which("g++") else "install g++, then make setup again"
    found = "not built or not for this CPU: embedding on the CPU takes nearly three times as long"
    return Finding("compiled convolutions", "note", found, f"{fix}; a CPU with AVX2 is needed; a GPU does without")


def examine_js_runtime() -> Finding:
    """Look for the JavaScript runtime that YouTube's pages need."""
    found = {name: path for name in ("deno", "node") if (path := js_runtime(name))}
    if not found:
        advice = "make setup brings deno; or install node and set audioset.js_runtime: node"
        return Finding("JavaScript runtime", "note", "none, so audioset.source youtube cannot be used", advice)
    versions = (f"{name} {(_ask(path, '--version') or 'does not run').split()[-1]}" for name, path in found.items())
    return Finding("JavaScript runtime", "good", ", ".join(versions))


def examine_slurm() -> Finding:
    """Ask SLURM, where it is, for its partitions and their GPUs."""
    if not shutil.which("sbatch"):
        return Finding("SLURM", "good", "none here; only --profile workflow/profiles/slurm needs it")
    try:
        plugin = f"its Snakemake plugin {metadata.version('snakemake-executor-plugin-slurm')}"
    except metadata.PackageNotFoundError:
        plugin = ""
    said = _ask("sinfo", "--noheader", "--format=%R %G")
    if said is None:
        return Finding("SLURM", "note", "sbatch is here, but sinfo gets no answer", "is slurmctld up? scontrol ping")
    partitions = dict(line.split(maxsplit=1) for line in said.splitlines() if " " in line)
    shown = ", ".join(f"{name} ({gres})" if gres != "(null)" else name for name, gres in partitions.items())
    advice = "" if plugin else "make setup brings the plugin snakemake-executor-plugin-slurm"
    return Finding("SLURM", "good" if plugin else "note", f"partitions {shown}; {plugin or 'no plugin'}", advice)


def examine_cpu() -> Finding:
    """Count the CPUs that this process may use, and the memory."""
    n_cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    advice = "the demo takes 2 GB, larger networks more" if gigabytes < 4 else ""
    return Finding("CPUs and memory", "note" if advice else "good", f"{n_cpus} CPUs, {gigabytes:.0f} GB", advice)


def _ask(*command: str) -> str | None:
    """Return what a program prints; None where it cannot be run, fails, or takes too long."""
    try:
        ended = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ended.stdout.strip() or None if ended.returncode == 0 else None
