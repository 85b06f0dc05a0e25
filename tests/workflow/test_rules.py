"""Every rule is written alike: a script of its own name, log, benchmark and environment; paths are no params."""

import re
from pathlib import Path

import pytest

RULES = Path(__file__).parents[2] / "rules"


def blocks() -> dict[str, dict[str, str]]:
    """Return for each rule the text under each of its directives."""
    found = {}
    for path in sorted(RULES.glob("*.smk")):
        for name, body in re.findall(r"^rule (\w+):\n((?:    .*\n|\n)+)", path.read_text(), flags=re.MULTILINE):
            parts = re.split(r"^    (\w+):", body, flags=re.MULTILINE)
            found[name] = dict(zip(parts[1::2], parts[2::2], strict=True))
    return found


@pytest.mark.parametrize(("name", "rule"), blocks().items(), ids=blocks())
def test_rule_is_written_as_all_are(name: str, rule: dict[str, str]) -> None:
    assert rule["script"].strip() == f'"../workflow/scripts/{name}.py"'
    assert (RULES.parent / "workflow" / "scripts" / f"{name}.py").stat().st_size > 0
    assert {"output", "log", "benchmark", "conda"} <= set(rule)
    # Snakemake fills in <results> in paths, not in params: there it would stay a folder of that name.
    assert "<" not in re.sub(r"[<>]=? \w", "", rule.get("params", ""))


def test_the_rules_were_found() -> None:
    assert {"fetch_clips", "make_shard", "train_leg", "embed_dataset", "make_tables"} <= set(blocks())


def test_training_and_what_it_waits_for_go_before_all_else() -> None:
    """The longest chain of a run; the rules of the demo make what every other one waits for."""
    first = {name for name, rule in blocks().items() if "priority" in rule}
    assert first == {
        *("make_demo_videos", "make_demo_datasets", "fetch_segments", "select_clips", "fetch_clips"),
        *("report_attrition", "make_shard", "index_shards", "train_leg"),
    }
