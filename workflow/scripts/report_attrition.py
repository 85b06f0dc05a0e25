"""Count what became of the clips by subset, split, status, reason and label; stop where too few are left."""

from pathlib import Path

from l3net.errors import ConfigError
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
    min_clips : usable clips that each subset needs in each split.

    Raises
    ------
    ClipError
        A clip is in no manifest; or fewer clips than `min_clips` are usable, after both tables are written.
    """
    from l3net.audioset import check_min_clips, count_labels, count_statuses, join_fates, log_shares, read_ontology
    from l3net.report import write_table

    if len(clips) != len(subsets):
        raise ConfigError(f"{len(clips)} clip lists for {len(subsets)} subsets; expected one for each")
    names = read_ontology(ontology).names
    fates = join_fates(dict(zip(subsets, clips, strict=True)), manifests, parts)
    counts = count_statuses(fates, subsets)
    write_table(counts, attrition)
    write_table(count_labels(fates, names), by_label)
    log_shares(counts)
    check_min_clips(counts, min_clips)


if __name__ == "__main__":
    stage.main(report_attrition, globals().get("snakemake"))
