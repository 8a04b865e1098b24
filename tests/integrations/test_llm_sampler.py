"""LLMSampler: what Optuna's trials are given, and what the study tells about it."""

from __future__ import annotations

import itertools
import json
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import optuna
import pytest
from optuna.samplers import PartialFixedSampler
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from llmopt.errors import InvalidInput, ModelError
from llmopt.integrations.optuna import LLMSampler, tally
from llmopt.llm.base import Capabilities, Request
from llmopt.llm.copier import Copier
from llmopt.llm.ledger import BudgetSpent, Ledger
from llmopt.llm.local import LocalLLM
from support.models import FunctionLLM, obedient

CHAT = Capabilities(chat=True)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    yield
    optuna.logging.set_verbosity(before)


def sphere(trial: optuna.Trial) -> float:
    x = trial.suggest_float("x", -5, 5)
    return (x - 1) ** 2 + trial.suggest_int("n", 1, 9)


def branches(trial: optuna.Trial) -> float:
    rate = trial.suggest_float("rate", 1e-5, 1e-1, log=True)
    if trial.suggest_categorical("kind", ["svm", "forest"]) == "svm":
        return rate + trial.suggest_float("C", 0.1, 10) + trial.suggest_float("gamma", 0, 1)
    return rate + trial.suggest_int("depth", 1, 20)


def counting() -> FunctionLLM:
    """A chat whose proposals are x=0.001, x=0.002, ..., so that every one can be told from the others."""
    numbers = itertools.count(1)
    return FunctionLLM(lambda request, i: f"[x={next(numbers) / 1000:.3f}, n=3]", CHAT)


def text(request: Request) -> str:
    return request.prompt if isinstance(request.prompt, str) else request.prompt[-1].content


def names(request: Request) -> set[str]:
    """The parameters that a chat is asked for."""
    return set(re.findall(r"(\w+)=\.\.\.", text(request)))


def xs(study: optuna.Study) -> list[float]:
    return [trial.params["x"] for trial in study.trials]


def test_every_proposal_becomes_a_trial_in_order_and_none_is_replaced() -> None:
    llm = counting()
    sampler = LLMSampler(llm, seed=0, samples=8)
    study = optuna.create_study(sampler=sampler)
    study.optimize(sphere, n_trials=5 + 20)
    assert xs(study)[5:] == [round(i / 1000, 3) for i in range(1, 21)]
    assert len(llm.requests) == 3
    counts = tally(study)
    assert (counts.steps, counts.proposals, counts.duplicates, counts.random) == (3, 24, 0, 0)
    assert sampler.waiting(study) == 4


def test_what_waits_is_taken_by_the_trials_of_a_later_call() -> None:
    study = optuna.create_study(sampler=LLMSampler(counting(), seed=0))
    for _ in range(3):
        study.optimize(sphere, n_trials=4)
    trial = study.ask()
    trial.suggest_float("x", -5, 5)
    assert trial.params["x"] == 0.008


def test_the_model_reads_the_best_trials_in_the_sign_of_the_study() -> None:
    llm = counting()
    study = optuna.create_study(direction="maximize", sampler=LLMSampler(llm, seed=0, description="Brew tea."))
    study.optimize(sphere, n_trials=6)
    prompt = text(llm.requests[0])
    assert prompt.startswith("Brew tea.")
    shown = [float(score) for score in re.findall(r"score: (-?[\d.]+)", prompt)]
    assert shown == sorted(shown) and len(shown) == 5
    assert shown[-1] == pytest.approx(max(trial.value or 0.0 for trial in study.trials[:5]), abs=1)


@pytest.mark.parametrize("objective", [sphere, branches])
def test_the_same_seed_and_the_same_replies_give_the_same_trials(objective: Callable[[optuna.Trial], float]) -> None:
    def params(seed: int) -> list[object]:
        study = optuna.create_study(sampler=LLMSampler(obedient(), seed=seed))
        study.optimize(objective, n_trials=20)
        return [trial.params for trial in study.trials]

    assert params(0) == params(0)
    assert params(0)[0] != params(1)[0] and params(0)[-1] != params(1)[-1]


def test_the_parameters_of_a_branch_are_proposed_together_and_only_where_it_is_taken() -> None:
    llm = FunctionLLM(
        lambda request, i: "[" + ", ".join(f"{n}={ANSWERS[n][(request.seed or i) % 2]}" for n in names(request)) + "]",
        Capabilities(chat=True, seed=True),
    )
    study = optuna.create_study(sampler=LLMSampler(llm, seed=0))
    study.optimize(branches, n_trials=40)
    assert {frozenset(names(request)) for request in llm.requests} == {
        frozenset({"rate", "kind"}),
        frozenset({"C", "gamma"}),
        frozenset({"depth"}),
    }
    svm = [request for request in llm.requests if "gamma" in names(request)]
    assert "depth" not in text(svm[0]) and text(svm[0]).count("] score:") == 5
    for trial in study.trials[20:]:
        assert all(str(value) in ANSWERS[name] for name, value in trial.params.items())


