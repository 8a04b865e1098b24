"""Runs on problems with items: who is scored on what, what is counted, what a race drops, and what ends a run."""

from __future__ import annotations

import copy
import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmopt import (
    AskTellSolver,
    Budget,
    Evaluations,
    FunctionProblem,
    History,
    Int,
    InvalidInput,
    ModelError,
    Objective,
    OptimizeResult,
    Proposals,
    Text,
    Vector,
    run,
)
from llmopt.items import ItemProblem, ItemScore, ItemScores, Keep
from llmopt.llm.base import LLM, Capabilities, Request, Response
from llmopt.llm.metered import itemized
from llmopt.objective import Stopped
from llmopt.racing import Race, Scores
from llmopt.registry import create_solver
from support.models import FunctionLLM

QUICK = Race(first=3, block=2)
"""Looks early, so that small tables are enough."""


class Table(ItemProblem):
    """Scores whole numbers by a table, keeps the pairs in their order, and counts time by them."""

    def __init__(
        self, table: Scores, direction: Literal["minimize", "maximize"] = "maximize", held_out: int = 0
    ) -> None:
        self.space = Vector(x=Int(0, len(table) - 1))
        self.table = table
        self.direction = direction
        self.held_out = held_out
        self.asked: list[tuple[int, int]] = []
        self.assessed = 0

    @property
    def items(self) -> int:
        return int(self.table.shape[1]) - self.held_out

    def score_items(self, pairs: Sequence[tuple[Any, int]], keep: Keep) -> None:
        for i, (solution, item) in enumerate(pairs):
            self.asked.append((solution["x"], item))
            keep(i, ItemScore(float(self.table[solution["x"], item]), ""))

    def assess(self, history: History, scores: ItemScores) -> Mapping[str, Any]:
        self.assessed += 1
        assert history.incumbent is not None
        found = scores.score([(history.incumbent.solution, item) for item in range(self.items, self.table.shape[1])])
        return {"held out": found.tolist()}

    def describe(self) -> str:
        return "Find x."

    @property
    def searched(self) -> list[tuple[int, int]]:
        """The pairs that the score is a mean over."""
        return [pair for pair in self.asked if pair[1] < self.items]


class InOrder(AskTellSolver):
    """Proposes 0, 1, 2, ...; keeps what it is told."""

    def start(self, task: Any, rng: np.random.Generator) -> None:
        super().start(task, rng)
        self.told: list[Evaluations] = []
        self._next = 0

    def ask(self, n: int) -> Proposals:
        size = self.task.space.size
        assert size is not None
        xs = np.arange(self._next, min(self._next + n, size))
        self._next += len(xs)
        return Proposals({"x": xs})

    def tell(self, evaluations: Evaluations) -> None:
        self.told.append(evaluations)


def marks(seed: int, solutions: int = 40, items: int = 20) -> Scores:
    """Return marks of 0 or 1 of solutions of different quality on items of different difficulty."""
    rng = np.random.default_rng(seed)
    quality, difficulty = rng.beta(3, 2, (solutions, 1)), rng.normal(0, 0.2, items)
    return (rng.random((solutions, items)) < quality + difficulty).astype(float)


def rows(result: OptimizeResult) -> list[tuple[object, ...]]:
    return [(e.solution["x"], repr(e.loss), e.status, e.reason, e.step) for e in result.history]


random_tables = st.builds(marks, st.integers(0, 10**6), st.integers(1, 25), st.integers(1, 12))
directions: st.SearchStrategy[Literal["minimize", "maximize"]] = st.sampled_from(["minimize", "maximize"])
races = st.none() | st.builds(Race, first=st.integers(1, 6), block=st.integers(1, 4), level=st.floats(0.01, 0.9))


# -- scores ---------------------------------------------------------------------------------------------------------


