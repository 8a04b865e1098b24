"""Every space: membership, keys, columns, JSON, enumeration."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt import Categorical, Float, Int, InvalidInput, Permutation, Space, Text, Vector
from llmopt.space import length
from llmopt.space.plain import from_plain, to_plain
from support.strategies import members, permutations, spaces, vectors


def equal(space: Space[Any], a: Any, b: Any) -> bool:
    return bool(np.array_equal(a, b)) if isinstance(space, Permutation) else bool(a == b)


@given(spaces, st.integers(0, 99))
def test_samples_are_members_in_both_forms(space: Space[Any], seed: int) -> None:
    columns = space.sample(5, np.random.default_rng(seed))
    assert length(columns) == 5
    assert space.member_mask(columns).all()
    assert [space.violation(s) for s in space.solutions(columns)] == [None] * 5


@given(spaces, st.integers(0, 99))
def test_columns_give_back_the_solutions_exactly(space: Space[Any], seed: int) -> None:
    for solution in members(space, 4, seed):
        assert equal(space, space.row(space.pack([solution]), 0), solution)


@given(spaces, st.integers(0, 99))
def test_json_gives_back_the_solutions_exactly(space: Space[Any], seed: int) -> None:
    for solution in members(space, 4, seed):
        text = json.dumps(space.to_json(solution), allow_nan=False)
        again = space.from_json(json.loads(text))
        assert equal(space, again, solution)
        assert space.key(again) == space.key(solution)


@given(spaces, st.integers(0, 99))
def test_json_of_many_rows_is_that_of_each(space: Space[Any], seed: int) -> None:
    columns = space.sample(20, np.random.default_rng(seed))
    values = space.rows_to_json(columns)
    assert values == [space.to_json(solution) for solution in space.solutions(columns)]
    back = space.rows_from_json(json.loads(json.dumps(values)))
    assert {name: (array.dtype, array.tolist()) for name, array in back.items()} == {
        name: (array.dtype, array.tolist()) for name, array in columns.items()
    }


@given(spaces)
def test_a_space_is_rebuilt_from_its_json(space: Space[Any]) -> None:
    again = from_plain(json.loads(json.dumps(to_plain(space))))
    assert again == space
    assert repr(again) == repr(space)


@pytest.mark.parametrize("value", [{}, {"x": 1, "y": 2}, {"y": 1}, {"x": "1"}, {"x": True}, {"x": 7}, [1], None])
def test_one_illegal_row_among_many_is_named(value: Any) -> None:
    with pytest.raises(InvalidInput, match="not a solution"):
        Vector(x=Int(0, 5)).rows_from_json([{"x": 1}, value])


@pytest.mark.parametrize("value", [{}, {"type": "os.system"}, {"type": "Text", "length": 3}, {"type": "Vector"}])
def test_json_that_is_no_space_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput, match="not a space"):
        from_plain(value)


@given(spaces, st.integers(0, 99))
def test_keys_of_a_batch_are_the_keys_of_its_rows(space: Space[Any], seed: int) -> None:
    columns = space.sample(6, np.random.default_rng(seed))
    keys = space.keys(columns)
    listed = keys.tolist() if isinstance(keys, np.ndarray) else keys
    assert listed == [space.key(s) for s in space.solutions(columns)]


@given(spaces)
def test_the_description_is_one_line_that_names_every_variable(space: Space[Any]) -> None:
    if isinstance(space, Vector):
        assert all(name in space.describe() for name in space.variables)
    assert space.describe().strip()


@given(vectors().filter(lambda v: v.size is not None and v.size <= 3_000))
def test_a_finite_vector_is_enumerated_once_each_in_the_order_of_its_keys(space: Vector) -> None:
    keys = [k for chunk in space.enumerate(chunk=100) for k in np.asarray(space.keys(chunk)).tolist()]
    assert keys == list(range(space.size or 0))


@given(permutations.filter(lambda p: p.size <= 5_100))
def test_a_permutation_space_is_enumerated_once_each(space: Permutation) -> None:
    keys = [k for chunk in space.enumerate(chunk=64) for k in space.keys(chunk)]
    assert len(keys) == len(set(keys)) == space.size


@given(st.integers(3, 12), st.integers(0, 99), st.integers(0, 11), st.booleans())
def test_a_round_trip_keeps_its_key_wherever_and_whichever_way_it_starts(
    n: int, seed: int, shift: int, backwards: bool
) -> None:
    tour = np.random.default_rng(seed).permutation(n)
    other = np.roll(tour, shift)[:: -1 if backwards else 1]
    assert Permutation(n, symmetry="dihedral").key(tour) == Permutation(n, symmetry="dihedral").key(other)
    if not backwards:
        assert Permutation(n, symmetry="rotation").key(tour) == Permutation(n, symmetry="rotation").key(other)


@given(permutations, st.integers(0, 99))
def test_a_turned_order_is_the_same_solution(space: Permutation, seed: int) -> None:
    rng = np.random.default_rng(seed)
    order = space.row(space.sample(1, rng), 0)
    turned = [space.turned(order, rng) for _ in range(20)]
    assert {space.key(each) for each in turned} == {space.key(order)}
    assert len({each.tobytes() for each in turned}) > 1 or space.symmetry == "none" or space.n == 1


def test_a_directed_round_trip_differs_from_its_reverse() -> None:
    space = Permutation(4, symmetry="rotation")
    assert space.key(np.array([0, 1, 2, 3])) != space.key(np.array([3, 2, 1, 0]))


def test_a_grid_ends_at_its_last_point_not_at_its_bound() -> None:
    space = Vector(a=Int(0, 1), x=Float(0, 1, step=0.35))
    assert not space.contains({"a": 0, "x": 1.0}) and space.contains({"a": 0, "x": 0.7})
    assert space.from_box(np.array([[0.0, 1.0], [0.0, 1e308]]))["x"].tolist() == [0.7, 0.7]


def test_numpy_numbers_are_legal_bounds() -> None:
    assert Int(np.uint8(0), np.uint8(255)).size == 256  # type: ignore[arg-type]
    assert Vector({f"x{i}": Int(np.int64(0), np.int64(2**17 - 1)) for i in range(4)}).size == 2**68  # type: ignore[arg-type]
    assert Float(np.float32(0.5), np.int64(2)) == Float(0.5, 2.0)  # type: ignore[arg-type]


def test_minus_zero_is_zero() -> None:
    space = Vector(x=Float(-1, 1))
    assert space.key({"x": -0.0}) == space.key({"x": 0.0})
    assert space.key({"x": 5e-324}) != space.key({"x": 0.0})


def test_choices_of_different_types_stay_apart() -> None:
    space = Vector(c=Categorical(1, 1.0, True, "1", None))
    assert space.size == 5
    keys = {space.key({"c": c}) for c in (1, 1.0, True, "1", None)}
    assert keys == {0, 1, 2, 3, 4}
    assert type(space.from_json({"c": 1.0})["c"]) is float


def test_a_finite_space_too_large_for_64_bits_still_has_keys() -> None:
    space = Vector({f"x{i}": Int(0, 10**6) for i in range(5)})
    assert space.size == (10**6 + 1) ** 5
    a, b = members(space, 2, seed=0)
    assert space.key(a) == space.key(dict(a)) != space.key(b)


@pytest.mark.parametrize(
    ("solution", "reason"),
    [
        ({"w": 1}, "no value for b"),
        ({"w": 1, "b": 2, "c": 3}, "unknown variable c"),
        ({"w": 1.5, "b": 2}, "w: 1.5 is not a whole number"),
        ({"w": True, "b": 2}, "w: True is not a whole number"),
        ({"w": 60, "b": 2}, "w: 60 is outside [-50, 50]"),
        ([1, 2], "is not a dict"),
    ],
)
def test_a_violation_names_the_variable_and_what_is_legal(solution: object, reason: str) -> None:
    assert reason in str(Vector(w=Int(-50, 50), b=Int(-50, 50)).violation(solution))


@pytest.mark.parametrize("value", [math.nan, math.inf, "3", None, 1.0000001])
def test_a_float_outside_its_range_or_of_another_type_is_refused(value: object) -> None:
    assert not Vector(x=Float(0, 1)).contains({"x": value})


@pytest.mark.parametrize("order", [[0, 1], [0, 1, 1], [0.0, 1.0, 2.0], "012", [[0, 1, 2]], [1, 2, 3], None])
def test_what_is_not_a_permutation_is_refused(order: object) -> None:
    assert not Permutation(3).contains(order)


def test_texts_that_differ_in_case_and_space_are_one_solution() -> None:
    space = Text(digits=False)
    assert space.key("Let's  think\nstep by step.") == space.key("let's think step by step.")
    assert space.violation("a\x00b") == "the control character '\\x00' occurs"
    assert not space.contains("1st") and not space.contains("") and not space.contains("x" * 501)
    assert not space.contains("\ud800")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Float(1, 0), "low 1 > high 0"),
        (lambda: Int(3, 2), "the space is empty"),
        (lambda: Int(0, 2.5), "whole numbers"),  # type: ignore[arg-type]
        (lambda: Float(0, math.inf), "finite"),
        (lambda: Float(0, 1, log=True), "log scale needs low > 0"),
        (lambda: Float(0, 1, step=0), "step must be"),
        (lambda: Float(1, 2, log=True, step=0.1), "either a step or a log scale"),
        (lambda: Int(0, 2**60), "2**53"),
        (lambda: Float(-1e308, 1e308), "wider than"),
        (lambda: Float(0, 10**400), "finite"),
        (lambda: Float(0, 1, step="a"), "step must be"),  # type: ignore[arg-type]
        (lambda: Float(0, 1, step=1e-20), "too small"),
        (lambda: Categorical(), "at least one choice"),
        (lambda: Categorical("a", "a"), "twice"),
        (lambda: Categorical(object()), "is not a text"),  # type: ignore[arg-type]
        (lambda: Categorical(math.inf), "infinity"),
        (lambda: Vector(), "empty"),
        (lambda: Vector({"a b": Int(0, 1)}), "not a legal name"),
        (lambda: Vector(x=3), "must be a Float"),  # type: ignore[arg-type]
        (lambda: Permutation(0), "at least 1"),
        (lambda: Permutation(3, symmetry="mirror"), "not one of"),  # type: ignore[arg-type]
        (lambda: Text(max_length=0), "empty"),
        (lambda: next(Vector(x=Float(0, 1)).enumerate()), "not finite"),
        (lambda: Vector(x=Int(0, 1)).from_json({"x": 7}), "outside"),
    ],
)
def test_an_illegal_space_or_value_is_one_clear_error(make: Any, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        make()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@given(vectors(), st.integers(0, 99))
def test_points_of_the_box_become_members_even_from_outside(space: Vector, seed: int) -> None:
    rng = np.random.default_rng(seed)
    low, high = space.box.T
    points = rng.uniform(low - 1 - np.abs(low), high + 1 + np.abs(high), (20, len(low)))
    assert space.member_mask(space.from_box(points)).all()


@given(vectors(), st.integers(0, 99))
def test_a_solution_of_whole_numbers_and_choices_survives_the_box(space: Vector, seed: int) -> None:
    columns = space.sample(10, np.random.default_rng(seed))
    again = space.from_box(space.to_box(columns))
    for name, variable in space.variables.items():
        if variable.size is not None:
            assert np.array_equal(columns[name], again[name])
        else:
            assert np.allclose(columns[name], again[name], rtol=1e-12)
