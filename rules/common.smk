# What all rules stand on: the checked configuration, and params that make a finished job run again only where they should.
import os
import sys
from inspect import signature
from pathlib import Path
from types import FunctionType

sys.path.insert(0, str(Path(workflow.basedir) / "workflow" / "scripts"))

from l3net.configuration import fault_of_file, modules_not_found, read_configuration
from l3net.errors import ConfigError
from l3net.network import conceal_all
from l3net.runs import journal, write_plan

for file in workflow.configfiles if workflow.is_main_process else []:
    # Snakemake has read it; of a key that stands twice it took the last.
    if fault := fault_of_file(str(file).removeprefix(f"{Path.cwd()}/")):
        raise WorkflowError(fault)

try:
    # Checked, and with its keys in an order of its own: the order they are written in runs nothing again.
    config.update(read_configuration(config, Path.cwd()))
    # Params stand in Snakemake's records and reports; an address with a password or a token stands there as a hash.
    conceal_all(config)
except ConfigError as error:
    raise WorkflowError(str(error)) from None

for name, module in modules_not_found(config["embeddings"], Path.cwd()).items():
    # Told before a model is trained for hours; jobs in an environment of their own may have it.
    logger.warning(
        f"config: embeddings.{name}.module is {module!r}, and there is no such module here; its jobs need it"
    )

os.environ[journal.FOLDER] = f"logs/{config['run']}"


# What training waits for, and training itself, go before all that can be done beside it: their chain is the longest.
LONG_CHAIN = 1


def job_params(section, how=frozenset(), without=frozenset()):
    """Return the keys of a config section as params. Those in `how` change how a job runs and not what it makes:
    Snakemake leaves params that are functions of the threads out of what makes a finished job run again. All are
    functions, since Snakemake takes braces in text for wildcards."""

    def unwatched(value):
        return lambda wildcards, threads: value

    def watched(value):
        return lambda wildcards: value

    return {
        key: unwatched(value) if key in how else watched(value)
        for key, value in section.items()
        if key not in without
    }


def remember_signatures(rules):
    """Keep the signature of each function of the rules with it.

    Snakemake asks Python for it several times for each job, and Python makes it anew each time: a tenth of the time to
    plan.
    """
    for one in rules:
        for value in (*one.input, *one.params, *one.resources.values()):
            function = getattr(getattr(value, "_file", value), "callable", value)
            if isinstance(function, FunctionType):
                function.__signature__ = signature(function)


def dealing():
    """Return the param that says how videos are dealt into parts; none where by their hash: jobs of runs from before
    this param stay as they are."""
    return {} if config["audioset"]["split"] == "hash" else {"split": config["audioset"]["split"]}


def synthetic_mark():
    """Return the param that marks a picture as one of synthetic data; none where it is of real data: pictures from before
    this param stay as they are."""
    return {"synthetic": True} if config["report"]["synthetic"] else {}
