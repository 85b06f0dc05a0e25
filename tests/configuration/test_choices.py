"""The choices that the configuration offers are those that the other rooms know, no more and no fewer."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic.fields import FieldInfo

from l3net.audioset.splits import SPLITS, parts_of
from l3net.configuration import between_keys, data_sections, embedding_sections, evaluation_sections, training_sections
from l3net.configuration.embedding_sections import NamedEmbedding
from l3net.configuration.names import FRONT_ENDS
from l3net.configuration.section import Section


def test_parts_leave_no_split_empty_from_six_on() -> None:
    def empty(parts: int) -> list[str]:
        return [split for split in SPLITS if not parts_of(split, parts)]

    least = data_sections.AudioSet.model_fields["parts"].metadata
    assert any(getattr(limit, "ge", None) == 6 for limit in least)
    assert all(empty(parts) for parts in (1, 2, 3, 4, 5))
    assert not any(empty(parts) for parts in range(6, 1001))


def test_ways_of_dealing_videos() -> None:
    from l3net.audioset import splits

    assert get_args(data_sections.SplitName) == splits.DEALINGS


def test_front_ends_versions_and_poolings() -> None:
    from l3net.models import front_ends

    assert tuple(front_ends.FRONT_ENDS) == FRONT_ENDS
    assert get_args(training_sections.FrontEndVersion) == front_ends.FRONT_END_VERSIONS
    assert get_args(embedding_sections.Pooling) == front_ends.POOLINGS


def test_objectives_and_the_narrowest_network() -> None:
    from l3net.models import l3, objectives

    assert get_args(training_sections.ObjectiveName) == tuple(objectives.OBJECTIVES)
    (limits,) = [limit for limit in get_args(training_sections.Width) if isinstance(limit, FieldInfo)]
    (least,) = [limit.ge for limit in limits.metadata if hasattr(limit, "ge")]
    assert least * l3.CHANNELS[0] == 1


def test_pairings() -> None:
    from l3net.samples import recipes

    assert get_args(data_sections.PairingName) == recipes.PAIRINGS


def test_strategies() -> None:
    from l3net.devices import strategies

    assert get_args(training_sections.StrategyName) == strategies.STRATEGIES


def test_layouts() -> None:
    from l3net.downstream.archive_layouts import LAYOUTS

    assert set(get_args(evaluation_sections.LayoutName)) == set(LAYOUTS)


def test_precisions_of_inference() -> None:
    from l3net.inference.precisions import PRECISIONS

    assert get_args(embedding_sections.InferencePrecision) == PRECISIONS


def entries() -> dict[str, type[Section]]:
    union, *_ = get_args(NamedEmbedding)
    found: dict[str, Any] = {get_args(kind.model_fields["kind"].annotation)[0]: kind for kind in get_args(union)}
    return found


@pytest.mark.parametrize("kind", entries())
def test_keys_of_a_kind_of_embedding(kind: str) -> None:
    from l3net.embeddings.registry import KINDS

    fields = {key: field for key, field in entries()[kind].model_fields.items() if key not in ("kind", "weights")}
    assert set(fields) == set(KINDS[kind].keys)
    assert {key for key, field in fields.items() if field.is_required()} == set(KINDS[kind].required)
    for key, values in KINDS[kind].keys.items():
        if isinstance(values, tuple):
            assert set(get_args(fields[key].annotation)) == set(values), key


@pytest.mark.parametrize("kind", entries())
def test_files_of_a_kind_of_embedding(kind: str) -> None:
    from l3net.embeddings.registry import KINDS

    def fits(weights: list[str]) -> bool:
        given = {"kind": kind, "weights": weights, **dict.fromkeys(KINDS[kind].required, "x")}
        try:
            entries()[kind].model_validate(given)
        except ValueError:
            return False
        return True

    if kind == "random":
        assert KINDS[kind].n_files == (0, 0)
        assert "weights" not in entries()[kind].model_fields
    else:
        least, most = KINDS[kind].n_files
        assert [n for n in range(4) if fits(["w"] * n)] == list(range(least, most + 1))


def test_kinds_of_embeddings() -> None:
    from l3net.embeddings.registry import KINDS

    assert set(entries()) == set(KINDS) - {"l3"}, "l3 is for our own models, which no entry names"


def test_classifiers() -> None:
    from l3net.downstream.classifiers import CLASSIFIERS

    assert set(get_args(evaluation_sections.ClassifierName)) == set(CLASSIFIERS)


def test_exports_are_those_of_the_rules(root: Path) -> None:
    table = re.search(r"(?ms)^EXPORTS = \{\n(.+?)^\}", (root / "rules" / "training.smk").read_text()).group(1)
    assert set(get_args(evaluation_sections.ExportName)) == set(re.findall(r'^    "(\w+)":', table, re.MULTILINE))


def test_windows_of_the_kinds_that_cut_sound() -> None:
    from l3net.embeddings.registry import KINDS

    windows = {name: kind.window[0] / kind.window[1] for name, kind in KINDS.items() if kind.window}
    assert windows == between_keys.WINDOW_SECONDS
