"""The variables of a vector: numbers on a scale, whole numbers, choices from a list."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llmopt.errors import InvalidInput

Array: TypeAlias = NDArray[Any]
Choice: TypeAlias = str | int | float | bool | None


class Variable(ABC):
    """One named entry of a vector. Column values are numbers; a choice is stored as its index.

    The *box* of a variable is the interval in which continuous solvers move: the range itself, its
    logarithm where ``log`` is set, the index of the choice. ``from_box`` clips and rounds.
    """

    dtype: type

    @property
    @abstractmethod
    def size(self) -> int | None:
        """The number of values, None where it is not finite."""

    @property
    @abstractmethod
    def box(self) -> tuple[float, float]:
        """The interval of the box form."""

    @abstractmethod
    def violation(self, value: object) -> str | None:
        """Return why a user's value is not legal, or None."""

    @abstractmethod
    def member_mask(self, values: Array) -> NDArray[np.bool_]:
        """Return for each column value whether it is legal."""

    @abstractmethod
    def index(self, values: Array) -> NDArray[np.int64]:
        """Return the position of each column value among the finitely many."""

    @abstractmethod
    def at(self, index: NDArray[np.int64]) -> Array:
        """Return the column values at positions; the inverse of ``index``."""

    @abstractmethod
    def to_box(self, values: Array) -> NDArray[np.float64]:
        """Return column values in the box."""

    @abstractmethod
    def from_box(self, points: NDArray[np.float64]) -> Array:
        """Return the legal column value nearest to each point of the box."""

    @abstractmethod
    def describe(self) -> str:
        """Say in words which values are legal."""

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """Draw ``n`` column values, uniform in the box where it is continuous, else over the values."""
        size = self.size
        if size is not None and size <= 2**62 and not getattr(self, "log", False):
            return self.at(rng.integers(0, size, n))
        low, high = self.box
        return self.from_box(rng.uniform(low, high, n))

    def store(self, value: Any) -> Any:
        """Return the column value of a user's value."""
        return value

    @abstractmethod
    def load(self, value: Any) -> Any:
        """Return the user's value of a column value, as a plain Python object."""

    def load_all(self, values: Array) -> list[Any]:
        """Return the user's values of column values."""
        loaded: list[Any] = values.tolist()
        return loaded

    def store_all(self, values: list[Any]) -> Array | None:
        """Return the column values of many values; None where one of them is not legal."""
        try:
            stored = np.array(values)
        except (ValueError, OverflowError):
            return None
        legal = stored.ndim == 1 and stored.dtype == self.dtype and bool not in map(type, values)
        return stored if legal and self.member_mask(stored).all() else None


