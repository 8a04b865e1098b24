"""A suite of many small runs: what scheduling and storing them takes, and the report of a million evaluations."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmopt.benchmarks.bench import Bench
from llmopt.benchmarks.perf.row import Row
from llmopt.benchmarks.processes import Processes
from llmopt.benchmarks.suite import Group, Suite
from llmopt.runlog import RunLog

WORKERS = 2
EACH = 8
"""Evaluations of a small run: one step of random search."""
LONG = 500
"""Evaluations of each run that the report shows."""

_MS_EACH, _SECONDS, _MEGABYTES = 2.0, 60.0, 20.0


@dataclass(frozen=True)
class ManyRunsCost:
    """What ``few`` and ``many`` runs take.

    ``seconds_each`` is wall-clock time per run, of all that happens between the reading of the suite and the last row
    on the disk, with two processes. ``peak_few`` and ``peak_many`` are the memory in MB of the process that writes,
    ``peak_worker`` that of the larger worker of ``many``. ``read_seconds`` and ``read_mb`` are what it takes to read
    the results of ``many`` in a fresh process. ``report_seconds`` and ``report_mb`` are those of the whole program and
    of the page.
    """

    few: int
    many: int
    seconds_few: float
    seconds_many: float
    peak_few: float
    peak_many: float
    peak_worker: float
    read_seconds: float
    read_mb: float
    evaluations: int
    report_seconds: float
    report_mb: float

    def rows(self) -> list[Row]:
        """Return the rows of the table."""
        what, page = f"{self.many:,} runs of {EACH} evaluations", f"report of {self.evaluations:,} evaluations"
        return [
            Row(f"{what}, {WORKERS} processes", 1e3 * self.seconds_many / self.many, "ms each",
                1e3 * self.seconds_few / self.few, f"the same at {self.few:,}", limit=_MS_EACH),
            Row(f"{what}: memory of the process that writes", self.peak_many, "MB", self.peak_few,
                f"the same at {self.few:,}", "ratio"),
            Row(f"{what}: memory of a worker", self.peak_worker, "MB"),
            Row(f"{what}: read as results", self.read_seconds, "s"),
            Row(f"{what}: memory of the process that reads them", self.read_mb, "MB"),
            Row(f"{page}: time of the process", self.report_seconds, "s", limit=_SECONDS),
            Row(f"{page}: size of the page", self.report_mb, "MB", limit=_MEGABYTES),
        ]  # fmt: skip


def measure(*, quick: bool = False) -> ManyRunsCost:
    """Do the runs in fresh processes, then make the report of longer ones."""
    few, many, evaluations = (20, 60, 2_000) if quick else (10_000, 100_000, 1_000_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = _apart("work", str(folder / "few"), str(few), str(EACH))
        second = _apart("work", str(folder / "many"), str(many), str(EACH))
        seen = _apart("read", str(folder / "many"))
        _apart("work", str(folder / "long"), str(evaluations // LONG), str(LONG))
        began = time.perf_counter()
        program = [sys.executable, "-P", "-c", "from llmopt.cli import main; main()", "report", str(folder / "long")]
        subprocess.run(program, stdout=subprocess.DEVNULL, check=True)
        seconds = time.perf_counter() - began
        size = (folder / "long" / "report.html").stat().st_size / 1e6
    assert seen["runs"] == many
    return ManyRunsCost(
        few,
        many,
        first["seconds"],
        second["seconds"],
        first["peak_mb"],
        second["peak_mb"],
        second["worker_mb"],
        seen["seconds"],
        seen["peak_mb"],
        evaluations,
        seconds,
        size,
    )


def work(folder: str, runs: str, evaluations: str) -> None:
    """Do the runs of a suite and print what that took."""
    # Two solvers, so that there is something to compare.
    solvers = [f"random:batch={EACH}", "random:batch=1" if int(evaluations) > EACH else f"random:batch={EACH // 2}"]
    budget = {"evaluations": int(evaluations)}
    group = Group("function", [{"name": "sphere", "dim": "2"}], int(runs) // 2, 0, 0, solvers, budget)
    suite = Suite("many", "Runs that cost nothing.", "", [group], False, "many")
    with RunLog(folder) as log:
        began = time.perf_counter()
        Bench(suite, log).work(Processes(WORKERS, {}), lambda cell, record: None)
        seconds = time.perf_counter() - began
    print(
        json.dumps(
            {"seconds": seconds, "peak_mb": _peak(resource.RUSAGE_SELF), "worker_mb": _peak(resource.RUSAGE_CHILDREN)}
        )
    )


def read(folder: str) -> None:
    """Read results and print what that took."""
    from llmopt.benchmarks.results import Results

    began = time.perf_counter()
    results = Results.read(folder)
    seconds = time.perf_counter() - began
    print(json.dumps({"runs": len(results.traces), "seconds": seconds, "peak_mb": _peak(resource.RUSAGE_SELF)}))


def _apart(name: str, *arguments: str) -> dict[str, Any]:
    """Call a function of this module in a process of its own and return what it prints."""
    code = f"import sys; from {__name__} import {name}; {name}(*sys.argv[1:])"
    done = subprocess.run([sys.executable, "-P", "-c", code, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _peak(who: int) -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(who).ru_maxrss * unit / 1e6
