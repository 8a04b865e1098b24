"""Numeric test functions as problems: moved by instance, described without their names."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np

from llmopt.errors import InvalidInput
from llmopt.problem import Optimum, Problem
from llmopt.problems import formulas
from llmopt.problems.checks import number, whole
from llmopt.problems.formulas import Floats, Formula
from llmopt.problems.instances import generator, instance_number
from llmopt.settings import unknown_name
from llmopt.space import Columns, Float, Vector

FunctionName = Literal["ackley", "branin", "hartmann6", "rastrigin", "rosenbrock", "rosenbrock-paper", "sphere"]

_SCALABLE = {"ackley": formulas.ackley, "rastrigin": formulas.rastrigin, "sphere": formulas.sphere}
_FIXED = {"branin": (2, formulas.branin), "hartmann6": (6, formulas.hartmann6)}
_MARGIN = 0.1


class UnknownFunction(Problem):
    """A function of real variables of which solvers learn nothing but values: the base of the test functions here.

    A model cannot answer from memory, since :meth:`describe` gives neither name nor formula.
    """

    space: Vector
    instance: int

    def evaluate(self, solution: Any) -> float:
        return float(self.evaluate_batch(self.space.pack([solution]))[0])

    @abstractmethod
    def evaluate_batch(self, columns: Columns) -> Floats: ...

    def describe(self) -> str:
        return (
            f"Find values of {', '.join(self.space.variables)} for which an unknown function of these real numbers "
            "is as small as possible."
        )

    def starts(self, rng: np.random.Generator) -> list[Any]:
        """Return five points, uniform in the box, drawn from the instance, whatever ``rng`` is."""
        return self.space.solutions(self.space.sample(5, generator("starts", self.instance)))


class NumericFunction(UnknownFunction):
    """A test function f of d real variables x1 .. xd, to be minimized.

    Instance 0 is the function as published. Instance K > 0 is f(x - s) on the same box, with a shift s that
    puts a known optimum (one of three for ``branin``) at a random place in the middle 80 % of the box in every
    variable. Where it is rotated too, it is f(R (x - p) + m), with that optimum m, its new place p and a random
    orthogonal R. All minima here hold over all of R^d, so neither changes the minimum or that it is one.
    Values are not changed, so that they stay comparable with the literature: to know that 0 is the best does not
    tell where.

    Parameters
    ----------
    name
        ``ackley``, ``branin``, ``hartmann6``, ``rastrigin``, ``rosenbrock``, ``sphere``, or ``rosenbrock-paper``, which
        is ``rosenbrock`` with a=20, b=1; formulas, boxes and sources are in :mod:`llmopt.problems.formulas`.
    dim
        The number of variables, up to 1,000; 2 by default. Fixed for ``branin`` (2), ``hartmann6`` (6) and a
        ``rosenbrock`` whose a is not 1 (2).
    a, b
        Of ``rosenbrock`` only: -1,000 to 1,000, and 1e-6 to 1e6; 1 and 100 by default.
    tolerance
        How far above the minimum the target lies, in units of the function's value, 1e-9 (above rounding) to 1e9.
    instance
        Which shift, rotation and start points, 0 to 10,000,000.
    rotated
        Whether instances K > 0 are rotated, so that no variable can be searched by itself. ``sphere`` stays what it
        is but for rounding, and one variable is reflected or left alone.

    Raises
    ------
    InvalidInput
        An argument is not legal.

    Examples
    --------
    >>> from llmopt.problems.functions import NumericFunction
    >>> NumericFunction("rosenbrock-paper").evaluate({"x1": 20.0, "x2": 400.0})
    0.0
    """

    def __init__(
        self,
        name: FunctionName,
        dim: int | None = None,
        a: float | None = None,
        b: float | None = None,
        tolerance: float = 0.01,
        instance: int = 0,
        rotated: bool = False,
    ) -> None:
        self.name = name
        self.instance = instance_number(instance)
        self.formula = _formula(name, dim, a, b)
        low, high = self.formula.box.T
        names = [f"x{i + 1}" for i in range(len(low))]
        self.space = Vector({x: Float(*bounds) for x, bounds in zip(names, self.formula.box.tolist(), strict=True)})
        family = name.removesuffix("-paper")
        rng = generator(f"shift of {family}", self.instance)
        minimizer = self.formula.minimizers[rng.integers(len(self.formula.minimizers)) if self.instance else 0]
        margin = _MARGIN * (high - low)
        place = rng.uniform(low + margin, high - margin) if self.instance else minimizer
        self.shift: Floats = place - minimizer
        self.rotation: Floats | None = None
        if rotated and self.instance:
            self.rotation = random_orthogonal(len(low), generator(f"rotation of {family}", self.instance))
        self._place, self._minimizer = place, minimizer
        solution = dict(zip(names, place.tolist(), strict=True))
        self.optimum = Optimum(self.formula.minimum, number("tolerance", tolerance, 1e-9), solution)

    def evaluate_batch(self, columns: Columns) -> Floats:
        points = np.stack([columns[name] for name in self.space.variables])
        if self.rotation is None:
            return self.formula.value(points - self.shift[:, None])
        # A product of matrices would add in an order that depends on the batch.
        turned = sum(axis[:, None] * x for axis, x in zip(self.rotation.T, points - self._place[:, None], strict=True))
        return self.formula.value(turned + self._minimizer[:, None])

    def identity(self) -> Mapping[str, Any]:
        return {} if self.rotation is None else {"rotated": True}


def random_orthogonal(dim: int, rng: np.random.Generator) -> Floats:
    """Return a random orthogonal matrix, shape (dim, dim), uniform over all of them (Haar measure).

    The factor Q of a normal matrix is uniform where the factor R has a positive diagonal, which LAPACK does not see to
    (Mezzadri, How to generate random matrices from the classical compact groups, Notices of the AMS 54, 2007).
    """
    q, r = np.linalg.qr(rng.standard_normal((dim, dim)))
    return np.asarray(q * np.sign(np.diag(r)))


def _formula(name: str, dim: int | None, a: float | None, b: float | None) -> Formula:
    if name not in get_args(FunctionName):
        raise unknown_name("function", str(name), get_args(FunctionName))
    if name != "rosenbrock" and (a is not None or b is not None):
        raise InvalidInput(f"function {name}: a and b are settings of rosenbrock only; leave them out")
    if name in _FIXED:
        fixed, build_fixed = _FIXED[name]
        _check_fixed(name, dim, fixed)
        return build_fixed()
    if name in _SCALABLE:
        return _SCALABLE[name](_dimension(dim, 1))
    default_a, default_b = (20.0, 1.0) if name == "rosenbrock-paper" else (1.0, 100.0)
    a = number("a", default_a if a is None else a, -1000, 1000)
    b = number("b", default_b if b is None else b, 1e-6, 1e6)
    if a != 1:
        _check_fixed(f"rosenbrock with a={a:g}", dim, 2)
    return formulas.rosenbrock(_dimension(dim, 2), a, b)


def _dimension(dim: int | None, low: int) -> int:
    return whole("dim", 2 if dim is None else dim, low, 1000)


def _check_fixed(name: str, dim: int | None, fixed: int) -> None:
    if dim is not None and whole("dim", dim, 1, 1000) != fixed:
        raise InvalidInput(f"function {name}: dim={dim} is not legal, since it has {fixed} variables; leave dim out")
