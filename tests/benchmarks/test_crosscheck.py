"""Our figures are those of other programs on the same data: cocopp, iohinspector, scikit-posthocs."""

import importlib
import importlib.util
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.stats import chi2

from llmopt import Budget
from llmopt.benchmarks.compare import Comparison, create_problems, create_solvers
from llmopt.benchmarks.metrics import best_so_far, measure, runtimes_of
from llmopt.benchmarks.results import Results, Trace
from llmopt.benchmarks.runtimes import ecdf, ert, hitting_times, simulated_restarts
from llmopt.benchmarks.statistics import friedman, pair, pairwise, signed_rank
from llmopt.report.export import ioh
from llmopt.runlog import LogReader, RunLog

SOLVERS = ["random", "gaussian", "nelder-mead", "recombination"]
BUDGET = 60


@pytest.fixture(scope="module")
def coco() -> Iterator[ModuleType]:
    """The statistics of cocopp without the rest of it, which asks the network for data sets when it is imported."""
    spec = importlib.util.find_spec("cocopp")
    assert spec is not None and spec.submodule_search_locations
    package = ModuleType("cocopp")
    package.__path__ = list(spec.submodule_search_locations)
    # That name alone: whatever else is imported meanwhile stays, since Polars cannot be imported a second time.
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "cocopp", package)
        yield importlib.import_module("cocopp.toolsstats")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compared")
    problems, _ = create_problems("regression", {"w_true": "15", "b_true": "14"}, 12)
    with RunLog(folder) as log:
        solvers = create_solvers(SOLVERS, None)
        comparison = Comparison("regression", {"w_true": "15"}, problems, solvers, Budget(evaluations=BUDGET), log=log)
        assert len(list(comparison.runs())) == 12 * len(SOLVERS)
    return folder


@pytest.fixture(scope="module")
def results(folder: Path) -> Results:
    return Results.read(folder)


