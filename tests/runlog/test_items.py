"""Item scores in the log: what was scored is not asked for again, wherever a run was interrupted."""

from __future__ import annotations

import math
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmopt import (
    AskTellSolver,
    Budget,
    History,
    Int,
    InvalidInput,
    LlmoptError,
    OptimizeResult,
    Proposals,
    Solver,
    Vector,
    run,
)
from llmopt.items import ItemProblem, ItemScore, ItemScores, Keep, solution_key
from llmopt.llm.ledger import BudgetSpent
from llmopt.racing import Race, Scores
from llmopt.registry import create_solver
from llmopt.runlog import LogReader, RunLog, Slot, schema
from support.commands import environment
from support.logs import PROBLEM

QUICK = Race(first=2, block=1)
SEED = 3


class Table(ItemProblem):
    """Scores whole numbers by a table, writes down the pairs, and stops at one of them."""

    direction = "maximize"

    def __init__(
        self, table: Scores, stop: int | None = None, error: BaseException | None = None, held_out: int = 2
    ) -> None:
        self.space = Vector(x=Int(0, len(table) - 1))
        self.table = table
        self.held_out = held_out
        self.stop = stop
        self.error = error or KeyboardInterrupt()
        self.asked: list[tuple[int, int]] = []

    @property
    def items(self) -> int:
        return int(self.table.shape[1]) - self.held_out

    def score_items(self, pairs: Sequence[tuple[Any, int]], keep: Keep) -> None:
        for i, (solution, item) in enumerate(pairs):
            if len(self.asked) == self.stop:
                raise self.error
            self.asked.append((solution["x"], item))
            keep(i, ItemScore(self.table[solution["x"], item], f"{item} is ünd\x00so \ud83d"))

    def assess(self, history: History, scores: ItemScores) -> Mapping[str, Any]:
        assert history.incumbent is not None
        found = scores.score([(history.incumbent.solution, item) for item in range(self.items, self.table.shape[1])])
        return {"held out": found.tolist()}

    def describe(self) -> str:
        return "Find x."


def marks(seed: int, solutions: int = 30, items: int = 6) -> Scores:
    rng = np.random.default_rng(seed)
    return np.asarray(rng.integers(0, 5, (solutions, items)) / 4)


def rows(result: OptimizeResult) -> list[tuple[object, ...]]:
    return [(e.solution["x"], repr(e.loss), e.status, e.reason, e.step) for e in result.history]


def told(result: OptimizeResult) -> tuple[object, ...]:
    counts = result.nit, result.proposals, result.duplicates, result.stop_reason, result.message
    return *rows(result), *counts, result.scorer_calls, result.assessment


def logged(
    folder: Path, problem: Table, budget: Budget | None = None, solver: Solver | None = None, **options: Any
) -> OptimizeResult:
    slot = {name: options.pop(name) for name in ("fork", "force") if name in options}
    options.setdefault("race", QUICK)
    with RunLog(folder) as log:
        solver = solver or create_solver("random:batch=3")
        return run(problem, solver, budget or Budget(9), seed=SEED, log=Slot(log, **slot), **options)


def change(folder: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(folder / "run.sqlite")) as connection:
        connection.execute(statement, values)
        connection.commit()


def dump(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "run.sqlite")) as connection:
        connection.text_factory = bytes
        return [repr(row) for row in connection.execute("SELECT * FROM items ORDER BY run, solution, item")]


