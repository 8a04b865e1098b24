"""A process that is killed loses what was in flight, and nothing else."""

from __future__ import annotations

import json
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from llmopt import InvalidInput, OptimizeResult, run
from llmopt.llm.ledger import total
from llmopt.llm.local import LocalLLM
from llmopt.opro import OPRO
from llmopt.runlog import LogReader, RunLog, Slot
from support.commands import environment
from support.models import obedient
from support.slow_run import BUDGET, SEED, Slow, perform, solver

TESTS = Path(__file__).parents[1]
KINDS = {
    "opro": ("opro", 1),
    "local": ("local", 1),
    "population": ("differential-evolution", 3),
    "routine": ("cobyqa", 1),
}


def replies_for(kind: str, tmp_path: Path) -> Path | None:
    """Record the replies that a whole run of the model needs."""
    if kind != "opro":
        return None
    folder = tmp_path / "recorded"
    with RunLog(folder) as log:
        run(Slow(), OPRO(obedient()), BUDGET, seed=SEED, log=Slot(log))
    return folder


class Runs:
    """One run over several processes, and what is known of it."""

    def __init__(self, kind: str, tmp_path: Path, replies: Path | None) -> None:
        self.name, self.workers = KINDS[kind]
        self.replies = replies
        self.log = tmp_path / "log"
        tmp_path.mkdir(exist_ok=True)
        self.calls = tmp_path / "calls"
        self.asked = tmp_path / "calls.asked"
        self.kills = 0
        self.committed: Counter[str] = Counter()

    def session(self, seconds: float, sign: signal.Signals, before: Callable[[], None] | None = None) -> bool:
        """Run until it ends by itself, and then return True, or until it is killed after some seconds."""
        arguments = [str(self.log), self.name, str(self.workers), str(self.calls)]
        process = subprocess.Popen(
            [sys.executable, "-m", "support.slow_run", *arguments, *([str(self.replies)] if self.replies else [])],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=TESTS,
            env=environment(),
            preexec_fn=before,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", process.communicate()
        called = len(self.called())
        time.sleep(seconds)
        process.send_signal(sign)
        out, error = process.communicate(timeout=60)
        assert "Traceback" not in error, error
        self.check(self.called()[called:])
        if process.returncode == 0 and out.strip() == "evaluations":
            return True
        self.kills += 1
        return False

    def called(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []

    def check(self, new: list[str]) -> None:
        """Nothing that was committed is evaluated again, and no more was in flight than there are workers."""
        assert not self.committed.keys() & set(new)
        if (self.log / "run.sqlite").exists():
            self.read()
        assert max(self.committed.values(), default=1) == 1
        assert len(set(new) - self.committed.keys()) <= self.workers

    def read(self) -> None:
        try:
            reader = LogReader(self.log)
        except InvalidInput as error:
            # It was killed while the log was made.
            assert "empty log" in str(error) and not self.committed
            return
        with reader:
            for logged in reader.runs():
                rows = reader.outcome(logged)
                solutions = logged.space.rows_to_json(rows.columns)
                self.committed = Counter(json.dumps(solution) for solution in solutions)
            assert not reader.damage

    def finish(self) -> OptimizeResult:
        result = perform(Slow(self.calls), solver(self.name, self.replies, self.asked), self.log, self.workers)
        assert len(self.called()) <= len(result.history) + self.kills * self.workers
        return result


def rows(result: OptimizeResult) -> list[tuple[object, ...]]:
    return [(e.solution, repr(e.loss), e.status, e.reason, e.step) for e in result.history]


def interrupt_until_done(runs: Runs, tmp_path: Path, chance: random.Random, sign: signal.Signals, most: int) -> None:
    undisturbed = perform(Slow(), solver(runs.name, runs.replies), None)
    while runs.kills < most and not runs.session(chance.uniform(0, 0.8), sign):
        pass
    result = runs.finish()
    assert rows(result) == rows(undisturbed)
    assert (result.nit, result.proposals, result.duplicates, result.invalid) == (
        undisturbed.nit,
        undisturbed.proposals,
        undisturbed.duplicates,
        undisturbed.invalid,
    )
    ours, theirs = (replace(total(r.spent), seconds=0.0) for r in (result, undisturbed))
    # Ctrl-C leaves time to write down that a call was given up, which may have cost something.
    assert sign == signal.SIGINT or ours.unreported_tokens == 0
    answered = replace(ours, calls=ours.calls - ours.unreported, unreported=0, unreported_tokens=0)
    assert answered == theirs
    if runs.asked.exists():
        # No reply is paid for twice, but one may have been on its way when the process died.
        asked = Counter(runs.asked.read_text().split())
        assert sum(count - 1 for count in asked.values()) <= runs.kills
    with LogReader(runs.log) as reader:
        [logged] = reader.runs()
        assert (logged.state, logged.evaluations, reader.damage) == ("done", len(result.history), [])


@pytest.mark.parametrize(("kind", "kills"), [("opro", 4), ("population", 3), ("routine", 3)])
def test_a_killed_run_goes_on_as_if_nothing_had_happened(kind: str, kills: int, tmp_path: Path) -> None:
    runs = Runs(kind, tmp_path, replies_for(kind, tmp_path))
    interrupt_until_done(runs, tmp_path, random.Random(kind), signal.SIGKILL, kills)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["opro", "population", "routine"])
def test_two_hundred_kills(kind: str, tmp_path: Path) -> None:
    replies = replies_for(kind, tmp_path)
    chance = random.Random(f"{kind} 200")
    kills = number = 0
    while kills < 200:
        folder = tmp_path / str(number)
        folder.mkdir()
        runs = Runs(kind, folder, replies)
        interrupt_until_done(runs, folder, chance, signal.SIGKILL, 200 - kills)
        kills += runs.kills
        number += 1


@pytest.mark.parametrize("kind", ["opro", "population"])
def test_ctrl_c_loses_no_more(kind: str, tmp_path: Path) -> None:
    runs = Runs(kind, tmp_path, replies_for(kind, tmp_path))
    interrupt_until_done(runs, tmp_path, random.Random(kind), signal.SIGINT, 2)


def kill_the_local_model(tmp_path: Path, chance: random.Random) -> None:
    runs = Runs("local", tmp_path, None)
    while runs.kills == 0 and not runs.session(chance.uniform(1, 4), signal.SIGKILL):
        pass
    with LogReader(runs.log) as reader:
        [before] = reader.runs()
        history, requests = reader.history(before), reader.requests(before)
    result = runs.finish()
    assert rows(result)[: len(history)] == [(e.solution, repr(e.loss), e.status, e.reason, e.step) for e in history]
    with LogReader(runs.log) as reader:
        [after] = reader.runs()
        later = reader.requests(after)
        calls = sum(usage.calls for asked in later.values() for request in asked for usage in request.usage)
        # What was there is as it was, and was neither asked nor booked again.
        for place, asked in requests.items():
            for old, new in zip(asked, later[place], strict=True):
                assert old.replies.items() <= new.replies.items()
        assert calls == total(reader.spent(after)).calls == sum(len(r.usage) > 0 for a in later.values() for r in a)


@pytest.mark.slow
@pytest.mark.model
def test_a_killed_run_of_the_local_model_keeps_every_reply(local_llm: LocalLLM, tmp_path: Path) -> None:
    kill_the_local_model(tmp_path, random.Random(1))


@pytest.mark.slow
@pytest.mark.model
def test_five_kills_of_the_local_model(local_llm: LocalLLM, tmp_path: Path) -> None:
    for number in range(5):
        kill_the_local_model(tmp_path / str(number), random.Random(number))


def test_a_full_disk_loses_no_more(tmp_path: Path) -> None:
    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))

    runs = Runs("routine", tmp_path, None)
    undisturbed = perform(Slow(), solver(runs.name, None), None)
    assert runs.session(5, signal.SIGKILL, small_files) is False
    with LogReader(runs.log) as reader:
        [logged] = reader.runs()
        assert logged.state == "interrupted"
        assert 5 < logged.evaluations < 40
    assert rows(runs.finish()) == rows(undisturbed)
