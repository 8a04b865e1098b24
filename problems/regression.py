"""Linear regression as a search problem: the paper's straight line, and the choice of a user's table instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from llmopt.errors import InvalidInput
from llmopt.problem import Problem
from llmopt.problems.checks import not_empty, number, whole
from llmopt.problems.fit import Fit
from llmopt.problems.instances import instance_number

START_REGION = (10, 20)


class LinearRegression(Fit):
    """The straight line of the paper: integers w and b, loss = sum of (y - w x - b)**2 over x = 1 .. points.

    OPRO, arXiv 2309.03409, section 3.1 and table 2: y = w_true x + b_true + N(0, noise**2), and five start pairs
    in [10, 20]**2. Instance i = 0 .. 4 is the paper's repeat i: NumPy's legacy generator, seeded with i + 1 for
    the noise, 10 (i + 1) for the w and 100 (i + 1) for the b of the start pairs. Later instances go on so.

    The known optimum is the pair of whole numbers in the box with the smallest loss. In the paper's seven
    settings that is (w_true, b_true); much noise, few points, values that are not whole or a box without them
    make it another pair, and then that one is the target.

    Parameters
    ----------
    w_true, b_true
        Slope and intercept of the line, from -1e9 to 1e9.
    low, high
        Bounds of both w and b, whole numbers from -1e9 to 1e9; finite, so that exhaustive search is defined.
    points
        The number of points, 2 to 1,000,000.
    noise
        Standard deviation of the noise in units of y, 0 to 1e9.
    instance
        Which noise and start pairs, 0 to 10,000,000.

    Raises
    ------
    InvalidInput
        An argument is not legal.

    Examples
    --------
    >>> from llmopt.problems.regression import LinearRegression
    >>> problem = LinearRegression(w_true=15, b_true=14)
    >>> problem.optimum.solution, round(problem.optimum.score, 1)
    ({'w': 15, 'b': 14}, 47.0)
    """

    def __init__(
        self,
        w_true: float = 15,
        b_true: float = 14,
        low: int = -50,
        high: int = 50,
        points: int = 50,
        noise: float = 1.0,
        instance: int = 0,
    ) -> None:
        self.w_true, self.b_true = number("w_true", w_true), number("b_true", b_true)
        self.low, self.high = whole("low", low), whole("high", high)
        not_empty(self.low, self.high)
        self.instance = instance_number(instance)
        deviation = number("noise", noise, 0)
        self.x = np.arange(1.0, whole("points", points, 2, 1_000_000) + 1)
        errors = np.random.RandomState(self.instance + 1).standard_normal(len(self.x))
        self.y = self.w_true * self.x + self.b_true + deviation * errors
        design = np.column_stack([self.x, np.ones_like(self.x)])
        super().__init__(["w", "b"], design, self.y, self.low, self.high, True, float(np.var(self.y) * len(self.y)))

    def describe(self) -> str:
        return (
            "Fit a straight line y = w * x + b to noisy data that is not shown: w is the slope, b the intercept. "
            "The loss, which is to be minimised, is the sum of the squared differences between data and line."
        )

    def starts(self, rng: np.random.Generator) -> list[Any]:
        """Return the five start pairs of the instance, whatever ``rng`` is.

        They lie in the part of [10, 20]**2 that the box holds, and anywhere in the box where it holds none.
        """
        low, high = max(START_REGION[0], self.low), min(START_REGION[1], self.high)
        if low > high:
            low, high = self.low, self.high
        w, b = (
            np.rint(np.random.RandomState(seed * (self.instance + 1)).uniform(low, high, 5)).astype(np.int64)
            for seed in (10, 100)
        )
        return self.space.solutions({"w": w, "b": b})


def regression(
    w_true: float | None = None,
    b_true: float | None = None,
    points: int | None = None,
    noise: float | None = None,
    data: Path | None = None,
    target: str | None = None,
    features: str | None = None,
    intercept: bool | None = None,
    integer: bool | None = None,
    low: int | float = -50,
    high: int | float = 50,
    instance: int = 0,
) -> Problem:
    """Fit a line (w_true, b_true: the paper's problem), or with data=FILE the columns of a table.

    The settings are those of :class:`LinearRegression` (``w_true``, ``b_true``, ``points`` 50, ``noise`` 1) and of
    :class:`~llmopt.problems.table_regression.TableRegression` (``data``, ``target``, ``features`` all others,
    ``intercept`` true, ``integer`` false); None leaves a setting at its class's default.

    Raises
    ------
    InvalidInput
        Settings of one form are given together with the other form; or as the classes say.
    """
    line = {"w_true": w_true, "b_true": b_true, "points": points, "noise": noise}
    table = {"target": target, "features": features, "intercept": intercept, "integer": integer}
    form, other = (line, table) if data is None else (table, line)
    if foreign := [name for name, value in other.items() if value is not None]:
        names = ", ".join(foreign)
        advice = "belongs to a table: add data=FILE" if data is None else "cannot be combined with data=FILE: drop one"
        raise InvalidInput(f"problem regression: {names} {advice}, or use {', '.join(form)}")
    given: dict[str, Any] = {name: value for name, value in form.items() if value is not None}
    if data is None:
        return LinearRegression(**given, low=low, high=high, instance=instance)  # type: ignore[arg-type]
    from llmopt.problems.table_regression import TableRegression

    return TableRegression(data, **given, low=low, high=high, instance=instance)