@given(st.integers(0, 10**6), st.integers(1, 12), directions, st.integers(1, 8))
def test_without_a_race_every_evaluation_is_the_mean_over_all_items(
    seed: int, items: int, direction: Literal["minimize", "maximize"], batch: int
) -> None:
    # Not only scores between 0 and 1: full evaluation takes any.
    table = np.random.default_rng(seed).normal(size=(25, items)) * 100
    problem = Table(table, direction)
    result = run(problem, create_solver(f"random:batch={batch}"), Budget(evaluations=20), seed=seed, race=None)
    for evaluation in result.history:
        assert evaluation.status == "ok"
        assert evaluation.score == table[evaluation.solution["x"]].mean() == problem.evaluate(evaluation.solution)
    best = (max if direction == "maximize" else min)(result.history.scores)
    assert result.fun == best
    assert result.scorer_calls == 20 * items


def test_minimizing_one_minus_a_score_is_the_same_run() -> None:
    for seed in range(20):
        table = marks(seed)
        high, low = Table(table), Table(1 - table, "minimize")
        results = [run(problem, create_solver("random:batch=4"), Budget(30), seed=seed) for problem in (high, low)]
        assert high.asked == low.asked
        assert [e.status for e in results[0].history] == [e.status for e in results[1].history]
        assert results[0].x == results[1].x and results[0].fun == pytest.approx(1 - results[1].fun)
        assert results[0].history.count("dropped") > 0


@given(random_tables, races, st.integers(1, 30), st.integers(1, 9), st.integers(0, 99))
def test_a_pair_is_scored_once_in_a_run(
    table: Scores, race: Race | None, evaluations: int, batch: int, seed: int
) -> None:
    problem = Table(table)
    result = run(problem, create_solver(f"random:batch={batch}"), Budget(evaluations), seed=seed, race=race)
    assert max(Counter(problem.asked).values()) == 1
    assert result.scorer_calls == len(problem.asked)


def test_what_is_proposed_again_is_not_scored_again() -> None:
    problem = Table(marks(0, 3))
    door = Objective(problem, Budget(evaluations=99), race=QUICK)
    door.start([{"x": 1}])
    again = door.step([{"x": 1}, {"x": 2}, {"x": 2}, {"x": 1}])
    assert again.losses[0] == again.losses[3] == door.history.losses[0]
    assert (door.duplicates, len(door.history)) == (3, 2)
    assert max(Counter(problem.asked).values()) == 1


# -- races ----------------------------------------------------------------------------------------------------------


@given(random_tables, st.integers(0, 99), st.integers(1, 9), directions)
def test_who_survives_has_the_full_mean_and_who_is_dropped_has_none(
    table: Scores, seed: int, batch: int, direction: Literal["minimize", "maximize"]
) -> None:
    problem = Table(table, direction)
    result = run(problem, create_solver(f"random:batch={batch}"), Budget(evaluations=25), seed=seed, race=QUICK)
    taken = Counter(x for x, _ in problem.asked)
    for evaluation in result.history:
        count = taken[evaluation.solution["x"]]
        if evaluation.status == "ok":
            assert count == problem.items
            assert evaluation.score == table[evaluation.solution["x"]].mean()
            assert evaluation.reason == ""
        else:
            assert evaluation.status == "dropped"
            assert count < problem.items and math.isnan(evaluation.score)
            assert evaluation.reason.startswith(f"dropped after {count} of {problem.items} items: ")
    assert any(e.status == "ok" for e in result.history if e.step == 0)
    assert result.history.incumbent is not None and result.history.incumbent.status == "ok"
    assert result.fun == (max if direction == "maximize" else min)(e.score for e in result.history if e.status == "ok")
    # Dropped or not, each is an evaluation that the budget is charged with.
    assert result.nfev == len(result.history) == min(25, len(table))


def test_what_a_dropped_candidate_would_have_scored_is_not_the_best() -> None:
    # The candidate fails the first items of the run's order and is perfect on all others.
    table = np.full((7, 30), 0.9)
    order = np.random.default_rng([4, 2]).permutation(30)
    table[6] = 1.0
    table[6, order[:5]] = 0.0
    result = run(Table(table), InOrder(1), Budget(evaluations=7), starts=[{"x": x} for x in range(6)], seed=4)
    last = result.history[6]
    assert (last.status, last.reason) == ("dropped", "dropped after 5 of 30 items: 0 on these")
    assert result.fun == pytest.approx(0.9)


