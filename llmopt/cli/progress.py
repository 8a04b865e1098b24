"""How a comparison is going: a line that changes on a terminal, plain lines elsewhere; always on stderr."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from llmopt.benchmarks.compare import Comparison, Watcher
from llmopt.benchmarks.execution import Run
from llmopt.benchmarks.record import Record
from llmopt.objective import Objective
from llmopt.problems.tsp import TSP
from llmopt.report.safe import one_line
from llmopt.report.sketch import sketch
from llmopt.solver import Solver

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

_SECONDS_BETWEEN_LINES = 10.0


class Progress(Watcher):
    """Shows nothing; a context manager, as every other progress is."""

    def end(self, run: Run) -> None:
        """A run has ended."""

    def note(self, text: str) -> None:
        """Something is worth a line."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The comparison is over."""


class Lines(Progress):
    """One plain line for each run, and one every ten seconds of a long one."""

    def __init__(self, comparison: Comparison) -> None:
        self._total = comparison.repeats * len(comparison.solvers)
        self._repeats = comparison.repeats
        self._limit = comparison.budget.evaluations
        self._problems = comparison.problems
        self._width = max(map(len, comparison.solvers))
        self._done = 0

    def begin(self, name: str, solver: Solver, repeat: int) -> None:
        self._name, self._solver, self._repeat = name, solver, repeat
        self._objective: Objective | None = None
        self._began = self._shown = time.monotonic()

    def step(self, objective: Objective) -> None:
        self._objective = objective
        now = time.monotonic()
        if now - self._shown >= _SECONDS_BETWEEN_LINES:
            self._shown = now
            self._print(f"{self._head()}  {self._state()}")

    def end(self, run: Run) -> None:
        self._done += 1
        self._print(f"{self._head()}  {outcome(run.record)}")

    def note(self, text: str) -> None:
        self._print(text)

    def _head(self) -> str:
        return f"{one_line(self._name):{self._width}}  repeat {self._repeat + 1}/{self._repeats}"

    def _state(self) -> str:
        """Say where the run is: step, evaluations, incumbent, tokens per second."""
        objective = self._objective
        if objective is None:
            return "starting"
        incumbent = objective.history.incumbent
        limit = "" if self._limit is None else f" of {self._limit:,}"
        parts = [
            f"step {objective.step_count:,}",
            f"{len(objective.history):,}{limit} evaluations",
            "no score yet" if incumbent is None else f"best {incumbent.score:.6g}{self._gap(incumbent.score)}",
        ]
        seconds = time.monotonic() - self._began
        tokens = objective.models.ledger.total().completion_tokens
        if self._solver.models and seconds > 0:
            parts.append(f"{tokens / seconds:.0f} tokens/s")
        return ", ".join(parts)

    def _gap(self, score: float) -> str:
        problem = self._problems[self._repeat]
        if problem.gap == "absolute" or problem.optimum is None or not problem.optimum.score:
            return ""
        return f", gap {100 * abs(score / problem.optimum.score - 1):.2f} %"

    def _print(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)


class Screen(Lines):
    """Finished runs as lines, and under them one line that follows the run in progress."""

    def __init__(self, comparison: Comparison, console: Console) -> None:
        from rich.live import Live

        super().__init__(comparison)
        self._console = console
        self._objective = None
        self._name = ""
        self._live: Live = Live(
            get_renderable=self._picture,
            console=console,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def step(self, objective: Objective) -> None:
        # The line is drawn by Rich's own clock; a run of a million steps pays for one assignment each.
        self._objective = objective

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def _picture(self) -> Text:
        """Return the line and, under it, the incumbent where it is a tour between places."""
        from rich.text import Text

        if not self._name:
            return Text("")
        line, objective = self._line(), self._objective
        incumbent = None if objective is None else objective.history.incumbent
        problem = self._problems[self._repeat]
        if incumbent is not None and isinstance(problem, TSP) and problem.points is not None:
            line.append("\n" + "\n".join(sketch(problem.points, incumbent.solution)), style="not bold")
        return line

    def _line(self) -> Text:
        from rich.text import Text

        seconds = time.monotonic() - self._began
        line = Text(f"{self._head()}  ", no_wrap=True, overflow="ellipsis", style="bold")
        line.append(f"{self._state()}, {seconds:.0f} s", style="not bold")
        line.append(f"   run {self._done + 1} of {self._total}", style="not bold dim")
        return line

    def _print(self, line: str) -> None:
        from rich.text import Text

        self._console.print(Text(line), soft_wrap=True)


def outcome(record: Record) -> str:
    """Say in one line how a run ended."""
    if record.success:
        how = f"solved after {_count(record.evaluations, 'evaluation')}, {_count(record.steps, 'step')}"
    else:
        spent = f"{_count(record.evaluations, 'evaluation')}, {_count(record.steps, 'step')}"
        # Without a known optimum there is nothing to be solved.
        how = f"{'ended after' if record.optimum is None else 'not solved in'} {spent}: {one_line(record.message)}"
        if record.best_score is not None:
            how += f"; best {record.best_score:.6g}"
    return f"{how} ({record.seconds:.1f} s)"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def progress(comparison: Comparison, *, quiet: bool) -> Progress:
    """Return the progress display that fits stderr."""
    if quiet:
        return Progress()
    if not sys.stderr.isatty():
        return Lines(comparison)
    from rich.console import Console

    return Screen(comparison, Console(stderr=True, highlight=False, markup=False))
