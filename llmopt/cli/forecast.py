"""What a search for an instruction may cost: its scores, its optimizer's replies, and what is scored elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from llmopt.benchmarks.compare import Comparison
from llmopt.cli.estimate import Estimate, estimate
from llmopt.cli.transfer import is_done, kept
from llmopt.cli.writing import TYPICAL, Writing, typical_step
from llmopt.errors import InvalidInput
from llmopt.llm.base import LLM, Request
from llmopt.llm.prices import FREE
from llmopt.problems.prompt.examples import Example
from llmopt.problems.prompt.hand_written import COMPARED
from llmopt.problems.prompt.problem import PromptProblem
from llmopt.report.safe import one_line
from llmopt.solver import Solver

_PROBED = 8


@dataclass(frozen=True)
class Forecast:
    """What a comparison may take.

    Parameters
    ----------
    estimates
        Its calls by kind; empty where the problem asks no model.
    limit
        The dollars that budgets admit; None: no limit.
    """

    estimates: Sequence[Estimate]
    limit: float | None

    @property
    def dollars(self) -> float | None:
        """The most that it may cost; None: not known."""
        costs = [each.dollars for each in self.estimates]
        if any(cost is None for cost in costs):
            return None
        most = sum(cost for cost in costs if cost is not None)
        return most if self.limit is None else min(most, self.limit)


def forecast(comparison: Comparison, others: Sequence[PromptProblem] = ()) -> Forecast:
    """Return what a comparison may take; what it finds is scored on others besides.

    Raises
    ------
    InvalidInput
        Its budget bounds no cost, or does not suffice for the start points.
    """
    problem = comparison.problems[0]
    if not isinstance(problem, PromptProblem):
        return Forecast((), None)
    search = _Search(comparison, problem)
    found = [search.scoring(), *search.writing()]
    if others:
        found.append(search.transfer(others))
    cost = comparison.budget.cost
    limit = None if cost is None else cost * comparison.repeats * len(comparison.solvers)
    return Forecast([each for each in found if each.calls], limit)


class _Search:
    """The searches of a comparison that are not done."""

    def __init__(self, comparison: Comparison, problem: PromptProblem) -> None:
        self._comparison = comparison
        self._problem = problem
        self._missing = {name: comparison.missing(name) for name in comparison.solvers}
        starts = problem.starts(np.random.default_rng(comparison.seed))
        # Two that the space takes as one are one evaluation.
        self._starts = len({problem.space.key(text) for text in starts})
        self._calls = self._most_calls()

    def scoring(self) -> Estimate:
        """Return what it takes to score instructions, in the searches and for the report."""
        calls = (self._calls + self._problem.assessed_calls) * sum(self._missing.values())
        calls -= sum(map(self._comparison.scorer_calls, self._missing))
        return self._scored(self._problem, calls, "scorer calls")

    def writing(self) -> Iterator[Estimate]:
        """Yield what each solver's model takes to write them, if each reply is a new instruction."""
        evaluations = self._most_evaluations()
        for name, solver in self._comparison.solvers.items():
            specs = ", ".join(one_line(llm.info.spec) for llm in solver.models.values())
            most = self._replies(solver, evaluations)
            # What was written and scored before is in the log.
            logged = [run.evaluations - self._starts for run, _ in self._comparison.going_on(name)]
            replies = most * self._missing[name] - sum(min(max(0, written), most) for written in logged)
            if isinstance(solver, Writing):
                step = typical_step(solver, self._problem, evaluations)
                times = replies / sum(request.n for request in step)
                asked = [(llm, step) for llm in solver.models.values()]
                yield estimate(f"about {{calls}} replies of {specs}", replies, times, asked, self._comparison.terms)
            elif any(self._comparison.terms.price(llm) != FREE for llm in solver.models.values()):
                # Nobody knows what it asks; in silence it would count as free.
                yield Estimate(f"what {one_line(name)} asks of {specs}", max(1, replies), 0, 0, None)

    def transfer(self, others: Sequence[PromptProblem]) -> Estimate:
        """Return what it takes to score what is found elsewhere, where that has not been done."""
        planned = self._comparison.repeats * len(self._comparison.solvers)
        # A search that goes on may find something else than what was scored.
        unsearched = sum(self._missing.values())
        missing = max(unsearched, planned - sum(map(is_done, kept(others, self._comparison))))
        instructions = missing + self._comparison.repeats * len(COMPARED) if missing > 0 else 0
        # Repeats differ where a test would hold what their searches have seen.
        tested = max(len(other.test_items) for other in others)
        return self._scored(others[0], instructions * tested, "scorer calls of --transfer")

    def _scored(self, problem: PromptProblem, calls: int, what: str) -> Estimate:
        specs = ", judged by ".join(one_line(llm.info.spec) for llm in problem.models.values())
        probed = problem.examples_of_all[:_PROBED]
        what = f"at most {{calls}} {what} ({specs})"
        return estimate(what, calls, calls / len(probed), _asked(problem, probed), self._comparison.terms)

    def _most_calls(self) -> int:
        """Return the most scorer calls of a search."""
        budget, items = self._comparison.budget, self._problem.items
        whole = None if budget.evaluations is None else budget.evaluations * items
        limits = [limit for limit in (budget.scorer_calls, whole) if limit is not None]
        if not limits:
            raise InvalidInput("prompt: give --max-scorer-calls or --max-evaluations, so that the cost is bounded")
        if min(limits) < self._starts * items:
            raise InvalidInput(
                f"prompt: the budget pays for {min(limits):,} scorer calls, and the {self._starts} instructions to "
                f"start with take {self._starts} x {items} training examples; give at least --max-scorer-calls "
                f"{self._starts * items}, or fewer training examples (train=N)"
            )
        return min(limits)

    def _most_evaluations(self) -> int:
        """Return the most instructions that a search can look at, where all but one are dropped after a block."""
        race, items = self._comparison.race, self._problem.items
        least = items if race is None else race.blocks(items)[0].stop
        most = 1 + (self._calls - items) // least
        return min(most, self._comparison.budget.evaluations or most)

    def _replies(self, solver: Solver, evaluations: int) -> int:
        """Return the most new instructions of a search."""
        steps = self._comparison.budget.steps
        most = evaluations - self._starts
        return most if steps is None or not isinstance(solver, Writing) else min(most, steps * solver.batch)


def _asked(problem: PromptProblem, examples: Sequence[Example]) -> Iterator[tuple[LLM, list[Request]]]:
    """Yield each model that a score takes, with what it is asked: the scorer, and a judge of its answers."""
    scorer = problem.scorer
    yield scorer.llm, [request for example in examples for request in scorer.requests(TYPICAL, example)]
    if scorer.judge is not None:
        answer = "x " * scorer.max_tokens
        yield scorer.judge.llm, [scorer.judge.request(example, answer) for example in examples]
