"""The line for a wrong configuration names the key in full, wherever it stands."""

import re
from typing import Annotated

import pytest
from pydantic import BaseModel, Field, ValidationError

from l3net.configuration.messages import explain


class Rates(BaseModel):
    """Settings with a list."""

    rates: list[int] = []


class Run(BaseModel):
    """Lists at three depths."""

    seeds: list[int] = []
    section: Rates = Rates()
    entries: dict[Annotated[str, Field(pattern="^[a-z]+$")], Rates] = {}


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ({"seeds": [0, 1, "x"]}, r"seeds\[2\]"),
        ({"section": {"rates": [0, "x"]}}, r"section\.rates\[1\]"),
        ({"entries": {"mine": {"rates": ["x"]}}}, r"entries\.mine\.rates\[0\]"),
    ],
)
def test_an_entry_of_a_list_is_named_with_its_key_however_deep(written: dict, name: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Run.model_validate(written, strict=True)
    line = explain(caught.value, Run)
    assert re.match(f"config: {name} is 'x'; expected", line)