@pytest.fixture(scope="module")
def exported(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The same runs as iohinspector reads them from our export."""
    from iohinspector import DataManager

    target = tmp_path_factory.mktemp("exported")
    with LogReader(folder) as reader:
        ioh.export(reader, reader.runs(), target)
    manager = DataManager()
    manager.add_folder(str(target))
    return manager.load(True, True)


def of(results: Results, solver: str) -> list[Trace]:
    return [trace for trace in results.traces if trace.record.solver == solver]


times = arrays.arrays(np.float64, st.integers(1, 15), elements=st.integers(1, BUDGET).map(float) | st.just(np.inf))


@given(times, st.integers(BUDGET, 99))
def test_the_expected_running_time_is_cocopps(coco: ModuleType, times: Any, budget: int) -> None:
    success = np.isfinite(times)
    theirs, share, count = coco.sp(np.where(success, times, budget), issuccessful=success)
    assert ert(times, [budget] * len(times)) == theirs
    assert (count, share) == (success.sum(), success.mean())


def test_expected_running_times_of_real_runs_are_cocopps(coco: ModuleType, results: Results) -> None:
    rows = {row.solver: row for row in measure(results.traces, np.random.default_rng(0))}
    assert 0 < rows["gaussian"].successes < 12 and rows["random"].successes == 0
    for solver in SOLVERS:
        reached, spent = runtimes_of(of(results, solver))
        assert rows[solver].ert.value == coco.sp(spent, issuccessful=np.isfinite(reached))[0]


@given(times)
def test_without_failures_simulated_restarts_are_cocopps(coco: ModuleType, times: Any) -> None:
    times = np.where(np.isinf(times), BUDGET, times)
    ours = simulated_restarts(times[:, None], times, np.random.default_rng(0))[:, 0]
    assert sorted(ours) == coco.simulated_evals(times, 0, len(ours))


def test_the_distribution_of_runtimes_with_simulated_restarts_is_cocopps(coco: ModuleType) -> None:
    reached = np.array([4.0, 17, 25, 60, math.inf, math.inf, math.inf, math.inf])
    spent = np.array([4.0, 17, 25, 60, 60, 60, 33, 12])
    draws = np.random.default_rng(0).spawn(50)
    ours = np.concatenate([simulated_restarts(reached[:, None], spent, rng)[:, 0] for rng in draws])
    state = np.random.get_state()  # noqa: NPY002 - what cocopp draws from
    np.random.seed(0)  # noqa: NPY002
    theirs = coco.simulated_evals(spent, 4, len(ours))
    np.random.set_state(state)  # noqa: NPY002
    at = np.unique(np.concatenate([ours, theirs]))
    # Two samples of 50,000 differ by more with probability 1e-5 (Dvoretzky, Kiefer, Wolfowitz and Massart).
    assert np.abs(ecdf(ours, at) - ecdf(theirs, at)).max() < 2 * math.sqrt(math.log(4e5) / (2 * len(ours)))


@pytest.mark.filterwarnings("ignore")
def test_expected_running_times_to_any_target_are_iohinspectors(exported: Any, results: Results) -> None:
    from iohinspector.metrics import aggregate_running_time

    theirs = aggregate_running_time(exported, f_min=60.0, f_max=1e6, eval_max=BUDGET, return_as_pandas=False)
    assert len(theirs) == 50 * len(SOLVERS)
    for row in theirs.iter_rows(named=True):
        runs = of(results, row["algorithm_name"])
        reached = [hitting_times(trace.losses, [row["raw_y"]])[0] for trace in runs]
        assert ert(reached, [BUDGET] * len(runs)) == pytest.approx(row["ERT"], nan_ok=True)
        assert np.isfinite(reached).mean() == pytest.approx(row["success_ratio"])


@pytest.mark.filterwarnings("ignore")
def test_the_distribution_of_runtimes_without_restarts_is_iohinspectors(exported: Any, results: Results) -> None:
    from iohinspector.metrics import get_data_ecdf

    at = [1, 2, 5, 10, 20, 40, BUDGET]
    # Newer Polars than it was written for takes no mean of texts.
    data = exported.select("data_id", "algorithm_name", "evaluations", "raw_y")
    theirs = get_data_ecdf(data, f_min=60.0, f_max=1e6, eval_values=at, return_as_pandas=False)
    targets = np.geomspace(1e6, 60.0, 2001)
    for solver in SOLVERS:
        ours = ecdf([hitting_times(trace.losses, targets) for trace in of(results, solver)], at)
        column = theirs.filter(theirs["algorithm_name"] == solver).sort("evaluations")
        # They integrate over all targets in between, of which these are the ends of 2,000 equal parts.
        np.testing.assert_allclose(ours, column["eaf"].to_numpy(), atol=1 / 2000)


@pytest.mark.filterwarnings("ignore")
def test_the_best_losses_at_fixed_budgets_are_iohinspectors(exported: Any, results: Results) -> None:
    from iohinspector.metrics import aggregate_convergence

    theirs = aggregate_convergence(exported, return_as_pandas=False)
    for row in theirs.iter_rows(named=True):
        runs = of(results, row["algorithm_name"])
        best = [best_so_far(trace.losses, int(row["evaluations"])) for trace in runs]
        found = {"median": np.median(best), "min": min(best), "max": max(best), "mean": np.mean(best)}
        assert found == pytest.approx({name: row[name] for name in found})


def test_wilcoxons_test_with_holms_correction_is_that_of_scikit_posthocs(results: Results) -> None:
    from scikit_posthocs import posthoc_wilcoxon
    from statsmodels.stats.multitest import multipletests  # type: ignore[import-untyped]

    paired = pair(results.traces, SOLVERS)
    found = pairwise(paired)
    alone = []
    for each in found:
        # Twice the ranks: whole numbers, whose differences are exact.
        doubled = np.rint(2 * paired.only(each.a, each.b).costs * 2 * len(paired))
        alone.append(posthoc_wilcoxon(list(doubled[doubled[:, 0] != doubled[:, 1]].T)).iloc[0, 1])
        assert each.test.p_value == pytest.approx(alone[-1])
    assert [each.p_value for each in found] == pytest.approx(multipletests(alone, method="holm")[1])
    assert min(each.p_value for each in found) < 0.05 < max(each.p_value for each in found)


def test_wilcoxons_test_without_ties_is_that_of_scikit_posthocs() -> None:
    from scikit_posthocs import posthoc_wilcoxon

    columns = np.random.default_rng(0).normal([0, 0.3, 1], 1, (25, 3)).T
    theirs = posthoc_wilcoxon(list(columns)).to_numpy()
    for i in range(3):
        for j in range(i):
            assert signed_rank(columns[i], columns[j]).p_value == pytest.approx(theirs[i, j])


def test_nemenyis_test_is_that_of_scikit_posthocs() -> None:
    from scikit_posthocs import posthoc_nemenyi_friedman

    costs = np.random.default_rng(1).normal([0, 0.2, 0.5, 1, 2], 1, (20, 5))
    found, theirs = friedman(costs), posthoc_nemenyi_friedman(costs).to_numpy()
    different = np.abs(np.subtract.outer(found.ranks, found.ranks)) >= found.critical_difference
    assert (different == (theirs < 0.05)).all()
    assert different.any() and not different[np.triu_indices(5, 1)].all()


def test_friedmans_test_is_demsars_formula() -> None:
    costs = np.random.default_rng(2).normal([0, 0.3, 0.6, 1], 1, (14, 4))
    found = friedman(costs)
    statistic = 12 * 14 / (4 * 5) * (sum(rank**2 for rank in found.ranks) - 4 * 25 / 4)
    assert found.p_value == pytest.approx(chi2.sf(statistic, 3))
