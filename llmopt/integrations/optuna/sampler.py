"""Optuna's sampler interface in front of a language model."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self
from weakref import WeakKeyDictionary

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.storages import BaseStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from llmopt.budget import Budget
from llmopt.errors import InvalidInput
from llmopt.integrations.optuna.parameters import Parameter
from llmopt.integrations.optuna.search import Search
from llmopt.llm.base import LLM
from llmopt.llm.connect import connect
from llmopt.llm.ledger import Ledger
from llmopt.llm.terms import Models
from llmopt.opro import OPRO
from llmopt.space import Float, Vector


class LLMSampler(BaseSampler):
    """A sampler of Optuna whose proposals a language model writes, by :class:`llmopt.opro.OPRO`.

    The model reads the best finished trials and answers with several proposals, which the next trials take one by one;
    none is dropped, and none replaced. Parameters that always occur together are proposed together; those of a branch
    that only some trials take are proposed where a trial takes it, from the trials that took it. Parameters are drawn
    at random in the first trials, and where nothing in a round of replies can be read. What became of the replies is
    counted in a user attribute of the study, see :func:`llmopt.integrations.optuna.tally`.

    A failed or pruned trial is known but has no score. Constraints are ignored, with a warning. Several threads
    (``n_jobs``) share the proposals; several processes have a sampler each, which needs a seed of its own. A trial
    whose parameters were seen before is counted as a duplicate and evaluated again, as by Optuna's samplers.

    Parameters
    ----------
    llm
        A model, or its SPEC, see :func:`llmopt.llm.connect`. What the sampler opens, :meth:`close` closes.
    seed
        With the same seed and the same replies, trials that run one after another have the same parameters.
    n_startup_trials
        Trials with a score that come before the model is asked: 5, as in the paper.
    description
        The problem in words, for a chat.
    ledger
        Budgets of tokens, dollars and calls. Where the next call could exceed one, the trial fails with
        :class:`llmopt.llm.ledger.BudgetSpent`.
    opro
        Settings of :class:`llmopt.opro.OPRO`, such as ``samples`` (the proposals per round, 8), ``hint`` or
        ``temperature``.

    Raises
    ------
    InvalidInput
        A setting is not legal, or the model cannot do what it asks for. Later: the study has several objectives, or a
        distribution that cannot be written down.

    Examples
    --------
    >>> import optuna
    >>> from llmopt.integrations.optuna import LLMSampler
    >>> def objective(trial):
    ...     return (trial.suggest_float("x", -5, 5) - 2) ** 2
    >>> with LLMSampler("local", seed=0) as sampler:  # doctest: +SKIP
    ...     study = optuna.create_study(sampler=sampler)
    ...     study.optimize(objective, n_trials=50)
    """

    def __init__(
        self,
        llm: str | LLM = "local",
        seed: int | None = None,
        *,
        n_startup_trials: int = 5,
        description: str = "",
        ledger: Ledger | None = None,
        **opro: Any,
    ) -> None:
        _check_whole("n_startup_trials", n_startup_trials)
        if seed is not None:
            _check_whole("seed", seed)
        if not isinstance(llm, str | LLM):
            raise InvalidInput(f"llm must be a model or its SPEC, such as 'local', not a {type(llm).__name__}")
        if opro.get("serializer") == "path" or opro.get("codec") is not None:
            raise InvalidInput("trials are vectors: serializer='path' and a codec of one's own are for other spaces")
        self._settings: Mapping[str, Any] = opro
        self._startup = n_startup_trials
        self._description = description
        self._ledger = ledger or Ledger()
        self._rng = np.random.default_rng(seed)
        self._random = RandomSampler(seed=None if seed is None else seed % 2**32)
        self._lock = threading.Lock()
        self._searches: WeakKeyDictionary[BaseStorage, dict[int, Search]] = WeakKeyDictionary()
        self._warned = False
        self._open = ExitStack()
        with ExitStack() as opened:
            model = llm if isinstance(llm, LLM) else opened.enter_context(connect(llm))
            self._spec = model.info.spec
            self._llm = opened.enter_context(Models(ledger=self._ledger)).bind(model, "optimizer")
            self._solver().check(Vector(x=Float(0, 1)), Budget(steps=1))
            self._open = opened.pop_all()

    def __repr__(self) -> str:
        return f"LLMSampler({self._spec!r})"

    def waiting(self, study: Study) -> int:
        """Return the number of proposals for a study that no trial has taken yet."""
        with self._lock:
            return self._search(study).waiting

    def close(self) -> None:
        """Close the model, where it was given as a SPEC."""
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the parameters that all finished trials have."""
        with self._lock:
            return self._search(study).common(study)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return the model's values for the parameters that all finished trials have."""
        with self._lock:
            return self._search(study).together(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Return the model's value for a parameter that only some trials have, or a random one where the model is not
        asked."""
        with self._lock:
            found = self._search(study).alone(study, trial, param_name, param_distribution)
            if found:
                return found[param_name]
            # The first trial is where a distribution that the model could not be asked about is refused.
            Parameter(param_name, param_distribution)
            return self._random.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        """Count what became of the model's proposal."""
        with self._lock:
            self._search(study).after(study, trial, state)
            ignored = bool(trial.constraints) and not self._warned
            self._warned |= ignored
        if ignored:
            warnings.warn("LLMSampler ignores constraints: it shows the model infeasible trials too", stacklevel=2)

    def reseed_rng(self) -> None:
        """Reseed what is drawn at random; the threads of a study share the proposals, so that none come twice."""
        self._random.reseed_rng()

    def _search(self, study: Study) -> Search:
        if study._is_multi_objective():
            raise InvalidInput(
                "LLMSampler optimizes one objective and this study has several; use optuna.samplers.TPESampler or "
                "NSGAIISampler, or combine the objectives into one"
            )
        searches = self._searches.setdefault(study._storage, {})
        if study._study_id not in searches:
            searches[study._study_id] = Search(
                study,
                self._solver,
                lambda: int(self._rng.integers(2**31)),
                ledger=self._ledger,
                startup=self._startup,
                description=self._description,
                model=self._spec,
            )
        return searches[study._study_id]

    def _solver(self) -> OPRO:
        return OPRO(self._llm, **self._settings)


def _check_whole(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidInput(f"{name} must be a whole number of at least 0, not {value!r}")
