"""Ask and tell by hand: a solver proposes, a person measures."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from types import TracebackType
from typing import Any, Self, get_args

from llmopt.errors import InvalidInput
from llmopt.history import FAILED, OK, History
from llmopt.objective import Objective
from llmopt.optimize import maximize, minimize
from llmopt.problem import Direction, Problem
from llmopt.result import OptimizeResult
from llmopt.space import Columns, Space, length

_REFUSED = {
    "workers": "a person measures; leave it out",
    "bounds": "give a Vector",
    "vectorized": "a person measures; leave it out",
    "max_seconds": "it waits for a person; give a budget of evaluations or steps",
}


class Experiment:
    """A run whose scores a person brings, such as from a laboratory, in any order and with any pauses.

    The solver works in a thread of its own and waits for the scores. With ``log``, an experiment is gone on with by the
    same call, also in another process: what was told is there.

    Parameters
    ----------
    space
        The legal solutions.
    direction
        Whether the best score is the smallest or the largest.
    description
        What is measured, in words; a chat model reads it.
    noisy
        Two measurements of the same solution may differ; then the same one may be asked for again.
    options
        The other arguments of :func:`llmopt.minimize`: ``solver``, ``llm``, ``seed``, ``starts``, ``earlier``,
        ``max_evaluations``, ``hint``, ``log`` and more.

    Raises
    ------
    InvalidInput
        An argument is not legal.

    Examples
    --------
    >>> from llmopt import Experiment, Float, Vector
    >>> space = Vector(temperature=Float(20, 90), minutes=Float(5, 60))
    >>> with Experiment(space, "maximize", solver="tpe", max_evaluations=12) as experiment:
    ...     while batch := experiment.ask():
    ...         for point in batch:
    ...             experiment.tell(point, -abs(point["temperature"] - 60))
    ...     result = experiment.result()
    >>> result.nfev, result.message
    (12, 'the budget of evaluations is spent')
    """

    def __init__(
        self,
        space: Space[Any],
        direction: Direction = "minimize",
        *,
        description: str = "Find the best solution of an experiment.",
        noisy: bool = False,
        **options: Any,
    ) -> None:
        for name, reason in _REFUSED.items():
            if options.get(name) is not None:
                raise InvalidInput(f"an experiment has no {name}: {reason}")
        if not isinstance(space, Space):
            raise InvalidInput(f"space must be a Vector, Permutation or Text, not {space!r}")
        if direction not in get_args(Direction):
            raise InvalidInput(f"direction must be 'minimize' or 'maximize', not {direction!r}")
        self._space = space
        self._desk = _Desk()
        self._history = History(space, maximize=direction == "maximize")
        self._result: OptimizeResult | None = None
        self._error: BaseException | None = None
        problem = _Measured(space, direction, description, noisy, self._desk.expect)
        # A daemon, since a notebook may be left at any time; what was told is in the log.
        self._thread = threading.Thread(
            target=self._work, args=(problem, options), name="llmopt-experiment", daemon=True
        )
        self._thread.start()
        self._desk.settle()
        self._check()

    def ask(self, n: int | None = None) -> list[Any]:
        """Return what is to be measured next: of one step what is not told yet; nothing once the run has ended.

        The solutions of a step do not depend on each other's scores. Until they are told, the same ones are returned.

        Parameters
        ----------
        n
            At most so many of them; None: all.
        """
        if n is not None and (isinstance(n, bool) or not isinstance(n, int) or n < 1):
            raise InvalidInput(f"n must be a whole number of at least 1, not {n!r}")
        self._desk.settle()
        self._check()
        return self._desk.waiting()[:n]

    def tell(self, solution: Any, score: float | None) -> None:
        """Say what a solution scored.

        Parameters
        ----------
        solution
            One that was asked for.
        score
            In the user's own sign; None or NaN where the measurement failed.

        Raises
        ------
        InvalidInput
            It was not asked for, or was told already, or the score is no number.
        """
        if reason := self._space.violation(solution):
            raise InvalidInput(f"{solution!r} is not legal: {reason}")
        try:
            value = math.nan if score is None else float(score)
        except (TypeError, ValueError):
            raise InvalidInput(f"the score must be a number, or None for a failure, not {score!r}") from None
        outcome = (OK, value, "") if math.isfinite(value) else (FAILED, math.nan, f"told as {score}")
        key = self._space.key(solution)
        if not self._desk.answer(lambda asked: bool(self._space.key(asked) == key), outcome):
            raise InvalidInput(f"{solution!r} was not asked for, or was told already; ask() says what is open")

    @property
    def history(self) -> History:
        """The steps that were told whole, in the order of the solver's proposals."""
        return self._history

    def result(self) -> OptimizeResult:
        """End the experiment and return its result; with a log, it can be gone on with."""
        self.close()
        self._check()
        assert self._result is not None
        return self._result

    def close(self) -> None:
        """Let the solver end; may be called twice."""
        self._desk.close()
        self._thread.join()

    def _work(self, problem: _Measured, options: Mapping[str, Any]) -> None:
        optimize = maximize if problem.direction == "maximize" else minimize
        on_step = options.get("on_step")

        def watch(objective: Objective) -> None:
            self._history = objective.history
            if on_step is not None:
                on_step(objective)

        try:
            self._result = optimize(problem, **{**options, "workers": self._desk, "on_step": watch})
            self._history = self._result.history
        except BaseException as error:
            # It is raised where somebody sees it.
            self._error = error
        finally:
            self._desk.end()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Measured(Problem):
    """What is measured, as a problem; says how many solutions are about to be evaluated."""

    def __init__(
        self, space: Space[Any], direction: Direction, description: str, noisy: bool, expect: Callable[[int], None]
    ) -> None:
        self.space = space
        self.direction = direction
        self.noisy = noisy
        self._description = description
        self._expect = expect

    def describe(self) -> str:
        return self._description

    def evaluate(self, solution: Any) -> float:
        raise NotImplementedError("a person measures")

    def evaluate_batch(self, columns: Columns) -> None:
        self._expect(length(columns))


