"""The answer to "how far is it?": what is done, running and failed, and how much time the rest may take."""

import csv
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from l3net.errors import ConfigError
from l3net.runs.journal import JobsSoFar, read_journal
from l3net.runs.plan import RunPlan, find_runs, read_plan
from l3net.runs.progress import ModelProgress, Progress, read_progress
from l3net.runtime import duration, logs

_LEG = "train_leg"
_MOST_SHOWN = 8  # jobs that run or have failed, embeddings of a data set


def status_of(run: str | None, folder: Path) -> dict[str, Any]:
    """Return what is known of a run: its plan, progress, jobs and the seconds left, as plain values.

    Parameters
    ----------
    run : its name; None is the run that was busy last.
    folder : the folder in which the workflow was started.

    Raises
    ------
    ConfigError
        There is no such run, or its plan cannot be read.
    """
    there = find_runs(folder)
    if not there:
        raise ConfigError(
            f"no run was started here ({folder.resolve()}): no folder logs/ or results/ holds one;"
            " --folder names where the workflow was started"
        )
    name = run or there[0]
    if name not in there:
        raise ConfigError(f"--run {name}: no such run in {folder.resolve()}; there are {', '.join(there)}")
    plan, jobs = read_plan(name, folder), read_journal(folder / "logs" / name)
    progress = read_progress(plan, folder / "results" / name)
    known, training = _known_seconds(folder / "benchmarks" / name), _training_left(plan, progress)
    return {
        "plan": asdict(plan),
        "progress": asdict(progress),
        "jobs": None if jobs is None else asdict(jobs) | {"state": _state(jobs)},
        "seconds_left": None if jobs is None else seconds_left(jobs, known, training),
    }


def _training_left(plan: RunPlan, progress: Progress) -> float:
    """Return the seconds of the epochs that are left, those of a model that has not begun at the mean pace."""
    models = progress.models.values()
    paces = [model.seconds for model in models if model.seconds > 0]
    pace = sum(paces) / len(paces) if paces else 0.0
    return sum(max(plan.epochs - model.epoch, 0) * (model.seconds or pace) for model in models)


def _state(jobs: JobsSoFar) -> str:
    if jobs.is_over:
        return "failed" if jobs.failed else "finished" if jobs.n_done >= jobs.n_jobs else "ended"
    return {True: "running", False: "killed", None: "running elsewhere, or killed there"}[jobs.is_alive]


def seconds_left(jobs: JobsSoFar, known: dict[str, list[float]], training: float = 0.0) -> tuple[float, int] | None:
    """Estimate the seconds that the rest of the jobs take, and count the jobs of which nothing is known.

    A job takes as long as those of its rule took on average, in this run or else in an earlier one of the same name;
    as many jobs run side by side as did so far.

    Parameters
    ----------
    jobs : the journal.
    known : seconds of earlier jobs of each rule.
    training : seconds of the epochs that are left, which count until a leg has ended.
    """
    now, total, n_unknown = time.time(), 0.0, 0
    if jobs.is_over:
        return None
    means = {rule: sum(values) / len(values) for rule, values in {**known, **jobs.seconds}.items() if values}
    for rule, count in jobs.counts.items():
        n_left = count - len(jobs.seconds.get(rule, []))
        if rule == _LEG and rule not in means and training:
            total += training
            continue
        if rule != "all" and rule not in means:
            n_unknown += n_left
        total += means.get(rule, 0.0) * n_left
    total -= sum(min(now - job["time"], means.get(job["rule"], 0.0)) for job in jobs.running.values())
    worked = sum(map(sum, jobs.seconds.values())) + sum(now - job["time"] for job in jobs.running.values())
    return max(total, 0.0) / max(worked / max(now - jobs.began, 1e-9), 1.0), n_unknown


def _known_seconds(benchmarks: Path) -> dict[str, list[float]]:
    """Return the seconds of the jobs of each rule, as Snakemake's benchmarks keep them."""
    found: dict[str, list[float]] = {}
    for path in benchmarks.glob("**/*.tsv"):
        try:
            with open(path, encoding="utf-8", newline="") as file:
                row = next(csv.DictReader(file, delimiter="\t"))
            rule = path.relative_to(benchmarks).parts[0].removesuffix(".tsv")
            found.setdefault(rule, []).append(float(row["s"]))
        except (OSError, ValueError, KeyError, StopIteration, TypeError):
            continue
    return found


