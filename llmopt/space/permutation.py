"""Permutations: orders and tours."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from llmopt.errors import InvalidInput
from llmopt.space.base import CHUNK, Columns, Keys, Space, row_bytes

Order: TypeAlias = NDArray[np.integer[Any]]
Symmetry = Literal["none", "rotation", "dihedral"]
COLUMN = "order"


@dataclass(frozen=True)
class Permutation(Space[Order]):
    """All orders of 0 .. n-1; a solution is a 1-D integer array.

    Parameters
    ----------
    n
        The number of entries, at least 1.
    symmetry
        Which orders are the same solution: ``"none"``, ``"rotation"`` (a round trip may start anywhere) or
        ``"dihedral"`` (and may be walked in both directions).

    Examples
    --------
    >>> from llmopt import Permutation
    >>> space = Permutation(5, symmetry="dihedral")
    >>> space.size
    12
    >>> space.key([0, 1, 2, 3, 4]) == space.key([2, 1, 0, 4, 3])
    True
    """

    n: int
    symmetry: Symmetry = "none"

    def __post_init__(self) -> None:
        if isinstance(self.n, bool) or not isinstance(self.n, int) or self.n < 1:
            raise InvalidInput(f"Permutation: n must be a whole number of at least 1, not {self.n!r}")
        if self.symmetry not in get_args(Symmetry):
            raise InvalidInput(f"Permutation: symmetry {self.symmetry!r} is not one of {get_args(Symmetry)}")

    @property
    def size(self) -> int:
        if self.symmetry == "none":
            return math.factorial(self.n)
        rotations = math.factorial(self.n - 1)
        return rotations // 2 if self.symmetry == "dihedral" and self.n > 2 else rotations

    def sample(self, n: int, rng: np.random.Generator) -> Columns:
        orders = np.tile(np.arange(self.n, dtype=np.int32), (n, 1))
        return {COLUMN: rng.permuted(orders, axis=1)}

    def violation(self, solution: object) -> str | None:
        try:
            order = np.asarray(solution)
        except (TypeError, ValueError):
            return f"{solution!r} is not a list of whole numbers"
        if order.ndim != 1 or not np.issubdtype(order.dtype, np.integer):
            return f"{solution!r} is not a list of whole numbers"
        if len(order) != self.n:
            return f"{len(order)} entries instead of {self.n}"
        if not np.array_equal(np.sort(order), np.arange(self.n)):
            return f"not every number from 0 to {self.n - 1} is there once"
        return None

    def pack(self, solutions: Sequence[Any]) -> Columns:
        return {COLUMN: np.array(solutions, dtype=np.int32).reshape(len(solutions), self.n)}

    def row(self, columns: Columns, i: int) -> Order:
        order: Order = columns[COLUMN][i].copy()
        return order

    def member_mask(self, columns: Columns) -> NDArray[np.bool_]:
        orders = columns[COLUMN]
        return np.asarray((np.sort(orders, axis=1) == np.arange(self.n)).all(axis=1), dtype=np.bool_)

    def canonical(self, orders: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return of each order the one that stands for its class, shape (B, n): 0 first, then the smaller neighbour."""
        if self.symmetry == "none":
            return orders
        start = np.argmin(orders, axis=1)
        shifted = (np.arange(self.n) + start[:, None]) % self.n
        orders = np.take_along_axis(orders, shifted, axis=1)
        if self.symmetry == "dihedral":
            backwards = orders[:, 1:2] > orders[:, -1:]
            reverse = np.concatenate([orders[:, :1], orders[:, :0:-1]], axis=1)
            orders = np.where(backwards, reverse, orders) if self.n > 2 else orders
        return orders

    def turned(self, order: Order, rng: np.random.Generator) -> Order:
        """Return a random one of the orders that are the same solution."""
        if self.symmetry == "dihedral" and rng.random() < 0.5:
            order = order[::-1]
        return order if self.symmetry == "none" else np.roll(order, int(rng.integers(self.n)))

    def keys(self, columns: Columns) -> Keys:
        orders = np.ascontiguousarray(self.canonical(columns[COLUMN]), dtype=np.int32)
        return row_bytes(orders)

    def enumerate(self, chunk: int = CHUNK) -> Iterator[Columns]:
        free = range(self.n) if self.symmetry == "none" else range(1, self.n)
        orders = itertools.permutations(free)
        while rows := list(itertools.islice(orders, chunk)):
            block = np.array(rows, dtype=np.int32).reshape(len(rows), len(free))
            if self.symmetry != "none":
                block = np.hstack([np.zeros((len(block), 1), dtype=np.int32), block])
            if self.symmetry == "dihedral" and self.n > 2:
                block = block[block[:, 1] < block[:, -1]]
            if len(block):
                yield {COLUMN: block}

    def to_json(self, solution: Order) -> Any:
        return [int(i) for i in solution]

    def from_json(self, value: Any) -> Order:
        if reason := self.violation(value):
            raise InvalidInput(f"not a solution of {self!r}: {reason}")
        return np.array(value, dtype=np.int32)

    def describe(self) -> str:
        form = {
            "none": "an order",
            "rotation": "a round trip",
            "dihedral": "a round trip in either direction",
        }
        return f"{form[self.symmetry]} of the numbers 0 to {self.n - 1}, each exactly once"

    def present(self, columns: Columns) -> NDArray[Any]:
        """Return the orders, shape (B, n)."""
        return columns[COLUMN]