# -- to go on ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("race", [QUICK, None])
def test_a_run_goes_on_from_any_pair_as_if_nothing_had_happened(race: Race | None, tmp_path: Path) -> None:
    solver, table = create_solver("random:batch=3"), marks(1)
    undisturbed = Table(table)
    whole = run(undisturbed, solver, Budget(8), seed=SEED, race=race)
    assert race is None or whole.history.count("dropped") > 0
    pairs = len(undisturbed.asked)
    with RunLog(tmp_path) as log:
        for stop in range(pairs):
            # A second interrupt while the log is gone on with, at another distance each time.
            sessions = [Table(table, stop), Table(table, min(stop % 4, pairs - stop - 1)), Table(table)]
            slot = Slot(log, repeat=stop)
            results = [run(problem, solver, Budget(8), seed=SEED, race=race, log=slot) for problem in sessions]
            assert [result.stop_reason for result in results] == ["interrupted", "interrupted", "evaluations"]
            assert all(rows(result) == rows(whole)[: result.nfev] for result in results)
            assert results[0].assessment == results[1].assessment == {}
            assert told(results[-1]) == told(whole)
            assert Counter(pair for problem in sessions for pair in problem.asked) == Counter(undisturbed.asked)
    with LogReader(tmp_path) as reader:
        assert [(found.state, len(reader.items(found))) for found in reader.runs()] == [("done", pairs)] * pairs
        reader.check()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 60), st.integers(5, 70), st.sampled_from([None, QUICK]), st.booleans())
def test_any_error_of_the_problem_loses_no_pair(
    seed: int, stop: int, limit: int, race: Race | None, assessed: bool
) -> None:
    table, budget = marks(seed), Budget(scorer_calls=limit)
    held_out = 2 if assessed else 0
    undisturbed = Table(table, held_out=held_out)
    whole = run(undisturbed, create_solver("random:batch=3"), budget, seed=SEED, race=race)
    first, second = Table(table, stop, OSError("no network"), held_out), Table(table, held_out=held_out)
    with TemporaryDirectory() as folder:
        if stop < len(undisturbed.asked):
            with pytest.raises(OSError, match="no network"):
                logged(Path(folder), first, budget, race=race)
            with LogReader(folder) as reader:
                [found] = reader.runs()
                assert (found.state, found.message) == ("failed", "OSError: no network")
                assert len(reader.items(found)) == stop
        assert told(logged(Path(folder), second, budget, race=race)) == told(whole)
        assert Counter(first.asked + second.asked) == Counter(undisturbed.asked)


@pytest.mark.parametrize("race", [QUICK, None])
def test_more_scorer_calls_go_on_with_a_run_that_has_spent_them(race: Race | None, tmp_path: Path) -> None:
    problem = Table(marks(2))
    before: list[object] = []
    for limit in (7, 22, 40, 41, 60):
        budget = Budget(scorer_calls=limit)
        result = logged(tmp_path, problem, budget, race=race)
        assert told(result) == told(run(Table(marks(2)), create_solver("random:batch=3"), budget, seed=SEED, race=race))
        assert (result.stop_reason, result.scorer_calls <= limit) == ("scorer_calls", True)
        # A step that was cut short is filled up.
        assert all(row in rows(result) for row in before)
        before = list(rows(result))
    assert max(Counter(problem.asked).values()) == 1


@pytest.mark.parametrize("seconds", [13, 29, 44])
def test_a_run_that_the_clock_ended_in_a_race_is_the_same_when_it_is_repeated(seconds: int, tmp_path: Path) -> None:
    clock = [0]

    class Ticking(Table):
        def score_items(self, pairs: Sequence[tuple[Any, int]], keep: Keep) -> None:
            def kept(i: int, score: ItemScore) -> None:
                clock[0] += 1
                keep(i, score)

            super().score_items(pairs, kept)

    first, again = (
        logged(tmp_path, Ticking(marks(1)), Budget(seconds=seconds), clock=lambda: float(clock[0])) for _ in range(2)
    )
    assert (first.stop_reason, rows(again)) == ("seconds", rows(first))


def test_fewer_scorer_calls_than_were_made_are_refused(tmp_path: Path) -> None:
    logged(tmp_path, Table(marks(2), 33), Budget(scorer_calls=90))
    before, problem = dump(tmp_path), Table(marks(2))
    with pytest.raises(InvalidInput, match="run 1 has made 33 scorer calls, more than the budget of 32; give a larger"):
        logged(tmp_path, problem, Budget(scorer_calls=32))
    assert problem.asked == [] and dump(tmp_path) == before
    assert logged(tmp_path, problem, Budget(scorer_calls=35)).scorer_calls <= 35
    # What assesses is no scorer call of the search.
    assert logged(tmp_path, problem, Budget(scorer_calls=35)).stop_reason == "scorer_calls"


