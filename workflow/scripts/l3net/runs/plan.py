"""What a run is to make, as far as its progress is told by it: ``logs/{run}/plan.json``, written when it starts.

It holds names and numbers only, and nothing of how clips are fetched, so no token or cookie can stand in it.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from l3net.configuration import EmbeddingName, ModelName, model_grid
from l3net.errors import ConfigError
from l3net.files import atomic

# What the logs or the results of a run hold, from its first jobs on.
_OF_A_RUN = ("plan.json", "jobs.jsonl", "segments", "clips", "manifests", "shards", "models", "datasets", "scores")


@dataclass(frozen=True)
class RunPlan:
    """What a run is to make.

    Attributes
    ----------
    run : its name.
    parts : number of parts that clips are dealt into.
    subsets, models, datasets : their names.
    epochs : the last epoch of each model.
    scored : the embeddings that are classified on each data set, the curve's checkpoints among them.
    """

    run: str
    parts: int = 0
    epochs: int = 0
    subsets: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    datasets: list[str] = field(default_factory=list)
    scored: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "RunPlan":
        """Return the plan that a whole configuration makes."""
        grid = config["models"]
        models = [model.name for model in model_grid(grid["subsets"], grid["front_ends"], grid["seeds"])]
        ours = [EmbeddingName(ModelName.parse(model)).name for model in models]
        curve = [
            EmbeddingName(ModelName.parse(model), epoch).name
            for model in config["classify"]["curve"]
            for epoch in config["train"]["checkpoints"]
            if model in models
        ]
        return cls(
            run=config["run"],
            parts=config["audioset"]["parts"],
            epochs=max(config["train"]["checkpoints"]),
            subsets=sorted(config["audioset"]["subsets"]),
            models=models,
            datasets=sorted(config["datasets"]),
            scored=[*ours, *sorted(config["embeddings"]), *curve],
        )


def write_plan(config: Mapping[str, Any], folder: Path) -> None:
    """Write the plan of a configuration into `folder`, that of the run's logs."""
    folder.mkdir(parents=True, exist_ok=True)
    atomic.write_text(folder / "plan.json", json.dumps(asdict(RunPlan.of(config)), indent=1) + "\n")


def read_plan(run: str, folder: Path) -> RunPlan:
    """Read the plan of a run; where it left none, what stands in its results is all that is known to be wanted.

    Raises
    ------
    ConfigError
        A plan that cannot be read.
    """
    path = folder / "logs" / run / "plan.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return RunPlan(**{one.name: found[one.name] for one in fields(RunPlan)})
    except FileNotFoundError:
        return _plan_by_results(run, folder / "results" / run)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: is no plan of a run ({type(error).__name__}); start the run again") from None


def find_runs(folder: Path) -> list[str]:
    """Return the runs that have logs or results below `folder`, the one that was busy last first."""
    found: dict[str, float] = {}
    for path in [*folder.glob("logs/*"), *folder.glob("results/*")]:
        if any((path / name).exists() for name in _OF_A_RUN):  # other programs have folders of these names, too
            busy = max([path.stat().st_mtime, *(one.stat().st_mtime for one in path.glob("*"))])
            found[path.name] = max(found.get(path.name, 0.0), busy)
    return sorted(found, key=lambda name: -found[name])


def _plan_by_results(run: str, results: Path) -> RunPlan:
    def names(pattern: str) -> list[str]:
        return sorted({path.name for path in results.glob(pattern) if path.is_dir()})

    return RunPlan(
        run,
        parts=len(list(results.glob("manifests/part-*.csv"))),
        subsets=names("shards/*"),
        models=names("models/*"),
        datasets=names("scores/*"),
    )
