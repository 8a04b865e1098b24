"""The parameters of a study as the variables of a vector, and their values both ways."""

from __future__ import annotations

import math
import re
from collections.abc import Container, Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from llmopt.errors import InvalidInput
from llmopt.space import Categorical, Float, Int, Variable, Vector

Params = dict[str, Any]

_LABEL_LIMIT = 60


class Parameter:
    """One parameter of a study.

    Choices that are no text, number, boolean or None are shown to the model by their ``repr``; of choices that
    Optuna cannot tell apart, such as 1 and True, the first is kept.

    Raises
    ------
    InvalidInput
        The distribution is not one that a model can be asked about, such as a range wider than a float can say.

    Examples
    --------
    >>> from optuna.distributions import CategoricalDistribution, FloatDistribution
    >>> Parameter("rate", FloatDistribution(1e-5, 1e-1, log=True)).variable
    Float(low=1e-05, high=0.1, log=True, step=None)
    >>> layers = Parameter("layers", CategoricalDistribution(["none", 1, True]))
    >>> layers.variable.choices, layers.store(True)
    (('none', 1), 1)
    """

    def __init__(self, name: str, distribution: BaseDistribution) -> None:
        self._distribution = distribution
        self._kept: list[int] = []
        try:
            self.variable = self._variable(distribution)
        except InvalidInput as error:
            raise InvalidInput(f"parameter {name!r}: {error}") from None

    def _variable(self, distribution: BaseDistribution) -> Variable:
        if isinstance(distribution, FloatDistribution):
            return Float(distribution.low, distribution.high, log=distribution.log, step=distribution.step)
        if isinstance(distribution, IntDistribution):
            return Int(distribution.low, distribution.high, log=distribution.log, step=distribution.step)
        if isinstance(distribution, CategoricalDistribution):
            choices = distribution.choices
            self._kept = [i for i, choice in enumerate(choices) if distribution.to_internal_repr(choice) == i]
            return Categorical(*_labels([choices[i] for i in self._kept]))
        raise InvalidInput(f"there is no variable for a {type(distribution).__name__}")

    def store(self, value: Any) -> Any:
        """Return the variable's value for a value of a trial.

        Raises
        ------
        InvalidInput
            It is outside the distribution, as the value of an enqueued trial may be.
        """
        try:
            internal = self._distribution.to_internal_repr(value)
        except ValueError as error:
            raise InvalidInput(str(error)) from None
        if isinstance(self.variable, Float) and self.variable.step is not None:
            # Values of a grid may be a rounding error away from it.
            snapped = self.variable.load(self.variable.from_box(np.array([internal]))[0])
            if math.isclose(internal, snapped, rel_tol=1e-12, abs_tol=1e-8 * self.variable.step):
                return snapped
        elif self._distribution._contains(internal):
            if isinstance(self.variable, Categorical):
                return self.variable.choices[self._kept.index(int(internal))]
            return value
        raise InvalidInput(f"{value!r} is outside {self._distribution}")

    def load(self, value: Any) -> Any:
        """Return the value for a trial of a value of the variable."""
        if isinstance(self.variable, Categorical):
            return self._distribution.to_external_repr(self._kept[self.variable.store(value)])
        return value


class Parameters:
    """Some parameters of a study as a vector; a name that a vector cannot have is written with ``_``.

    Examples
    --------
    >>> from optuna.distributions import IntDistribution
    >>> parameters = Parameters({"max depth": IntDistribution(1, 9)})
    >>> parameters.vector
    Vector(max_depth=Int(low=1, high=9, log=False, step=1))
    >>> parameters.params(parameters.solution({"max depth": 3, "more": 0.5}))
    {'max depth': 3}
    """

    def __init__(self, distributions: Mapping[str, BaseDistribution]) -> None:
        self._parameters = {name: Parameter(name, distribution) for name, distribution in distributions.items()}
        self._written: dict[str, str] = {}
        for name in distributions:
            self._written[name] = _unlike(_legal(name), {*self._written.values(), *(distributions.keys() - {name})})
        self.vector = Vector({self._written[name]: p.variable for name, p in self._parameters.items()})

    def solution(self, params: Mapping[str, Any]) -> Params | None:
        """Return the solution of a trial's parameters; None where one is missing or outside its distribution."""
        if not self._parameters.keys() <= params.keys():
            return None
        try:
            return {self._written[name]: p.store(params[name]) for name, p in self._parameters.items()}
        except InvalidInput:
            return None

    def params(self, solution: Mapping[str, Any]) -> Params:
        """Return the parameters of a solution."""
        return {name: p.load(solution[self._written[name]]) for name, p in self._parameters.items()}


def _legal(name: str) -> str:
    written = re.sub(r"[^A-Za-z0-9_.\-]", "_", name)
    return written if re.match("[A-Za-z_]", written) else f"_{written}"


def _unlike(text: str, taken: Container[str]) -> str:
    while text in taken:
        text += "_"
    return text


def _labels(choices: Sequence[Any]) -> list[Any]:
    taken = {choice for choice in choices if isinstance(choice, str)}
    labels = []
    for i, choice in enumerate(choices):
        if choice is None or isinstance(choice, str | bool | int) or _is_finite(choice):
            labels.append(choice)
            continue
        text = repr(choice)
        # An object's default text is an address, which would change from run to run.
        label = _unlike(f"choice_{i}" if " at 0x" in text or len(text) > _LABEL_LIMIT else text, taken)
        taken.add(label)
        labels.append(label)
    return labels


def _is_finite(choice: Any) -> bool:
    return isinstance(choice, float) and math.isfinite(choice)
