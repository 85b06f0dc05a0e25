"""Look at samples: a contact sheet of some of them, and whether their values are distributed as they should be."""

from dataclasses import asdict
from pathlib import Path

from l3net.files import atomic
from l3net.runtime import stage


def inspect_shards(
    index: Path, sheet: Path, distributions: Path, *, subset: str, seed: int, synthetic: bool = False
) -> None:
    """Draw a contact sheet of samples as the network gets them, and test the distributions of all recipes.

    Parameters
    ----------
    index : index of a split (JSON).
    sheet : PNG written: crops after augmentation, each with its waveform and spectrogram, matches in blue and
        mismatches in red; below, how the recipes of all samples are distributed.
    distributions : CSV written: one row for each quantity, with its mean, its range, what is expected, and the p value
        of a test of it (docs/formats.md).
    subset : name of the subset, for the title.
    seed : seed of the choice of samples.
    synthetic : the sheet says that its data is.

    Raises
    ------
    ShardError
        The index or a shard cannot be read.
    """
    import pandas as pd  # here and below: what loads slowly is imported when it is needed

    from l3net.samples import check_distributions, draw_contact_sheet, read_shard_index

    shards = read_shard_index(index)
    quantities = list(check_distributions(shards))
    table = pd.DataFrame([asdict(quantity) for quantity in quantities]).drop(columns="places")
    atomic.write_csv(table, distributions, float_format="%.6g")
    with atomic.replacing(sheet) as temporary:
        draw_contact_sheet(shards, quantities, temporary, subset=subset, seed=seed, synthetic=synthetic)


if __name__ == "__main__":
    stage.main(inspect_shards, globals().get("snakemake"))
