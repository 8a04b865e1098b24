"""Dividing a data set: nothing leaks, and everything follows from the examples, the seed and the sizes."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from llmopt.errors import InvalidInput
from llmopt.problems.prompt.data import load
from llmopt.problems.prompt.examples import Dataset, Example
from llmopt.problems.prompt.splits import Splits, normalised, split

SHARED = Path(__file__).parents[4] / "shared" / "data"
shared = pytest.mark.skipif(not (SHARED / "bbh").exists(), reason="the public data sets of ../shared are not here")


def numbered(n: int, name: str = "question") -> tuple[Example, ...]:
    return tuple(Example(f"{name} {i}", str(i)) for i in range(n))


def dataset(n: int, test: int = 0) -> Dataset:
    return Dataset("mine", numbered(n), numbered(test, "test question"))


def sizes(splits: Splits) -> tuple[int, int, int]:
    return len(splits.train), len(splits.validation), len(splits.test)


# Few letters, so that inputs repeat, also with another case or other spaces.
examples = st.builds(Example, st.text("abAB ", min_size=1, max_size=4).filter(str.strip), st.sampled_from("xy"))
datasets = st.builds(
    Dataset,
    st.just("drawn"),
    # Enough for each part, whatever else is drawn.
    st.lists(examples, max_size=40).map(lambda drawn: (*numbered(6), *drawn)),
    st.just(()) | st.lists(examples, max_size=20).map(lambda drawn: (*numbered(2, "test"), *drawn)),
)
seeds = st.integers(0, 2**64)


@given(datasets, seeds)
def test_each_different_question_is_in_one_part(data: Dataset, seed: int) -> None:
    splits = split(data, seed=seed)
    inputs = Counter(normalised(e.input) for e in (*splits.train, *splits.validation, *splits.test))
    different = {normalised(e.input) for e in (*data.examples, *data.test)}
    assert set(inputs.values()) == {1}
    assert splits.duplicates == 0
    assert len(different) + splits.dropped == len(data.examples) + len(data.test)
    if data.test:
        # Of the others, what no part asks for is in none.
        assert inputs.keys() <= different
        assert {normalised(e.input) for e in splits.test} == {normalised(e.input) for e in data.test}
    else:
        assert inputs.keys() == different


@given(datasets, seeds, st.randoms())
def test_the_order_of_the_examples_does_not_matter(data: Dataset, seed: int, rng: random.Random) -> None:
    shuffled = Dataset(
        data.name, tuple(rng.sample(data.examples, len(data.examples))), tuple(rng.sample(data.test, len(data.test)))
    )
    assert split(data, seed=seed) == split(shuffled, seed=seed)


@given(st.integers(2, 30), st.integers(2, 30), st.integers(0, 30), st.integers(2, 30), seeds)
def test_with_the_same_seed_a_larger_part_contains_the_smaller_and_the_test_stays(
    small: int, large: int, validation: int, test: int, seed: int
) -> None:
    assume(small <= large and validation != 1)
    one = split(dataset(100), seed=seed, train=small, validation=validation, test=test)
    two = split(dataset(100), seed=seed, train=large, validation=validation, test=test)
    assert one.train == two.train[:small]
    assert one.test == two.test
    assert sizes(two) == (large, validation, test)


@settings(max_examples=30)
@given(st.integers(0, 1000), st.integers(1001, 2000))
def test_another_seed_gives_other_parts(one: int, two: int) -> None:
    assert split(dataset(100), seed=one) != split(dataset(100), seed=two)


@pytest.mark.parametrize(
    ("data", "asked", "expected"),
    [
        (dataset(250), {}, (50, 50, 150)),
        (dataset(2000), {}, (100, 100, 1800)),
        (dataset(6), {}, (2, 2, 2)),
        (dataset(7473, 1319), {}, (100, 100, 1319)),
        (dataset(250), {"share": "paper"}, (50, 0, 200)),
        (dataset(7473, 1319), {"share": "paper"}, (261, 0, 1319)),
        (dataset(7473, 1319), {"share": "paper", "test": 50}, (261, 0, 50)),
        (dataset(100, 40), {"train": 0.5, "validation": 0.5, "test": 0.5}, (50, 50, 20)),
        (dataset(100), {"train": 0.29, "validation": 0}, (29, 0, 71)),
        (dataset(100), {"train": 10, "validation": 0.1, "test": 20.0}, (10, 10, 20)),
        (dataset(11), {"train": 0.5, "validation": 0.25, "test": 0.25}, (5, 2, 4)),
        (dataset(10), {"train": 0.7, "validation": 0, "test": 0.3}, (7, 0, 3)),
    ],
)
def test_sizes_are_shares_below_one_and_numbers_from_there(
    data: Dataset, asked: dict[str, Any], expected: tuple[int, int, int]
) -> None:
    assert sizes(split(data, seed=0, **asked)) == expected


@pytest.mark.parametrize("train", [0, -1, 1.5, float("nan"), float("inf"), -0.1])
def test_a_size_that_is_neither_is_refused(train: float) -> None:
    with pytest.raises(InvalidInput, match=r"train=.* is not legal; give a share below 1 or a whole number"):
        split(dataset(100), seed=0, train=train)


@pytest.mark.parametrize(
    ("data", "asked", "message"),
    [
        (dataset(0), {}, "the data set mine is empty"),
        (dataset(100), {"seed": -1}, "seed=-1 is not legal"),
        (dataset(100), {"share": "papr"}, "unknown share 'papr'; did you mean 'paper'"),
        (dataset(100), {"train": 0.6, "validation": 0.5}, "train=0.6, validation=0.5 add to more than 1"),
        (dataset(100), {"train": 0.6, "test": 0.5}, "train=0.6, test=0.5 add to more than 1"),
        (dataset(100), {"train": 60, "test": 50, "validation": 0}, "100 different examples; .* more than there is"),
        (dataset(100, 5), {"test": 6}, "100 different examples and 5 for testing; .* more than there is"),
        (dataset(100), {"train": 1}, "train would be smaller than 2"),
        (dataset(100), {"train": 0.01}, "train would be smaller than 2"),
        (dataset(100), {"validation": 1}, "validation would be smaller than 2"),
        (dataset(100), {"train": 0.8, "validation": 0.2}, "test would be smaller than 2"),
        (dataset(100, 1), {}, "test would be smaller than 2"),
        (dataset(5), {}, r"5 different examples; its parts would be train=2, validation=2, test=1, test would be"),
        (dataset(9), {"share": "paper"}, "train would be smaller than 2"),
    ],
)
def test_parts_that_cannot_be_are_refused(data: Dataset, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        split(data, **{"seed": 0, **asked})


def test_copies_count_once_whatever_their_case_their_spaces_and_their_encoding() -> None:
    copies = (Example("Ist  DAS\nein Café?", "b"), Example("ist das ein Cafe\u0301?", "a"))
    splits = split(Dataset("mine", (*copies, *numbered(10))), seed=0)
    everything = (*splits.train, *splits.validation, *splits.test)
    assert splits.dropped == 1
    # Of copies with different answers the first answer in the alphabet stays, so that the order of the file is nothing.
    assert copies[1] in everything and copies[0] not in everything


def test_a_copy_of_a_test_question_is_not_trained_on() -> None:
    data = Dataset("mine", (Example("TEST question 0", "0"), *numbered(10)), numbered(4, "test question"))
    splits = split(data, seed=0)
    assert (sizes(splits), splits.dropped, splits.duplicates) == ((2, 2, 4), 1, 0)


def test_parts_that_were_made_otherwise_tell_what_leaks() -> None:
    a, b, c = numbered(3)
    assert Splits((a,), (b,), (Example("Question 0", "x"), Example("question  1", "x"), c)).duplicates == 2


@shared
def test_the_shares_of_the_paper_give_its_numbers() -> None:
    assert sizes(split(load("gsm8k", data=SHARED), seed=0, share="paper")) == (261, 0, 1319)
    assert sizes(split(load("bbh/movie_recommendation", data=SHARED), seed=0, share="paper")) == (50, 0, 200)
    # Two of its questions are there twice, with the opposite answer the second time.
    causal = split(load("bbh/causal_judgement", data=SHARED), seed=0, share="paper")
    assert (sizes(causal), causal.dropped) == ((37, 0, 148), 2)
