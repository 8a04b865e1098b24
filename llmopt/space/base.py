"""What a space is: the set of legal solutions, in the user's form, as columns, as keys and as JSON."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Sequence
from typing import Any, Generic, TypeAlias, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

S = TypeVar("S")

Columns: TypeAlias = dict[str, NDArray[Any]]
"""B solutions as a struct of arrays: every array has length B along its first axis."""

Keys: TypeAlias = NDArray[np.int64] | list[bytes] | list[str]
"""One key for each of B solutions: indices in a finite space, bytes or text elsewhere."""

CHUNK = 65_536
"""Rows that are handled at once where a whole space or a long step is walked through."""


def length(columns: Columns) -> int:
    """Return the number of solutions B."""
    return len(next(iter(columns.values())))


def take(columns: Columns, rows: NDArray[Any] | slice) -> Columns:
    """Return the named rows (indices, a mask or a slice) of every column."""
    return {name: values[rows] for name, values in columns.items()}


def join(parts: Sequence[Columns]) -> Columns:
    """Return the solutions of several columns as one."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def row_bytes(rows: NDArray[Any]) -> list[bytes]:
    """Return the bytes of each row of a C-contiguous matrix."""
    return cast(list[bytes], rows.view(np.dtype((np.void, rows.shape[1] * rows.itemsize))).ravel().tolist())


class Space(ABC, Generic[S]):
    """A set of legal solutions of type ``S``. Spaces are immutable and compare by value.

    A solution has four forms, and every space converts between them without loss: the user's own
    (``S``), a row of columns, a key (equal keys mean the same solution), and JSON.
    """

    @property
    @abstractmethod
    def size(self) -> int | None:
        """The number of different solutions (of keys), or None where it is not finite."""

    @abstractmethod
    def sample(self, n: int, rng: np.random.Generator) -> Columns:
        """Draw ``n`` solutions independently; every solution of a finite space can come."""

    @abstractmethod
    def violation(self, solution: object) -> str | None:
        """Return why an object is not a member of the space, or None for a member."""

    @abstractmethod
    def pack(self, solutions: Sequence[S]) -> Columns:
        """Put members of the space into columns."""

    @abstractmethod
    def row(self, columns: Columns, i: int) -> S:
        """Return row ``i`` of columns in the user's form."""

    @abstractmethod
    def member_mask(self, columns: Columns) -> NDArray[np.bool_]:
        """Return for each row whether it is a member."""

    @abstractmethod
    def keys(self, columns: Columns) -> Keys:
        """Return the key of every row."""

    @abstractmethod
    def to_json(self, solution: S) -> Any:
        """Return the JSON form, which ``from_json`` turns back exactly."""

    @abstractmethod
    def from_json(self, value: Any) -> S:
        """Return the solution of a JSON form.

        Raises
        ------
        InvalidInput
            The value is not the JSON form of a member.
        """

    def rows_to_json(self, columns: Columns) -> list[Any]:
        """Return the JSON form of every row."""
        return [self.to_json(solution) for solution in self.solutions(columns)]

    def rows_from_json(self, values: Sequence[Any]) -> Columns:
        """Return the columns of solutions in JSON form.

        Raises
        ------
        InvalidInput
            A value is not the JSON form of a member.
        """
        return self.pack([self.from_json(value) for value in values])

    @abstractmethod
    def describe(self) -> str:
        """Say in plain language what a solution is made of, naming every variable and its bounds."""

    def enumerate(self, chunk: int = CHUNK) -> Iterator[Columns]:
        """Yield every solution of a finite space once, in columns of at most ``chunk`` rows.

        Raises
        ------
        InvalidInput
            The space is not finite.
        """
        from llmopt.errors import InvalidInput

        raise InvalidInput(f"{self!r} is not finite, so its solutions cannot be enumerated")

    def present(self, columns: Columns) -> Any:
        """Return columns in the form that a vectorized function of the user is called with."""
        return columns

    def contains(self, solution: object) -> bool:
        """Return whether an object is a member of the space."""
        return self.violation(solution) is None

    def key(self, solution: S) -> Hashable:
        """Return the key of one member."""
        key = self.keys(self.pack([solution]))[0]
        return int(key) if isinstance(key, np.integer) else key

    def solutions(self, columns: Columns) -> list[S]:
        """Return all rows in the user's form."""
        return [self.row(columns, i) for i in range(length(columns))]