ANSWERS = {"rate": ("0.01", "0.02"), "kind": ("svm", "forest"), "C": ("2.5", "3.5"), "gamma": ("0.25", "0.75"),
           "depth": ("4", "7")}  # fmt: skip


def test_proposals_that_wait_are_divided_when_their_parameters_part() -> None:
    numbers = itertools.count(1)
    llm = FunctionLLM(lambda request, i: f"[x={next(numbers) / 1000:.3f}, y=0.5]", CHAT)
    sampler = LLMSampler(llm, seed=0, n_startup_trials=1)
    study = optuna.create_study(sampler=sampler)

    def objective(trial: optuna.Trial) -> float:
        x = trial.suggest_float("x", 0, 1)
        return x + (0.0 if trial.number == 3 else trial.suggest_float("y", 0, 1))

    study.optimize(objective, n_trials=9)
    assert xs(study)[1:] == [round(i / 1000, 3) for i in range(1, 9)]
    assert len(llm.requests) == 1
    assert [trial.params["y"] for trial in study.trials[1:] if trial.number != 3] == [0.5] * 7
    assert sampler.waiting(study) == 0
    # Trial 3 was given a y that it did not ask for.
    assert (tally(study).proposals, tally(study).altered) == (8, 1)


def test_a_range_that_changes_is_another_parameter() -> None:
    study = optuna.create_study(sampler=LLMSampler(obedient(), seed=0, n_startup_trials=2))
    for high in (1, 20, 3):
        study.optimize(lambda trial, high=high: trial.suggest_float("x", 0, high), n_trials=12)  # type: ignore[misc]
        assert all(0 <= x <= high for x in xs(study)[-12:])


