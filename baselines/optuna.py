"""Optuna's samplers, through its ask-and-tell interface and a study in memory."""

from __future__ import annotations

import importlib.util
import warnings
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler
from optuna.trial import Trial

from llmopt.baselines.works_on import works_on
from llmopt.budget import Budget
from llmopt.errors import MissingExtra
from llmopt.history import Evaluations
from llmopt.objective import Proposals
from llmopt.penalty import finite_losses
from llmopt.solver import AskTellSolver, Task
from llmopt.space import Categorical, Columns, Float, Int, Permutation, Space, Variable, Vector, length
from llmopt.space.permutation import COLUMN

Params = dict[str, Any]


class OptunaSampler(AskTellSolver):
    """A sampler of Optuna 5; it minimizes the loss in a study of its own.

    The start points are added to the study as finished trials. Whole numbers are Optuna's own (its CMA-ES, QMC
    and GP relax and round them), grids and whole numbers with a step are their index, choices stay choices.
    A permutation is n random keys in [0, 1] (Bean 1994): its entries in the order of their keys.
    Suggestions that are known are answered from the history and told like any other. A failed or infeasible
    evaluation is told as the worst loss so far (:func:`finite_losses`): Optuna would rank an infinity as a
    score, and forget a trial that failed.

    Parameters
    ----------
    batch
        Suggestions that are asked for before the first of them is told; 1 is Optuna's usual loop.
    """

    arguments: ClassVar[dict[str, Any]]
    packages: ClassVar[tuple[str, ...]] = ("optuna", "cmaes", "scipy")

    def __init__(self, batch: int = 1) -> None:
        super().__init__(batch)

    @abstractmethod
    def sampler(self, seed: int, best: Params | None) -> BaseSampler:
        """Return the sampler with every argument pinned; ``best`` is the best start point, if there is one."""

    def check(self, space: Space[Any], budget: Budget) -> None:
        if not isinstance(space, Permutation):
            works_on(Vector, space, self)

    def start(self, task: Task, rng: np.random.Generator) -> None:
        super().start(task, rng)
        assert isinstance(task.space, Vector | Permutation)
        self._space = task.space
        if isinstance(task.space, Permutation):
            keys = [FloatDistribution(0.0, 1.0) for _ in range(task.space.n)]
            self._distributions: dict[str, BaseDistribution] = {f"key{i}": key for i, key in enumerate(keys)}
        else:
            self._distributions = {name: _distribution(variable) for name, variable in task.space.variables.items()}
        self.study: optuna.Study | None = None
        self._trials: list[Trial] = []

    def ask(self, n: int) -> Proposals:
        assert self.study is not None
        self._trials = [self.study.ask(self._distributions) for _ in range(n)]
        return Proposals(_columns(self._space, [trial.params for trial in self._trials]))

    def tell(self, evaluations: Evaluations) -> None:
        losses = finite_losses(evaluations)
        if self.study is None:
            self.study = self._begin(evaluations, losses)
            return
        for trial, loss in zip(self._trials, losses, strict=True):
            self.study.tell(trial, float(loss))

    def _begin(self, starts: Evaluations, losses: NDArray[np.float64]) -> optuna.Study:
        known = _params(self._space, starts.columns)
        best = known[int(np.argmin(losses))] if known else None
        with warnings.catch_warnings():
            # Optuna says that QMC is experimental and that CMA-ES's x0 will move to a package of its own.
            warnings.filterwarnings("ignore", category=ExperimentalWarning)
            warnings.filterwarnings("ignore", category=FutureWarning)
            sampler = self.sampler(int(self.rng.integers(2**31)), best)
        verbosity = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            study = optuna.create_study(sampler=sampler, direction="minimize")
        finally:
            optuna.logging.set_verbosity(verbosity)
        for params, loss in zip(known, losses, strict=True):
            study.add_trial(
                optuna.trial.create_trial(params=params, distributions=self._distributions, value=float(loss))
            )
        return study


class TPE(OptunaSampler):
    """Tree-structured Parzen estimator (Bergstra et al. 2011), ``TPESampler``; multivariate, with constant liar."""

    arguments: ClassVar[dict[str, Any]] = {
        "n_startup_trials": 10,
        "n_ei_candidates": 24,
        "multivariate": True,
        "group": False,
        "constant_liar": True,
    }

    def sampler(self, seed: int, best: Params | None) -> BaseSampler:
        return optuna.samplers.TPESampler(seed=seed, **self.arguments)


