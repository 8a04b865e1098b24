"""Settings given as text."""

from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt import InvalidInput
from llmopt.settings import build, parse_pairs


def factory(
    count: int,
    share: float = 0.5,
    flag: bool = False,
    mode: Literal["a", "b"] = "a",
    path: Path | None = None,
    either: int | str = 0,
    form: Literal["c", "d"] | Literal["auto"] | None = "auto",
    *,
    model: object = None,
) -> dict[str, Any]:
    return dict(locals())


@given(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans())
def test_text_becomes_what_the_signature_declares(count: int, share: float, flag: bool) -> None:
    texts = {
        "count": str(count), "share": repr(share), "flag": str(flag), "mode": "b", "path": "x/y", "either": "7",
        "form": "c",
    }  # fmt: skip
    built = build(factory, "thing", texts, model="m", unused=1)
    assert built == {
        "count": count, "share": share, "flag": flag, "mode": "b", "path": Path("x/y"), "either": 7,
        "form": "c", "model": "m",
    }  # fmt: skip
    assert build(factory, "thing", {"count": "1", "path": "none", "either": "x"})["either"] == "x"


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ({}, "the setting count is missing; write count=VALUE"),
        ({"count": "1.5"}, "count=1.5 is not legal; give a whole number"),
        ({"count": "1", "share": "nan"}, "give a finite number"),
        ({"count": "1", "flag": "maybe"}, "give true or false"),
        ({"count": "1", "mode": "c"}, "choose one of a, b"),
        ({"count": "1", "form": "e"}, "form=e is not legal; choose one of c, d, auto"),
        ({"count": "1", "shar": "1"}, "did you mean 'share'"),
        ({"count": "1", "model": "x"}, "unknown setting 'model'"),
    ],
)
def test_a_bad_setting_is_named_with_what_is_legal(texts: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        build(factory, "thing", texts, model=None)
    assert words in str(caught.value)


@pytest.mark.parametrize(("words", "message"), [(["a"], "key=value"), (["=1"], "key=value"), (["a=1", "a=2"], "twice")])
def test_what_is_no_pair_is_refused(words: list[str], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        parse_pairs(words, "problem x")


def test_a_value_may_hold_an_equals_sign() -> None:
    assert parse_pairs(["data=a=b.csv"], "problem x") == {"data": "a=b.csv"}
