"""What a model contributes to a local search."""

import pytest

from llmopt import Budget
from llmopt.benchmarks.compare import Comparison
from llmopt.benchmarks.credit import controls
from llmopt.benchmarks.execution import Run
from llmopt.opro.tour_hybrid import TourHybrid
from llmopt.problems.tsp import tsp
from llmopt.registry import create_solver
from support.models import obedient


@pytest.fixture(scope="module")
def ran() -> tuple[Comparison, list[Run]]:
    problems = [tsp(n=30, instance=i) for i in range(2)]
    solvers = {"hybrid": TourHybrid(obedient()), "random": create_solver("random")}
    comparison = Comparison("tsp", {"n": "30"}, problems, solvers, Budget(evaluations=12), seed=3)
    return comparison, list(comparison.runs())


def test_the_controls_get_as_many_evaluations_on_the_same_repeats(ran: tuple[Comparison, list[Run]]) -> None:
    records = controls(*ran)
    assert [record.solver.partition(",")[0] for record in records] == [
        name for name in ("hybrid", "2-opt", "iterated-2-opt") for _ in range(2)
    ]
    hybrid = records[:2]
    for i, record in enumerate(records[2:]):
        of = hybrid[i % 2]
        assert (record.instance, record.seed, record.optimum) == (of.instance, of.seed, of.optimum)
        assert record.evaluations <= of.evaluations and record.move_evaluations > 0
        assert record.relative_gap is not None and record.relative_gap >= -1e-12


def test_without_a_hybrid_there_is_nothing_to_credit(ran: tuple[Comparison, list[Run]]) -> None:
    comparison, runs = ran
    assert controls(comparison, [run for run in runs if run.record.solver == "random"]) == []
