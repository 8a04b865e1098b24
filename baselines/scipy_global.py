"""SciPy's global methods."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from scipy.stats import qmc

from llmopt.baselines.scipy_routine import RelaxedObjective, Routine
from llmopt.budget import Budget
from llmopt.errors import InvalidInput
from llmopt.space import Space, Vector


def local_method(function: RelaxedObjective) -> Any:
    """Return the local search of basin hopping and SHGO: L-BFGS-B with finite differences, or COBYQA where a
    variable has steps, since the differences of a rounded function are zero."""
    relaxation = function.relaxation
    if not relaxation.step.any():
        return {"method": "L-BFGS-B", "bounds": function.bounds}
    options = {"initial_tr_radius": 1.0, "final_tr_radius": max(1e-6, relaxation.step.min() / 2)}
    return {"method": "COBYQA", "bounds": function.bounds, "options": options}


class DifferentialEvolution(Routine):
    """Differential evolution (Storn and Price 1997), ``scipy.optimize.differential_evolution``.

    One generation is one step (``updating="deferred"``). The first population holds the best start points,
    filled up by a Latin hypercube; after convergence a new one holds the incumbent. No polishing, which would
    differentiate a function with steps.
    """

    arguments: ClassVar[dict[str, Any]] = {
        "strategy": "best1bin",
        "mutation": (0.5, 1.0),
        "recombination": 0.7,
        "tol": 0.01,
        "atol": 0.0,
        "maxiter": 1000,
        "polish": False,
        "updating": "deferred",
        "vectorized": True,
    }
    population_per_variable = 15

    def search(self, function: RelaxedObjective, rng: np.random.Generator) -> None:
        def generation(points: Any) -> Any:
            return function.batch(points.T)

        width = function.relaxation.width
        size = max(5, self.population_per_variable * len(width))
        known = size
        while True:
            population = qmc.LatinHypercube(len(width), rng=rng).random(size) * width
            seeds = function.best(known)
            population[: len(seeds)] = seeds
            optimize.differential_evolution(
                generation,
                function.bounds,
                init=population,
                rng=rng,
                **self.arguments,
            )
            known = 1


class DualAnnealing(Routine):
    """Generalized simulated annealing with local searches (Xiang et al. 1997), ``scipy.optimize.dual_annealing``.

    Starts at the incumbent, again after each 1,000 iterations. Its local search is SciPy's own, L-BFGS-B, which
    finds no slope, and so costs nothing, where variables have steps.
    """

    arguments: ClassVar[dict[str, Any]] = {
        "maxiter": 1000,
        "initial_temp": 5230.0,
        "restart_temp_ratio": 2e-5,
        "visit": 2.62,
        "accept": -5.0,
        "maxfun": 10**9,
        "no_local_search": False,
    }

    def search(self, function: RelaxedObjective, rng: np.random.Generator) -> None:
        while True:
            optimize.dual_annealing(function, function.bounds, x0=function.incumbent(rng), rng=rng, **self.arguments)


class Direct(Routine):
    """Dividing rectangles (Jones et al. 1993; locally biased, Gablonsky and Kelley 2001), ``scipy.optimize.direct``.

    Deterministic and without start points: those are evaluated, as for every solver, but steer nothing. Before
    SciPy 1.17.1 an exception did not end it.
    """

    arguments: ClassVar[dict[str, Any]] = {
        "eps": 1e-4,
        "locally_biased": True,
        "maxiter": 10**6,
        "vol_tol": 0.0,
        "len_tol": 0.0,
    }

    def search(self, function: RelaxedObjective, rng: np.random.Generator) -> None:
        optimize.direct(function, function.bounds, maxfun=10**6, **self.arguments)


class Shgo(Routine):
    """Simplicial homology global optimization (Endres et al. 2018), ``scipy.optimize.shgo``.

    Samples come from a scrambled Sobol sequence, 32 a round with a new scrambling each, then local searches
    start from the minimizers of the sample's triangulation. It takes no start points. Refused beyond 10
    variables, where triangulating takes minutes.
    """

    samples = 32
    largest_dimension = 10

    def check(self, space: Space[Any], budget: Budget) -> None:
        super().check(space, budget)
        assert isinstance(space, Vector)
        if len(space.variables) > self.largest_dimension:
            raise InvalidInput(
                f"shgo triangulates its samples, which takes too long for {len(space.variables)} variables; "
                f"use at most {self.largest_dimension}, or direct"
            )

    def search(self, function: RelaxedObjective, rng: np.random.Generator) -> None:
        def sobol(n: int, d: int) -> NDArray[np.float64]:
            return qmc.Sobol(d, scramble=True, rng=rng).random(n)

        while True:
            optimize.shgo(
                function,
                function.bounds,
                n=self.samples,
                iters=1,
                sampling_method=sobol,
                minimizer_kwargs=local_method(function),
            )


class BasinHopping(Routine):
    """Basin hopping (Wales and Doye 1997), ``scipy.optimize.basinhopping``.

    Starts at the incumbent, again after each 100 hops; a hop is uniform within one unit (a tenth of each range)
    to begin with and adapts. Local searches as in SHGO.
    """

    arguments: ClassVar[dict[str, Any]] = {
        "niter": 100,
        "T": 1.0,
        "stepsize": 1.0,
        "interval": 50,
        "target_accept_rate": 0.5,
        "stepwise_factor": 0.9,
    }

    def search(self, function: RelaxedObjective, rng: np.random.Generator) -> None:
        while True:
            optimize.basinhopping(
                function,
                function.incumbent(rng),
                minimizer_kwargs=local_method(function),
                rng=rng,
                **self.arguments,
            )
