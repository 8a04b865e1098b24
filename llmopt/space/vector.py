"""Vectors of named variables."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmopt.errors import InvalidInput
from llmopt.space.base import CHUNK, Columns, Keys, Space, length, row_bytes
from llmopt.space.variables import Categorical, Float, Variable

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*")
_LARGEST_INDEX = 2**63 - 1


class Vector(Space[dict[str, Any]]):
    """Named variables; a solution is a dict from name to value, in the order of declaration.

    The size of a finite vector is the product of its variables' sizes, and its key the mixed-radix index
    with the first variable as the most significant digit. Otherwise floats count by their bits, with -0.0
    as 0.0.

    Examples
    --------
    >>> from llmopt import Categorical, Float, Int, Vector
    >>> space = Vector(x=Float(-5, 5), k=Int(1, 9), kind=Categorical("a", "b"))
    >>> space.contains({"x": 0.5, "k": 3, "kind": "b"})
    True
    >>> space.violation({"x": 7.0, "k": 3, "kind": "b"})
    'x: 7.0 is outside [-5.0, 5.0]'
    >>> Vector(w=Int(-50, 50), b=Int(-50, 50)).size
    10201
    """

    def __init__(self, variables: Mapping[str, Variable] | None = None, /, **named: Variable) -> None:
        self.variables: dict[str, Variable] = {**(variables or {}), **named}
        if not self.variables:
            raise InvalidInput("Vector: the space is empty; name at least one variable, as in Vector(x=Float(0, 1))")
        for name, variable in self.variables.items():
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                raise InvalidInput(
                    f"Vector: {name!r} is not a legal name; use a letter or _, then letters, digits, _ . or -"
                )
            if not isinstance(variable, Variable):
                raise InvalidInput(f"Vector: {name} must be a Float, Int or Categorical, not {variable!r}")

    def __repr__(self) -> str:
        return "Vector(" + ", ".join(f"{name}={v!r}" for name, v in self.variables.items()) + ")"

    def __eq__(self, other: object) -> bool:
        # Order counts: it decides the index and what solvers see.
        return isinstance(other, Vector) and list(self.variables.items()) == list(other.variables.items())

    def __hash__(self) -> int:
        return hash(tuple(self.variables.items()))

    @cached_property
    def size(self) -> int | None:
        sizes = [variable.size for variable in self.variables.values()]
        return math.prod(s for s in sizes if s is not None) if None not in sizes else None

    def sample(self, n: int, rng: np.random.Generator) -> Columns:
        return {name: variable.sample(n, rng) for name, variable in self.variables.items()}

    def violation(self, solution: object) -> str | None:
        if not isinstance(solution, Mapping):
            return f"{solution!r} is not a dict from variable name to value"
        if missing := [name for name in self.variables if name not in solution]:
            return f"no value for {', '.join(missing)}"
        if len(solution) > len(self.variables):
            unknown = [str(name) for name in solution if name not in self.variables]
            return f"unknown variable {', '.join(unknown)}"
        for name, variable in self.variables.items():
            if reason := variable.violation(solution[name]):
                return f"{name}: {reason}"
        return None

    def pack(self, solutions: Sequence[dict[str, Any]]) -> Columns:
        return {
            name: np.array([variable.store(s[name]) for s in solutions], dtype=variable.dtype)
            for name, variable in self.variables.items()
        }

    def row(self, columns: Columns, i: int) -> dict[str, Any]:
        return {name: variable.load(columns[name][i]) for name, variable in self.variables.items()}

    def member_mask(self, columns: Columns) -> NDArray[np.bool_]:
        mask = np.ones(length(columns), dtype=np.bool_)
        for name, variable in self.variables.items():
            mask &= variable.member_mask(columns[name])
        return mask

    def keys(self, columns: Columns) -> Keys:
        if self.size is not None and self.size <= _LARGEST_INDEX:
            index = np.zeros(length(columns), dtype=np.int64)
            for name, variable in self.variables.items():
                assert variable.size is not None
                index = index * variable.size + variable.index(columns[name])
            return index
        bits = np.empty((length(columns), len(self.variables)), dtype=np.int64)
        for j, (name, variable) in enumerate(self.variables.items()):
            values = columns[name]
            # Adding 0.0 turns -0.0 into 0.0.
            bits[:, j] = (values + 0.0).view(np.int64) if isinstance(variable, Float) else values
        return row_bytes(bits)

    def at(self, index: NDArray[np.int64]) -> Columns:
        """Return the solutions of a finite vector at mixed-radix indices."""
        columns: Columns = {}
        for name, variable in reversed(self.variables.items()):
            assert variable.size is not None, "only a finite vector has indices"
            index, digit = np.divmod(index, variable.size)
            columns[name] = variable.at(digit)
        return {name: columns[name] for name in self.variables}

    def enumerate(self, chunk: int = CHUNK) -> Iterator[Columns]:
        if self.size is None or self.size > _LARGEST_INDEX:
            yield from super().enumerate(chunk)
            return
        for start in range(0, self.size, chunk):
            yield self.at(np.arange(start, min(start + chunk, self.size), dtype=np.int64))

    def to_json(self, solution: dict[str, Any]) -> Any:
        # A pass through the column value gives plain Python numbers and the declared choice.
        return {name: v.load(v.store(solution[name])) for name, v in self.variables.items()}

    def from_json(self, value: Any) -> dict[str, Any]:
        if isinstance(value, dict):
            value = {
                name: float(v) if isinstance(self.variables.get(name), Float) and type(v) is int else v
                for name, v in value.items()
            }
        if reason := self.violation(value):
            raise InvalidInput(f"not a solution of {self!r}: {reason} ({json.dumps(value, default=str)[:200]})")
        return {name: value[name] for name in self.variables}

    def rows_to_json(self, columns: Columns) -> list[Any]:
        lists = [variable.load_all(columns[name]) for name, variable in self.variables.items()]
        return [dict(zip(self.variables, row, strict=True)) for row in zip(*lists, strict=True)]

    def rows_from_json(self, values: Sequence[Any]) -> Columns:
        columns: Columns = {}
        names = self.variables.keys()
        if all(type(value) is dict and value.keys() == names for value in values):
            for name, variable in self.variables.items():
                stored = variable.store_all([value[name] for value in values])
                if stored is None:
                    break
                columns[name] = stored
        # One by one, the first that is not legal is found and named.
        return columns if len(columns) == len(names) else super().rows_from_json(values)

    def describe(self) -> str:
        return "; ".join(f"{name}: {variable.describe()}" for name, variable in self.variables.items())

    def present(self, columns: Columns) -> Columns:
        """Return columns with choices in place of their indices."""
        return {
            name: np.array(v.choices, dtype=object)[columns[name]] if isinstance(v, Categorical) else columns[name]
            for name, v in self.variables.items()
        }

    @property
    def box(self) -> NDArray[np.float64]:
        """The bounds of the box form, shape (d, 2); see :class:`Variable`."""
        return np.array([variable.box for variable in self.variables.values()])

    def to_box(self, columns: Columns) -> NDArray[np.float64]:
        """Return solutions as points of the box, shape (B, d)."""
        return np.column_stack([v.to_box(columns[name]) for name, v in self.variables.items()])

    def from_box(self, points: NDArray[np.float64]) -> Columns:
        """Return the solutions nearest to points of the box, shape (B, d); outside points are clipped."""
        return {name: v.from_box(points[:, j]) for j, (name, v) in enumerate(self.variables.items())}