@dataclass(frozen=True)
class Float(Variable):
    """A real number in [low, high], on a logarithmic scale with ``log``, on a grid from low with ``step``."""

    low: float
    high: float
    log: bool = False
    step: float | None = None

    dtype = np.float64

    def __post_init__(self) -> None:
        _check_range(self, self.low, self.high, self.log)
        object.__setattr__(self, "low", float(self.low))
        object.__setattr__(self, "high", float(self.high))
        if not math.isfinite(self.high - self.low):
            raise InvalidInput(f"{self}: the range is wider than a number can say")
        if self.step is not None:
            if not _is_number(self.step) or not (self.step > 0 and math.isfinite(self.step)):
                raise InvalidInput(f"{self}: step must be a positive number")
            object.__setattr__(self, "step", float(self.step))
            if (self.high - self.low) / self.step > 2**53:
                raise InvalidInput(f"{self}: the step is too small for the range; leave it out")
        if self.step is not None and self.log:
            raise InvalidInput(f"{self}: a variable has either a step or a log scale, not both")

    @property
    def size(self) -> int | None:
        if self.low == self.high:
            return 1
        # The small slack keeps the last point of grids such as 0..1 by 0.1.
        return None if self.step is None else math.floor((self.high - self.low) / self.step + 1e-9) + 1

    @property
    def box(self) -> tuple[float, float]:
        return (math.log(self.low), math.log(self.high)) if self.log else (float(self.low), float(self.high))

    def violation(self, value: object) -> str | None:
        if not _is_number(value):
            return f"{value!r} is not a number"
        assert isinstance(value, int | float | np.integer | np.floating)
        if not self.low <= value <= self.high:
            return f"{value} is outside [{self.low}, {self.high}]"
        if self.step is not None and not self.member_mask(np.array([value], dtype=np.float64))[0]:
            return f"{value} is not on the grid {self.low} + k * {self.step}"
        return None

    def member_mask(self, values: Array) -> NDArray[np.bool_]:
        mask = (values >= self.low) & (values <= self.high)
        if self.step is not None:
            assert self.size is not None
            inside = np.where(mask, values, self.low)
            index = self.index(inside)
            mask &= (index < self.size) & (self.at(index) == inside)
        return np.asarray(mask, dtype=np.bool_)

    def index(self, values: Array) -> NDArray[np.int64]:
        if self.step is None:
            return np.zeros(len(values), dtype=np.int64)
        return np.asarray(np.rint((values - self.low) / self.step), dtype=np.int64)

    def at(self, index: NDArray[np.int64]) -> Array:
        step = 0.0 if self.step is None else self.step
        return np.asarray(np.minimum(self.low + index * step, self.high), dtype=np.float64)

    def to_box(self, values: Array) -> NDArray[np.float64]:
        return np.asarray(np.log(values) if self.log else values, dtype=np.float64)

    def from_box(self, points: NDArray[np.float64]) -> Array:
        if self.step is not None:
            assert self.size is not None
            last = self.low + (self.size - 1) * self.step
            return self.at(self.index(np.clip(points, self.low, last)))
        values = np.exp(points) if self.log else np.asarray(points, dtype=np.float64)
        return np.asarray(np.minimum(np.maximum(values, self.low), self.high))

    def load(self, value: Any) -> float:
        return float(value)

    def store_all(self, values: list[Any]) -> Array | None:
        # JSON of other programs has no point in a number that is whole.
        return super().store_all([float(value) if type(value) is int else value for value in values])

    def describe(self) -> str:
        grid = f" in steps of {self.step:g}" if self.step is not None else ""
        scale = " (on a logarithmic scale)" if self.log else ""
        return f"a number from {self.low:g} to {self.high:g}{grid}{scale}"


