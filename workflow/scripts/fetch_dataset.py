"""Write the index of a downstream data set: of its official archives, or of a local folder."""

import logging
from functools import partial
from pathlib import Path

from l3net.errors import DatasetError
from l3net.runtime import stage

_log = logging.getLogger("l3net")


def fetch_dataset(
    dataset: str,
    settings: dict,
    index: Path,
    downloads: Path = Path("resources/datasets"),
    protocol: str = "paper",
) -> None:
    """Write the checked index (path, filename, label, fold, group) of a data set.

    Parameters
    ----------
    dataset : name of the data set in the configuration.
    settings : its entry there: ``layout``; ``source``, a folder or ``official``; for layout folder ``metadata``,
        the CSV (default ``metadata.csv`` in the folder, or a sub-folder for each class), ``folds`` and ``seed``, by
        which folds are drawn where there are none; for source official ``mirror``, an address with the same file names.
    index : the CSV to write. Beside it, ``{dataset}.read.csv`` keeps which files were read to their end, and
        ``{dataset}.folds.csv`` the folds that were drawn.
    downloads : where official archives are kept and unpacked.
    protocol : of the classification (``classify.protocol``), whose folds are checked before anything is embedded.

    Raises
    ------
    DatasetError
        The folder is missing, its files do not agree with the metadata, an archive cannot be fetched, or a fold
        cannot be evaluated: all clips of a class are of one group, for example.
    """
    from l3net.downstream import (
        LAYOUTS,
        SOUND_SUFFIXES,
        check_dataset,
        check_folds,
        fetch_archives,
        write_dataset_index,
    )
    from l3net.downstream import draw_folds as draw

    for key, known in (("layout", list(LAYOUTS)), ("source", None)):
        if (value := settings.get(key)) is None or (known and value not in known):
            expected = f"one of {', '.join(known)}" if known else "a folder, or 'official'"
            raise DatasetError(f"data set {dataset}: {key} is {value!r}; expected {expected}")
    layout = LAYOUTS[settings["layout"]]
    if settings["source"] == "official":
        limit = {"max_megabytes": settings["max_megabytes"]} if "max_megabytes" in settings else {}
        folder = fetch_archives(dataset, layout, downloads, settings.get("mirror"), **limit)
    else:
        folder = Path(settings["source"])
        if not folder.is_dir():
            other = ", or to 'official' to download it" if layout.archives else ""
            raise DatasetError(
                f"data set {dataset}: no folder {folder}; set datasets.{dataset}.source to the folder of "
                f"{layout.title}{other}"
            )
    rows = layout.read(folder, settings)
    known = f", licence {layout.licence}. {layout.citation}" if layout.licence else f" in {folder}"
    _log.info("data set %s: %s%s", dataset, layout.title, known)
    drawn = {"n_folds": settings.get("folds", 5), "seed": settings.get("seed", 0)}
    draw_folds = partial(draw, **drawn, kept=index.with_suffix(".folds.csv"))
    try:
        checked = check_dataset(
            rows,
            SOUND_SUFFIXES,
            files_read=index.with_suffix(".read.csv"),
            draw_folds=draw_folds if settings["layout"] == "folder" else None,
            lists_all=settings["layout"] not in ("folder", "esc10"),  # ESC-10 is a part of ESC-50's folder
        )
        check_folds(checked, protocol)
    except DatasetError as error:
        raise DatasetError(f"data set {dataset}: {error}") from None
    write_dataset_index(checked, index)
    counts = ", ".join(f"{checked[name].nunique()} {name}s" for name in ("label", "fold", "group"))
    _log.info("data set %s: %d clips, %s", dataset, len(checked), counts)


if __name__ == "__main__":
    stage.main(fetch_dataset, globals().get("snakemake"))
