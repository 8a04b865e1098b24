"""What a page is made of: results, their problems and styles, and a reader of the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from llmopt.benchmarks.rebuilt import rebuilt
from llmopt.benchmarks.results import Results, Trace, by_problem
from llmopt.benchmarks.summary import Summary, summarize
from llmopt.benchmarks.targets import Targets, choose_targets
from llmopt.problem import Problem
from llmopt.report.page.chart import Style
from llmopt.report.table import Table, measured


@dataclass(frozen=True)
class Part:
    """The runs of one problem.

    Attributes
    ----------
    number
        Its place among the problems, from 1.
    name
        The problem with its settings.
    traces
        Its runs.
    problem
        The first run's problem, where it can be built anew.
    """

    number: int
    name: str
    traces: Sequence[Trace]
    problem: Problem | None

    @cached_property
    def summaries(self) -> list[Summary]:
        """What was measured, by solver."""
        return summarize([trace.record for trace in self.traces])

    @cached_property
    def targets(self) -> Targets | None:
        """The targets of its runs; None where none came about."""
        ran = [trace for trace in self.traces if len(trace.losses)]
        return choose_targets(ran) if ran else None

    @property
    def table(self) -> Table:
        """The table of what was measured."""
        relative = self.problem is not None and self.problem.gap == "relative"
        repeats = max(summary.repeats for summary in self.summaries)
        title = f"{self.name}: {repeats} {'repeat' if repeats == 1 else 'repeats'} of each solver"
        return measured(self.summaries, title, relative=relative)


def parts(results: Results) -> list[Part]:
    """Return the runs by problem."""
    found = []
    for number, (name, traces) in enumerate(by_problem(results.traces).items(), 1):
        # A run that did not come about has no problem.
        first = next((trace for trace in traces if len(trace.losses)), traces[0])
        found.append(Part(number, name, traces, rebuilt(first)))
    return found


def styles(results: Results) -> Mapping[str, Style]:
    """Return how each solver is drawn, everywhere."""
    return {solver: Style(number) for number, solver in enumerate(results.solvers)}
