"""What other programs read of an export is what the log holds."""

from __future__ import annotations

import csv as csv_files
import json
import math
import shutil
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import optuna as optuna_itself
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmopt import Budget, Categorical, Float, FunctionProblem, Int, InvalidInput, Permutation, Text, Vector, run
from llmopt.benchmarks.compare import Comparison, create_problems, create_solvers
from llmopt.benchmarks.runtimes import ecdf, ert, hitting_times
from llmopt.report.export import csv, ioh, optuna, parquet
from llmopt.runlog import LogReader, RunLog, Slot
from support.strategies import spaces


def score(solution: Any) -> float:
    value = float(len(str(solution)))
    if value % 5 == 0:
        raise ValueError("=broken, or so")
    return value if value % 7 else math.nan


def write(folder: Path, space: Any, direction: Any, evaluations: int = 12) -> None:
    from llmopt import AskTellSolver, Proposals

    class Numbers(AskTellSolver):
        def ask(self, n: int) -> Proposals:
            return Proposals(self.task.space.sample(n, self.rng))

    with RunLog(folder) as log:
        problem = FunctionProblem(score, space, direction)
        run(problem, Numbers(4), Budget(evaluations=evaluations, steps=9), log=Slot(log))


def rows(reader: LogReader) -> list[tuple[Any, ...]]:
    [found] = reader.runs()
    history = reader.history(found)
    return [
        (
            found.id,
            i,
            e.step,
            e.status,
            None if math.isnan(e.score) else e.score,
            found.space.to_json(e.solution),
            e.reason or None,
        )
        for i, e in enumerate(history)
    ]


@settings(max_examples=25)
@given(space=spaces, direction=st.sampled_from(["minimize", "maximize"]))
def test_tables_read_back_exactly(space: Any, direction: str) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "log", space, direction)
        with LogReader(folder / "log") as reader:
            expected = rows(reader)
            for module in (csv, parquet):
                target = folder / module.__name__
                target.mkdir()
                module.export(reader, reader.runs(), target)
        table = pq.read_table(folder / parquet.__name__ / "evaluations.parquet").to_pylist()
        fixed = ["run", "call", "step", "status", "score", "reason"]
        assert [tuple(row[column] for column in fixed) for row in table] == [(*row[:5], row[6]) for row in expected]
        for row, (*_, solution, _) in zip(table, expected, strict=True):
            found = {k.removeprefix("solution."): v for k, v in row.items() if k not in fixed}
            if isinstance(space, Vector):
                for variable, value in solution.items():
                    assert found[variable] == value or json.loads(found[variable]) == value
            else:
                assert found["solution"] == solution
        with (folder / csv.__name__ / "evaluations.csv").open(newline="", encoding="utf-8") as file:
            texts = list(csv_files.DictReader(file))
        assert [(int(t["call"]), t["status"]) for t in texts] == [(row[1], row[3]) for row in expected]
        assert [float(t["score"]) if t["score"] else None for t in texts] == [row[4] for row in expected]
        assert not any(text["reason"].startswith("=") for text in texts)


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compared")
    problems, _ = create_problems("regression", {"w_true": "15", "b_true": "14"}, 4)
    with RunLog(folder) as log:
        solvers = create_solvers(["random", "gaussian", "nelder-mead"], None)
        comparison = Comparison("regression", {"w_true": "15"}, problems, solvers, Budget(evaluations=80), log=log)
        assert len(list(comparison.runs())) == 12
    return folder


@pytest.mark.filterwarnings("ignore")
def test_iohinspector_finds_our_running_times(compared: Path, tmp_path: Path) -> None:
    from iohinspector import DataManager
    from iohinspector.metrics import aggregate_running_time, get_data_ecdf

    with LogReader(compared) as reader:
        assert ioh.export(reader, reader.runs(), tmp_path) == ["random", "gaussian", "nelder-mead"]
        histories = {name: [] for name in ("random", "gaussian", "nelder-mead")}  # type: ignore[var-annotated]
        for found in reader.runs():
            histories[found.solver].append(reader.history(found).losses)
    manager = DataManager()
    manager.add_folder(str(tmp_path))
    assert sorted(manager.overview["instance"]) == sorted([0, 1, 2, 3] * 3)
    data = manager.load(True, True)
    low, high = 100.0, 1e6
    theirs = aggregate_running_time(data, f_min=low, f_max=high, eval_max=80, return_as_pandas=False)
    assert len(theirs) == 3 * 50
    for row in theirs.iter_rows(named=True):
        runs = histories[row["algorithm_name"]]
        times = [hitting_times(losses, [row["raw_y"]])[0] for losses in runs]
        # A run that ended with its target spent no more than that; one that failed spent the budget.
        assert ert(times, [80] * 4) == pytest.approx(row["ERT"], nan_ok=True)
    at = [1, 2, 5, 10, 20, 40, 80]
    # Newer Polars than it was written for takes no mean of texts.
    few = data.select("data_id", "algorithm_name", "evaluations", "raw_y")
    shares = get_data_ecdf(few, f_min=low, f_max=high, eval_values=at, return_as_pandas=False)
    # They integrate over all targets between the bounds on a logarithmic scale; here they are many.
    targets = np.geomspace(high, low, 4001)
    for name, runs in histories.items():
        ours = ecdf([hitting_times(losses, targets) for losses in runs], at)
        column = shares.filter(shares["algorithm_name"] == name).sort("evaluations")
        np.testing.assert_allclose(ours, column["eaf"].to_numpy(), atol=1e-3)