def test_a_run_that_is_done_is_neither_searched_nor_assessed_anew(tmp_path: Path) -> None:
    first, second = Table(marks(1)), Table(marks(1))
    one = logged(tmp_path, first)
    before = (tmp_path / "run.sqlite").read_bytes()
    assert told(logged(tmp_path, second)) == told(one)
    assert second.asked == [] and len(first.asked) > 30
    with LogReader(tmp_path) as reader:
        assert [run.state for run in reader.runs()] == ["done"]
    assert len(before) == len((tmp_path / "run.sqlite").read_bytes())


def test_every_pair_is_in_the_log_with_its_answer(tmp_path: Path) -> None:
    problem = Table(-marks(1) * 1.0)
    logged(tmp_path, problem, race=None)
    with LogReader(tmp_path) as reader:
        found = reader.items(reader.runs()[0])
        reader.check()
    keys = {solution_key({"x": x}): x for x in range(30)}
    assert {(keys[key], item): (score, answer) for key, item, score, answer in found} == {
        (x, item): (problem.table[x, item], f"{item} is ünd\x00so \ud83d") for x, item in problem.asked
    }


def test_the_clock_ends_a_run_between_blocks_and_more_time_goes_on(tmp_path: Path) -> None:
    def timed(problem: Table, seconds: float) -> OptimizeResult:
        return logged(tmp_path, problem, Budget(20, seconds=seconds), clock=lambda: 100.0 * len(problem.asked))

    first, again, more = (Table(marks(1)) for _ in range(3))
    ended = timed(first, 2650)
    assert ended.stop_reason == "seconds" and 5 <= ended.nfev < 20
    assert ended.history.steps.tolist().count(int(ended.history.steps[-1])) == 3 or ended.nfev == 5
    # Where the clock ended it, a replay ends too.
    assert rows(timed(again, 2650)) == rows(ended)
    assert again.asked == []
    whole = run(Table(marks(1)), create_solver("random:batch=3"), Budget(20), seed=SEED, race=QUICK)
    assert rows(timed(more, 10**6)) == rows(whole)
    assert not set(first.asked) & set(more.asked)


class InOrder(AskTellSolver):
    """Proposes 0, 1, 2, ... from some number on."""

    def __init__(self, first: int = 0) -> None:
        super().__init__(3)
        self._first = first

    def ask(self, n: int) -> Proposals:
        known = len(self.task.history) + self._first
        return Proposals({"x": np.arange(known, known + n) % 30})


def test_a_fork_knows_the_items_that_were_scored(tmp_path: Path) -> None:
    starts = [{"x": 29}]
    first = logged(tmp_path, Table(marks(1), held_out=2), Budget(9), InOrder(), starts=starts)
    assert first.history.count("dropped") > 0
    problem = Table(marks(1))
    forked = logged(tmp_path, problem, Budget(12), InOrder(4), fork=True)
    assert [row[:4] for row in rows(forked)[:9]] == [row[:4] for row in rows(first)]
    assert not {x for x, _ in problem.asked[: -problem.held_out]} & {e.solution["x"] for e in first.history}
    assert forked.scorer_calls == first.scorer_calls + sum(item < problem.items for _, item in problem.asked)
    # What was told is told again, from the fork's own rows.
    change(tmp_path, "DELETE FROM items WHERE run = 1")
    again = Table(marks(1))
    assert told(logged(tmp_path, again, Budget(12), InOrder(4))) == told(forked)
    assert again.asked == []


def test_a_fork_that_died_at_its_beginning_knows_the_items_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = logged(tmp_path, Table(marks(1)), Budget(9), InOrder(), starts=[{"x": 29}])
    monkeypatch.setattr("llmopt.runlog.journal.Journal.keep_item", lambda *_: os.abort)
    with RunLog(tmp_path) as log:
        Slot(log, fork=True).open(Table(marks(1)), InOrder(4), Budget(12), SEED, starts=None, target=None, race=QUICK)
    monkeypatch.undo()
    problem = Table(marks(1))
    forked = logged(tmp_path, problem, Budget(9), InOrder(4))
    assert forked.scorer_calls == first.scorer_calls
    assert problem.asked == []


