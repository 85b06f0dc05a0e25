"""Count what became of the clips by subset, split, status, reason and label; stop where too few are left."""

from pathlib import Path

from l3net.errors import ClipError, ConfigError
from l3net.runtime import stage


def report_attrition(
    clips: list[Path],
    manifests: list[Path],
    ontology: Path,
    attrition: Path,
    by_label: Path,
    *,
    subsets: list[str],
    parts: int,
    split: str = "hash",
    min_clips: int = 0,
) -> None:
    """Write the attrition of every subset and split.

    Parameters
    ----------
    clips : the clips of each subset, in the order of `subsets`.
    manifests : the manifests of all parts.
    ontology : AudioSet's ontology.json, which names the labels.
    attrition : CSV ``subset,split,status,n``; every status of each subset and split, zeros too.
    by_label : CSV ``subset,split,mid,label,status,reason,n``; a clip counts under each of its labels, and numbers in
        reasons are written as #, so that like reasons are counted together.
    subsets : names of the subsets.
    parts : how many parts there are.
    split : how videos are dealt into parts: hash | balanced | column.
    min_clips : usable clips that each subset needs in each split.

    Raises
    ------
    ClipError
        A clip is in no manifest; or a split cannot be used: fewer clips than `min_clips` are usable, or none of its
        parts has two videos. Both tables are then kept under other names, ``{name}_failed.csv``, since Snakemake
        removes the outputs of a job that fails.
    """
    from l3net.audioset import check_splits, count_labels, count_statuses, join_fates, log_shares, read_ontology
    from l3net.report import write_table

    if len(clips) != len(subsets):
        raise ConfigError(f"{len(clips)} clip lists for {len(subsets)} subsets; expected one for each")
    known = read_ontology(ontology)
    fates = join_fates(dict(zip(subsets, clips, strict=True)), manifests, parts, split)
    counts = count_statuses(fates, subsets)
    tables = {attrition: counts, by_label: count_labels(fates, known)}
    for path, table in tables.items():
        write_table(table, path)
    log_shares(counts)
    kept = {path.with_name(f"{path.stem}_failed.csv"): table for path, table in tables.items()}
    try:
        check_splits(fates, subsets, min_clips=min_clips, split=split)
    except ClipError as error:
        for path, table in kept.items():
            write_table(table, path)
        raise ClipError(f"{error}. Counts of all clips: {next(iter(kept))}") from None
    for path in kept:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    stage.main(report_attrition, globals().get("snakemake"))
