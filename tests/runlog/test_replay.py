"""To resume is to replay: every solver, whatever it is asked to optimize, goes on where its log ends."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmopt import (
    AskTellSolver,
    Budget,
    Categorical,
    Evaluations,
    Float,
    FunctionProblem,
    Infeasible,
    Int,
    InvalidInput,
    ModelError,
    Objective,
    OptimizeResult,
    Permutation,
    Problem,
    Proposals,
    ReplayDiverged,
    Solver,
    Space,
    Text,
    Vector,
    minimize,
    run,
)
from llmopt.llm import Request, Response
from llmopt.llm.ledger import total
from llmopt.opro import OPRO
from llmopt.registry import create_solver, names, needs_model
from llmopt.runlog import LogReader, RunLog, Slot
from support.gbnf import Grammar
from support.models import FunctionLLM, obedient
from support.slow_run import Slow
from support.strategies import spaces

SOLVERS = [name for name in names("llmopt.solvers") if name != "gp" and not needs_model(name)]
MIXED = Vector(x=Float(-5, 5), k=Int(1, 9), kind=Categorical("a", None, 2.5))


class Stop(Exception):
    """Ends a run from within the problem, as a crash does."""


class Counted(Problem):
    """Counts its calls, fails for some, and crashes at one of them."""

    space = MIXED

    def __init__(self, crash: int | None = None) -> None:
        self.calls: list[Any] = []
        self._crash = crash

    def evaluate(self, solution: Any) -> float:
        if len(self.calls) == self._crash:
            raise KeyboardInterrupt
        self.calls.append(solution)
        if solution["k"] == 3:
            raise Infeasible("too heavy")
        if solution["k"] == 4:
            raise ValueError("broken, ünd so")
        return float(solution["x"] ** 2 + solution["k"] + {"a": 0, None: -0.5, 2.5: 1}[solution["kind"]])

    def describe(self) -> str:
        return "Find x."


class Finite(Counted):
    """The same with few solutions."""

    space = Vector(x=Int(-1, 1), k=Int(1, 9), kind=Categorical("a", None, 2.5))


def rows(result: OptimizeResult) -> list[tuple[object, ...]]:
    return [(repr(e.solution), repr(e.loss), e.status, e.reason, e.step) for e in result.history]


def counts(result: OptimizeResult) -> tuple[object, ...]:
    return result.nit, result.proposals, result.duplicates, result.invalid, result.stop_reason, result.success


def logged(folder: Path, problem: Problem, solver: Solver, budget: Budget, **options: Any) -> OptimizeResult:
    slot = {name: options.pop(name) for name in ("fork", "force") if name in options}
    with RunLog(folder) as log:
        return run(problem, solver, budget, seed=3, log=Slot(log, **slot), **options)


def make(name: str) -> Solver:
    return OPRO(obedient()) if name == "opro" else create_solver(name)


@pytest.mark.parametrize("name", ["opro", *SOLVERS])
def test_every_solver_goes_on_where_its_log_ends(name: str, tmp_path: Path) -> None:
    kind, budget = (Finite, Budget(evaluations=99)) if name == "exhaustive" else (Counted, Budget(evaluations=40))
    try:
        make(name).check_problem(kind(), budget)
    except InvalidInput:
        pytest.skip("made for other spaces")
    undisturbed = run(kind(), make(name), budget, seed=3)
    crashed, again = kind(crash=23), kind()
    logged(tmp_path, crashed, make(name), budget)
    result = logged(tmp_path, again, make(name), budget)
    assert rows(result) == rows(undisturbed)
    assert counts(result) == counts(undisturbed)
    assert len(crashed.calls) + len(again.calls) == len(undisturbed.history)
    with LogReader(tmp_path) as reader:
        assert rows(replace(result, history=reader.history(reader.runs()[0]))) == rows(undisturbed)


@pytest.mark.parametrize("name", ["opro", "random", "powell", "tpe:batch=8", "differential-evolution"])
def test_more_budget_goes_on_with_a_run_that_is_done(name: str, tmp_path: Path) -> None:
    problem = Counted()
    before: list[object] = []
    for evaluations in (12, 33, 90):
        result = logged(tmp_path, problem, make(name), Budget(evaluations=evaluations))
        assert len(result.history) == len(problem.calls) == evaluations
        assert rows(result)[: len(before)] == before
        before = list(rows(result))
    with pytest.raises(InvalidInput, match="run 1 has made 90 evaluations, more than the budget of 50; give a larger"):
        logged(tmp_path, problem, make(name), Budget(evaluations=50))


@pytest.mark.parametrize("name", ["opro", "random", "powell", "tpe:batch=8", "differential-evolution"])
@pytest.mark.parametrize("interrupted", [5, 6, 8, 11])
def test_a_step_that_a_budget_had_cut_and_an_interrupt_ended_goes_on_with_more(
    name: str, interrupted: int, tmp_path: Path
) -> None:
    problem = Counted()
    logged(tmp_path, Counted(crash=interrupted), make(name), Budget(evaluations=12))
    before: list[object] = []
    for evaluations in (25, 40):
        result = logged(tmp_path, problem, make(name), Budget(evaluations=evaluations))
        assert len(result.history) == interrupted + len(problem.calls) == evaluations
        assert rows(result)[: len(before)] == before
        before = list(rows(result))


class FailsOnce(FunctionLLM):
    """Many replies are no solutions, and the first question for others fails."""

    def __init__(self) -> None:
        super().__init__(garbled)
        self._calls = 0

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        self._calls += 1
        if self._calls == 2:
            raise ModelError("overloaded")
        return super().generate(requests)


def garbled(request: Request, i: int) -> str:
    assert request.constraint is not None and request.constraint.grammar is not None
    chance = random.Random((request.seed or 0) + i)
    return "garbage" if chance.random() < 0.4 else Grammar(request.constraint.grammar).draw(chance)


@pytest.mark.parametrize(
    ("llm", "before"), [(FailsOnce(), Budget(steps=1)), (FunctionLLM(garbled), Budget(steps=1, calls=4))]
)
def test_a_question_that_failed_in_a_step_that_was_evaluated_fails_again(
    llm: FunctionLLM, before: Budget, tmp_path: Path
) -> None:
    space = Vector(x=Float(-5, 5), y=Int(-50, 50))
    problem = FunctionProblem(lambda s: s["x"] ** 2 + s["y"] ** 2, space)
    first = logged(tmp_path, problem, create_solver("hybrid:share=4", llm=llm), before)
    again = FunctionLLM(garbled)
    result = logged(tmp_path, problem, create_solver("hybrid:share=4", llm=again), Budget(steps=3, calls=40))
    assert rows(result)[: first.nfev] == rows(first) and result.nit == 3 and again.requests


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_what_ends_a_mere_replay_leaves_the_run_as_it_was(error: type[BaseException], tmp_path: Path) -> None:
    def ends(objective: Objective) -> None:
        raise error

    logged(tmp_path, Counted(), make("random"), Budget(evaluations=30))
    with suppress(RuntimeError):
        assert logged(tmp_path, Counted(), make("random"), Budget(evaluations=30), on_step=ends).nfev < 30
    with LogReader(tmp_path) as reader:
        [run] = reader.runs()
    assert (run.state, run.stop_reason) == ("done", "evaluations")


def test_fewer_steps_than_were_made_are_refused(tmp_path: Path) -> None:
    problem = Counted()
    first = logged(tmp_path, problem, make("random"), Budget(steps=5))
    with pytest.raises(InvalidInput, match="run 1 has made 5 steps, more than the budget of 4; give a larger one"):
        logged(tmp_path, problem, make("random"), Budget(steps=4))
    # A fork begins with what it is told.
    forked = logged(tmp_path, problem, make("random"), Budget(steps=2), fork=True)
    assert forked.nit == 2 and rows(forked)[: first.nfev] == [(*row[:4], 0) for row in rows(first)]


def test_a_finished_run_is_replayed_without_an_evaluation(tmp_path: Path) -> None:
    first, second = Counted(), Counted()
    one = logged(tmp_path, first, make("random"), Budget(evaluations=30))
    two = logged(tmp_path, second, make("random"), Budget(evaluations=30))
    assert rows(one) == rows(two) and counts(one) == counts(two)
    assert second.calls == []


def dump(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "run.sqlite")) as connection:
        return list(connection.iterdump())


class Shifted(AskTellSolver):
    """Uniform, but for a shift that comes from some step on: a library that has changed."""

    def __init__(self, changed_from: int = 99) -> None:
        super().__init__(4)
        self._changed_from = changed_from

    def start(self, task: Any, rng: np.random.Generator) -> None:
        super().start(task, rng)
        self._step = 0

    def ask(self, n: int) -> Proposals:
        self._step += 1
        columns = self.task.space.sample(n, self.rng)
        if self._step >= self._changed_from:
            columns["k"] = columns["k"] % 9 + 1
        return Proposals(columns)


def test_a_replay_that_diverges_stops_and_shows_both_proposals(tmp_path: Path) -> None:
    logged(tmp_path, Counted(), Shifted(), Budget(evaluations=17))
    before = dump(tmp_path)
    problem = Counted()
    with pytest.raises(
        ReplayDiverged, match=r"evaluation 10: step 2 proposes \{.*\}, and the log has \{.*\} in step 2;"
    ):
        logged(tmp_path, problem, Shifted(2), Budget(evaluations=17))
    assert problem.calls == []
    assert dump(tmp_path) == before


def test_a_replay_that_ends_before_its_log_has_diverged(tmp_path: Path) -> None:
    class Early(Shifted):
        def ask(self, n: int) -> Proposals:
            if self._step == 1:
                raise ModelError("gone")
            return super().ask(n)

    logged(tmp_path, Counted(), Shifted(), Budget(evaluations=17))
    with pytest.raises(InvalidInput, match=r"solver.class was .*Shifted and is .*Early"):
        logged(tmp_path, Counted(), Early(), Budget(evaluations=17))
    Early.__qualname__ = Shifted.__qualname__
    with pytest.raises(ReplayDiverged, match="it ended after 9 of the 17 logged evaluations"):
        logged(tmp_path, Counted(), Early(), Budget(evaluations=17))


def test_a_fork_is_told_what_was_evaluated(tmp_path: Path) -> None:
    first = logged(tmp_path, Counted(), Shifted(), Budget(evaluations=17))
    problem = Counted()
    forked = logged(tmp_path, problem, Shifted(2), Budget(evaluations=30), fork=True)
    assert [row[:4] for row in rows(forked)[:17]] == [row[:4] for row in rows(first)]
    assert forked.history.steps[:17].tolist() == [0] * 17
    assert len(problem.calls) == 13
    # A fork is a run of its own, which may be interrupted and go on.
    again = logged(tmp_path, Counted(), Shifted(2), Budget(evaluations=30))
    assert rows(again) == rows(forked)
    with LogReader(tmp_path) as reader:
        assert [(run.id, run.parent, run.evaluations) for run in reader.runs()] == [(1, None, 17), (2, 1, 30)]


def test_another_problem_cannot_be_told_the_evaluations(tmp_path: Path) -> None:
    class Wider(Counted):
        space = Vector(x=Float(-5, 6), k=Int(1, 9), kind=Categorical("a", None, 2.5))

    logged(tmp_path, Counted(), Shifted(), Budget(evaluations=9))
    for options in ({"fork": True}, {"force": True}, {}):
        with pytest.raises(InvalidInput, match=r"space.variables.x.high was 5.0 and is 6.0; give another folder$"):
            logged(tmp_path, Wider(), Shifted(), Budget(evaluations=9), **options)


def test_another_seed_setting_or_version_is_an_error_that_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged(tmp_path, Counted(), create_solver("tpe:batch=4"), Budget(evaluations=20))
    with pytest.raises(InvalidInput, match=r"solver.settings.batch was 4 and is 5; give another folder, or .*--fork"):
        logged(tmp_path, Counted(), create_solver("tpe:batch=5"), Budget(evaluations=20))
    with RunLog(tmp_path) as log, pytest.raises(InvalidInput, match="seed was 3 and is 4"):
        run(Counted(), create_solver("tpe:batch=4"), Budget(evaluations=20), seed=4, log=Slot(log))
    from llmopt.runlog import identity

    versions = {**identity.versions(), "optuna": "6.0.0", "anthropic": "0"}
    monkeypatch.setattr(identity, "versions", lambda: versions)
    with pytest.raises(InvalidInput, match=r"version of optuna was 5\S+ and is 6.0.0; if you know .*--force"):
        logged(tmp_path, Counted(), create_solver("tpe:batch=4"), Budget(evaluations=30))
    assert logged(tmp_path, Counted(), create_solver("tpe:batch=4"), Budget(evaluations=30), force=True).nfev == 30


class Numbers(AskTellSolver):
    """Proposes members of any space."""

    def ask(self, n: int) -> Proposals:
        return Proposals(self.task.space.sample(n, self.rng))


@settings(max_examples=40, deadline=None)
@given(space=spaces, maximize=st.booleans(), noisy=st.booleans(), data=st.data())
def test_any_space_comes_back_from_the_log(space: Any, maximize: bool, noisy: bool, data: st.DataObject) -> None:
    scores = st.floats(allow_nan=True, allow_infinity=True)
    given_scores = [data.draw(scores) for _ in range(12)]

    def problem() -> FunctionProblem:
        remaining = iter(given_scores * 2)
        return FunctionProblem(lambda _: next(remaining), space, "maximize" if maximize else "minimize", noisy=noisy)

    with TemporaryDirectory() as folder:
        first = logged(Path(folder), problem(), Numbers(3), Budget(evaluations=12, steps=9))
        second = logged(Path(folder), problem(), Numbers(3), Budget(evaluations=12, steps=9), force=True)
        assert rows(first) == rows(second) and counts(first) == counts(second)
        with LogReader(folder) as reader:
            [found] = reader.runs()
            assert rows(replace(first, history=reader.history(found))) == rows(first)
            assert found.space == space


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), workers=st.integers(2, 6), crash=st.none() | st.integers(0, 40))
def test_any_order_in_which_workers_end_gives_the_same_log(seed: int, workers: int, crash: int | None) -> None:
    chance = random.Random(seed)
    lock = threading.Lock()

    class Uneven(Counted):
        def evaluate(self, solution: Any) -> float:
            with lock:
                pause = chance.choice([0.0, 0.0, 0.001, 0.003])
            time.sleep(pause)
            return super().evaluate(solution)

    undisturbed = run(Counted(), Numbers(8), Budget(evaluations=40), seed=3)
    with TemporaryDirectory() as folder:
        crashed = Uneven(crash)
        logged(Path(folder), crashed, Numbers(8), Budget(evaluations=40), workers=workers)
        problem = Uneven()
        result = logged(Path(folder), problem, Numbers(8), Budget(evaluations=40), workers=workers)
        assert rows(result) == rows(undisturbed) and counts(result) == counts(undisturbed)
        with LogReader(folder) as reader:
            assert rows(replace(result, history=reader.history(reader.runs()[0]))) == rows(undisturbed)
    # What other workers completed while one was interrupted may be lost, if it was not written yet.
    assert len(crashed.calls) + len(problem.calls) <= 40 + workers


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_any_executor_evaluates_a_step(pool: Callable[[int], Any], tmp_path: Path) -> None:
    with pool(2) as executor:
        result = run(Slow(tmp_path / "calls"), Numbers(8), Budget(evaluations=20), seed=3, workers=executor)
    assert rows(result) == rows(run(Slow(), Numbers(8), Budget(evaluations=20), seed=3))
    assert len((tmp_path / "calls").read_text().splitlines()) == 20


@pytest.mark.parametrize("workers", [0, -1, True, 2.5, "4"])
def test_a_number_of_workers_that_is_none_is_refused(workers: Any) -> None:
    with pytest.raises(InvalidInput, match="workers must be a whole number of at least 1, or an executor"):
        run(Slow(), Numbers(8), Budget(evaluations=20), workers=workers)


def test_a_replay_takes_no_time_and_the_clock_goes_on(tmp_path: Path) -> None:
    now = [0.0]

    class Ticking(Counted):
        def evaluate(self, solution: Any) -> float:
            now[0] += 1.0
            return super().evaluate(solution)

    def perform() -> OptimizeResult:
        return logged(tmp_path, Ticking(), Numbers(4), Budget(seconds=20, steps=99), clock=lambda: now[0])

    first = perform()
    # The clock is looked at before each evaluation of a step but the first.
    assert (first.stop_reason, len(first.history)) == ("seconds", 20)
    # Where the clock ended it, a replay ends too, though it is quicker.
    again = perform()
    assert rows(again) == rows(first) and counts(again) == counts(first)
    assert now[0] == 20


def test_replies_are_asked_for_once_and_booked_once(tmp_path: Path) -> None:
    class Fails(FunctionLLM):
        def generate(self, requests: Any) -> list[Response]:
            if len(self.requests) >= 12:
                raise ModelError("overloaded")
            return super().generate(requests)

    def reply(request: Request, i: int) -> str:
        return obedient()._reply(request, i)  # type: ignore[return-value]

    # Without retries: where one fails, what its step has read before is evaluated, and that step stays shorter.
    budget = Budget(evaluations=60, steps=6)
    whole = FunctionLLM(reply)
    undisturbed = run(Counted(), OPRO(whole, retries=0), budget, seed=3)
    failing, patient = Fails(reply), FunctionLLM(reply)
    failed = logged(tmp_path, Counted(), OPRO(failing, retries=0), budget)
    assert (failed.stop_reason, failed.message) == ("error", "overloaded")
    with LogReader(tmp_path) as reader:
        assert reader.runs()[0].state == "failed"
    result = logged(tmp_path, Counted(), OPRO(patient, retries=0), budget)
    assert rows(result) == rows(undisturbed)
    assert len(failing.requests) + len(patient.requests) == len(whole.requests)
    ours, theirs = total(result.spent), total(undisturbed.spent)
    assert (ours.calls - ours.unreported, ours.prompt_tokens, ours.completion_tokens) == (
        theirs.calls,
        theirs.prompt_tokens,
        theirs.completion_tokens,
    )


def test_budgets_of_models_hold_over_all_sessions(tmp_path: Path) -> None:
    first = logged(tmp_path, Counted(), OPRO(obedient()), Budget(steps=99, calls=9))
    assert first.stop_reason == "calls"
    llm = obedient()
    again = logged(tmp_path, Counted(), OPRO(llm), Budget(steps=99, calls=13))
    assert again.stop_reason == "calls"
    assert total(again.spent).calls <= 13
    assert len(llm.requests) <= 4


def test_another_prompt_is_a_divergence_that_shows_its_line(tmp_path: Path) -> None:
    logged(tmp_path, Counted(), OPRO(obedient()), Budget(evaluations=30))
    llm = obedient()
    with pytest.raises(InvalidInput, match=r"solver\.settings\.hint was  and is x is near 1"):
        logged(tmp_path, Counted(), OPRO(llm, hint="x is near 1"), Budget(evaluations=30))

    class Other(Counted):
        def describe(self) -> str:
            return "Find x!"

    Other.__qualname__ = Counted.__qualname__
    with pytest.raises(InvalidInput, match=r"problem.description was Find x\. and is Find x!"):
        logged(tmp_path, Other(), OPRO(llm), Budget(evaluations=30))

    class Hidden(OPRO):
        def start(self, task: Any, rng: np.random.Generator) -> None:
            super().start(task, rng)
            self.hint = "x is near 1"

    Hidden.__qualname__, Hidden.__module__ = OPRO.__qualname__, OPRO.__module__
    with pytest.raises(ReplayDiverged, match=r"step 1: request 1 to the model \(optimizer\) has '.*' in line 1 of its"):
        logged(tmp_path, Counted(), Hidden(llm), Budget(evaluations=30))
    assert llm.requests == []


def test_an_interrupt_keeps_what_workers_had_completed(tmp_path: Path) -> None:
    barrier = threading.Event()

    class Late(Counted):
        def evaluate(self, solution: Any) -> float:
            if len(self.calls) == 6:
                self.calls.append(None)
                barrier.wait(5)
                raise KeyboardInterrupt
            value = super().evaluate(solution)
            if len(self.calls) == 9:
                barrier.set()
            return value

    Late.__qualname__, Late.evaluate.__qualname__ = Counted.__qualname__, Counted.evaluate.__qualname__
    problem = Late()
    starts = [{"x": float(i), "k": 1, "kind": "a"} for i in range(5)]
    result = logged(tmp_path, problem, Numbers(8), Budget(evaluations=40), workers=2, starts=starts)
    assert result.stop_reason == "interrupted"
    with LogReader(tmp_path) as reader:
        outcome = reader.outcome(reader.runs()[0])
    assert len(outcome) == len(result.history)
    # The place of the interrupted one is free.
    assert outcome.calls.tolist() != list(range(len(outcome)))
    again = logged(tmp_path, Counted(), Numbers(8), Budget(evaluations=40), workers=2, starts=starts, force=True)
    assert rows(again) == rows(run(Counted(), Numbers(8), Budget(evaluations=40), seed=3, starts=starts))


def test_tours_and_texts_are_logged_as_json(tmp_path: Path) -> None:
    spaces: list[Space[Any]] = [Permutation(6, "dihedral"), Text(30)]
    for number, space in enumerate(spaces):
        folder = tmp_path / str(number)
        minimize(lambda s: float(len(str(s))), space, solver=Numbers(3), max_evaluations=9, log=folder)
        with LogReader(folder) as reader:
            assert len(reader.history(reader.runs()[0])) == 9


def test_a_random_objective_cannot_end_without_a_result_in_the_log(tmp_path: Path) -> None:
    def broken(objective: Objective) -> None:
        raise Stop("the callback is broken")

    with pytest.raises(Stop):
        logged(tmp_path, Counted(), Numbers(3), Budget(evaluations=9), on_step=broken)
    with LogReader(tmp_path) as reader:
        [found] = reader.runs()
        assert (found.state, found.message, found.evaluations) == ("failed", "Stop: the callback is broken", 5)
    assert logged(tmp_path, Counted(), Numbers(3), Budget(evaluations=9)).nfev == 9


def test_evaluations_are_views_of_what_was_told(tmp_path: Path) -> None:
    told: list[Evaluations] = []

    class Listens(Numbers):
        def tell(self, evaluations: Evaluations) -> None:
            told.append(evaluations)

    logged(tmp_path, Counted(), Listens(3), Budget(evaluations=9))
    assert sum(map(len, told)) >= 8
