"""Provenance: canonical, and without time and place."""

import json
from pathlib import Path

from l3net.runtime import provenance


def test_provenance_is_canonical_and_without_time() -> None:
    first = provenance.describe(b=1, a={"path": Path("x"), "list": (1, 2)})
    assert first["config"] == '{"a":{"list":[1,2],"path":"x"},"b":1}'
    assert json.loads(first["versions"])["numpy"]
    assert first == provenance.describe(a={"list": [1, 2], "path": "x"}, b=1)
