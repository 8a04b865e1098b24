"""A suite is run whole, whatever happens on the way, and nothing of it is done twice."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from llmopt import InvalidInput
from llmopt.benchmarks.bench import Bench
from llmopt.benchmarks.cells import Cell
from llmopt.benchmarks.crew import Crew, Here, Models
from llmopt.benchmarks.processes import Processes
from llmopt.benchmarks.record import Record
from llmopt.benchmarks.results import Results
from llmopt.benchmarks.suite import Suite
from llmopt.benchmarks.suite_file import parse
from llmopt.runlog import RunLog
from support.commands import PLUGIN, environment

SUITE = """
name = "mine"
[[group]]
problem = "regression"
settings = [{ w_true = 15, b_true = 14 }, { w_true = 3, b_true = 5 }]
repeats = 2
solvers = ["random", "quadratic", "powell", "cma-es"]
budget = { evaluations = 30 }
"""


@pytest.fixture(autouse=True)
def plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PLUGIN))


def of(problem: str, **settings: str) -> Suite:
    written = ", ".join(f'{key} = "{value}"' for key, value in settings.items())
    return parse(
        f'name = "x"\n[[group]]\nproblem = "{problem}"\nsettings = {{ {written} }}\nrepeats = 4\n'
        'solvers = ["random:batch=1"]\nbudget = { evaluations = 6 }\n'
    )


def work(suite: Suite, folder: Path, crew: Crew | None = None) -> tuple[list[Record], int]:
    """Run a suite; return the records of what was done, and how much was there already."""
    records: list[Record] = []
    with RunLog(folder) as log:
        already = Bench(suite, log).work(crew or Here(Models()), lambda cell, record: records.append(record))
    return records, already


def outcomes(folder: Path) -> dict[tuple[str, int], tuple[Record, bytes]]:
    results = Results.read(folder)
    assert len(results.traces) == results.planned
    found = {}
    for trace in results.traces:
        record = replace(trace.record, seconds=0.0, evaluation_seconds=None)
        found[trace.run.name, trace.run.repeat] = record, trace.losses.tobytes()
    return found


def test_every_cell_is_there_once_and_is_not_done_again(tmp_path: Path) -> None:
    records, already = work(parse(SUITE), tmp_path)
    assert (len(records), already) == (16, 0)
    assert work(parse(SUITE), tmp_path) == ([], 16)
    results = Results.read(tmp_path)
    assert results.problems == ["regression w_true=15 b_true=14", "regression w_true=3 b_true=5"]
    assert results.solvers == ["random", "quadratic", "powell", "cma-es"]
    assert all(len(trace.losses) >= trace.record.evaluations for trace in results.traces)


def test_several_processes_find_what_one_finds(tmp_path: Path) -> None:
    work(parse(SUITE), tmp_path / "one")
    work(parse(SUITE), tmp_path / "two", Processes(2, {}))
    assert outcomes(tmp_path / "one") == outcomes(tmp_path / "two")


class Interrupted(Here):
    """Is interrupted within its third run."""

    def work(self, tasks: Iterable[object], take: object, again: object) -> None:
        count = 0

        def some(task: object, statements: object, record: Record | None) -> None:
            nonlocal count
            take(task, statements, record)  # type: ignore[operator]
            count += record is not None
            if count == 2 and record is None:
                raise KeyboardInterrupt

        super().work(tasks, some, again)  # type: ignore[arg-type]


def test_an_interrupted_suite_goes_on_where_it_was(tmp_path: Path) -> None:
    work(parse(SUITE), tmp_path / "whole")
    with suppress(KeyboardInterrupt):
        work(parse(SUITE), tmp_path / "parts", Interrupted(Models()))
    records, already = work(parse(SUITE), tmp_path / "parts")
    assert (len(records), already) == (14, 2)
    assert outcomes(tmp_path / "whole") == outcomes(tmp_path / "parts")


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c_within_a_run_ends_the_suite(tmp_path: Path) -> None:
    suite = of("fatal", mark=str(tmp_path / "mark"), name="SIGINT")
    with pytest.raises(KeyboardInterrupt):
        work(suite, tmp_path / "out")
    assert [trace.record.stop_reason for trace in Results.read(tmp_path / "out").traces] == [
        "evaluations",
        "interrupted",
    ]
    records, already = work(suite, tmp_path / "out")
    assert ([record.repeat for record in records], already) == ([1, 2, 3], 1)
    assert [trace.record.evaluations for trace in Results.read(tmp_path / "out").traces] == [6] * 4


def test_a_run_that_went_on_after_ctrl_c_and_died_has_no_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(*_: object) -> None:
        raise KeyboardInterrupt

    def work_until(where: str) -> None:
        with monkeypatch.context() as within, pytest.raises(KeyboardInterrupt):
            within.setattr(where, press)
            work(of("slow"), tmp_path)

    work_until("time.sleep")
    assert [trace.record.stop_reason for trace in Results.read(tmp_path).traces] == ["interrupted"]
    work_until("llmopt.runlog.journal.Journal.end")
    with pytest.raises(InvalidInput, match="holds no run that has ended"):
        Results.read(tmp_path)


def test_a_cell_that_cannot_be_built_is_a_result_and_is_tried_again(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    suite = of("picky", mark=str(mark))
    records, _ = work(suite, tmp_path / "out")
    assert [record.stop_reason for record in records] == ["evaluations", "error", "evaluations", "evaluations"]
    assert records[1].message == "OSError: the data are gone"
    assert len(Results.read(tmp_path / "out").traces) == 4
    mark.touch()
    records, already = work(suite, tmp_path / "out", Processes(1, {}))
    assert ([record.stop_reason for record in records], already) == (["evaluations"], 3)
    assert [trace.record.evaluations for trace in Results.read(tmp_path / "out").traces] == [6] * 4


def test_a_run_that_kills_its_process_once_goes_on_from_its_log(tmp_path: Path) -> None:
    records, _ = work(of("fatal", mark=str(tmp_path / "mark")), tmp_path / "out", Processes(2, {}))
    assert sorted(record.repeat for record in records) == [0, 1, 2, 3]
    assert {record.stop_reason for record in records} == {"evaluations"}
    assert [len(trace.losses) for trace in Results.read(tmp_path / "out").traces] == [6] * 4


def test_a_run_that_always_kills_its_process_is_a_failed_one_and_the_only_one(tmp_path: Path) -> None:
    records, _ = work(of("fatal"), tmp_path, Processes(2, {}))
    assert {record.repeat: record.stop_reason for record in records} == {
        0: "evaluations", 1: "error", 2: "evaluations", 3: "evaluations"
    }  # fmt: skip
    [failed] = [record for record in records if record.stop_reason == "error"]
    assert "process died 3 times" in failed.message


def test_a_run_that_was_killed_before_its_record_was_kept_is_done_by_the_next_command(tmp_path: Path) -> None:
    first, _ = work(of("slow"), tmp_path)
    with closing(sqlite3.connect(tmp_path / "run.sqlite")) as connection, connection:
        connection.execute("UPDATE runs SET record = NULL WHERE repeat = 2")
    assert len(Results.read(tmp_path).traces) == 3
    [again], already = work(of("slow"), tmp_path)
    assert (again.repeat, again.best_score, already) == (2, first[2].best_score, 3)
    assert len(Results.read(tmp_path).traces) == 4


def test_a_folder_holds_one_suite(tmp_path: Path) -> None:
    work(of("slow"), tmp_path)
    for other, said in ((of("slow").changed(repeats=1), "with other options"), (parse(SUITE), "suite x")):
        with pytest.raises(InvalidInput, match=f"holds .*{said}"):
            work(other, tmp_path)


def test_losses_are_in_the_order_of_the_evaluations(tmp_path: Path) -> None:
    work(of("slow"), tmp_path)
    for trace in Results.read(tmp_path).traces:
        assert trace.record.best_score == np.min(trace.losses)
        assert (np.diff(trace.steps) >= 0).all()


def test_cells_have_names_that_tell_them_apart() -> None:
    cells: list[Cell] = list(parse(SUITE).cells())
    assert len({(cell.name, cell.repeat) for cell in cells}) == len(cells) == 16


def test_worker_processes_end_with_one_that_was_killed(tmp_path: Path) -> None:
    file = tmp_path / "slow.toml"
    file.write_text(
        'name = "x"\n[[group]]\nproblem = "slow"\nrepeats = 400\nsolvers = ["random:batch=1"]\n'
        "budget = { evaluations = 60 }\n"
    )
    command = [sys.executable, "-P", "-m", "llmopt.cli", "bench", str(file), "--workers", "2", "--out", str(tmp_path)]
    main = psutil.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while len(workers := main.children(recursive=True)) < 3 or not (tmp_path / "run.sqlite").exists():
            assert main.poll() is None and time.monotonic() < until
            time.sleep(0.05)
    finally:
        main.kill()
        main.wait()
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert not alive