@pytest.mark.filterwarnings("ignore")
def test_iohprofiler_reads_maximization_and_failures(tmp_path: Path) -> None:
    from iohinspector import DataManager

    write(tmp_path / "log", Permutation(5), "maximize", 30)
    with LogReader(tmp_path / "log") as reader:
        ioh.export(reader, reader.runs(), tmp_path / "ioh")
        [found] = reader.runs()
        best = reader.history(found).incumbent
    manager = DataManager()
    manager.add_folder(str(tmp_path / "ioh"))
    overview = manager.overview.to_dicts()[0]
    assert best is not None
    assert (overview["best_y"], overview["evals"], overview["dimension"]) == (best.score, 30, 5)


MIXED = Vector(
    x=Float(-5, 5),
    rate=Float(1e-4, 1, log=True),
    share=Float(0, 1, step=0.1),
    k=Int(1, 9, step=3),
    width=Int(1, 1000, log=True),
    kind=Categorical("a", 1, True, None),
    word=Categorical("p", "q", 2.5),
    fixed=Int(3, 3),
)


@pytest.mark.parametrize("target", ["sqlite:///{}/runs.db", "{}/runs.db", "{}/runs.log"])
@pytest.mark.parametrize("space", [MIXED, Permutation(6, "dihedral"), Text(30)], ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_optuna_reads_what_was_evaluated(tmp_path: Path, target: str, space: Any, direction: str) -> None:
    write(tmp_path / "log", space, direction)
    to = target.format(tmp_path)
    with LogReader(tmp_path / "log") as reader, warnings.catch_warnings():
        warnings.simplefilter("error")
        [name] = optuna.export(reader, reader.runs(), to)
        expected = rows(reader)
        with pytest.raises(InvalidInput, match=r"holds the study .* already; delete it there, or give another"):
            optuna.export(reader, reader.runs(), to)
    study = optuna_itself.load_study(study_name=name, storage=optuna._storage(to))
    assert study.direction.name.lower() == direction
    for trial, (_, _, step, status, score, solution, reason) in zip(study.trials, expected, strict=True):
        assert trial.state.name == ("COMPLETE" if status == "ok" else "FAIL")
        assert (trial.value, trial.user_attrs["step"], trial.user_attrs["status"]) == (score, step, status)
        assert trial.user_attrs.get("reason") == reason
        if isinstance(space, Vector):
            found = {**trial.params, "kind": json.loads(trial.params["kind"])}
            assert found == solution and type(found["kind"]) is type(solution["kind"])
        else:
            assert trial.user_attrs["solution"] == solution and trial.params == {}


def test_a_storage_that_cannot_be_used_is_one_line(compared: Path, tmp_path: Path) -> None:
    with LogReader(compared) as reader:
        for to in ("nosuch://x", f"sqlite:///{tmp_path}/no/such/folder/x.db"):
            with pytest.raises(InvalidInput, match=r"the storage .* cannot be used: ") as error:
                optuna.export(reader, reader.runs(), to)
            assert "\n" not in str(error.value)


def test_what_can_be_read_of_a_damaged_log_is_exported(compared: Path, tmp_path: Path) -> None:
    shutil.copytree(compared, tmp_path / "copy")
    path = tmp_path / "copy" / "run.sqlite"
    content = bytearray(path.read_bytes())
    content[20_000:40_000] = bytes(20_000)
    path.write_bytes(content)
    with LogReader(tmp_path / "copy") as reader:
        csv.export(reader, reader.runs(), tmp_path)
        assert reader.damage
    assert len((tmp_path / "evaluations.csv").read_text().splitlines()) > 10