def test_another_race_is_another_run(tmp_path: Path) -> None:
    logged(tmp_path, Table(marks(1)))
    before = dump(tmp_path)
    for race, said in ((None, r"race was \{.*\} and is null"), (Race(first=2), r"race\.block was 1 and is 5")):
        problem = Table(marks(1))
        with pytest.raises(InvalidInput, match=rf"holds another run: {said}; give another folder, or let a new run"):
            logged(tmp_path, problem, race=race)
        assert problem.asked == [] and dump(tmp_path) == before
    # One that is told what was scored may be raced otherwise.
    assert logged(tmp_path, Table(marks(1)), Budget(12), race=None, fork=True).history.count("ok") > 3


def test_a_problem_without_items_may_be_gone_on_with_under_any_race(tmp_path: Path) -> None:
    with RunLog(tmp_path) as log:
        for race in (QUICK, None, Race()):
            assert run(PROBLEM, create_solver("random"), Budget(9), log=Slot(log), race=race).nfev == 9
        assert len(log.reader.runs()) == 1


def test_other_code_that_scores_needs_force(tmp_path: Path) -> None:
    class Kinder(Table):
        def score_items(self, pairs: Sequence[tuple[Any, int]], keep: Keep) -> None:
            super().score_items(pairs, lambda i, found: keep(i, ItemScore(1.0, found.answer)))

    Kinder.__qualname__, Kinder.score_items.__qualname__ = Table.__qualname__, Table.score_items.__qualname__
    logged(tmp_path, Table(marks(1)))
    with pytest.raises(InvalidInput, match=r"problem.code was .*score_items .* and is .*--force"):
        logged(tmp_path, Kinder(marks(1)))
    assert logged(tmp_path, Kinder(marks(1)), Budget(12), force=True).nfev == 12


def test_what_is_no_score_ends_the_run_and_what_came_before_is_kept(tmp_path: Path) -> None:
    whole = run(Table(marks(1)), create_solver("random:batch=3"), Budget(9), seed=SEED, race=QUICK)
    for number, (bad, said) in enumerate([(math.nan, "gave nan"), (None, "gave None"), ("", "left out a pair")]):

        class Bad(Table):
            bad: Any = None

            def score_items(self, pairs: Sequence[tuple[Any, int]], keep: Keep) -> None:
                for i, (solution, item) in enumerate(pairs):
                    self.asked.append((solution["x"], item))
                    if len(self.asked) == 11:
                        if self.bad == "":
                            self.asked.pop()
                            return
                        keep(i, ItemScore(self.bad, ""))
                    keep(i, ItemScore(self.table[solution["x"], item], ""))

        Bad.__qualname__ = Table.__qualname__
        folder, problem, sound = tmp_path / str(number), Bad(marks(1)), Table(marks(1))
        problem.bad = bad
        # Nothing was evaluated yet: the eleventh pair is one of the start points.
        with pytest.raises(InvalidInput, match=said):
            logged(folder, problem)
        assert told(logged(folder, sound, force=True)) == told(whole)
        assert not set(problem.asked[:10]) & set(sound.asked)


def test_more_budget_goes_on_with_an_assessment_that_was_cut_short(tmp_path: Path) -> None:
    whole = run(Table(marks(1)), create_solver("random:batch=3"), Budget(9), seed=SEED, race=QUICK)
    searched = whole.scorer_calls
    first = Table(marks(1), searched + 1, BudgetSpent("calls", "the budget of 28 calls is spent"))
    result = logged(tmp_path, first)
    assert (rows(result), result.x, result.stop_reason, result.assessment) == (rows(whole), whole.x, "calls", {})
    assert result.message == (
        "the budget of evaluations is spent; what was found could not be assessed: the budget of 28 calls is spent"
    )
    again = Table(marks(1))
    assert told(logged(tmp_path, again, Budget(9, calls=99))) == told(whole)
    assert len(first.asked) == searched + 1 and len(again.asked) == 1


