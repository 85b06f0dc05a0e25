"""What a preset makes: its file, laid over config.yaml as Snakemake does."""

from pathlib import Path

import yaml

from l3net.configuration import read_configuration

ROOT = Path(__file__).parents[2]
PRESETS = sorted(path.name for path in (ROOT / "presets").glob("*.yaml"))


def merged(base: dict, changes: dict) -> dict:
    """Return `base` with `changes` laid over it, key by key, as ``--configfile`` does."""
    both = dict(base)
    for key, value in changes.items():
        nested = isinstance(value, dict) and isinstance(base.get(key), dict)
        both[key] = merged(base[key], value) if nested else value
    return both


def laid_over_config(changes: dict) -> dict:
    """Return the whole configuration, checked, that `changes` of config.yaml make."""
    return read_configuration(merged(yaml.safe_load((ROOT / "config.yaml").read_text()), changes))


def read_preset(name: str) -> dict:
    """Return the keys that stand in a preset."""
    return yaml.safe_load((ROOT / "presets" / name).read_text())
