"""Linear regression on a user's own table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from llmopt.errors import InvalidInput
from llmopt.problems.checks import not_empty, number, whole
from llmopt.problems.fit import Fit
from llmopt.problems.instances import generator, instance_number
from llmopt.problems.least_squares import Floats
from llmopt.problems.table import read_table

INTERCEPT = "intercept"
COLLINEAR = 1e-10
"""A column whose distance from the span of others is at most this share of its length counts as lying in it."""


class TableRegression(Fit):
    """One coefficient for each feature, and an intercept; loss = the sum of squared residuals of the target.

    The known optimum is exact: the best coefficients within the bounds. Whole coefficients reach the target
    with the smallest loss only (or a tie); real ones with a loss that exceeds it by at most 1 %, plus one
    millionth of the target's sum of squares (about its mean where there is an intercept), which matters where
    the fit is all but perfect. With many whole coefficients the search for the optimum is given up after
    200,000 trials, about a second; ``optimum`` is then None.

    Parameters
    ----------
    data
        A CSV file with a header row; cells separated by commas, semicolons or tabs, with a decimal point.
    target
        The column to be explained.
    features
        The columns that explain it, as a list or separated by commas; by default all the others.
    intercept
        Whether a constant is added, as the last coefficient.
    integer
        Whether coefficients are whole numbers.
    low, high
        Bounds of every coefficient, from -1e9 to 1e9; whole numbers with ``integer``.
    instance
        Which five random start points, 0 to 10,000,000.

    Raises
    ------
    InvalidInput
        An argument or the file is not legal; a column is missing or not numeric; there are fewer rows than
        coefficients; the target is constant; a feature is a combination of others (or constant beside an
        intercept), so that no single solution is best.
    """

    def __init__(
        self,
        data: Path | str,
        target: str | None = None,
        features: str | Sequence[str] | None = None,
        intercept: bool = True,
        integer: bool = False,
        low: float = -50,
        high: float = 50,
        instance: int = 0,
    ) -> None:
        bound = whole if integer else number
        self.low, self.high = bound("low", low), bound("high", high)
        not_empty(self.low, self.high)
        self.instance = instance_number(instance)
        table = read_table(Path(data))
        if target is None:
            raise InvalidInput(f"target is missing; name a column of {data}: {', '.join(table.columns)}")
        self.target = target
        response = table.numbers(target)
        self.features = _feature_names(features, target, table.columns)
        columns = [table.numbers(name) for name in self.features]
        names = _legal_names(self.features)
        _check_columns(self.features, columns, response, intercept, data)
        if intercept:
            columns.append(np.ones_like(response))
            names = _legal_names([*self.features, INTERCEPT])
        total = float(np.sum((response - (response.mean() if intercept else 0.0)) ** 2))
        super().__init__(names, np.column_stack(columns), response, self.low, self.high, integer, total)
        self.intercept = names[-1] if intercept else None

    def describe(self) -> str:
        terms = [
            f"{name} * column '{feature}'" for name, feature in zip(self.space.variables, self.features, strict=False)
        ]
        formula = " + ".join([*terms, self.intercept] if self.intercept else terms)
        return (
            f"Fit the column '{self.target}' of a table that is not shown by {formula}. "
            "The loss, which is to be minimised, is the sum of the squared differences between column and formula."
        )

    def starts(self, rng: np.random.Generator) -> list[Any]:
        """Return five random solutions, drawn from the instance, whatever ``rng`` is."""
        return self.space.solutions(self.space.sample(5, generator("starts", self.instance)))


def _feature_names(features: str | Sequence[str] | None, target: str, columns: Iterable[str]) -> list[str]:
    if features is None:
        features = [name for name in columns if name != target]
    names = [name.strip() for name in (features.split(",") if isinstance(features, str) else features)]
    if not names:
        raise InvalidInput(f"there is no column beside target={target}; add at least one feature to the table")
    for i, name in enumerate(names):
        if name == target:
            raise InvalidInput(f"features: {name!r} is the target; it cannot explain itself, so leave it out")
        if name in names[:i]:
            raise InvalidInput(f"features: {name!r} is there twice; name it once")
    return names


def _legal_names(columns: Iterable[str]) -> list[str]:
    """Return names that a vector allows, all different, as close to those of the columns as can be."""
    names: list[str] = []
    for column in columns:
        stem = re.sub(r"[^A-Za-z0-9_.\-]+", "_", column)
        stem = stem if re.match(r"[A-Za-z_]", stem) else f"_{stem}"
        name, count = stem, 1
        while name in names:
            count += 1
            name = f"{stem}_{count}"
        names.append(name)
    return names


def _check_columns(
    names: Sequence[str], columns: Sequence[Floats], response: Floats, intercept: bool, data: Path | str
) -> None:
    """Raise InvalidInput where the best fit is not a single one, or there is nothing to fit."""
    count = len(names) + intercept
    if len(response) < count:
        raise InvalidInput(
            f"data={data}: {len(response)} rows cannot settle {count} coefficients; add rows or name fewer features"
        )
    if np.ptp(response) == 0 and (intercept or response[0] == 0):
        raise InvalidInput(f"data={data}: the target is {response[0]:g} in every row; choose a target that varies")
    for name, column in zip(names, columns, strict=True):
        if np.ptp(column) == 0 and (intercept or column[0] == 0):
            raise InvalidInput(
                f"data={data}: the feature {name!r} is {column[0]:g} in every row, so its coefficient cannot be told "
                "(from the intercept); leave it out of features"
            )
    named = dict(zip(names, columns, strict=True))
    design = np.column_stack([*([np.ones_like(response)] if intercept else []), *named.values()])
    distances = np.abs(np.diag(np.linalg.qr(design, mode="r")))[int(intercept) :]
    for (name, column), distance in zip(named.items(), distances, strict=True):
        if distance <= COLLINEAR * np.linalg.norm(column):
            raise InvalidInput(
                f"data={data}: the feature {name!r} is a combination of those before it"
                f"{' and a constant' if intercept else ''}, so no single fit is best; leave it out of features"
            )