@dataclass(frozen=True)
class Int(Variable):
    """A whole number in [low, high], low + k * step; uniform in the logarithm with ``log``."""

    low: int
    high: int
    log: bool = False
    step: int = 1

    dtype = np.int64

    def __post_init__(self) -> None:
        for bound in (self.low, self.high, self.step):
            if isinstance(bound, bool) or not isinstance(bound, int | np.integer):
                raise InvalidInput(f"{self}: the bounds and the step of an Int must be whole numbers")
        for name in ("low", "high", "step"):
            # Plain integers: those of NumPy overflow.
            object.__setattr__(self, name, int(getattr(self, name)))
        _check_range(self, self.low, self.high, self.log)
        if max(abs(self.low), abs(self.high)) >= 2**53:
            raise InvalidInput(f"{self}: bounds must be below 2**53, where floats stop being exact")
        if self.step < 1:
            raise InvalidInput(f"{self}: step must be at least 1")
        if self.log and self.step != 1:
            raise InvalidInput(f"{self}: a variable has either a step or a log scale, not both")

    @property
    def size(self) -> int:
        return (self.high - self.low) // self.step + 1

    @property
    def box(self) -> tuple[float, float]:
        if self.log:
            return math.log(self.low), math.log(self.high)
        return float(self.low), float(self.low + (self.size - 1) * self.step)

    def violation(self, value: object) -> str | None:
        if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
            return f"{value!r} is not a whole number"
        if not self.low <= value <= self.high:
            return f"{value} is outside [{self.low}, {self.high}]"
        if (int(value) - self.low) % self.step:
            return f"{value} is not {self.low} + k * {self.step}"
        return None

    def member_mask(self, values: Array) -> NDArray[np.bool_]:
        on_grid = (values - self.low) % self.step == 0
        return np.asarray((values >= self.low) & (values <= self.high) & on_grid, dtype=np.bool_)

    def index(self, values: Array) -> NDArray[np.int64]:
        return np.asarray((values - self.low) // self.step, dtype=np.int64)

    def at(self, index: NDArray[np.int64]) -> Array:
        return np.asarray(self.low + index * self.step)

    def to_box(self, values: Array) -> NDArray[np.float64]:
        return np.asarray(np.log(values) if self.log else values, dtype=np.float64)

    def from_box(self, points: NDArray[np.float64]) -> Array:
        values = np.exp(points) if self.log else points
        steps = np.rint((np.clip(values, self.low, self.high) - self.low) / self.step)
        return self.at(np.minimum(steps, self.size - 1).astype(np.int64))

    def load(self, value: Any) -> int:
        return int(value)

    def describe(self) -> str:
        grid = f" in steps of {self.step}" if self.step != 1 else ""
        return f"an integer from {self.low} to {self.high}{grid}"


@dataclass(frozen=True, init=False)
class Categorical(Variable):
    """One of several choices without order: texts, numbers, booleans or None."""

    choices: tuple[Choice, ...]

    dtype = np.int64

    def __init__(self, *choices: Choice) -> None:
        if len(choices) == 1 and isinstance(choices[0], list | tuple):
            choices = tuple(choices[0])
        object.__setattr__(self, "choices", choices)
        if not choices:
            raise InvalidInput("Categorical needs at least one choice")
        for choice in choices:
            if not isinstance(choice, str | int | float | bool | None) or choice != choice:
                raise InvalidInput(f"Categorical: the choice {choice!r} is not a text, number, boolean or None")
            if isinstance(choice, float) and math.isinf(choice):
                raise InvalidInput("Categorical: infinity is not a choice, since JSON has no form for it")
        if len(set(map(_identity, choices))) < len(choices):
            raise InvalidInput(f"Categorical: a choice is there twice in {choices!r}")
        object.__setattr__(self, "_position", {_identity(c): i for i, c in enumerate(choices)})

    @property
    def size(self) -> int:
        return len(self.choices)

    @property
    def box(self) -> tuple[float, float]:
        return 0.0, float(len(self.choices) - 1)

    def position(self, value: object) -> int | None:
        """Return the index of a choice, or None. 1, 1.0 and True are three different choices."""
        positions: dict[tuple[str, object], int] = self._position  # type: ignore[attr-defined]
        try:
            return positions.get(_identity(value))
        except TypeError:  # not hashable, so not a choice
            return None

    def violation(self, value: object) -> str | None:
        return None if self.position(value) is not None else f"{value!r} is not one of {list(self.choices)}"

    def member_mask(self, values: Array) -> NDArray[np.bool_]:
        return np.asarray((values >= 0) & (values < len(self.choices)), dtype=np.bool_)

    def index(self, values: Array) -> NDArray[np.int64]:
        return np.asarray(values, dtype=np.int64)

    def at(self, index: NDArray[np.int64]) -> Array:
        return index

    def to_box(self, values: Array) -> NDArray[np.float64]:
        return np.asarray(values, dtype=np.float64)

    def from_box(self, points: NDArray[np.float64]) -> Array:
        return np.clip(np.rint(points), 0, len(self.choices) - 1).astype(np.int64)

    def store(self, value: Any) -> int:
        position = self.position(value)
        assert position is not None, "only members are stored"
        return position

    def load(self, value: Any) -> Choice:
        return self.choices[int(value)]

    def load_all(self, values: Array) -> list[Any]:
        return [self.choices[i] for i in values.tolist()]

    def store_all(self, values: list[Any]) -> Array | None:
        positions = [self.position(value) for value in values]
        return None if None in positions else np.array(positions, dtype=self.dtype)

    def describe(self) -> str:
        return "one of " + ", ".join(str(choice) for choice in self.choices)


def _identity(choice: object) -> tuple[str, object]:
    return type(choice).__name__, choice


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _check_range(variable: Variable, low: float, high: float, log: bool) -> None:
    for bound in (low, high):
        if not _is_number(bound):
            raise InvalidInput(f"{variable}: bounds must be numbers")
        try:
            finite = math.isfinite(bound)
        except OverflowError:  # an integer beyond every float
            finite = False
        if not finite:
            raise InvalidInput(f"{variable}: bounds must be finite")
    if low > high:
        raise InvalidInput(f"{variable}: the space is empty, since low {low} > high {high}")
    if log and low <= 0:
        raise InvalidInput(f"{variable}: a log scale needs low > 0")
