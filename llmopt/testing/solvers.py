"""Checks of a solver."""

from __future__ import annotations

import itertools
import math
import tempfile
import zlib
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, reject, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from llmopt.budget import Budget
from llmopt.errors import InvalidInput, LlmoptError
from llmopt.items import ItemProblem
from llmopt.objective import Objective
from llmopt.problem import Infeasible, Problem
from llmopt.result import OptimizeResult
from llmopt.run import run
from llmopt.runlog import RunLog, Slot
from llmopt.solver import Solver
from llmopt.space import Categorical, Int, Vector
from llmopt.testing.altered import Change, Record, altered
from llmopt.testing.checks import Checks, brief, fault
from llmopt.testing.fresh import fresh_traces
from llmopt.testing.observed import Observed
from llmopt.testing.patience import Impatient, at_most
from llmopt.testing.shuffled import Shuffled
from llmopt.testing.strategies import Landscape, landscapes, seeds
from llmopt.testing.traces import Trace, difference, trace

SMALL = (
    Vector(x=Int(7, 7)),
    Vector(x=Int(0, 1)),
    Vector(x=Categorical("a", "b", None)),
    Vector(x=Int(0, 3), y=Int(0, 2)),
)
"""Spaces that are soon exhausted."""


class SolverChecks(Checks):
    """What every solver keeps to. Override ``problems`` where it is not made for vectors.

    Attributes
    ----------
    evaluations
        How many a run may make.
    patience
        Seconds after which a run is held to have no end.
    endless
        Whether it goes on until the budget is spent, whatever the scores are; not so where it has a plan that ends.
    mirrored
        Whether it claims that negated scores, to be maximized, change nothing; not so where a model reads the scores.
    ties_in_any_order
        Whether it claims that the order of equal scores changes nothing.

    Examples
    --------
    >>> from llmopt.baselines.random import RandomSearch
    >>> class TestRandom(SolverChecks):
    ...     ties_in_any_order = True
    ...     def make(self):
    ...         return RandomSearch()
    >>> TestRandom().test_no_proposal_outside_the_space()
    """

    examples: int = 6
    evaluations: int = 20
    patience: float = 20.0
    endless: bool = True
    mirrored: bool = True
    ties_in_any_order: bool = False

    @abstractmethod
    def make(self) -> Solver:
        """Return a new solver."""

    def problems(self) -> SearchStrategy[Problem]:
        """Return the problems that it is tried on."""
        return landscapes()

    def small_problems(self) -> Sequence[Problem]:
        """Return problems whose spaces are soon exhausted, the smallest first."""
        return [Landscape(space) for space in SMALL]

    def test_no_proposal_outside_the_space(self) -> None:
        def check(problem: Problem, seed: int) -> None:
            observed = Observed(self.make())
            self.perform(problem, seed, solver=observed)
            for solution, reason in observed.violations:
                fault(f"it proposes {brief(solution)}, which is not legal: {reason}")

        self.for_all(check, problem=self.problems(), seed=seeds)

    def test_no_evaluation_over_the_budget(self) -> None:
        def check(problem: Problem, seed: int, limit: str) -> None:
            record = Record()
            allowed = max(2, self.evaluations // 3) if limit == "steps" else self.evaluations
            budget = Budget(**{limit: allowed})
            # Every evaluation takes a second.
            result = self.perform(
                altered(problem, record), seed, budget=budget, clock=lambda: float(len(record.solutions))
            )
            keys = [problem.space.key(solution) for solution in record.solutions]
            made = len(set(keys)) if isinstance(problem, ItemProblem) else len(keys)
            if made != result.nfev:
                fault(f"{made} evaluations were made and {result.nfev} counted")
            spent = {"evaluations": made, "steps": result.nit, "seconds": len(keys)}[limit]
            if spent > allowed and not (limit == "seconds" and isinstance(problem, ItemProblem)):
                fault(f"it spent {spent} {limit} of {allowed}")

        limits = st.sampled_from(["evaluations", "steps", "seconds"])
        self.for_all(check, problem=self.problems(), seed=seeds, limit=limits)

    def test_no_step_after_the_stop(self) -> None:
        def check(problem: Problem, seed: int) -> None:
            observed = Observed(self.make())
            result = self.perform(problem, seed, solver=observed)
            if observed.late_steps:
                fault(f"it goes on for {observed.late_steps} steps after it was stopped ({result.stop_reason})")

        self.for_all(check, problem=self.problems(), seed=seeds)

    def test_no_change_of_the_history(self) -> None:
        def check(problem: Problem, seed: int) -> None:
            _needs_single_scores(problem)
            record = Record()
            result = self.perform(altered(problem, record), seed)
            space = problem.space
            if len(record.solutions) != len(result.history):
                # That evaluations are not counted is another check.
                return
            for number, (row, solution, score) in enumerate(
                zip(result.history, record.solutions, record.scores, strict=True), 1
            ):
                was, now = space.to_json(solution), space.to_json(row.solution)
                if was != now:
                    fault(f"evaluation {number} was of {brief(was)}, and the history now says of {brief(now)}")
                if row.score != score:
                    fault(f"evaluation {number} gave {score!r}, and the history now says {row.score!r}")

        self.for_all(check, problem=self.problems(), seed=seeds)

    def test_no_loss_of_the_incumbent(self) -> None:
        def check(problem: Problem, seed: int) -> None:
            best = [math.inf]
            record = Record()

            def look(objective: Objective) -> None:
                incumbent = objective.history.incumbent
                best.append(math.inf if incumbent is None else incumbent.loss)

            sign = 1.0 if problem.direction == "minimize" else -1.0
            result = self.perform(altered(problem, record), seed, on_step=look)
            for before, after in itertools.pairwise(best):
                if after > before:
                    fault(f"the best loss was {before!r}, and then {after!r}")
            found = min(sign * score for score in record.scores)
            if len(record.scores) == result.nfev and sign * result.fun != found:
                fault(f"the best loss found is {found!r}, and that of the result {sign * result.fun!r}")

        self.for_all(check, problem=self.problems(), seed=seeds)

    def test_no_chance_beyond_the_seed(self) -> None:
        def check(problem: Problem, seed: int) -> None:
            one, other = (trace(self.perform(problem, seed)) for _ in range(2))
            if found := difference(one, other):
                fault(f"two runs with the same seed differ: {found}")

        self.for_all(check, problem=self.problems(), seed=seeds)

    def test_no_memory_of_an_earlier_run(self) -> None:
        def check(problem: Problem, seed: int) -> None:
            solver = self.make()
            self.perform(problem, seed + 1, solver=solver)
            fresh, used = trace(self.perform(problem, seed)), trace(self.perform(problem, seed, solver=solver))
            if (found := difference(fresh, used)) and self._repeats(problem, seed, fresh):
                fault(f"a solver that has run before proposes something else than a new one: {found}")

        self.for_all(check, problem=self.problems(), seed=seeds)

    def test_no_difference_in_a_fresh_process(self) -> None:
        here = self.traces()
        try:
            there = fresh_traces(self)
        except LookupError as error:
            pytest.skip(str(error))
        for run_here, run_there in zip(here, there, strict=True):
            if found := difference(run_here, run_there):
                if self.traces() != here:
                    pytest.skip("two runs in one process differ too")
                fault(f"a run in another process differs: {found}")

    def test_no_difference_by_order_of_completion(self) -> None:
        def check(problem: Problem, seed: int) -> None:
            one = trace(self.perform(problem, seed))
            with Shuffled(seed) as executor:
                other = trace(self.perform(problem, seed, workers=executor))
            if (found := difference(one, other)) and self._repeats(problem, seed, one):
                fault(f"evaluations in parallel, which end in another order, change the run: {found}")

        self.for_all(check, problem=self.problems(), seed=seeds)

    def test_no_difference_after_a_resume(self) -> None:
        def check(problem: Problem, seed: int, crash: int) -> None:
            whole = self.perform(problem, seed)
            undisturbed = trace(whole)

            def crashing(left: int) -> Change:
                def change(solution: Any, score: float) -> float:
                    nonlocal left
                    left -= 1
                    if left < 0:
                        raise KeyboardInterrupt
                    return score

                return change

            with tempfile.TemporaryDirectory() as folder:
                try:
                    for left in (crash, 10**9):
                        with RunLog(folder) as log:
                            result = self.perform(altered(problem, crashing(left)), seed, log=Slot(log))
                except LlmoptError as error:
                    if self._repeats(problem, seed, undisturbed):
                        fault(f"a run that was interrupted cannot be resumed: {error}")
                    return
            found = difference(undisturbed, trace(result))
            if found is None and result.stop_reason != whole.stop_reason:
                found = f"it ends by {result.stop_reason} instead of {whole.stop_reason}"
            if found and self._repeats(problem, seed, undisturbed):
                fault(f"a run that was interrupted and resumed differs: {found}")

        # After the start points, of which there are five.
        crashes = st.integers(5, max(5, self.evaluations - 1))
        self.for_all(check, problem=self.problems(), seed=seeds, crash=crashes)

    def test_no_end_by_evaluations_without_a_score(self) -> None:
        def crash(score: float) -> float:
            raise RuntimeError("the simulator crashed")

        def refuse(score: float) -> float:
            raise Infeasible("too heavy")

        self._survives("NaN", lambda score: math.nan)
        self._survives("infinite", lambda score: math.inf)
        self._survives("minus infinity", lambda score: -math.inf)
        self._survives("an exception", crash)
        self._survives("infeasible", refuse)

    def test_no_end_by_constant_scores(self) -> None:
        self._survives("the same", lambda score: 1.0)

    def test_no_end_by_huge_scores(self) -> None:
        self._survives("huge", lambda score: 1e308 * math.sin(score))

    def test_no_swallowing_of_exceptions(self) -> None:
        def check(problem: Problem, seed: int, failing: int) -> None:
            _needs_single_scores(problem)
            record = Record()

            def change(solution: Any, score: float) -> float:
                record(solution, score)
                if len(record.solutions) == failing:
                    raise ZeroDivisionError
                return score

            try:
                self.perform(altered(problem, change), seed, raise_failures=True)
            except ZeroDivisionError:
                return
            if len(record.solutions) >= failing:
                fault(f"the exception of evaluation {failing} was to go through, and did not")

        self.for_all(check, problem=self.problems(), seed=seeds, failing=st.integers(5, 9))

    def test_no_preference_for_a_direction(self) -> None:
        if not self.mirrored:
            pytest.skip("it does not claim that negated scores change nothing")

        def check(problem: Problem, seed: int) -> None:
            _needs_single_scores(problem)
            mirror = altered(
                problem, lambda solution, score: -score, "maximize" if problem.direction == "minimize" else "minimize"
            )
            one, other = trace(self.perform(problem, seed)), trace(self.perform(mirror, seed))
            if (found := difference(one, other)) and self._repeats(problem, seed, one):
                fault(f"to maximize the negated scores is another run: {found}")

        self.for_all(check, problem=self.problems(), seed=seeds)

    def test_no_difference_by_order_of_equal_scores(self) -> None:
        if not self.ties_in_any_order:
            pytest.skip("it does not claim that the order of equal scores changes nothing")

        def check(problem: Problem, seed: int) -> None:
            equal = altered(problem, lambda solution, score: 1.0)
            one = self.perform(equal, seed)
            starts = [row.solution for row in one.history if row.step == 0]
            other = self.perform(equal, seed, starts=starts[::-1])
            count = len(starts)
            if (found := difference(trace(one)[count:], trace(other)[count:])) and self._repeats(
                equal, seed, trace(one)
            ):
                fault(f"start points in the opposite order, all with one score, change what follows: {found}")

        self.for_all(check, problem=self.problems(), seed=seeds)

    def test_no_hang_in_an_exhausted_space(self) -> None:
        for problem in self.small_problems():
            size = problem.space.size
            assert size is not None, "small_problems must be of finite spaces"
            for seed in range(min(3, self.examples)):
                try:
                    result = self._run(problem, seed, budget=Budget(evaluations=size + 10))
                except InvalidInput:
                    continue
                except Impatient:
                    fault(
                        f"it searches for more than {self.patience:g} s in a space of {size} solutions\n"
                        f"    problem = {brief(problem)}\n    seed = {seed}"
                    )
                if result.nfev > size:
                    fault(f"{result.nfev} evaluations in a space of {size} solutions\n    problem = {brief(problem)}")

    def traces(self) -> list[Trace]:
        """Return what some runs do, the same ones whenever and wherever this is called."""
        found: list[Trace] = []

        @hypothesis.seed(0)
        @settings(
            max_examples=2,
            phases=[Phase.generate],
            database=None,
            derandomize=False,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(problem=self.problems())
        def collect(problem: Problem) -> None:
            found.append(trace(self.perform(problem, 1)))

        collect()
        return found

    def perform(
        self,
        problem: Problem,
        seed: int,
        *,
        solver: Solver | None = None,
        budget: Budget | None = None,
        **options: Any,
    ) -> OptimizeResult:
        """Run the solver on a problem; leave an example out that it refuses, or on which it finds no end."""
        try:
            result = self._run(problem, seed, solver=solver, budget=budget, **options)
        except (InvalidInput, Impatient):
            # For what has no end there is a check of its own.
            reject()
        if result.stop_reason == "error":
            fault(f"the run ends by an error: {result.message}")
        return result

    def _run(
        self,
        problem: Problem,
        seed: int,
        *,
        solver: Solver | None = None,
        budget: Budget | None = None,
        **options: Any,
    ) -> OptimizeResult:
        budget = budget or Budget(evaluations=self.evaluations)
        with at_most(self.patience):
            return run(problem, solver or self.make(), budget, seed=seed, **options)

    def _repeats(self, problem: Problem, seed: int, expected: Trace) -> bool:
        """Return whether a run can be repeated at all; where not, there is a check of its own that says so."""
        return trace(self.perform(problem, seed)) == expected

    def _survives(self, scores: str, outcome: Callable[[float], float]) -> None:
        def check(problem: Problem, seed: int, affected: str) -> None:
            _needs_single_scores(problem)
            space = problem.space

            def change(solution: Any, score: float) -> float:
                odd = affected == "all" or zlib.crc32(repr(space.key(solution)).encode()) % 2
                return outcome(score) if odd else score

            try:
                result = self._run(altered(problem, change), seed)
            except InvalidInput:
                reject()
            except Exception as error:
                raise AssertionError(f"it fails where scores are {scores}: {type(error).__name__}: {error}") from error
            if result.stop_reason == "error":
                fault(f"it fails where scores are {scores}: {result.message}")
            early = self.endless and result.stop_reason != "evaluations"
            if early and self.perform(problem, seed).stop_reason == "evaluations":
                fault(f"it ends after {result.nfev} evaluations where scores are {scores}: {result.message}")

        self.for_all(check, problem=self.problems(), seed=seeds, affected=st.sampled_from(["all", "half"]))


def _needs_single_scores(problem: Problem) -> None:
    if isinstance(problem, ItemProblem):
        pytest.skip("the score is a mean over items, whose scores are shares")
