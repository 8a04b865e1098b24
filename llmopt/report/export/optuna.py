"""A study for each run in any storage of Optuna, such as optuna-dashboard shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from llmopt.errors import InvalidInput
from llmopt.history import OK, STATUSES
from llmopt.runlog import LoggedRun, LogReader
from llmopt.space import Categorical, Float, Int, Variable, Vector

if TYPE_CHECKING:
    from optuna.storages import BaseStorage


def export(reader: LogReader, runs: Sequence[LoggedRun], target: str) -> list[str]:
    """Add a study for each run and return their names.

    Numeric and categorical variables are parameters, tours and texts user attributes; step, status and reason too. An
    evaluation without a score is a failed trial.

    Parameters
    ----------
    target
        A storage URL, such as ``sqlite:///runs.db``; the path of an SQLite file, or of a journal where it ends in
        ``.log``.

    Raises
    ------
    InvalidInput
        The storage cannot be used, or holds a study of one of the runs.
    """
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        storage = _storage(target)
        known = set(optuna.get_all_study_names(storage))
        names = {
            run.id: f"{reader.folder.absolute().name}: {run.solver}, repeat {run.repeat}, run {run.id}" for run in runs
        }
        if twice := sorted(known & set(names.values())):
            raise InvalidInput(
                f"{target} holds the study {twice[0]!r} already; delete it there, or give another storage"
            )
        for run in runs:
            _add(reader, run, names[run.id], storage)
        return list(names.values())
    except InvalidInput:
        raise
    except Exception as error:
        # Whatever a storage is made of has errors of its own.
        raise InvalidInput(f"the storage {target} cannot be used: {' '.join(str(error).split())[:300]}") from None
    finally:
        optuna.logging.set_verbosity(verbosity)


def _storage(target: str) -> BaseStorage:
    if "://" in target:
        return optuna.storages.get_storage(target)
    if target.endswith(".log"):
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        return JournalStorage(JournalFileBackend(target))
    return optuna.storages.get_storage(f"sqlite:///{target}")


def _add(reader: LogReader, run: LoggedRun, name: str, storage: BaseStorage) -> None:
    study = optuna.create_study(study_name=name, storage=storage, direction="maximize" if run.maximize else "minimize")
    for key, value in (("problem", run.problem), ("solver", run.solver), ("seed", run.seed), ("state", run.state)):
        study.set_user_attr(key, value)
    outcome, space = reader.outcome(run), run.space
    scores = (-outcome.losses if run.maximize else outcome.losses) + 0.0
    distributions = {n: _distribution(v) for n, v in space.variables.items()} if isinstance(space, Vector) else {}
    trials = []
    for i, solution in enumerate(space.rows_to_json(outcome.columns)):
        attributes: dict[str, Any] = {"step": int(outcome.steps[i]), "status": STATUSES[outcome.status[i]]}
        if reason := outcome.reasons.get(i):
            attributes["reason"] = reason
        if not distributions:
            attributes["solution"] = solution
        scored = bool(outcome.status[i] == OK)
        trials.append(
            create_trial(
                state=TrialState.COMPLETE if scored else TrialState.FAIL,
                value=float(scores[i]) if scored else None,
                params={n: _value(distributions[n], solution[n]) for n in distributions},
                distributions=distributions,
                user_attrs=attributes,
            )
        )
    study.add_trials(trials)


def _distribution(variable: Variable) -> BaseDistribution:
    if isinstance(variable, Int):
        last = variable.low + (variable.size - 1) * variable.step
        return IntDistribution(variable.low, last, log=variable.log, step=variable.step)
    if isinstance(variable, Float):
        return FloatDistribution(variable.low, variable.high, log=variable.log)
    assert isinstance(variable, Categorical)
    choices = variable.choices
    # Optuna takes 1, 1.0 and True for one choice.
    distinct = all(a != b for i, a in enumerate(choices) for b in choices[:i])
    return CategoricalDistribution(choices if distinct else tuple(json.dumps(choice) for choice in choices))


def _value(distribution: BaseDistribution, value: Any) -> Any:
    if isinstance(distribution, CategoricalDistribution) and value not in distribution.choices:
        return json.dumps(value)
    return value
