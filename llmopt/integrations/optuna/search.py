"""What a sampler knows of one study, and which proposals its trials are given."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from llmopt.integrations.optuna.counts import PREFIX, Counts
from llmopt.integrations.optuna.groups import Group, Groups, Item, item
from llmopt.integrations.optuna.parameters import Params
from llmopt.integrations.optuna.proposer import Proposer
from llmopt.llm.ledger import Ledger
from llmopt.opro import OPRO

_logger = optuna.logging.get_logger(__name__)

_RANDOM = object()
"""In place of a value: the parameter is drawn at random."""


class Search:
    """One study as a sampler sees it; not safe for several threads at once.

    Parameters
    ----------
    study
        The study.
    solver
        Makes a solver for one set of parameters.
    seed
        Gives the next seed.
    ledger
        The sampler's account.
    startup
        So many trials with a score come before the model is asked for a set of parameters.
    description
        The problem in words.
    model
        The model's SPEC, for the counts.
    """

    def __init__(
        self,
        study: Study,
        solver: Callable[[], OPRO],
        seed: Callable[[], int],
        *,
        ledger: Ledger,
        startup: int,
        description: str,
        model: str,
    ) -> None:
        self.counts = Counts(models=[model])
        self._new_solver = solver
        self._new_seed = seed
        self._ledger = ledger
        self._startup = startup
        self._maximize = study.direction == StudyDirection.MAXIMIZE
        goal = "largest" if self._maximize else "smallest"
        self._description = description or f"Find the parameters with the {goal} value of an unknown function."
        self._attribute = f"{PREFIX}{uuid.uuid4().hex[:8]}"
        self._groups = Groups()
        self._proposers: dict[Group, Proposer] = {}
        self._finished: list[FrozenTrial] = []
        self._numbers: set[int] = set()
        self._prefix = 0
        self._known: set[frozenset[tuple[str, str]]] = set()
        self._given: dict[int, dict[Item, Any]] = {}

    @property
    def waiting(self) -> int:
        """The number of proposals that no trial has taken yet."""
        return sum(len(proposer.waiting) for proposer in self._proposers.values())

    def common(self, study: Study) -> dict[str, BaseDistribution]:
        """Return the parameters that every finished trial had."""
        self._update(study)
        return self._groups.common()

    def together(self, study: Study, trial: FrozenTrial, space: Mapping[str, BaseDistribution]) -> Params:
        """Return the model's values of a trial for some parameters; those are left out that it is not asked for."""
        items = frozenset(item(name, distribution) for name, distribution in space.items())
        given = self._give(study, trial, items)
        return {each[0]: given[each] for each in sorted(items) if given.get(each, _RANDOM) is not _RANDOM}

    def alone(self, study: Study, trial: FrozenTrial, name: str, distribution: BaseDistribution) -> Params:
        """Return the model's value of a trial for one parameter, which is proposed with all that occur beside it; empty
        where the model is not asked for it."""
        own = item(name, distribution)
        given = self._given.get(trial.number, {})
        if own not in given:
            given = self._give(study, trial, self._groups.of(own))
        value = given.get(own, _RANDOM)
        return {} if value is _RANDOM else {name: value}

    def _give(self, study: Study, trial: FrozenTrial, items: Group) -> dict[Item, Any]:
        """Give a trial a proposal for those of some parameters that are known, and return all that it was given."""
        given = self._given.setdefault(trial.number, {})
        missing = items.difference(given)
        if not self._waits(missing):
            self._update(study)
        for part in self._groups.parts(missing):
            proposer = self._proposer(part)
            if not proposer.waiting:
                self._ask(study, trial, proposer, part)
            params = proposer.waiting.popleft() if proposer.waiting else {}
            given.update({each: params.get(each[0], _RANDOM) for each in part})
        return given

    def _waits(self, items: Group) -> bool:
        parts = self._groups.parts(items)
        waiting = all(part in self._proposers and self._proposers[part].waiting for part in parts)
        return waiting and items == frozenset().union(*parts)

    def _proposer(self, items: Group) -> Proposer:
        if items not in self._proposers:
            self._proposers[items] = Proposer(
                self._groups.distributions(items),
                self._new_solver(),
                self._maximize,
                self._description,
                self._new_seed(),
            )
        return self._proposers[items]

    def _ask(self, study: Study, trial: FrozenTrial, proposer: Proposer, items: Group) -> None:
        proposer.learn(self._finished)
        if proposer.scored < self._startup:
            return
        # A part of a trial may come again beside another rest.
        whole = self._groups.single and self._groups.of(next(iter(items))) == items
        proposals = proposer.ask(whole)
        counts = self.counts
        counts.steps += 1
        counts.proposals += len(proposer.waiting)
        counts.invalid.update(proposals.invalid)
        counts.repeated += proposals.repeated
        if not proposer.waiting:
            counts.random += 1
            reasons = ", ".join(sorted(set(proposals.invalid)))
            _logger.warning(
                f"The model's replies for trial {trial.number} cannot be read ({reasons}); its parameters are drawn at "
                "random, and this is counted in the study's user attributes."
            )
        self._write(study)

    def after(self, study: Study, trial: FrozenTrial, state: TrialState) -> None:
        """Take note of what a trial made of what it was given."""
        given = self._given.pop(trial.number, {})
        of_model = {(name, repr(value)) for (name, _), value in given.items() if value is not _RANDOM}
        key = _key(trial)
        repeated = bool(of_model) and key in self._known
        altered = state != TrialState.FAIL and not of_model <= key
        self._known.add(key)
        self.counts.duplicates += repeated
        self.counts.altered += altered
        if repeated or altered:
            self._write(study)

    def _update(self, study: Study) -> None:
        # Not study.get_trials, which hides trials of other brackets of Hyperband.
        trials = study._storage.get_all_trials(study._study_id, deepcopy=False)
        while self._prefix < len(trials) and trials[self._prefix].number in self._numbers:
            self._prefix += 1
        new = [t for t in trials[self._prefix :] if t.state.is_finished() and t.number not in self._numbers]
        if not new:
            return
        self._finished += new
        for trial in new:
            self._numbers.add(trial.number)
            self._known.add(_key(trial))
            # One that failed may have ended before it had all of its parameters.
            if trial.state != TrialState.FAIL:
                self._groups.add(trial.distributions)
        self._split()

    def _split(self) -> None:
        """Pass the proposals that wait for parameters which no longer occur together on to their parts."""
        for items, proposer in list(self._proposers.items()):
            parts = self._groups.parts(items)
            if len(parts) == 1:
                continue
            del self._proposers[items]
            for part in parts:
                shares = ({name: params[name] for name, _ in part} for params in proposer.waiting)
                self._proposer(part).waiting.extend(shares)

    def _write(self, study: Study) -> None:
        spent = self._ledger.total()
        self.counts.prompt_tokens, self.counts.completion_tokens = spent.prompt_tokens, spent.completion_tokens
        # Not study.set_user_attr, which a bracket of Hyperband does not have.
        study._storage.set_study_user_attr(study._study_id, self._attribute, self.counts.attribute())


def _key(trial: FrozenTrial) -> frozenset[tuple[str, str]]:
    return frozenset((name, repr(value)) for name, value in trial.params.items())
