"""``llmopt resume`` and ``llmopt runs``."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from llmopt import InvalidInput
from llmopt.benchmarks.results import Results
from llmopt.runlog import LogReader, RunLog
from support.commands import Here, environment

LINE = ("regression", "w_true=15", "b_true=14")
COMPARE = ("compare", *LINE, "--solvers", "opro,random,quadratic", "--repeats", "2", "--llm", "obedient")


def clean(text: str) -> list[dict[str, Any]]:
    return [{**run, "seconds": 0, "evaluation_seconds": 0} for run in json.loads(text)["runs"]]


def evaluations(folder: Path) -> int:
    """Return how many the log of a folder holds."""
    with suppress(InvalidInput), LogReader(folder) as reader:
        return sum(run.evaluations for run in reader.runs())
    return 0


def press(*_: object) -> None:
    raise KeyboardInterrupt


def test_an_interrupted_comparison_goes_on_to_the_same_end(here: Here, tmp_path: Path) -> None:
    slow = (
        "compare",
        "slow",
        "--solvers",
        "random:batch=1,random:batch=2",
        "--repeats",
        "2",
        "--max-evaluations",
        "20",
    )
    command = [sys.executable, "-m", "llmopt.cli", *slow, "--out", "report", "--quiet"]
    for sign in (signal.SIGKILL, signal.SIGINT):
        before = evaluations(tmp_path / "report")
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        # However long it takes to start.
        while evaluations(tmp_path / "report") < before + 25 and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(sign)
        _, error = process.communicate(timeout=30)
        assert b"Traceback" not in error
        command = [sys.executable, "-m", "llmopt.cli", "resume", "report", "--quiet"]
    states = [run["state"] for run in json.loads(here("runs", "report", "--json")[1])["runs"]]
    assert states.count("interrupted") <= 1
    code, resumed, _ = here("resume", "report", "--json", "--quiet")
    assert code == 0
    code, undisturbed, _ = here(*slow, "--json", "--quiet")
    assert clean(resumed) == clean(undisturbed)
    with (tmp_path / "report" / "runs.csv").open(newline="") as file:
        assert [row["solver"] for row in csv.DictReader(file)] == ["random:batch=1"] * 2 + ["random:batch=2"] * 2
    assert len(list((tmp_path / "report" / "evaluations").iterdir())) == 4


def test_records_of_another_version_are_made_anew(here: Here, tmp_path: Path) -> None:
    command = ("compare", *LINE, "--solvers", "random", "--repeats", "1", "--max-evaluations", "30", "--out", "report")
    _, first, _ = here(*command, "--json", "--quiet")
    (record,) = json.loads(first)["runs"]
    for other in ({k: v for k, v in record.items() if k != "repaired"}, {**record, "unheard_of": 1}):
        with RunLog(tmp_path / "report") as log:
            log.set_record("random", 0, other)
        code, out, _ = here("resume", "report", "--json", "--quiet")
        assert code == 0 and clean(out) == clean(first)


def test_a_run_that_was_killed_before_its_new_record_was_kept_has_no_old_one(here: Here, tmp_path: Path) -> None:
    command = ("compare", *LINE, "--solvers", "random", "--repeats", "1", "--max-evaluations", "30", "--out", "report")
    [old] = json.loads(here(*command, "--json", "--quiet")[1])["runs"]
    resumed = ("resume", "report", "--max-evaluations", "50", "--json", "--quiet")
    _, first, _ = here(*resumed)
    with RunLog(tmp_path / "report") as log:
        log.set_record("random", 0, old)
    _, again, _ = here(*resumed)
    assert clean(again) == clean(first)
    assert [run["unique_pairs"] for run in json.loads(again)["runs"]] == [50]


def test_more_budget_continues_only_runs_that_had_spent_theirs(here: Here, tmp_path: Path) -> None:
    assert here(*COMPARE, "--max-evaluations", "30", "--out", "report", "--quiet")[0] == 0
    code, out, _ = here("resume", "report", "--max-evaluations", "50", "--json", "--quiet")
    assert code == 0
    runs = json.loads(out)["runs"]
    assert [run["unique_pairs"] for run in runs if run["solver"] != "quadratic"] == [50] * 4
    with LogReader(tmp_path / "report") as reader:
        events = reader._connection.execute("SELECT run FROM events WHERE kind = 'resumed' ORDER BY run").fetchall()
    assert events == [(1,), (2,), (3,), (4,)]
    # What a comparison was given stays with its log; a smaller budget than was used is refused before anything.
    code, out, error = here("resume", "report", "--max-evaluations", "40")
    assert (code, out) == (2, "")
    assert error.endswith("run 1 has made 50 evaluations, more than the budget of 40; give a larger one\n")


def test_a_run_that_stalled_under_a_smaller_budget_goes_on(here: Here) -> None:
    # Twelve tours, eleven evaluations: the model proposes known ones until it has made 20 proposals for each of those.
    tours = ("compare", "tsp", "n=5", "optimum=none", "--solvers", "tpe", "--repeats", "1", "--quiet")
    code, out, _ = here(*tours, "--max-evaluations", "11", "--out", "report", "--json")
    assert (code, [run["stop_reason"] for run in json.loads(out)["runs"]]) == (0, ["stalled"])
    code, resumed, _ = here("resume", "report", "--max-evaluations", "20", "--json", "--quiet")
    assert code == 0
    assert clean(resumed) == clean(here(*tours, "--max-evaluations", "20", "--json")[1])


def test_a_run_that_stalled_is_replayed_with_the_steps_that_its_budgets_cut_short(here: Here) -> None:
    tours = ("compare", "tsp", "n=5", "optimum=none", "--solvers", "tpe:batch=4", "--repeats", "2", "--quiet")
    code, out, _ = here(*tours, "--max-evaluations", "11", "--out", "report", "--json")
    assert (code, json.loads(out)["runs"][0]["stop_reason"]) == (0, "stalled")
    for limit in ("12", "20", "24"):
        code, out, error = here("resume", "report", "--max-evaluations", limit, "--json", "--quiet")
        assert (code, error) == (0, "")
    assert {run["stop_reason"] for run in json.loads(out)["runs"]} <= {"exhausted", "stalled"}


def test_a_budget_below_what_a_run_that_solved_it_took_is_refused(here: Here) -> None:
    solved = ("compare", *LINE, "--solvers", "quadratic", "--repeats", "2", "--out", "report", "--quiet")
    code, out, _ = here(*solved, "--max-evaluations", "50", "--json")
    runs = json.loads(out)["runs"]
    assert (code, [run["stop_reason"] for run in runs]) == (0, ["target"] * 2)
    most = max(run["unique_pairs"] for run in runs)
    assert here("resume", "report", "--max-evaluations", str(most), "--quiet")[0] == 0
    code, out, error = here("resume", "report", "--max-evaluations", "5")
    assert (code, out) == (2, "")
    assert error.endswith("evaluations, more than the budget of 5; give a larger one\n")


def test_another_budget_is_that_of_the_comparison_from_then_on(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["compare", *LINE, "--solvers", "random", "--repeats", "1", "--max-evaluations=30", "--out", "report"]
    monkeypatch.setattr(sys, "argv", ["llmopt", *command])
    assert here(*command, "--quiet")[0] == 0
    assert here("resume", "report", "--max-evaluations", "50", "--max-seconds", "60", "--quiet")[0] == 0
    for fork in ((), ("--fork",)):
        code, out, error = here("resume", "report", *fork, "--json", "--quiet")
        assert (code, error) == (0, "")
        assert [run["unique_pairs"] for run in json.loads(out)["runs"]] == [50]
    meta = json.loads((tmp_path / "report" / "meta.json").read_text())
    assert meta["problem"]["budget"]["evaluations"] == 50
    asked = ["--out", "report", "--max-evaluations", "50", "--max-seconds", "60.0"]
    assert meta["command"] == ["llmopt", *command[:-3], *asked]
    with LogReader(tmp_path / "report") as reader:
        assert reader.meta("meta") == meta


def test_another_budget_is_kept_where_its_runs_are_interrupted(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = ("compare", "slow", "--solvers", "random:batch=1", "--repeats", "1", "--out", "report", "--quiet")
    assert here(*slow, "--max-evaluations", "5")[0] == 0

    with monkeypatch.context() as within:
        within.setattr(time, "sleep", press)
        assert here("resume", "report", "--max-evaluations", "8", "--quiet")[0] == 1
    code, out, _ = here("resume", "report", "--json", "--quiet")
    assert code == 0
    assert [run["unique_pairs"] for run in json.loads(out)["runs"]] == [8]


@pytest.mark.parametrize("where", ["time.sleep", "llmopt.runlog.journal.Journal.end"], ids=["interrupted", "killed"])
def test_a_report_leaves_out_a_run_that_went_on_and_has_not_ended(
    here: Here, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    slow = ("compare", "slow", "--solvers", "random:batch=1,random:batch=2", "--repeats", "1", "--out", "report")
    assert here(*slow, "--max-evaluations", "5", "--quiet")[0] == 0
    with monkeypatch.context() as within:
        within.setattr(where, press)
        assert here("resume", "report", "--max-evaluations", "8", "--quiet")[0] == 1
    assert [(trace.record.solver, trace.record.evaluations) for trace in Results.read("report").traces] == [
        ("random:batch=2", 5)
    ]
    listed = json.loads(here("runs", "report", "--json")[1])["runs"]
    assert [run["stop_reason"] for run in listed] == [
        "interrupted" if where == "time.sleep" else None,
        "evaluations",
    ]
    assert here("resume", "report", "--quiet")[0] == 0
    assert [trace.record.evaluations for trace in Results.read("report").traces] == [8, 8]


def test_more_of_what_a_problem_does_not_have_is_refused(here: Here) -> None:
    here("solve", *LINE, "--solver", "random", "--max-evaluations", "9", "--out", "report", "--quiet")
    code, out, error = here("resume", "report", "--max-scorer-calls", "50")
    assert (code, out, error.count("\n")) == (2, "", 1)
    assert "--max-scorer-calls: only for problems whose score is a mean over examples, such as prompt" in error


def test_the_folder_in_which_it_began_is_named_where_its_files_are_missing(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.csv").write_text("x,y\n1,2\n2,4\n3,7\n")
    table = ("regression", "data=own.csv", "target=y", "--solver", "random", "--max-evaluations", "9")
    assert here("solve", *table, "--out", "report", "--quiet")[0] == 0
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    code, out, error = here("resume", "../report", "--max-evaluations", "12")
    assert (code, out, error.count("\n")) == (2, "", 1)
    assert error.endswith(f"; the comparison began in {tmp_path}, where there is own.csv: resume it there\n")
    monkeypatch.chdir(tmp_path)
    assert here("resume", "report", "--max-evaluations", "12", "--quiet")[0] == 0
    assert "began in" not in here("resume", "report", "--max-evaluations", "5")[2]


def test_a_fork_is_listed_beside_its_parent(here: Here) -> None:
    here(*COMPARE, "--max-evaluations", "30", "--out", "report", "--quiet")
    assert here("resume", "report", "--fork", "--max-evaluations", "40", "--quiet")[0] == 0
    code, out, _ = here("runs", "report")
    assert code == 0
    assert "7 (of 1)" in out
    runs = json.loads(here("runs", "report", "--json")[1])["runs"]
    assert [(run["id"], run["parent"]) for run in runs][6:] == [(7, 1), (8, 2), (9, 3), (10, 4)]
    assert {run["state"] for run in runs} == {"done"}


def test_runs_of_folders_in_a_folder(here: Here) -> None:
    for name in ("b", "a"):
        here("solve", *LINE, "--solver", "random", "--max-evaluations", "9", "--out", f"all/{name}", "--quiet")
    code, out, _ = here("runs", "all", "--json")
    assert code == 0
    assert [run["folder"] for run in json.loads(out)["runs"]] == ["all/a", "all/b"]


def test_an_existing_comparison_is_neither_mixed_nor_lost(here: Here) -> None:
    arguments = ("solve", *LINE, "--solver", "random", "--max-evaluations", "9", "--out", "report", "--quiet")
    assert here(*arguments)[0] == 0
    code, _, error = here(*arguments)
    assert code == 2
    assert "holds a comparison already; go on with it (llmopt resume report), give another folder, or" in error
    assert here(*arguments, "--overwrite")[0] == 0
    assert len(json.loads(here("runs", "report", "--json")[1])["runs"]) == 1


def test_a_run_of_python_code_is_no_comparison(here: Here, tmp_path: Path) -> None:
    from llmopt import Int, Vector, minimize

    minimize(lambda s: s["x"], Vector(x=Int(0, 9)), solver="random", max_evaluations=5, log=tmp_path / "own")
    code, _, error = here("resume", "own")
    assert code == 2
    assert error.endswith("goes on by llmopt.resume(folder, function)\n")
    assert here("runs", "own")[0] == 0


@pytest.mark.parametrize("verb", ["runs", "resume"])
def test_a_damaged_log_is_one_line_each(here: Here, tmp_path: Path, verb: str) -> None:
    here(*COMPARE, "--max-evaluations", "60", "--out", "report", "--quiet")
    path = tmp_path / "report" / "run.sqlite"
    content = bytearray(path.read_bytes())
    for place in range(9000, len(content), 4096):
        content[place : place + 60] = bytes(60)
    path.write_bytes(content)
    tables = (tmp_path / "report" / "runs.csv").read_bytes()
    code, _, error = here(verb, "report")
    assert code == {"runs": 0, "resume": 2}[verb]
    assert error and all(line.startswith("llmopt: ") for line in error.splitlines())
    assert (path.read_bytes(), (tmp_path / "report" / "runs.csv").read_bytes()) == (bytes(content), tables)
    for folder in ("nowhere", str(tmp_path)):
        code, out, error = here(verb, folder)
        if (verb, folder) != ("runs", str(tmp_path)):
            assert (code, out) == (2, "")
            assert "is not the folder of a run" in error
            assert error.count("\n") == 1