def status_lines(run: str | None, folder: Path) -> list[str]:
    """Return the status of a run as lines to read."""
    found = status_of(run, folder)
    plan = RunPlan(**found["plan"])
    stages = found["progress"]
    models = {name: ModelProgress(**facts) for name, facts in stages["models"].items()}
    progress = Progress(**{**stages, "models": models})
    lines = _job_lines(plan.run, found, folder)
    lines.append(f"  clips     {_of(progress.parts, plan.parts)} parts" + _in_words(progress.clips))
    for subset in plan.subsets:
        lines.append(f"  shards    {subset}: {_of(progress.shards[subset], plan.parts)} parts")
    lines += [f"  training  {name:{_width(plan.models)}}  {_model_line(models[name], plan)}" for name in plan.models]
    for dataset in plan.datasets:
        lines.append(f"  scores    {dataset}: {_of(progress.scores[dataset], len(plan.scored))} embeddings")
        best = sorted(progress.accuracies[dataset].items(), key=lambda entry: -entry[1])
        if best:
            shown = ", ".join(f"{name} {100 * accuracy:.1f} %" for name, accuracy in best[:3])
            lines[-1] += f"; best so far {shown}"
    return lines


def _job_lines(run: str, found: dict[str, Any], folder: Path) -> list[str]:
    if found["jobs"] is None:
        return [f"run {run}: no journal of its jobs (logs/{run}/jobs.jsonl); this is what its files tell"]
    jobs = found["jobs"]
    n_done, n_jobs = sum(map(len, jobs["seconds"].values())), sum(jobs["counts"].values())
    head = f"run {run}: {jobs['state']}, {n_done} of {n_jobs} jobs done, {len(jobs['running'])} under way"
    head += f", {len(jobs['failed'])} failed" if jobs["failed"] else ""
    head += f"; started {time.strftime('%Y-%m-%d %H:%M', time.localtime(jobs['began']))}"
    if found["seconds_left"] is not None and jobs["state"].startswith("running"):
        seconds, n_unknown = found["seconds_left"]
        known = f", about {duration(seconds)} left" + (f" and {n_unknown} jobs of no known time" if n_unknown else "")
        head += known if seconds else f", the time left is not known yet ({n_unknown} jobs of no known time)"
    lines = [head]
    for job in list(jobs["running"].values())[:_MOST_SHOWN] if jobs["state"] != "killed" else []:
        said = logs.last_lines_of(str(folder / job["log"])) if job["log"] else []
        text = said[-1].split(" ", 3)[-1] if said else "no word yet (it may wait in a cluster's queue)"
        lines.append(f"  running   {job['name']} ({duration(time.time() - job['time'])}): {text}")
    lines += [
        f"  failed    {reason.replace(' failed: ', ': ', 1)}" for reason in list(jobs["failed"].values())[:_MOST_SHOWN]
    ]
    if jobs["state"] in ("killed", "failed"):
        lines.append("  the same command goes on where it ended; after a kill, first: snakemake --unlock")
    return lines


def _of(n: int, wanted: int) -> str:
    return f"{n} of {wanted}" if wanted else str(n)


def _in_words(counts: dict[str, int]) -> str:
    return ": " + ", ".join(f"{n} {status}" for status, n in counts.items()) if counts else ""


def _width(names: list[str]) -> int:
    return max(map(len, names), default=0)


def _model_line(model: ModelProgress, plan: RunPlan) -> str:
    if model.accuracy is None or model.best is None:
        return "not begun"
    line = f"epoch {_of(model.epoch, plan.epochs)}, validation {100 * model.accuracy:.1f} %"
    line += f", best {100 * model.best:.1f} % in epoch {model.best_epoch}"
    left = max(plan.epochs - model.epoch, 0) * model.seconds
    return line + (f", {duration(left)} of training left" if left else "")
