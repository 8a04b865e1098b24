"""Equal parts of values are one object, and nothing else changes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt.runlog import shared as module
from llmopt.runlog.shared import Shared

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=20
)


@given(st.lists(VALUES, min_size=1, max_size=6))
def test_what_is_returned_says_the_same(values: list[Any]) -> None:
    shared = Shared()
    assert [json.dumps(shared(value)) for value in values] == [json.dumps(value) for value in values]


@given(st.lists(VALUES, min_size=2, max_size=20))
def test_what_is_forgotten_on_the_way_changes_nothing(values: list[Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MOST", 3)
        shared = Shared()
        found = [shared(value) for value in [*values, *values]]
    assert [json.dumps(value) for value in found] == [json.dumps(value) for value in [*values, *values]]


@given(VALUES)
def test_what_is_equal_is_one_object(value: Any) -> None:
    shared = Shared()
    first, again = shared({"a": [value]}), shared({"b": [json.loads(json.dumps(value))]})
    assert first["a"] is again["b"]


def test_numbers_that_compare_equal_stay_apart() -> None:
    shared = Shared()
    assert json.dumps([shared([1]), shared([1.0]), shared([True]), shared([0.0]), shared([-0.0])]) == (
        "[[1], [1.0], [true], [0.0], [-0.0]]"
    )
