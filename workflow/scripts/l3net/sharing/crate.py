"""A run as a Workflow Run RO-Crate: which workflow made which files, with which settings, when.

Profile: Workflow Run Crate 0.5, https://w3id.org/ro/wfrun/workflow/0.5.
"""

import mimetypes
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from l3net.files import sha256_of

PROFILES = [
    "https://w3id.org/ro/wfrun/process/0.5",
    "https://w3id.org/ro/wfrun/workflow/0.5",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
]
_BIOSCHEMAS = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
_TYPES = {".keras": "application/zip", ".md": "text/markdown", ".tex": "application/x-tex", ".h5": "application/x-hdf5"}


def describe_run_as_crate(
    folder: Path,
    *,
    name: str,
    snakefile: Path,
    configuration: Path,
    results: Iterable[Path],
    about: dict[str, str],
    started: float,
    ended: float,
    licence: str,
    synthetic: bool = False,
) -> dict[str, Any]:
    """Return the contents of ro-crate-metadata.json.

    Parameters
    ----------
    folder : of the run, the root of the crate; all files lie in it.
    name : of the run.
    snakefile : copy of the workflow's Snakefile.
    configuration : the run's settings, as YAML.
    results : the files that the run made.
    about : config, versions and commit, of `l3net.runtime.describe`.
    started, ended : seconds since 1970.
    licence : of what the run made, in a sentence.
    synthetic : whether the data is.
    """
    from rocrate.model.contextentity import ContextEntity
    from rocrate.rocrate import ROCrate

    crate = ROCrate(gen_preview=False, version="1.1")  # which the profiles are built upon
    crate.metadata.extra_terms["sha256"] = "https://w3id.org/ro/terms/workflow-run#sha256"
    crate.name = f"Run {name} of the L3 workflow"
    kind = "Synthetic data. " if synthetic else ""
    crate.description = f"{kind}Models, tables and figures of a run of the L3 workflow (commit {about['commit']})."
    crate.datePublished = datetime.fromtimestamp(ended, UTC)
    crate.license = licence
    profiles = [
        crate.add(ContextEntity(crate, address, {"@type": "CreativeWork", "name": address, "version": address[-3:]}))
        for address in PROFILES
    ]
    crate.root_dataset["conformsTo"] = profiles
    workflow = crate.add_workflow(
        snakefile, snakefile.relative_to(folder).as_posix(), main=True, lang="snakemake", properties=_facts(snakefile)
    )
    workflow["name"] = "The L3 workflow"
    workflow["version"] = about["commit"]
    workflow["conformsTo"] = crate.add(ContextEntity(crate, _BIOSCHEMAS, {"@type": "CreativeWork", "version": "1.0"}))
    settings = _add(crate, folder, configuration)
    settings["name"] = "settings of the run"
    made = [_add(crate, folder, path) for path in results]
    crate.add(
        ContextEntity(
            crate,
            "#run",
            {
                "@type": "CreateAction",
                "name": f"Run {name}",
                "instrument": workflow,
                "object": settings,
                "result": made,
                "startTime": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
                "endTime": datetime.fromtimestamp(ended, UTC).isoformat(timespec="seconds"),
                "actionStatus": "http://schema.org/CompletedActionStatus",
                "description": f"versions: {about['versions']}",
            },
        )
    )
    crate.root_dataset["mentions"] = {"@id": "#run"}
    return crate.metadata.generate()


def _add(crate: Any, folder: Path, path: Path) -> Any:
    return crate.add_file(path, path.relative_to(folder).as_posix(), properties=_facts(path))


def _facts(path: Path) -> dict[str, Any]:
    """Return size, digest and type of a file."""
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return {"contentSize": str(path.stat().st_size), "sha256": sha256_of(path), "encodingFormat": kind}
