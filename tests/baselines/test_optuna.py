"""Optuna's samplers: what they are told, and what they leave alone."""

import importlib.util
from typing import Any

import optuna
import pytest

from llmopt import Categorical, Float, Int, InvalidInput, MissingExtra, Text, Vector, minimize
from llmopt.baselines.optuna import GP, QMC, TPE, CmaEs, OptunaRandom, OptunaSampler

SPACE = Vector(
    x=Float(-1, 1), share=Float(0, 1, step=0.1), k=Int(2, 20, step=3), n=Int(1, 99, log=True), c=Categorical("a", None)
)
every_sampler = pytest.mark.parametrize("sampler", [TPE, CmaEs, QMC, OptunaRandom])


def fun(s: dict[str, Any]) -> float:
    return float(s["x"] ** 2 + s["share"] + s["k"] + s["n"] + (s["c"] is None))


def trials(solver: OptunaSampler) -> list[optuna.trial.FrozenTrial]:
    assert solver.study is not None
    return solver.study.trials


@every_sampler
def test_the_study_holds_the_start_points_and_then_every_evaluation(sampler: type[OptunaSampler]) -> None:
    solver = sampler()
    result = minimize(fun, SPACE, solver=solver, max_evaluations=15)
    told = [trial.value for trial in trials(solver) if trial.state.is_finished()]
    assert result.duplicates == 0
    # The last one ends the run, so it is not told any more.
    assert told == result.history.losses[:-1].tolist()


@every_sampler
def test_a_step_is_a_batch(sampler: type[OptunaSampler]) -> None:
    assert minimize(fun, SPACE, solver=sampler(), max_steps=3).nfev == 5 + 3
    assert minimize(fun, SPACE, solver=sampler(batch=8), max_steps=3).nfev == 5 + 24


def test_failures_are_told_as_the_worst_loss_so_far() -> None:
    def failing(s: dict[str, Any]) -> float:
        if s["c"] is None:
            raise RuntimeError
        return fun(s)

    solver = TPE()
    result = minimize(failing, SPACE, solver=solver, max_evaluations=30)
    told = [trial.value for trial in trials(solver)[: result.nfev - 1]]
    assert result.history.count("failed")
    assert None not in told
    assert max(value for value in told if value) <= max(result.history.losses[result.history.status == 0])


def test_tpe_and_cma_es_find_a_bowl_sooner_than_chance() -> None:
    space = Vector({f"x{i}": Float(-5, 5) for i in range(4)})
    found = {
        s.__name__: minimize(
            lambda s: sum(v**2 for v in s.values()), space, solver=s(), max_evaluations=120, seed=2
        ).fun
        for s in (TPE, CmaEs, OptunaRandom)
    }
    assert max(found["TPE"], found["CmaEs"]) < found["OptunaRandom"] / 2


def test_optunas_own_logging_is_left_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    before = optuna.logging.get_verbosity()
    minimize(fun, SPACE, solver="tpe", max_evaluations=10)
    assert optuna.logging.get_verbosity() == before
    assert capfd.readouterr().err == ""


def test_spaces_that_are_no_vectors_are_refused() -> None:
    with pytest.raises(InvalidInput, match="tpe works on vectors of numbers and choices, not on texts"):
        minimize(lambda s: 0.0, Text(5), solver="tpe")


def test_the_gaussian_process_says_how_to_get_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="pip install torch"):
        GP()


@pytest.mark.slow
def test_the_gaussian_process_finds_a_bowl_and_survives_failures() -> None:
    pytest.importorskip("torch")

    def bowl(s: dict[str, Any]) -> float:
        if s["k"] > 8:
            raise RuntimeError
        return float((s["x"] - 1) ** 2 + (s["k"] - 7) ** 2)

    space = Vector(x=Float(-5, 5), k=Int(0, 9))
    first, again = (minimize(bowl, space, solver="gp", max_evaluations=18) for _ in range(2))
    assert first.fun < 5
    assert first.history.losses.tolist() == pytest.approx(again.history.losses.tolist(), nan_ok=True)
