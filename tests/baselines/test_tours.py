"""What every solver for tours keeps to."""

from importlib.metadata import entry_points
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmopt import Budget, InvalidInput, OptimizeResult, Permutation, Solver, minimize, run
from llmopt.baselines.tour_blind import order_crossover, reverse_parts
from llmopt.baselines.tour_construction import farthest_insertion, greedy_edge, nearest_neighbour
from llmopt.baselines.tour_search import anneal
from llmopt.benchmarks.compare import compare
from llmopt.errors import MissingExtra
from llmopt.problems.tsp import TSP, tsp
from llmopt.registry import create_solver
from llmopt.tours import Distances

# LKH is for non-commercial use and is not installed by the tests; it has a test of its own.
SOLVERS = sorted(
    e.name
    for e in entry_points(group="llmopt.solvers")
    if e.value.startswith("llmopt.baselines.tour_") and e.name != "lkh"
)
WHITE = [name for name in SOLVERS if create_solver(name).access == "structure"]
KEYS = ["tpe", "cma-es", "qmc", "optuna-random"]
BLIND = ["2-opt-blind", "genetic", "leg-regression", "random-legs"]
BLACK = [*BLIND, *KEYS]


def trace(result: OptimizeResult) -> list[Any]:
    return [evaluation.solution.tolist() for evaluation in result.history]


def perform(name: str, problem: TSP, evaluations: int = 30, seed: int = 0) -> OptimizeResult:
    return run(problem, create_solver(name), Budget(evaluations=evaluations), seed=seed)


def test_methods_say_what_they_see() -> None:
    assert sorted(set(SOLVERS) - set(BLIND)) == WHITE
    records = compare("tsp", {"n": "6"}, solvers=SOLVERS, repeats=1, budget=Budget(evaluations=20))
    assert {record.solver: record.access for record in records} == {
        name: "structure" if name in WHITE else "scores" for name in SOLVERS
    }


@pytest.mark.parametrize("name", [*SOLVERS, *KEYS])
@settings(max_examples=4, deadline=None)
@given(n=st.integers(3, 9), directed=st.booleans(), seed=st.integers(0, 99))
def test_a_run_stays_in_the_space_and_in_the_budget(name: str, n: int, directed: bool, seed: int) -> None:
    matrix = np.random.default_rng(seed).integers(0, 9, (n, n))
    problem = TSP(matrix if directed else matrix + matrix.T, optimum="none")
    result, again = (perform(name, problem, 12, seed) for _ in range(2))
    assert result.nfev <= 12 and not result.invalid
    assert trace(result) == trace(again)
    assert result.stop_reason in ("evaluations", "finished", "exhausted", "stalled")


@pytest.mark.parametrize("name", ["held-karp", "milp", "2-opt", "simulated-annealing"])
@pytest.mark.parametrize("directed", [False, True])
def test_good_methods_reach_the_optimum_of_small_problems(name: str, directed: bool) -> None:
    matrix = np.random.default_rng(5).uniform(0, 1, (9, 9))
    problem = TSP(matrix if directed else matrix + matrix.T)
    assert perform(name, problem, 60).success


@pytest.mark.parametrize("name", BLACK)
def test_black_boxes_do_not_see_distances(name: str) -> None:
    seen: list[object] = []

    class Curious(type(create_solver(name))):  # type: ignore[misc]
        def start(self, task: Any, rng: np.random.Generator) -> None:
            seen.append(task.structure)
            super().start(task, rng)

    run(tsp(n=6), Curious(), Budget(evaluations=8))
    assert seen == [None]
    # The same lengths by a function without a structure give the same run.
    problem = tsp(n=7, optimum="none")
    blind = minimize(problem.evaluate, problem.space, solver=name, max_evaluations=30, seed=4)
    assert trace(blind) == trace(perform(name, problem, 30, 4))


@pytest.mark.parametrize("name", ["2-opt-blind", "genetic", "cma-es"])
def test_black_boxes_improve_more_than_chance(name: str) -> None:
    def best(solver: str) -> float:
        return float(np.mean([perform(solver, tsp(n=15, instance=i), 200, i).fun for i in range(8)]))

    assert best(name) < 0.9 * best("random")