def test_a_fixed_parameter_is_left_to_the_user() -> None:
    llm = FunctionLLM(lambda request, i: f"[x=0.{request.n}{i}]" if names(request) == {"x"} else "[]", CHAT)
    sampler = LLMSampler(llm, seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study = optuna.create_study(sampler=PartialFixedSampler({"n": 4}, sampler))
    study.optimize(sphere, n_trials=10)
    assert {trial.params["n"] for trial in study.trials} == {4}
    assert xs(study)[5:] == [0.80, 0.81, 0.82, 0.83, 0.84]


@pytest.mark.parametrize("n_jobs", [2, 4])
def test_threads_share_the_proposals_and_none_comes_twice(n_jobs: int) -> None:
    llm = counting()
    sampler = LLMSampler(llm, seed=0)
    study = optuna.create_study(sampler=sampler)
    study.optimize(sphere, n_trials=40, n_jobs=n_jobs)
    of_model = [x for x in xs(study) if round(x, 3) == x]
    assert sorted(of_model) == [round(i / 1000, 3) for i in range(1, len(of_model) + 1)]
    assert len(of_model) >= 40 - 5 - n_jobs
    assert tally(study).proposals == len(of_model) + sampler.waiting(study)


@pytest.mark.parametrize("kind", ["sqlite", "journal"])
def test_a_stored_study_goes_on_where_it_ended_with_another_sampler(kind: str, tmp_path: Path) -> None:
    def load(sampler: LLMSampler) -> optuna.Study:
        storage: optuna.storages.BaseStorage | str = f"sqlite:///{tmp_path / 'study.db'}"
        if kind == "journal":
            file = JournalFileBackend(str(tmp_path / "journal.log"))
            storage = optuna.storages.JournalStorage(file)
        return optuna.create_study(study_name="tea", storage=storage, sampler=sampler, load_if_exists=True)

    load(LLMSampler(obedient(), seed=0)).optimize(sphere, n_trials=7)
    llm = obedient(Capabilities(chat=True, grammar=True))
    study = load(LLMSampler(llm, seed=1))
    study.optimize(sphere, n_trials=2)
    assert text(llm.requests[0]).count("] score:") == 7
    assert len({repr(trial.params) for trial in study.trials}) == 9
    attributes = [value for name, value in study.user_attrs.items() if name.startswith("llm_sampler:")]
    assert len(attributes) == 2
    assert tally(study).proposals == sum(attribute["proposals"] for attribute in attributes)


def test_failed_and_pruned_trials_are_known_but_have_no_score() -> None:
    llm = obedient(Capabilities(chat=True, grammar=True, seed=True))
    study = optuna.create_study(sampler=LLMSampler(llm, seed=0, n_startup_trials=1))

    def objective(trial: optuna.Trial) -> float:
        x = trial.suggest_int("x", 0, 99)
        if trial.number % 5 == 1:
            raise optuna.TrialPruned
        if trial.number % 5 == 2:
            raise ValueError("broken")
        return (0.5 * x, x, x, float("inf"), float("nan"))[trial.number % 5]

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study.optimize(objective, n_trials=33, catch=(ValueError,))
    states = Counter(trial.state for trial in study.trials)
    assert states == {TrialState.COMPLETE: 13, TrialState.PRUNED: 7, TrialState.FAIL: 13}
    # The fourth round is asked for by trial 25, when five had a finite value.
    assert text(llm.requests[3]).count("] score:") == 5
    # What is asked for is new, also beside the trials without a score.
    for first in (1, 9, 17, 25):
        assert not {*xs(study)[first : first + 8]} & {*xs(study)[:first]}


def test_a_pruner_with_brackets_is_served_from_all_trials() -> None:
    study = optuna.create_study(
        sampler=LLMSampler(obedient(), seed=0), pruner=optuna.pruners.HyperbandPruner(max_resource=9)
    )

    def objective(trial: optuna.Trial) -> float:
        x = trial.suggest_float("x", 0, 1)
        for step in range(9):
            trial.report(x + 1 / (step + 1), step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return x

    study.optimize(objective, n_trials=40)
    assert tally(study).proposals >= 24


def test_repeated_trials_are_counted() -> None:
    llm = FunctionLLM(lambda request, i: "[x=0.5, n=3]", CHAT)
    study = optuna.create_study(sampler=LLMSampler(llm, seed=0))
    study.optimize(sphere, n_trials=15)
    assert tally(study).duplicates == 9
    assert xs(study)[5:] == [0.5] * 10


def test_known_proposals_in_place_of_which_others_were_asked_for_are_counted() -> None:
    copier = Copier(whole=True)
    study = optuna.create_study(sampler=LLMSampler(copier, seed=0, serializer="moves"))
    study.optimize(lambda trial: sum(trial.suggest_int(name, 0, 4) ** 2 for name in "ab"), n_trials=25)
    counts = tally(study)
    assert counts.repeated > 0 and counts.proposals <= 8 * counts.steps


def test_a_trial_that_the_user_repeats_is_no_duplicate() -> None:
    study = optuna.create_study(sampler=LLMSampler(counting(), seed=0))
    for _ in range(3):
        study.enqueue_trial({"x": 0.5, "n": 3})
    study.optimize(sphere, n_trials=10)
    assert tally(study).duplicates == 0


def test_a_proposal_of_which_the_user_fixes_a_part_is_counted() -> None:
    study = optuna.create_study(sampler=LLMSampler(counting(), seed=0))
    study.optimize(sphere, n_trials=6)
    study.enqueue_trial({"n": 8})
    study.optimize(sphere, n_trials=2)
    assert [trial.params["x"] for trial in study.trials[5:]] == [0.001, 0.002, 0.003]
    assert [trial.params["n"] for trial in study.trials[5:]] == [3, 8, 3]
    assert tally(study).altered == 1


def test_an_enqueued_value_outside_its_range_is_not_shown() -> None:
    llm = counting()
    study = optuna.create_study(sampler=LLMSampler(llm, seed=0))
    study.enqueue_trial({"x": 77.0, "n": 3})
    with pytest.warns(UserWarning, match="out of range"):
        study.optimize(sphere, n_trials=10)
    assert "77" not in text(llm.requests[0])


def test_replies_that_cannot_be_read_are_counted_and_the_random_trials_too(caplog: pytest.LogCaptureFixture) -> None:
    optuna.logging.enable_propagation()
    llm = FunctionLLM(lambda request, i: "[x=0.25, n=3]" if i == 0 else "SECRET words of the model", CHAT)
    study = optuna.create_study(sampler=LLMSampler(llm, seed=0, samples=4))
    study.optimize(sphere, n_trials=7)
    assert tally(study).invalid == {"no solution in the reply": 6}
    assert tally(study).random == 0
    llm = FunctionLLM(lambda request, i: "SECRET words of the model", CHAT)
    study = optuna.create_study(sampler=LLMSampler(llm, seed=0, samples=4, retries=1))
    study.optimize(sphere, n_trials=7)
    counts = tally(study)
    assert (counts.proposals, counts.random, counts.invalid.total()) == (0, 2, 2 * 4 * 2)
    assert len([record for record in caplog.records if "at random" in record.message]) == 2
    assert "SECRET" not in caplog.text + json.dumps(study.user_attrs)
    optuna.logging.disable_propagation()


def test_constraints_are_ignored_with_one_warning() -> None:
    study = optuna.create_study(sampler=LLMSampler(counting(), seed=0))

    def objective(trial: optuna.Trial) -> float:
        trial.set_constraint("dry", 1.0)
        return sphere(trial)

    with pytest.warns(UserWarning, match="ignores constraints") as found:
        study.optimize(objective, n_trials=8)
    assert len(found) == 1
    assert len(study.trials) == 8


def test_several_objectives_are_refused() -> None:
    study = optuna.create_study(directions=["minimize", "minimize"], sampler=LLMSampler(counting()))
    with pytest.raises(InvalidInput, match="one objective"):
        study.optimize(lambda trial: (trial.suggest_float("x", 0, 1), 0.0), n_trials=1)


def test_a_budget_ends_the_study_with_what_it_has() -> None:
    study = optuna.create_study(sampler=LLMSampler(counting(), seed=0, ledger=Ledger(max_calls=8)))
    with pytest.raises(BudgetSpent, match="budget of 8 calls"):
        study.optimize(sphere, n_trials=100)
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * 13 + [TrialState.FAIL]


def test_a_model_that_fails_fails_the_trial() -> None:
    def broken(request: Request, i: int) -> str:
        raise OSError("gone")

    study = optuna.create_study(sampler=LLMSampler(FunctionLLM(broken), seed=0))
    with pytest.raises(ModelError, match="gone"):
        study.optimize(sphere, n_trials=100)
    study.optimize(sphere, n_trials=3, catch=(ModelError,))
    assert Counter(trial.state for trial in study.trials) == {TrialState.COMPLETE: 5, TrialState.FAIL: 4}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"llm": "nothing:x"}, "unknown model"),
        ({"llm": 5}, "its SPEC"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"seed": "a"}, "seed must be a whole number"),
        ({"n_startup_trials": -1}, "n_startup_trials must be"),
        ({"samples": 0}, "samples must be"),
        ({"serializer": "path"}, "trials are vectors"),
        ({"serializer": "continuation", "llm": FunctionLLM(lambda r, i: "", CHAT)}, "cannot continue a text"),
    ],
)
def test_what_is_not_legal_is_refused_at_once(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        LLMSampler(**{"llm": obedient(), **arguments})  # type: ignore[arg-type]


def test_a_range_that_cannot_be_written_is_refused_in_the_first_trial() -> None:
    study = optuna.create_study(sampler=LLMSampler(obedient()))
    with pytest.raises(InvalidInput, match=r"parameter 'big': .*2\*\*53"):
        study.optimize(lambda trial: trial.suggest_int("big", 0, 2**60), n_trials=1)


def test_no_key_is_shown_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-verysecret")
    with LLMSampler("openai:gpt-5-mini", seed=0) as sampler:
        study = optuna.create_study(sampler=sampler)
        study.optimize(sphere, n_trials=2)
        assert repr(sampler) == "LLMSampler('openai:gpt-5-mini')"
        assert "verysecret" not in f"{sampler!r} {sampler} {vars(sampler)} {study.user_attrs} {study.trials}"


def test_a_sampler_closes_the_model_that_it_opened_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []

    class Closing(FunctionLLM):
        def close(self) -> None:
            closed.append(self)

    given, opened = Closing(lambda r, i: ""), Closing(lambda r, i: "")
    monkeypatch.setattr("llmopt.integrations.optuna.sampler.connect", lambda spec: opened)
    LLMSampler(given).close()
    assert closed == []
    LLMSampler("local").close()
    assert closed == [opened]
    with pytest.raises(InvalidInput):
        LLMSampler("local", samples=0)
    assert closed == [opened, opened]


def test_two_studies_have_nothing_in_common() -> None:
    sampler = LLMSampler(counting(), seed=0)
    first, second = (optuna.create_study(sampler=sampler) for _ in range(2))
    first.optimize(sphere, n_trials=6)
    second.optimize(sphere, n_trials=6)
    assert (sampler.waiting(first), sampler.waiting(second)) == (7, 7)
    assert (xs(first)[5], xs(second)[5]) == (0.001, 0.009)


@pytest.mark.model
def test_the_embedded_model_proposes_legal_trials_of_every_kind(local_llm: LocalLLM) -> None:
    study = optuna.create_study(sampler=LLMSampler(local_llm, seed=0, samples=2, n_startup_trials=3))

    def objective(trial: optuna.Trial) -> float:
        rate = trial.suggest_float("learning rate", 1e-5, 1e-1, log=True)
        share = trial.suggest_float("share", 0, 1, step=0.05)
        if trial.suggest_categorical("kind", ["svm", "forest"]) == "svm":
            return rate + share
        return rate + share + trial.suggest_int("depth", 2, 30, step=2)

    study.optimize(objective, n_trials=10)
    counts = tally(study)
    assert counts.proposals >= 6 and counts.random == 0 and not counts.invalid
    assert counts.completion_tokens > 0
