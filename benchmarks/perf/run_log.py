"""The run log beside Optuna's storages on the same disk, and a log of a million evaluations."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from llmopt import Budget, Float, FunctionProblem, Vector
from llmopt.baselines.random import RandomSearch
from llmopt.benchmarks.perf.row import Row, alternate, median_ratio
from llmopt.evaluate import Outcomes
from llmopt.runlog import LogReader, RunLog, Slot
from llmopt.runlog.journal import Journal
from llmopt.space import length

if TYPE_CHECKING:
    import optuna

STEP = 8
NAMES = "abcde"
_BYTES, _SECONDS, _MEGABYTES = 150.0, 1 / 200_000, 1_000.0


@dataclass(frozen=True)
class RunLogCost:
    """Seconds of a step of 8 evaluations that is on the disk, and what a large log takes.

    ``ours``, ``sqlite`` and ``journal`` are medians over the rounds; the ratios are medians of the rounds' ratios.
    ``bytes_each`` is what a logged evaluation takes on the disk beyond the text of its solution, ``seconds_each`` what
    it takes to open the log and make a history of it, ``peak_mb`` the memory of the process that does.
    """

    ours: float
    sqlite: float
    journal: float
    sqlite_ratio: float
    journal_ratio: float
    evaluations: int
    bytes_each: float
    seconds_each: float
    peak_mb: float

    def rows(self) -> list[Row]:
        """Return the rows of the table."""
        large = f"a log of {self.evaluations:,}"
        return [
            Row(f"a step of {STEP} evaluations on the disk", self.ours * 1e3, "ms", self.sqlite * 1e3,
                f"{STEP} trials in Optuna's SQLite storage", "ratio", self.sqlite_ratio, 0.1),
            Row("the same", self.ours * 1e3, "ms", self.journal * 1e3,
                f"{STEP} trials in its journal storage", "ratio", self.journal_ratio, 1 / 3),
            Row(f"{large}: beyond the solution's text", self.bytes_each, "bytes each", limit=_BYTES),
            Row(f"{large}: opened as a history", self.seconds_each * 1e6, "us each", limit=_SECONDS * 1e6),
            Row(f"{large}: memory of that process", self.peak_mb, "MB", limit=_MEGABYTES),
        ]  # fmt: skip


def measure(*, quick: bool = False) -> RunLogCost:
    """Time steps of five real variables, then write and read a large log."""
    import optuna

    steps, rounds, evaluations = (5, 1, 10_000) if quick else (30, 3, 1_000_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        verbosity = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        try:
            number = iter(range(10**6))
            ours, sqlite, journal = alternate(
                [
                    lambda: _ours(folder / str(next(number)), steps),
                    lambda: _optunas(f"sqlite:///{folder}/{next(number)}.db", steps),
                    lambda: _optunas(_journal_storage(folder / f"{next(number)}.log"), steps),
                ],
                rounds,
            )
        finally:
            optuna.logging.set_verbosity(verbosity)
        bytes_each = _write(folder / "large", evaluations)
        code = f"from {__name__} import read; read({str(folder / 'large')!r})"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        seen = json.loads(done.stdout)
    assert seen["evaluations"] == evaluations
    return RunLogCost(
        statistics.median(ours),
        statistics.median(sqlite),
        statistics.median(journal),
        median_ratio(ours, sqlite),
        median_ratio(ours, journal),
        evaluations,
        bytes_each,
        seen["seconds"] / evaluations,
        seen["peak_mb"],
    )


def read(folder: str) -> None:
    """Open a log as a history and print what that took; runs in a process of its own."""
    import resource

    began = time.perf_counter()
    with LogReader(folder) as reader:
        [run] = reader.runs()
        history = reader.history(run)
        assert not reader.damage
    seconds = time.perf_counter() - began
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    print(json.dumps({"evaluations": len(history), "seconds": seconds, "peak_mb": peak}))


def _problem() -> FunctionProblem:
    return FunctionProblem(sum, Vector(dict.fromkeys(NAMES, Float(-5, 5))))


def _open(log: RunLog) -> Journal:
    return Slot(log).open(_problem(), RandomSearch(), Budget(steps=1), 0, starts=None, target=None)


def _keep(journal: Journal, first: int, count: int, rng: np.random.Generator) -> int:
    """Write evaluations as the objective does, and return the length of their solutions' texts."""
    columns = _problem().space.sample(count, rng)
    outcomes = Outcomes(length(columns))
    outcomes.losses[:] = rng.normal(size=count)
    journal.step += 1
    journal.keep(first, columns, outcomes, range(count), 0.0)
    return sum(len(json.dumps(value, separators=(",", ":"))) for value in _problem().space.rows_to_json(columns))


def _ours(folder: Path, steps: int) -> float:
    rng = np.random.default_rng(0)
    with RunLog(folder) as log:
        journal = _open(log)
        began = time.perf_counter()
        for step in range(steps):
            _keep(journal, step * STEP, STEP, rng)
            journal.flush()
        return (time.perf_counter() - began) / steps


def _optunas(storage: str | optuna.storages.BaseStorage, steps: int) -> float:
    import optuna

    distributions = {name: optuna.distributions.FloatDistribution(-5, 5) for name in NAMES}
    study = optuna.create_study(storage=storage, sampler=optuna.samplers.RandomSampler(seed=0))
    began = time.perf_counter()
    for _ in range(steps):
        trials = [study.ask(distributions) for _ in range(STEP)]  # type: ignore[arg-type]
        for trial in trials:
            study.tell(trial, 1.0)
    return (time.perf_counter() - began) / steps


def _journal_storage(path: Path) -> optuna.storages.BaseStorage:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    return JournalStorage(JournalFileBackend(str(path)))


def _write(folder: Path, evaluations: int) -> float:
    """Write a log of many evaluations and return the bytes that each takes beyond its solution's text."""
    rng = np.random.default_rng(0)
    texts = 0
    with RunLog(folder) as log:
        journal = _open(log)
        chunk = min(evaluations, 50_000)
        for first in range(0, evaluations, chunk):
            texts += _keep(journal, first, chunk, rng)
        journal.end("evaluations", "", evaluations)
    size = sum(path.stat().st_size for path in folder.iterdir())
    return (size - texts) / evaluations