@given(random_tables, races.filter(bool), st.integers(0, 99), st.booleans())
def test_the_first_step_races_against_the_leader_of_its_first_block(
    table: Scores, race: Race, seed: int, given: bool
) -> None:
    # Whether they are start points or a solver's own.
    starts = [{"x": x} for x in range(len(table))] if given else []
    problem = Table(table)
    result = run(problem, InOrder(len(table)), Budget(evaluations=len(table)), starts=starts, seed=seed, race=race)
    order = np.random.default_rng([seed, 2]).permutation(problem.items)
    known = table[:, order]
    first, *_ = race.blocks(problem.items)
    leader = race.leader(known[:, : first.stop])
    assert result.history.status[leader] == 0
    for x in set(range(len(table))) - {leader}:
        asked = sum(pair[0] == x for pair in problem.asked)
        looks = [block.stop for block in race.blocks(problem.items) if block.stop <= asked]
        stays = [bool(race.keeps(known[[x], :look], known[leader], since=first.stop)[0]) for look in looks]
        # Dropped at the first look that says so, and scored in full where none does.
        assert all(stays[:-1]) and (asked == problem.items or not stays[-1])
        assert (result.history.status[x] == 0) == (asked == problem.items)


def test_start_points_are_raced_on_a_small_budget_one_after_another() -> None:
    table = np.zeros((6, 10))
    table[1] = 1.0
    for direction, scores in (("maximize", table), ("minimize", 1 - table)):
        problem = Table(scores, direction)  # type: ignore[arg-type]
        result = run(problem, InOrder(), Budget(scorer_calls=37), race=QUICK, starts=[{"x": x} for x in range(6)])
        # Three could be finished; what two of them do not take suffices for the others.
        assert result.history.status.tolist() == [4, 0, 4, 4, 4, 4]
        assert (result.scorer_calls, result.x) == (10 + 5 * 3, {"x": 1})


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(1, 8), directions)
def test_a_race_that_drops_only_the_hopeless_finds_what_full_evaluation_finds(
    seed: int, batch: int, direction: Literal["minimize", "maximize"]
) -> None:
    solver = create_solver(f"random:batch={batch}")
    full, raced = (
        run(Table(marks(seed), direction), solver, Budget(evaluations=40), seed=seed, race=race)
        for race in (None, Race(level=1e-12, first=2, block=1))
    )
    assert (raced.x, raced.fun) == (full.x, full.fun)
    assert raced.scorer_calls <= full.scorer_calls


def test_the_winner_of_a_race_is_seldom_worse_than_that_of_full_evaluation_by_the_margin() -> None:
    worse = saved = 0
    for seed in range(40):
        table = marks(seed, items=40)
        full, raced = (
            run(Table(table), create_solver("random:batch=8"), Budget(evaluations=40), seed=seed, race=race)
            for race in (None, Race())
        )
        worse += raced.fun < full.fun - Race().margin + 1e-9
        saved += full.scorer_calls - raced.scorer_calls
    assert worse <= 0.05 * 40
    assert saved > 0.3 * 40 * 40 * 40


@pytest.mark.parametrize(
    "name",
    ["random", "tpe", "tpe:batch=8", "differential-evolution", "nelder-mead", "powell", "gaussian", "quadratic",
     "exhaustive"],
)  # fmt: skip
def test_solvers_survive_the_dropped(name: str) -> None:
    rng = np.random.default_rng(0)
    valley = np.clip(1 - np.abs(np.arange(60)[:, None] - 43) / 40 + rng.normal(0, 0.2, (60, 20)), 0, 1)
    evaluations = len(valley) if name == "exhaustive" else 30
    result = run(Table(valley), create_solver(name), Budget(evaluations), seed=2, race=QUICK)
    assert result.stop_reason in ("evaluations", "exhausted", "finished", "stalled"), result.message
    assert result.history.count("dropped") > 0
    assert result.fun == max(valley[e.solution["x"]].mean() for e in result.history if e.status == "ok")


