"""SciPy's local methods, restarted from the incumbent."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from typing import Any, ClassVar, Literal

import numpy as np
from scipy.optimize import minimize
from scipy.stats import ortho_group

from llmopt.baselines.scipy_routine import RelaxedObjective, Routine
from llmopt.space.relaxation import Points, Relaxation


class LocalRoutine(Routine):
    """A local search from the incumbent, restarted until the budget ends.

    A restart begins at the new incumbent; where the search before gained nothing, at the incumbent plus normal
    noise, whose standard deviation is one unit (a tenth of each range) the first time and doubles with every
    further fruitless search, up to the widest range. ``options`` are the pinned arguments.
    """

    method: ClassVar[Literal["Nelder-Mead", "Powell", "COBYQA"]]
    options: ClassVar[dict[str, Any]]

    def search(self, function: RelaxedObjective, rng: np.random.Generator) -> None:
        width = function.relaxation.width
        deviation = 0.0
        for restart in itertools.count():
            before = function.lowest
            start = function.incumbent(rng)
            if deviation:
                start = np.clip(start + deviation * rng.standard_normal(len(start)), 0.0, width)
            options: Any = {**self.options, **self.first_moves(start, function.relaxation, rng, restart)}
            minimize(function, start, method=self.method, bounds=function.bounds, options=options)
            gained = function.lowest < before
            deviation = 0.0 if gained else min(max(1.0, 2 * deviation), float(width.max()))

    @abstractmethod
    def first_moves(
        self, start: Points, relaxation: Relaxation, rng: np.random.Generator, restart: int
    ) -> dict[str, Any]:
        """Return the options that depend on the start point and on the grain of the space."""


class NelderMead(LocalRoutine):
    """The downhill simplex (Nelder and Mead 1965) of ``scipy.optimize.minimize``, with bounds.

    The first simplex has edges of one unit along the axes, with random signs. It ends when it is smaller than
    1e-8 units, or than half a step where every variable has steps.
    """

    method = "Nelder-Mead"
    options: ClassVar[dict[str, Any]] = {"adaptive": False, "fatol": 0.0}

    def first_moves(
        self, start: Points, relaxation: Relaxation, rng: np.random.Generator, restart: int
    ) -> dict[str, Any]:
        edges = rng.choice([-1.0, 1.0], len(start))
        outside = (start + edges < 0) | (start + edges > relaxation.width)
        simplex = np.vstack([start, start + np.diag(np.where(outside, -edges, edges))])
        return {"initial_simplex": simplex, "xatol": max(1e-8, relaxation.step.min() / 2)}


class Powell(LocalRoutine):
    """Powell's direction set method (Powell 1964) of ``scipy.optimize.minimize``, with bounds.

    Line searches span the whole box. The first directions are the axes; those of a restart are a random
    orthogonal frame.
    """

    method = "Powell"
    options: ClassVar[dict[str, Any]] = {"ftol": 1e-8}

    def first_moves(
        self, start: Points, relaxation: Relaxation, rng: np.random.Generator, restart: int
    ) -> dict[str, Any]:
        dimension = len(start)
        frame = ortho_group.rvs(dimension, random_state=rng) if restart and dimension > 1 else np.eye(dimension)
        return {"direc": frame, "xtol": max(1e-8, relaxation.step.min() / 2)}


class Cobyqa(LocalRoutine):
    """COBYQA (Ragonneau and Zhang 2023), a trust-region method on quadratic models, of ``scipy.optimize.minimize``.

    The first radius is one unit, the last one 1e-6 units, or half a step where every variable has steps.
    """

    method = "COBYQA"
    options: ClassVar[dict[str, Any]] = {"initial_tr_radius": 1.0, "scale": False}

    def first_moves(
        self, start: Points, relaxation: Relaxation, rng: np.random.Generator, restart: int
    ) -> dict[str, Any]:
        return {"final_tr_radius": max(1e-6, relaxation.step.min() / 2)}
