"""One text for one value, whoever writes it: digests of years ago have to fit."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.canonical import LARGEST, canonical, canonical_bytes
from api.records.types import TYPES

NUMBERS = st.floats(-LARGEST, LARGEST) | st.floats(-1e-3, 1e-3) | st.integers() | st.sampled_from([1e-4, 1e-5, -0.0])
TEXTS = st.text(max_size=8) | st.sampled_from(["e-1", ":0.00001", "\x7f\x1f\u2028", "12:00:00.000000Z", "\U0001f600"])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
)


@example([0.00001, -0.00001, {"a": 1e-7}, 123456789012345.6, 2**64])
@example(0.00001)
@given(VALUES)
def test_the_quick_way_writes_the_same_bytes(value):
    assert canonical_bytes(value) == canonical(value).encode()
    assert json.loads(canonical_bytes(value)) == value


@pytest.mark.parametrize("name", TYPES)
def test_no_number_of_a_record_is_larger_than_the_quick_way_takes(name):
    schema = TYPES[name].model.model_json_schema()
    open_ = [{"properties": schema["properties"]}, *schema.get("$defs", {}).values()]
    numbers = 0
    while open_:
        part = open_.pop()
        if isinstance(part, list):
            open_ += part
        elif isinstance(part, dict):
            if part.get("type") in ("number", "integer"):
                numbers += 1
                bounds = [part.get(each) for each in ("maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum")]
                given_ = [bound for bound in bounds if bound is not None]
                assert len(given_) == 2, part
                assert all(abs(bound) <= LARGEST for bound in given_), part
            open_ += part.values()
    assert numbers