def test_a_solver_is_told_that_a_dropped_candidate_has_no_loss() -> None:
    solver = InOrder(5)
    result = run(Table(marks(3)), solver, Budget(evaluations=40), race=QUICK)
    told = [e for step in solver.told for e in step]
    assert any(e.status == "dropped" for e in told)
    assert all(math.isnan(e.loss) == (e.status == "dropped") for e in told)
    # The step that ends a run is not told.
    assert len(told) == sum(e.step < result.nit for e in result.history) + result.duplicates


def test_a_problem_without_items_ignores_the_race() -> None:
    problem = FunctionProblem(lambda s: float(s["x"]), Vector(x=Int(0, 99)))
    one, other = (run(problem, InOrder(3), Budget(20), race=race) for race in (None, QUICK))
    assert rows(one) == rows(other)
    assert (one.scorer_calls, one.assessment) == (0, {})


def test_a_race_needs_scores_between_0_and_1_and_says_so_before_more_is_paid() -> None:
    problem = Table(marks(0) * 100)
    with pytest.raises(InvalidInput, match=r"race needs scores from 0 to 1, .*Table.* gave 100.*race=None"):
        run(problem, InOrder(), Budget(evaluations=20), race=QUICK)
    assert len(problem.asked) <= 5 * 3
    assert run(Table(marks(0) * 100), InOrder(), Budget(evaluations=20), race=None).nfev == 20


# -- budgets --------------------------------------------------------------------------------------------------------