class CmaEs(OptunaSampler):
    """CMA-ES (Hansen and Ostermeier 2001), ``CmaEsSampler`` on the package cmaes.

    The first mean is the incumbent, the first step size a sixth of each range. Choices are drawn at random.
    """

    arguments: ClassVar[dict[str, Any]] = {
        "sigma0": 1 / 6,
        "n_startup_trials": 1,
        "popsize": None,
        "use_separable_cma": False,
        "with_margin": False,
        "lr_adapt": False,
        "consider_pruned_trials": False,
        "warn_independent_sampling": False,
    }

    def sampler(self, seed: int, best: Params | None) -> BaseSampler:
        return optuna.samplers.CmaEsSampler(
            seed=seed, x0=best, independent_sampler=optuna.samplers.RandomSampler(seed=seed), **self.arguments
        )


class QMC(OptunaSampler):
    """Quasi-random search along a scrambled Sobol sequence, ``QMCSampler``; it learns nothing from losses."""

    arguments: ClassVar[dict[str, Any]] = {
        "qmc_type": "sobol",
        "scramble": True,
        "warn_asynchronous_seeding": False,
        "warn_independent_sampling": False,
    }

    def sampler(self, seed: int, best: Params | None) -> BaseSampler:
        return optuna.samplers.QMCSampler(
            seed=seed, independent_sampler=optuna.samplers.RandomSampler(seed=seed), **self.arguments
        )


class GP(OptunaSampler):
    """Bayesian optimization with a Gaussian process and log expected improvement, ``GPSampler``.

    Needs PyTorch; with greenlet, too, Optuna searches the acquisition function faster.

    Raises
    ------
    MissingExtra
        PyTorch, on which Optuna's process stands, is not installed.
    """

    arguments: ClassVar[dict[str, Any]] = {
        "n_startup_trials": 10,
        "deterministic_objective": False,
        "warn_independent_sampling": False,
    }

    def __init__(self, batch: int = 1) -> None:
        super().__init__(batch)
        if importlib.util.find_spec("torch") is None:
            raise MissingExtra("gp needs PyTorch, which is not installed; run: pip install torch greenlet")

    def sampler(self, seed: int, best: Params | None) -> BaseSampler:
        return optuna.samplers.GPSampler(
            seed=seed, independent_sampler=optuna.samplers.RandomSampler(seed=seed), **self.arguments
        )


class OptunaRandom(OptunaSampler):
    """Uniform random search with replacement, ``RandomSampler``; the yardstick of this adapter's own cost."""

    arguments: ClassVar[dict[str, Any]] = {}

    def sampler(self, seed: int, best: Params | None) -> BaseSampler:
        return optuna.samplers.RandomSampler(seed=seed)


def _distribution(variable: Variable) -> BaseDistribution:
    if isinstance(variable, Categorical):
        return CategoricalDistribution(tuple(range(len(variable.choices))))
    if isinstance(variable, Int) and variable.log:
        return IntDistribution(variable.low, variable.high, log=True)
    if isinstance(variable, Float) and variable.size is None:
        return FloatDistribution(variable.low, variable.high, log=variable.log)
    assert variable.size is not None
    return IntDistribution(0, variable.size - 1)


def _is_index(variable: Variable) -> bool:
    return variable.size is not None and not (isinstance(variable, Int) and variable.log)


def _params(space: Vector | Permutation, columns: Columns) -> list[Params]:
    if isinstance(space, Permutation):
        keys = (np.argsort(columns[COLUMN], axis=1) + 0.5) / space.n
        return [{f"key{i}": key for i, key in enumerate(row)} for row in keys.tolist()]
    internal = {n: v.index(columns[n]) if _is_index(v) else columns[n] for n, v in space.variables.items()}
    return [{name: values[i].item() for name, values in internal.items()} for i in range(length(columns))]


def _columns(space: Vector | Permutation, params: Sequence[Params]) -> Columns:
    if isinstance(space, Permutation):
        keys = np.array([[p[f"key{i}"] for i in range(space.n)] for p in params])
        return {COLUMN: np.argsort(keys, axis=1, kind="stable").astype(np.int32)}
    columns: Columns = {}
    for name, variable in space.variables.items():
        internal = [p[name] for p in params]
        if _is_index(variable):
            columns[name] = variable.at(np.array(internal, dtype=np.int64))
        else:
            columns[name] = np.array(internal, dtype=variable.dtype)
    return columns