class _Desk(Executor):
    """An executor whose tasks wait until somebody brings their outcomes."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._open: list[tuple[Any, Future[Any]]] = []
        self._expected = 0
        self._closed = False
        self._ended = False

    def expect(self, count: int) -> None:
        """Be told how many tasks come next."""
        with self._changed:
            self._expected = count

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        """Take a call of :func:`llmopt.evaluate.outcome`."""
        _, solution, _ = arguments
        future: Future[Any] = Future()
        with self._changed:
            self._expected -= 1
            if self._closed:
                future.set_exception(KeyboardInterrupt())
            else:
                self._open.append((solution, future))
            self._changed.notify_all()
        return future

    def settle(self) -> None:
        """Return when the solver waits for outcomes, or has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or (bool(self._open) and self._expected == 0))

    def waiting(self) -> list[Any]:
        """Return the solutions whose outcomes are awaited."""
        with self._changed:
            return [solution for solution, _ in self._open]

    def answer(self, is_it: Callable[[Any], bool], outcome: tuple[int, float, str]) -> bool:
        """Bring the outcome of a solution; return False where nobody waits for it."""
        with self._changed:
            place = next((i for i, (solution, _) in enumerate(self._open) if is_it(solution)), None)
            if place is None:
                return False
            _, future = self._open.pop(place)
        future.set_result(outcome)
        return True

    def close(self) -> None:
        """Interrupt whoever waits, now and later."""
        with self._changed:
            self._closed = True
            waiting, self._open = self._open, []
        for _, future in waiting:
            future.set_exception(KeyboardInterrupt())

    def end(self) -> None:
        """Say that nothing more is submitted."""
        with self._changed:
            self._ended = True
            self._open = []
            self._changed.notify_all()