@settings(max_examples=100)
@given(random_tables, races, st.integers(1, 200), st.integers(1, 9), st.integers(0, 99))
@example(marks(1, 3, 4), Race(first=1, block=1, level=0.5), 2, 1, 0)
def test_a_budget_of_scorer_calls_is_never_exceeded(
    table: Scores, race: Race | None, limit: int, batch: int, seed: int
) -> None:
    problem = Table(table, held_out=min(2, table.shape[1] - 1))
    solver = create_solver(f"random:batch={batch}")
    result = run(problem, solver, Budget(scorer_calls=limit), seed=seed, race=race)
    assert result.scorer_calls == len(problem.searched) <= limit
    assert result.stop_reason in ("scorer_calls", "exhausted")
    if result.stop_reason == "exhausted":
        assert result.nfev == len(table)
    else:
        assert result.message.startswith("the budget of scorer calls is spent")
        unlimited = run(Table(table, held_out=problem.held_out), solver, Budget(steps=999), seed=seed, race=race)
        # Who leads the first step depends on who takes part, so that it must be the same ones.
        [first] = {e.step for e in unlimited.history[:1]}
        if limit >= problem.items * sum(e.step == first for e in unlimited.history):
            known = rows(unlimited)
            assert all(row in known for row in rows(result))
    # What was scored in full is kept.
    if race is None:
        assert result.nfev == min(limit // problem.items, len(table))


def test_without_a_race_the_leading_candidates_are_scored_that_the_budget_admits() -> None:
    problem = Table(marks(0, items=10))
    result = run(problem, InOrder(8), Budget(scorer_calls=119), race=None, starts=[{"x": x} for x in range(30, 35)])
    assert (result.nfev, result.scorer_calls, result.stop_reason) == (11, 110, "scorer_calls")
    assert result.history.columns["x"].tolist() == [*range(30, 35), *range(6)]


def test_what_is_left_of_the_calls_finishes_a_candidate() -> None:
    problem = Table(np.full((40, 10), 0.5))
    starts = [{"x": x} for x in range(5)]
    result = run(problem, InOrder(13), Budget(scorer_calls=60), race=QUICK, starts=starts)
    # Of 8 new ones, one can be finished.
    assert (result.nfev, result.scorer_calls, result.stop_reason) == (6, 60, "scorer_calls")


@given(random_tables, races, st.integers(1, 200), st.integers(1, 9), st.integers(0, 99))
def test_every_call_is_for_a_candidate_that_is_finished_or_dropped(
    table: Scores, race: Race | None, limit: int, batch: int, seed: int
) -> None:
    problem = Table(table)
    solver = create_solver(f"random:batch={batch}")
    result = run(problem, solver, Budget(scorer_calls=limit), seed=seed, race=race)
    assert {x for x, _ in problem.searched} == {evaluation.solution["x"] for evaluation in result.history}
    assert result.stop_reason == "exhausted" or limit - result.scorer_calls < problem.items


def test_what_a_race_spares_at_the_end_goes_to_others_of_the_step_and_to_the_next_step() -> None:
    table = np.zeros((40, 10))
    table[0] = 1.0
    result = run(Table(table), InOrder(8), Budget(scorer_calls=50), race=QUICK, starts=[{"x": 0}])
    # 10 calls for the start; four could be finished and are dropped after three, then two, then one at a time.
    assert result.history.count("dropped") == result.nfev - 1 == 11
    assert (result.scorer_calls, result.nit) == (43, 2)


def test_nobody_is_asked_for_proposals_that_no_call_is_left_for() -> None:
    class Asked(InOrder):
        asks = 0

        def ask(self, n: int) -> Proposals:
            self.asks += 1
            return super().ask(n)

    for race, limit, asks in ((None, 10, 0), (None, 19, 0), (None, 20, 1), (QUICK, 19, 0), (QUICK, 20, 1)):
        solver = Asked(5)
        result = run(Table(marks(0, items=10)), solver, Budget(scorer_calls=limit), race=race, starts=[{"x": 3}])
        assert (solver.asks, result.nit, result.stop_reason) == (asks, asks, "scorer_calls"), (race, limit)


def test_what_was_known_before_counts_as_much() -> None:
    problem = Table(marks(0, items=10))
    door = Objective(problem, Budget(scorer_calls=25), race=None)
    assert door.item_scores is not None
    door.item_scores.score([({"x": x}, item) for x in range(9) for item in range(10)])
    with pytest.raises(Stopped, match="scorer_calls"):
        door.step([{"x": x} for x in range(9)])
    assert (len(door.history), door.scorer_calls) == (2, 20)


def test_a_budget_of_scorer_calls_is_for_problems_with_items() -> None:
    problem = FunctionProblem(lambda s: float(s["x"]), Vector(x=Int(0, 10**6)))
    with pytest.raises(InvalidInput, match="budget of scorer calls ends nothing on FunctionProblem"):
        run(problem, create_solver("random"), Budget(scorer_calls=10))
    # Beside another limit it does no harm.
    assert run(problem, create_solver("random"), Budget(evaluations=10, scorer_calls=10)).nfev == 10


def test_the_clock_ends_a_run_between_blocks_and_keeps_whole_steps() -> None:
    def timed(seconds: float, race: Race | None) -> tuple[Table, OptimizeResult]:
        problem = Table(np.full((60, 9), 0.5))
        clock = lambda: float(len(problem.asked))  # noqa: E731
        return problem, run(problem, InOrder(4), Budget(seconds=seconds), race=race, clock=clock, starts=[{"x": 59}])

    problem, result = timed(9 + 4 * 9 + 13, QUICK)
    # The second step ends after its second look.
    assert result.stop_reason == "seconds"
    assert (result.nfev, len(problem.asked)) == (5, 9 + 4 * 9 + 4 * 5)
    problem, result = timed(9 + 13, None)
    # Without looks, a step takes its time.
    assert (result.stop_reason, result.nfev, len(problem.asked)) == ("seconds", 5, 9 + 36)


# -- the same again -------------------------------------------------------------------------------------------------


@given(random_tables, races, st.integers(0, 99))
def test_the_same_seed_is_the_same_run(table: Scores, race: Race | None, seed: int) -> None:
    problems = [Table(table), Table(table)]
    one, other = (run(p, create_solver("random:batch=3"), Budget(20), seed=seed, race=race) for p in problems)
    assert rows(one) == rows(other) and problems[0].asked == problems[1].asked
    assert one.scorer_calls == other.scorer_calls


def test_the_order_of_the_items_is_that_of_the_seed_for_every_solver() -> None:
    def order(seed: int, solver: str, race: Race | None) -> list[int]:
        problem = Table(marks(0))
        run(problem, create_solver(solver), Budget(evaluations=6), seed=seed, race=race, starts=[{"x": 7}])
        return [item for x, item in problem.asked if x == 7]

    orders = [[order(seed, s, r) for s in ("random", "tpe", "powell") for r in (None, QUICK)] for seed in range(3)]
    assert all(one == of_seed[0] for of_seed in orders for one in of_seed)
    assert sorted(orders[0][0]) == list(range(20))
    assert orders[0][0] != orders[1][0] != orders[2][0]


# -- after the search -----------------------------------------------------------------------------------------------


def test_what_was_found_is_assessed_once_the_search_has_ended() -> None:
    problem = Table(marks(5), held_out=4)
    result = run(problem, InOrder(), Budget(evaluations=20), race=QUICK)
    assert result.assessment == {"held out": problem.table[result.x["x"], 16:].tolist()}
    assert problem.assessed == 1
    assert problem.asked[-4:] == [(result.x["x"], item) for item in range(16, 20)]
    # The budget of scorer calls is the search's.
    assert result.scorer_calls == len(problem.asked) - 4 == len(problem.searched)


@pytest.mark.parametrize(
    "budget", [Budget(steps=2), Budget(scorer_calls=150), Budget(evaluations=9), Budget(seconds=200), Budget(steps=99)]
)
def test_whatever_ends_the_search_by_itself_lets_it_be_assessed(budget: Budget) -> None:
    problem = Table(marks(5), held_out=4)
    result = run(problem, InOrder(), budget, clock=lambda: float(len(problem.asked)))
    assert problem.assessed == 1 and len(result.assessment["held out"]) == 4


def test_what_was_interrupted_or_failed_is_not_assessed() -> None:
    class Breaks(Table):
        error: BaseException = KeyboardInterrupt()

        def score_items(self, pairs: Sequence[tuple[Any, int]], keep: Keep) -> None:
            if len(self.asked) > 120:
                raise self.error
            super().score_items(pairs, keep)

    for error, reason in ((KeyboardInterrupt(), "interrupted"), (ModelError("gone"), "error")):
        problem = Breaks(marks(5), held_out=4)
        problem.error = error
        result = run(problem, InOrder(2), Budget(evaluations=30))
        assert (result.stop_reason, problem.assessed, result.assessment) == (reason, 0, {})
        assert result.nfev > 5 and result.x is not None


def test_a_run_without_a_score_is_not_assessed() -> None:
    problem = Table(marks(5))
    result = run(problem, InOrder(2), Budget(scorer_calls=4))
    assert (result.x, result.nfev, result.stop_reason, problem.assessed) == (None, 0, "scorer_calls", 0)
    assert math.isnan(result.fun)


def test_an_error_that_no_solution_is_to_blame_for_ends_the_run_and_keeps_it() -> None:
    class NoNumber(Table):
        def score_items(self, pairs: Sequence[tuple[Any, int]], keep: Keep) -> None:
            if len(self.asked) >= 100:
                keep(0, ItemScore(math.nan, ""))
            super().score_items(pairs, keep)

    result = run(NoNumber(marks(5)), InOrder(2), Budget(evaluations=30), race=None)
    assert (result.stop_reason, result.message) == (
        "error",
        "NoNumber.score_items gave nan, no finite number",
    )
    assert result.nfev == 5


class Answering(ItemProblem):
    """Asks a model for the score of each pair."""

    space = Text(12)
    direction = "maximize"
    items = 4

    def __init__(self, llm: LLM) -> None:
        self.llm = llm

    @property
    def models(self) -> Mapping[str, LLM]:
        return {"scorer": self.llm}

    def with_models(self, models: Mapping[str, LLM]) -> Answering:
        bound = copy.copy(self)
        bound.llm = models["scorer"]
        return bound

    def score_items(self, pairs: Sequence[tuple[Any, int]], keep: Keep) -> None:
        for i, (text, item) in enumerate(pairs):
            [response] = self.llm.generate([Request(f"{text} {item:80}", max_tokens=8)])
            answer = response.replies[0].text
            keep(i, ItemScore(float(answer), answer))

    def starts(self, rng: np.random.Generator) -> list[Any]:
        return ["a", "b"]

    def assess(self, history: History, scores: ItemScores) -> Mapping[str, Any]:
        assert history.incumbent is not None
        return {"held out": scores.score([(history.incumbent.solution, 4 + i) for i in range(4)]).tolist()}

    def describe(self) -> str:
        return "Find a text."


class Alphabet(AskTellSolver):
    """Proposes c, d, e, ..."""

    def ask(self, n: int) -> Sequence[str]:
        return [chr(ord("a") + len(self.task.history) + i) for i in range(n)]


def answer(request: Request, i: int) -> str:
    assert isinstance(request.prompt, str)
    return str(ord(request.prompt[0]) % 7 / 7)


def test_the_models_that_score_are_asked_through_the_run_and_booked() -> None:
    llm = FunctionLLM(answer)
    result = run(Answering(llm), Alphabet(2), Budget(evaluations=6), race=None)
    assert result.spent["scorer"].calls == len(llm.requests) == 6 * 4 + 4
    assert result.scorer_calls == 24


def test_a_budget_that_is_spent_in_the_assessment_is_said_and_the_result_kept() -> None:
    result = run(Answering(FunctionLLM(answer)), Alphabet(2), Budget(evaluations=6, calls=26), race=None)
    assert result.stop_reason == "calls"
    assert result.message.startswith(
        "the budget of evaluations is spent; what was found could not be assessed: the budget of 26 calls is spent"
    )
    assert (result.nfev, result.x, result.assessment) == (6, "a", {})


def test_a_budget_of_models_that_is_spent_in_the_search_ends_it() -> None:
    result = run(Answering(FunctionLLM(answer)), Alphabet(2), Budget(evaluations=6, calls=21), race=None)
    assert result.stop_reason == "calls" and result.nfev == 4
    assert "the budget of 21 calls is spent" in result.message


def test_the_assessment_has_the_time_that_the_search_has_not() -> None:
    class Punctual(FunctionLLM):
        """Gives up when its time is over, as models behind a network do."""

        def generate(self, requests: Sequence[Request]) -> list[Response]:
            if time.monotonic() > itemized().until:
                raise ModelError("there was no time left to answer")
            return super().generate(requests)

        @property
        def capabilities(self) -> Capabilities:
            return Capabilities(chat=True, continuation=True, n=True)

    class Slow(Alphabet):
        def ask(self, n: int) -> Sequence[str]:
            time.sleep(0.06)
            return super().ask(n)

    result = run(Answering(Punctual(answer)), Slow(1), Budget(seconds=0.1), race=None)
    assert (result.stop_reason, result.message) == ("seconds", "the budget of seconds is spent")
    assert len(result.assessment["held out"]) == 4


def test_what_cannot_be_assessed_is_said() -> None:
    class Unassessed(Table):
        def assess(self, history: History, scores: ItemScores) -> Mapping[str, Any]:
            raise ModelError("the server is gone")

    result = run(Unassessed(marks(5)), InOrder(2), Budget(evaluations=9))
    assert (result.stop_reason, result.message) == (
        "error",
        "what was found could not be assessed: the server is gone",
    )
    assert result.nfev == 9 and result.x is not None


def test_an_interrupt_of_the_assessment_is_one_of_the_run() -> None:
    class Impatient(Table):
        def assess(self, history: History, scores: ItemScores) -> Mapping[str, Any]:
            raise KeyboardInterrupt

    result = run(Impatient(marks(5)), InOrder(2), Budget(evaluations=9))
    assert (result.stop_reason, result.nfev, result.assessment) == ("interrupted", 9, {})
