"""Checks of a space."""

from __future__ import annotations

import json
from abc import abstractmethod
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from llmopt.errors import InvalidInput
from llmopt.space import Space, Vector, length
from llmopt.space.plain import from_plain, to_plain
from llmopt.testing.checks import Checks, brief, fault, mentions
from llmopt.testing.strategies import members, seeds

LISTED = 5_000
"""Spaces of up to so many solutions are enumerated."""
SMALL = 30
"""Of spaces of up to so many solutions, every one must come among many samples."""

_plain = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.floats(allow_nan=True) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


class SpaceChecks(Checks):
    """What every space keeps to.

    Examples
    --------
    >>> from llmopt import Int, Vector
    >>> class TestPairs(SpaceChecks):
    ...     def make(self):
    ...         return Vector(w=Int(-5, 5), b=Int(-5, 5))
    >>> TestPairs().test_no_loss_in_json()
    """

    @abstractmethod
    def make(self) -> Space[Any]:
        """Return the space."""

    def test_no_sample_outside_the_space(self) -> None:
        space = self.make()

        def check(count: int, seed: int) -> None:
            columns = space.sample(count, np.random.default_rng(seed))
            if length(columns) != count:
                fault(f"{length(columns)} samples were drawn instead of {count}")
            for i, (solution, member) in enumerate(
                zip(space.solutions(columns), space.member_mask(columns).tolist(), strict=True)
            ):
                if reason := space.violation(solution):
                    fault(f"sample {i} is {brief(solution)}, which is not legal: {reason}")
                if not member:
                    fault(f"sample {i} is {brief(solution)}, and member_mask says that it is none")

        self.for_all(check, count=st.integers(0, 5), seed=seeds)

    def test_no_sample_beyond_its_generator(self) -> None:
        space = self.make()

        def check(seed: int) -> None:
            one, other = (_json(space, space.sample(5, np.random.default_rng(seed))) for _ in range(2))
            if one != other:
                fault(f"two samples with the same generator differ: {brief(one)} and {brief(other)}")

        self.for_all(check, seed=seeds)

    def test_no_solution_that_is_never_sampled(self) -> None:
        space = self.make()
        if space.size is None or space.size > SMALL:
            pytest.skip("it has too many solutions to see each of them")
        drawn = set(_listed(space.keys(space.sample(60 * space.size, np.random.default_rng(0)))))
        for columns in space.enumerate():
            for key, solution in zip(_listed(space.keys(columns)), space.solutions(columns), strict=True):
                if key not in drawn:
                    fault(f"{brief(solution)} does not come among {60 * space.size} samples")

    def test_no_loss_in_columns(self) -> None:
        space = self.make()

        def check(solutions: list[Any]) -> None:
            for before, after in zip(solutions, space.solutions(space.pack(solutions)), strict=True):
                if not _equal(before, after):
                    fault(f"{brief(before)} becomes {brief(after)} in columns")

        self.for_all(check, solutions=members(space))

    def test_no_row_that_changes_its_columns(self) -> None:
        space = self.make()
        columns = space.sample(1, np.random.default_rng(0))
        before = _json(space, columns)
        row: Any = space.row(columns, 0)
        if isinstance(row, np.ndarray):
            row[...] = row[::-1].copy() if len(row) > 1 else row
        elif isinstance(row, dict):
            row.clear()
        if _json(space, columns) != before:
            fault(f"a change of a solution that row gave out changes the columns, from {brief(before)}")

    def test_no_loss_in_json(self) -> None:
        space = self.make()

        def check(solutions: list[Any]) -> None:
            for before in solutions:
                text = json.dumps(space.to_json(before), allow_nan=False)
                after = space.from_json(json.loads(text))
                if not _equal(before, after):
                    fault(f"{brief(before)} becomes {brief(after)} by way of the JSON text {brief(text)}")

        self.for_all(check, solutions=members(space))

    def test_no_difference_between_json_of_rows_and_of_one(self) -> None:
        space = self.make()

        def check(solutions: list[Any]) -> None:
            columns = space.pack(solutions)
            rows, each = space.rows_to_json(columns), [space.to_json(s) for s in space.solutions(columns)]
            if rows != each:
                fault(f"rows_to_json gives {brief(rows)}, and to_json of each {brief(each)}")
            back, each = space.solutions(space.rows_from_json(rows)), [space.from_json(row) for row in rows]
            if not all(map(_equal, back, each)):
                fault(f"rows_from_json gives {brief(back)}, and from_json of each {brief(each)}")

        self.for_all(check, solutions=members(space))

    def test_no_json_that_is_no_member(self) -> None:
        space = self.make()

        def check(value: Any) -> None:
            try:
                solution = space.from_json(value)
            except InvalidInput:
                return
            if reason := space.violation(solution):
                fault(f"from_json takes {brief(value)} for a solution, which is not legal: {reason}")

        self.for_all(check, value=_plain)

        def mutated(solutions: list[Any], value: Any, place: int) -> None:
            found = space.to_json(solutions[0])
            if isinstance(found, dict) and found:
                found = {**found, list(found)[place % len(found)]: value}
            elif isinstance(found, list) and found:
                found = [*found[: place % len(found)], value, *found[place % len(found) + 1 :]]
            check(found)

        self.for_all(mutated, solutions=members(space, most=1), value=_plain, place=st.integers(0, 9))

    def test_no_object_that_violation_fails_on(self) -> None:
        space = self.make()

        def check(value: Any) -> None:
            reason = space.violation(value)
            if reason is not None and not (isinstance(reason, str) and reason):
                fault(f"violation says {reason!r} of {brief(value)}; it must be a sentence, or None")

        self.for_all(check, value=_plain | st.just(object()))

    def test_no_loss_in_plain_text(self) -> None:
        space = self.make()
        try:
            again = from_plain(json.loads(json.dumps(to_plain(space))))
        except InvalidInput:
            pytest.skip("a space of another package cannot be rebuilt from text")
        if again != space:
            fault(f"it becomes {brief(again)} when it is rebuilt from text")

    def test_no_difference_between_spaces_made_alike(self) -> None:
        one, other = self.make(), self.make()
        if one != other or hash(one) != hash(other):
            fault(f"two spaces that are made alike are not equal: {brief(one)} and {brief(other)}")

    def test_no_difference_between_keys_of_rows_and_of_one(self) -> None:
        space = self.make()

        def check(solutions: list[Any]) -> None:
            together = _listed(space.keys(space.pack(solutions)))
            for solution, key in zip(solutions, together, strict=True):
                if space.key(solution) != key:
                    fault(f"{brief(solution)} has the key {space.key(solution)!r} by itself and {key!r} among others")

        self.for_all(check, solutions=members(space))

    def test_no_key_for_two_solutions(self) -> None:
        space = self.make()
        seen: dict[Any, Any] = {}
        for solution in self._all(space):
            key = space.key(solution)
            if key in seen:
                fault(f"{brief(seen[key])} and {brief(solution)} have the same key {key!r}")
            seen[key] = solution

    def test_no_solution_left_out_by_the_enumeration(self) -> None:
        space = self.make()
        known = {json.dumps(space.to_json(solution)) for solution in self._all(space)}
        keys = {space.key(solution) for solution in self._all(space)}
        if len(known) != space.size:
            fault(f"it says that it has {space.size} solutions, and enumerates {len(known)}")

        def check(solutions: list[Any]) -> None:
            for solution in solutions:
                if space.key(solution) not in keys:
                    fault(f"{brief(solution)} is a member, and is not enumerated")

        self.for_all(check, solutions=members(space))

    def test_no_enumeration_beyond_its_chunk(self) -> None:
        space = self.make()
        whole = [json.dumps(space.to_json(solution)) for solution in self._all(space)]
        for chunk in (1, 7):
            parts = list(space.enumerate(chunk)) if len(whole) <= SMALL or chunk > 1 else []
            if any(length(part) > chunk for part in parts):
                fault(f"enumerate({chunk}) yields {max(map(length, parts))} rows at once")
            found = [json.dumps(space.to_json(solution)) for part in parts for solution in space.solutions(part)]
            if parts and found != whole:
                fault(f"enumerate({chunk}) yields other solutions than enumerate()")

    def test_no_variable_missing_in_the_description(self) -> None:
        space = self.make()
        text = space.describe()
        if not text.strip():
            fault("the description is empty")
        if isinstance(space, Vector):
            for name in space.variables:
                if not mentions(text, name):
                    fault(f"the description does not name the variable {name}: {brief(text)}")

    def _all(self, space: Space[Any]) -> list[Any]:
        if space.size is None or space.size > LISTED:
            pytest.skip("it has too many solutions to be enumerated")
        return [solution for columns in space.enumerate() for solution in space.solutions(columns)]


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return bool(np.array_equal(one, other))
    # A whole number is not the float of its value, and True is not 1.
    return bool(one == other) and repr(one) == repr(other)


def _json(space: Space[Any], columns: Any) -> str:
    return json.dumps(space.rows_to_json(columns))


def _listed(keys: Any) -> list[Any]:
    return keys.tolist() if isinstance(keys, np.ndarray) else list(keys)
