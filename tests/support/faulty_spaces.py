"""Spaces and codecs with one mistake each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmopt import DecodeError, Float, Int, Permutation, Vector
from llmopt.opro.codec import Decoded
from llmopt.opro.vector_codec import VectorCodec
from llmopt.space import Columns, Keys
from llmopt.space.base import CHUNK

_CHANCE = np.random.default_rng()


class Grid(Vector):
    """Two whole numbers, without a mistake."""

    def __init__(self) -> None:
        super().__init__(a=Int(0, 3), b=Int(-2, 2))


class Reals(Vector):
    """Two real numbers, without a mistake."""

    def __init__(self) -> None:
        super().__init__(x=Float(-5, 5), y=Float(0, 1))


class OffByOne(Grid):
    def sample(self, n: int, rng: np.random.Generator) -> Columns:
        return {"a": rng.integers(0, 5, n), "b": rng.integers(-2, 3, n)}


class OwnChance(Reals):
    def sample(self, n: int, rng: np.random.Generator) -> Columns:
        return super().sample(n, _CHANCE)


class NeverLast(Grid):
    def sample(self, n: int, rng: np.random.Generator) -> Columns:
        return {"a": rng.integers(0, 3, n), "b": rng.integers(-2, 3, n)}


class SinglePrecision(Reals):
    def pack(self, solutions: Sequence[dict[str, Any]]) -> Columns:
        return {name: values.astype(np.float32).astype(np.float64) for name, values in super().pack(solutions).items()}


class View(Permutation):
    def row(self, columns: Columns, i: int) -> NDArray[Any]:
        order: NDArray[Any] = columns["order"][i]
        return order


class Rounding(Reals):
    def to_json(self, solution: dict[str, Any]) -> Any:
        return {name: round(value, 3) for name, value in solution.items()}

    def rows_to_json(self, columns: Columns) -> list[Any]:
        return [self.to_json(solution) for solution in self.solutions(columns)]


class Backwards(Grid):
    def rows_to_json(self, columns: Columns) -> list[Any]:
        return super().rows_to_json(columns)[::-1]


class Trusting(Grid):
    def from_json(self, value: Any) -> dict[str, Any]:
        return super().from_json(value) if not isinstance(value, dict) or len(value) != 2 else value


class Choosy(Grid):
    def violation(self, solution: object) -> str | None:
        json.dumps(solution)
        return super().violation(solution)


class TwoKeys(Grid):
    def key(self, solution: dict[str, Any]) -> str:
        return str(super().key(solution))


class OneKey(Grid):
    def keys(self, columns: Columns) -> Keys:
        return np.asarray(columns["a"], dtype=np.int64)


class Short(Grid):
    def enumerate(self, chunk: int = CHUNK) -> Iterator[Columns]:
        for start in range(0, 19, chunk):
            yield self.at(np.arange(start, min(start + chunk, 19)))


class Unchunked(Grid):
    def enumerate(self, chunk: int = CHUNK) -> Iterator[Columns]:
        yield from super().enumerate()


class Silent(Grid):
    def describe(self) -> str:
        return "a: a number"


class Unequal(Grid):
    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


WB = Vector(w=Int(-50, 50), b=Int(-50, 50))


class Sound(VectorCodec):
    """The codec of two whole numbers, without a mistake."""

    def __init__(self) -> None:
        super().__init__(WB)


class Wide(Sound):
    """Its grammar goes beyond the bounds."""

    def grammar(self, *, opening: str = "", known: Iterable[str] = ()) -> str | None:
        return VectorCodec(Vector(w=Int(-50, 50), b=Int(-50, 90))).grammar(opening=opening, known=known)


class Narrow(Sound):
    """Its grammar leaves out an end of the range."""

    def grammar(self, *, opening: str = "", known: Iterable[str] = ()) -> str | None:
        return VectorCodec(Vector(w=Int(-50, 50), b=Int(0, 50))).grammar(opening=opening, known=known)


class Unbounded(Sound):
    """Reads numbers without a look at the bounds."""

    def decode(self, text: str) -> Decoded[dict[str, Any]]:
        found = re.search(r"w=(-?\d{1,9}) b=(-?\d{1,9})", text)
        if found is None:
            return super().decode(text)
        return Decoded({"w": int(found[1]), "b": int(found[2])})


class Fragile(Sound):
    """Takes a reply for granted."""

    def decode(self, text: str) -> Decoded[dict[str, Any]]:
        if "=" not in text and "{" not in text:
            return Decoded({"w": int(text.split()[0]), "b": int(text.split()[1])})
        return super().decode(text)


class Quoting(Sound):
    """Says in the reason what it read."""

    def decode(self, text: str) -> Decoded[dict[str, Any]]:
        try:
            return super().decode(text)
        except DecodeError:
            raise DecodeError(f"cannot read {text[:60]!r}") from None


class Greedy(Sound):
    """Takes out of the grammar what only begins like a known text."""

    def grammar(self, *, opening: str = "", known: Iterable[str] = ()) -> str | None:
        first = [text.split()[0] for text in known]
        beside = [f"{w} b={b}" for w in first for b in range(-50, 51)]
        return super().grammar(opening=opening, known=beside)


class Schematic(Sound):
    """Its schema leaves out an end of the range."""

    def schema(self) -> dict[str, Any]:
        schema = super().schema()
        return schema | {"properties": {**schema["properties"], "b": {"type": "integer", "minimum": 0, "maximum": 50}}}


class WideSchema(Sound):
    """Its schema goes beyond the bounds."""

    def schema(self) -> dict[str, Any]:
        return VectorCodec(Vector(w=Int(-50, 50), b=Int(-50, 90))).schema()


class Brief(Sound):
    """Says that its texts are shorter than they are."""

    def __init__(self) -> None:
        super().__init__()
        self.longest = 9


class Dropping(Sound):
    """Writes without the sign."""

    def encode(self, solution: dict[str, Any]) -> str:
        return f"w={solution['w']} b={abs(solution['b'])}"