def test_white_boxes_refuse_what_has_no_distances() -> None:
    for name in WHITE:
        with pytest.raises(InvalidInput, match="looks into a problem's distances, which this one does not offer"):
            minimize(len, Permutation(4), solver=name, max_evaluations=9)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("held-karp", "held-karp is for at most 20 cities, not 21; use milp"),
        ("nearest-neighbour:start=21", "start=21 is not a city; give one of 0 to 20"),
        ("simulated-annealing:repetitions=0", "repetitions must be a whole number of at least 1"),
    ],
)
def test_bad_settings_are_refused(name: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        perform(name, TSP(np.ones((21, 21)), optimum="none"))


def test_permutation_methods_refuse_other_spaces() -> None:
    from llmopt import Int, Vector

    for name in ("2-opt-blind", "genetic"):
        with pytest.raises(InvalidInput, match=f"{name} works on permutations, not on vectors"):
            minimize(lambda s: s["x"], Vector(x=Int(0, 5)), solver=name, max_evaluations=5)


def test_nearest_neighbour_goes_to_the_nearest() -> None:
    line = Distances(np.abs(np.subtract.outer([0, 1, 3, 7], [0, 1, 3, 7])))
    assert nearest_neighbour(line, np.array([0, 2])).tolist() == [[0, 1, 2, 3], [2, 1, 0, 3]]


def test_farthest_insertion_adds_what_costs_most() -> None:
    # A square with a city near its first corner: the far corners come before it.
    points = np.array([(0, 0), (10, 0), (10, 10), (0, 10), (1, 0)], dtype=float)
    ways = Distances(np.hypot(*(points[:, None] - points).transpose(2, 0, 1)))
    tour = farthest_insertion(ways)
    assert ways.lengths([tour])[0] == pytest.approx(40)


def test_greedy_edge_takes_the_shortest_ways_first() -> None:
    line = Distances(np.abs(np.subtract.outer([0, 10, 11, 30], [0, 10, 11, 30])))
    tour = greedy_edge(line).tolist()
    assert abs(tour.index(1) - tour.index(2)) == 1


@given(n=st.integers(3, 12), seed=st.integers(0, 999), directed=st.booleans(), flat=st.booleans())
def test_constructions_give_tours(n: int, seed: int, directed: bool, flat: bool) -> None:
    matrix = np.random.default_rng(seed).integers(0, 1 if flat else 5, (n, n))
    ways = Distances(matrix if directed else matrix + matrix.T)
    for tour in [*nearest_neighbour(ways, np.arange(n)), farthest_insertion(ways), greedy_edge(ways)]:
        assert sorted(tour.tolist()) == list(range(n))


@settings(max_examples=10, deadline=None)
@given(n=st.integers(3, 12), seed=st.integers(0, 999), directed=st.booleans())
def test_annealing_never_ends_worse_than_it_began(n: int, seed: int, directed: bool) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.uniform(0, 1, (n, n))
    ways = Distances(matrix if directed else matrix + matrix.T)
    first = rng.permutation(n).astype(np.int32)
    found, moves = anneal(ways, first, rng)
    assert moves >= 20_000
    assert sorted(found.tolist()) == list(range(n))
    before, after = ways.lengths([first, found])
    assert after <= before * (1 + 1e-9)


@given(n=st.integers(2, 12), seed=st.integers(0, 999))
def test_children_are_orders(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = (rng.permutation(n).astype(np.int32) for _ in range(2))
    child = order_crossover(first, second, rng)
    orders = np.array([child, first])
    reverse_parts(orders, rng)
    for order in [child, *orders]:
        assert sorted(order.tolist()) == list(range(n))
    assert orders[1].tolist() != first.tolist()


def test_every_solver_is_checked() -> None:
    assert all(isinstance(create_solver(name), Solver) for name in SOLVERS)


def test_the_fit_of_legs_needs_far_fewer_evaluations_than_reversals() -> None:
    needed = {
        name: [perform(name, tsp(n=10, instance=i), 400, i).nfev for i in range(100, 105)]
        for name in ("leg-regression", "2-opt-blind")
    }
    assert sum(needed["leg-regression"]) < sum(needed["2-opt-blind"]) / 2


@pytest.mark.parametrize("name", ["2-opt", "iterated-2-opt", "simulated-annealing"])
def test_moves_beside_evaluations_are_counted(name: str) -> None:
    few, more = (perform(name, tsp(n=30, optimum="none"), count).move_evaluations for count in (6, 10))
    assert 0 < few < more


@pytest.mark.parametrize("name", [*BLACK, "nearest-neighbour", "milp"])
def test_what_evaluates_no_moves_counts_none(name: str) -> None:
    assert perform(name, tsp(n=6, optimum="none"), 8).move_evaluations == 0


@pytest.mark.parametrize("directed", [False, True])
def test_lkh_finds_the_optimum(directed: bool) -> None:
    pytest.importorskip("elkai", reason="LKH is for non-commercial use; pip install 'llmopt[lkh]'")
    matrix = np.random.default_rng(5).uniform(0, 1, (15, 15))
    assert perform("lkh", TSP(matrix if directed else matrix + matrix.T)).success


def test_lkh_that_is_not_installed_says_how_to_install_it() -> None:
    try:
        import elkai  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtra, match=r"pip install 'llmopt\[lkh\]'"):
            perform("lkh", tsp(n=6))
    with pytest.raises(InvalidInput, match="runs must be a whole number"):
        create_solver("lkh:runs=0")