def test_an_error_of_the_assessment_is_one_of_the_run(tmp_path: Path) -> None:
    class Broken(Table):
        def assess(self, history: History, scores: ItemScores) -> Mapping[str, Any]:
            super().assess(history, scores)
            raise ZeroDivisionError("nothing was tested")

    Broken.__qualname__ = Table.__qualname__
    first, again = Broken(marks(1)), Table(marks(1))
    with pytest.raises(ZeroDivisionError):
        logged(tmp_path, first)
    with LogReader(tmp_path) as reader:
        [found] = reader.runs()
        assert (found.state, found.message) == ("failed", "ZeroDivisionError: nothing was tested")
    result = logged(tmp_path, again)
    assert (again.asked, result.stop_reason, len(result.assessment)) == ([], "evaluations", 1)


# -- formats ----------------------------------------------------------------------------------------------------------


def first_format(folder: Path, monkeypatch: pytest.MonkeyPatch) -> OptimizeResult:
    """Write a log as it was before there were items."""
    with monkeypatch.context() as patch:
        patch.setattr(schema, "STEPS", schema.STEPS[:1])
        with RunLog(folder) as log:
            result = run(PROBLEM, create_solver("random"), Budget(9), log=Slot(log))
    with closing(sqlite3.connect(folder / "run.sqlite")) as connection:
        connection.execute("UPDATE runs SET identity = json_remove(identity, '$.race', '$.budget.scorer_calls')")
        connection.commit()
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    return result


def test_a_reader_takes_the_first_format_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first_format(tmp_path, monkeypatch)
    before = (tmp_path / "run.sqlite").read_bytes()
    with LogReader(tmp_path) as reader:
        [found] = reader.runs()
        assert (reader.items(found), len(reader.history(found)), reader.damage) == ([], 9, [])
        reader.check()
    assert (tmp_path / "run.sqlite").read_bytes() == before


