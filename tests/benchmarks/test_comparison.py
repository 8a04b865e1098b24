"""Comparisons from Python, and what is made of their records."""

import statistics
from dataclasses import replace

import numpy as np
import pytest

from llmopt import Budget, InvalidInput
from llmopt.benchmarks.compare import Comparison, Watcher, compare, create_problems, create_solvers
from llmopt.benchmarks.published import REPEATS, TABLE_2, TABLE_3, published, published_tours
from llmopt.benchmarks.record import Identity, Record, of_nothing
from llmopt.benchmarks.summary import moments, summarize
from llmopt.objective import Objective
from llmopt.problems.tsp import TSP
from llmopt.registry import create_problem
from llmopt.solver import Solver
from support.models import obedient

BUDGET = Budget(evaluations=40)


class Diary(Watcher):
    def __init__(self) -> None:
        self.begun: list[tuple[str, int]] = []
        self.starts: list[list[tuple[int, int]]] = []

    def begin(self, name: str, solver: Solver, repeat: int) -> None:
        self.begun.append((name, repeat))

    def step(self, objective: Objective) -> None:
        if objective.step_count == 0:
            columns = objective.history.columns
            self.starts.append(list(zip(columns["w"].tolist(), columns["b"].tolist(), strict=True)))
        if self.begun[-1] == ("gaussian", 1):
            raise KeyboardInterrupt


def test_repeats_are_paired_and_ctrl_c_keeps_what_is_done() -> None:
    diary = Diary()
    records = compare("regression", {"instance": "2"}, solvers=["random", "opro", "gaussian", "quadratic"],
                      llm=obedient(), repeats=3, seed=5, budget=BUDGET, watcher=diary)  # fmt: skip
    assert [(r.solver, r.repeat, r.instance, r.seed) for r in records] == [
        *[(solver, r, 2 + r, 5 + r) for solver in ("random", "opro") for r in range(3)],
        ("gaussian", 0, 2, 5),
        ("gaussian", 1, 3, 6),
    ]
    assert [record.stop_reason for record in records][-1] == "interrupted"
    assert diary.starts[0:3] == diary.starts[3:6]
    assert records[3].llm == "test:function"
    assert records[3].llm_calls > 0


def test_a_run_is_a_function_of_its_repeat_alone() -> None:
    def of(solvers: list[str], repeats: int) -> list[Record]:
        return compare("regression", solvers=solvers, repeats=repeats, budget=BUDGET)

    both = {
        (r.solver, r.repeat): replace(r, seconds=0.0, evaluation_seconds=0.0) for r in of(["random", "gaussian"], 3)
    }
    alone = {(r.solver, r.repeat): replace(r, seconds=0.0, evaluation_seconds=0.0) for r in of(["gaussian"], 2)}
    assert all(both[key] == record for key, record in alone.items())


@pytest.mark.parametrize(("solvers", "repeats"), [([], 1), (["random"], 0), (["random", "random"], 1)])
def test_what_is_not_legal(solvers: list[str], repeats: int) -> None:
    with pytest.raises(InvalidInput):
        compare("regression", solvers=solvers, repeats=repeats, budget=BUDGET)


def test_everything_is_checked_before_anything_is_evaluated() -> None:
    problems, instance = create_problems("regression", {}, 2)
    with pytest.raises(InvalidInput):
        Comparison("regression", {}, problems, create_solvers(["random", "exhaustive"], None), BUDGET, instance)


def test_means_hold_every_repeat() -> None:
    records = compare("regression", solvers=["random", "quadratic"], repeats=4, budget=BUDGET)
    failed, solved = summarize(records)
    assert (failed.solver, failed.successes, failed.repeats, failed.bounded) == ("random", 0, 4, True)
    assert failed.evaluations.mean == 40
    assert (solved.successes, solved.bounded) == (4, False)
    mine = [r.unique_pairs for r in records if r.solver == "quadratic"]
    assert solved.unique_pairs.mean == statistics.fmean(mine)
    assert solved.unique_pairs.std == pytest.approx(np.std(mine, ddof=1))
    half = summarize([records[0], records[-1]])
    assert [s.evaluations.std for s in half] == [None, None]


def test_what_a_solver_sees_is_known_from_a_run_that_came_about() -> None:
    [record] = compare("tsp", {"n": "6"}, solvers=["2-opt"], repeats=1, budget=BUDGET)
    assert record.access == "structure"
    nothing = of_nothing(Identity("2-opt", "tsp", 0, 1, 0), "its process died")
    for records in ([nothing, record], [record, nothing]):
        [summary] = summarize(records)
        assert (summary.access, summary.errors) == ("structure", 1)


def test_a_missing_value_is_not_left_out_of_a_mean() -> None:
    assert moments([1.0, None]) is None
    assert moments([]) is None


def test_published_figures() -> None:
    assert REPEATS == 5
    for (w, b), rows in TABLE_2.items():
        assert published(create_problem("regression", {"w_true": str(w), "b_true": str(b)}, instance=1)) == rows
        assert [row.model for row in rows] == ["text-bison", "gpt-3.5-turbo", "gpt-4"]
    gpt4 = TABLE_2[36, -1][2]
    assert (gpt4.steps, gpt4.steps_std, gpt4.unique_pairs, gpt4.unique_pairs_std) == (50.4, 18.8, 116.4, 32.7)
    for settings in ({"w_true": "14", "b_true": "15"}, {"noise": "2"}, {"low": "-49"}, {"points": "49"}):
        assert published(create_problem("regression", settings)) == ()
    assert published(create_problem("function", {"name": "sphere"})) == ()


def test_published_figures_of_tours() -> None:
    assert sorted(TABLE_3) == [10, 15, 20, 50]
    for n, rows in TABLE_3.items():
        found = published_tours(create_problem("tsp", {"n": str(n), "optimum": "none"}, instance=2))
        assert found == rows and [row.method for row in rows][-1] == "gpt-4"
        assert all((row.solved is None) == (row.method in ("nearest neighbour", "farthest insertion")) for row in rows)
        assert all((row.steps is None) == (not row.solved) for row in rows)
    assert published_tours(create_problem("tsp", {"n": "11"})) == ()
    assert published_tours(create_problem("function", {"name": "sphere"})) == ()
    points = create_problem("tsp", {"n": "10"})
    assert isinstance(points, TSP)
    assert published_tours(TSP(points=points.points)) == ()