def test_a_log_of_the_first_format_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = first_format(tmp_path, monkeypatch)
    with RunLog(tmp_path) as log:
        result = run(PROBLEM, create_solver("random"), Budget(15), log=Slot(log))
    assert rows(result)[:9] == rows(first)
    assert result.nfev == 15
    with closing(sqlite3.connect(tmp_path / "run.sqlite")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        assert connection.execute("SELECT count(*) FROM items").fetchone() == (0,)


# -- damage -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE items SET score = 1 - score WHERE item = 2",
        "UPDATE items SET answer = 'another' WHERE item = 2",
        "UPDATE items SET item = 77 WHERE item = 2",
        "UPDATE items SET item = 'a' || char(10) || 'b' WHERE item = 2",
        "UPDATE items SET solution = zeroblob(32) WHERE item = 2 AND solution = (SELECT min(solution) FROM items)",
        "UPDATE items SET score = 'much', checksum = checksum + 1 WHERE item = 2",
        "UPDATE items SET checksum = 'none' WHERE item = 2",
        "UPDATE items SET answer = x'ff00' WHERE item = 2",
    ],
)
@pytest.mark.parametrize("fork", [False, True])
def test_a_damaged_item_score_is_noticed_and_not_gone_on_with(statement: str, fork: bool, tmp_path: Path) -> None:
    problem = Table(np.full((30, 6), 0.25))
    logged(tmp_path, problem)
    change(tmp_path, statement)
    before = dump(tmp_path)
    with LogReader(tmp_path) as reader:
        [found] = reader.runs()
        sound = reader.items(found)
        assert len(sound) < len(before) and all(score == 0.25 for _, _, score, _ in sound)
        assert len(reader.damage) == 1 and "item" in reader.damage[0]
        with pytest.raises(InvalidInput, match=r"is damaged: run 1: .* Nothing was changed"):
            reader.check()
    again = Table(problem.table)
    with pytest.raises(
        InvalidInput, match=r"is damaged: run 1: .* Nothing was changed; 'llmopt export' saves"
    ) as error:
        logged(tmp_path, again, Budget(20), fork=fork)
    assert "\n" not in str(error.value) and len(str(error.value)) < 600
    assert again.asked == [] and dump(tmp_path) == before
    with LogReader(tmp_path) as reader:
        assert len(reader.runs()) == 1


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**9), flips=st.sampled_from([1, 5, 100]))
def test_flipped_bytes_change_no_score(seed: int, flips: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    chance, problem = random.Random(seed), Table(marks(1))
    content = bytearray(_whole(tmp_path_factory))
    for _ in range(flips):
        content[chance.randrange(100, len(content))] ^= 1 << chance.randrange(8)
    keys = {solution_key({"x": x}): x for x in range(30)}
    with TemporaryDirectory() as name:
        (Path(name) / "run.sqlite").write_bytes(bytes(content))
        try:
            with LogReader(name) as reader:
                for found in reader.runs():
                    for key, item, score, answer in reader.items(found):
                        assert score == problem.table[keys[key], item] and answer.startswith(f"{item} is")
                assert all("\n" not in sentence for sentence in reader.damage)
        except LlmoptError as error:
            assert "\n" not in str(error)


_contents: list[bytes] = []


def _whole(factory: pytest.TempPathFactory) -> bytes:
    if not _contents:
        folder = factory.mktemp("whole")
        logged(folder, Table(marks(1)), Budget(25))
        _contents.append((folder / "run.sqlite").read_bytes())
    return _contents[0]


def test_a_damaged_charge_is_noticed(tmp_path: Path) -> None:
    logged(tmp_path, Table(marks(1)))
    change(tmp_path, "INSERT INTO charges VALUES (1, 1, 'scorer', 1, 0, x'ff', 0, 0, 0, 0, 0.5, NULL)")
    change(tmp_path, "INSERT INTO charges VALUES (2, 1, 'scorer', 1, 0, 7, 0, 0, 0, 0, 0.5, NULL)")
    with LogReader(tmp_path) as reader:
        assert reader.spent(reader.runs()[0])["scorer"].prompt_tokens == 7
        assert reader.damage == ["run 1: a charge of its models is damaged"]


# -- a process that dies ----------------------------------------------------------------------------------------------


class Slow(Table):
    """Takes its time over every pair, and writes down in a file that it begins."""

    def __init__(self, calls: Path | None = None, seconds: float = 0.0) -> None:
        super().__init__(marks(1))
        self._calls = calls
        self._seconds = seconds

    def score_items(self, pairs: Sequence[tuple[Any, int]], keep: Keep) -> None:
        for i, (solution, item) in enumerate(pairs):
            if self._calls is not None:
                with self._calls.open("a") as file:
                    file.write(f"{solution['x']} {item}\n")
            time.sleep(self._seconds)
            keep(i, ItemScore(self.table[solution["x"], item], ""))


def test_a_killed_run_asks_again_for_what_was_in_flight_alone(tmp_path: Path) -> None:
    chance, calls = random.Random(0), tmp_path / "calls"
    committed: set[tuple[bytes, int]] = set()
    kills = 0
    while kills < 2:
        before = len(calls.read_text().splitlines()) if calls.exists() else 0
        process = subprocess.Popen(
            [sys.executable, __file__, str(tmp_path / "log"), str(calls)], stdout=subprocess.PIPE, env=environment()
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(chance.uniform(0.1, 0.5))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills += 1
        new = {
            (solution_key({"x": int(x)}), int(item))
            for x, item in map(str.split, calls.read_text().splitlines()[before:])
        }
        assert not committed & new
        with LogReader(tmp_path / "log") as reader:
            for found in reader.runs():
                committed |= {(key, item) for key, item, _, _ in reader.items(found)}
                assert found.state == "interrupted" and found.seconds > 0.03 * (len(reader.items(found)) - 3)
            assert reader.damage == []
        # The one in flight, and one that had come just before.
        assert len(new - committed) <= 2
    whole = run(Slow(), create_solver("random:batch=3"), Budget(9), seed=SEED, race=QUICK)
    assert told(logged(tmp_path / "log", Slow(calls))) == told(whole)
    asked = Counter(calls.read_text().splitlines())
    assert sum(count - 1 for count in asked.values()) <= 2 * kills


if __name__ == "__main__":
    print("ready", flush=True)
    logged(Path(sys.argv[1]), Slow(Path(sys.argv[2]), 0.03))
