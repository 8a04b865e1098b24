"""Solvers with one mistake each, of the kind that people make."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from llmopt import AskTellSolver, Evaluations, Infeasible, Objective, Proposals, Task
from llmopt.objective import Stopped
from llmopt.space import Columns, Vector


class Sound(AskTellSolver):
    """Uniform random search, without a mistake."""

    def __init__(self) -> None:
        super().__init__(batch=4)

    def ask(self, n: int) -> Proposals:
        return Proposals(self.draw(n))

    def draw(self, n: int) -> Columns:
        return self.task.space.sample(n, self.rng)

    @property
    def space(self) -> Vector:
        assert isinstance(self.task.space, Vector)
        return self.task.space

    def near(self, row: int, n: int) -> Columns:
        """Return points around one of the history."""
        points = self.space.to_box(self.task.history[row : row + 1].columns)
        low, high = self.space.box.T
        return self.space.from_box(points + (high - low) / 5 * self.rng.standard_normal((n, len(low))))


class Unclipped(Sound):
    """Steps without a look at the bounds."""

    def ask(self, n: int) -> Proposals:
        columns = self.draw(n)
        name = next(iter(columns))
        # The first of several alone, so that a run gets on.
        return Proposals(columns | {name: columns[name] + 1000 * (np.arange(n) < n - 1) * (np.arange(n) == 0)})


class Unbooked(Sound):
    """Polishes its proposals with evaluations that nobody counts."""

    def run(self, objective: Objective, task: Task, rng: np.random.Generator) -> None:
        self.problem = objective._problem
        super().run(objective, task, rng)

    def ask(self, n: int) -> Proposals:
        drawn = self.space.solutions(self.draw(2 * n))
        return Proposals(self.space.pack(sorted(drawn, key=self.score)[:n]))

    def score(self, solution: Any) -> float:
        try:
            score = float(self.problem.evaluate(solution))
        except (RuntimeError, Infeasible):
            return np.inf
        return -score if self.problem.direction == "maximize" else score


class Unstoppable(Sound):
    """Proposes once more when it is stopped."""

    def run(self, objective: Objective, task: Task, rng: np.random.Generator) -> None:
        try:
            super().run(objective, task, rng)
        except BaseException as error:
            if not isinstance(error, KeyboardInterrupt | Exception):
                objective.step(self.ask(1))
            raise


class Sorting(Sound):
    """Sorts what it was told to read only."""

    def ask(self, n: int) -> Proposals:
        for values in self.task.history.columns.values():
            values.flags.writeable = True
            values.sort()
        return Proposals(self.draw(n))


class Forgetful(Sound):
    """Begins anew by forgetting the best."""

    def ask(self, n: int) -> Proposals:
        history = self.task.history
        if len(history) > 15:
            history._best, history._best_losses = history._best[1:], history._best_losses[1:]
        return Proposals(self.draw(n))


class Unseeded(Sound):
    """Draws from the generator of the whole process."""

    def ask(self, n: int) -> Proposals:
        return Proposals(self.task.space.sample(n, np.random.default_rng(random.getrandbits(32))))


class Remembering(Sound):
    """Forgets to reset its step."""

    step = 0

    def ask(self, n: int) -> Proposals:
        self.step += 1
        return Proposals(self.task.space.sample(n, np.random.default_rng([self.task.seed, self.step])))


class ByHash(Sound):
    """Seeds by the hash of a text, which is another one in every process."""

    def start(self, task: Task, rng: np.random.Generator) -> None:
        super().start(task, np.random.default_rng([task.seed, hash("variables") % 2**32]))


class MoreForWorkers(Sound):
    """Looks at who evaluates."""

    def run(self, objective: Objective, task: Task, rng: np.random.Generator) -> None:
        self.batch = 4 if getattr(objective._evaluator, "workers", None) is None else 8
        super().run(objective, task, rng)


class OwnCheckpoint(Sound):
    """Keeps its own place for the next run, beside the log that keeps it too."""

    left: ClassVar[int] = 0

    def run(self, objective: Objective, task: Task, rng: np.random.Generator) -> None:
        rng.random(type(self).left)
        type(self).left = 0
        try:
            super().run(objective, task, rng)
        except KeyboardInterrupt:
            type(self).left = len(task.history)
            raise


class NoNaN(Sound):
    """Takes the smallest of the losses, of which there may be none."""

    def ask(self, n: int) -> Proposals:
        losses = self.task.history.losses
        return Proposals(self.near(int(np.nanargmin(losses)), n))


class BySpread(Sound):
    """Divides by the spread of the losses."""

    def tell(self, evaluations: Evaluations) -> None:
        found = [loss for loss in evaluations.losses.tolist() if loss == loss]
        if len(found) > 1:
            self.relative = [(loss - min(found)) / (max(found) - min(found)) for loss in found]


class Squaring(Sound):
    """Squares the losses."""

    def tell(self, evaluations: Evaluations) -> None:
        self.total = sum(loss**2 for loss in evaluations.losses.tolist())


class Swallowing(AskTellSolver):
    """Takes every exception for a bad solution."""

    def ask(self, n: int) -> Sequence[Any]:
        return self.task.space.solutions(self.task.space.sample(n, self.rng))

    def run(self, objective: Objective, task: Task, rng: np.random.Generator) -> None:
        self.start(task, rng)
        while True:
            for solution in self.ask(4):
                try:
                    objective(solution)
                except Stopped:
                    raise
                except Exception:
                    continue


class Minimizing(Sound):
    """Follows the smallest score, whether or not that is the best."""

    def ask(self, n: int) -> Proposals:
        scores = self.task.history.scores
        return Proposals(self.near(int(np.nanargmin(scores)), n) if not np.isnan(scores).all() else self.draw(n))


class FirstOfEquals(Sound):
    """Follows the first of the best, and claims that their order does not matter."""

    def ask(self, n: int) -> Proposals:
        best = self.task.history.best(1)
        return Proposals(self.near(int(best[0]), n) if len(best) else self.draw(n))


class Distinct(Sound):
    """Draws until every proposal of a step is a new one."""

    def ask(self, n: int) -> Proposals:
        space = self.task.space
        found: list[Any] = []
        keys = {space.key(row.solution) for row in self.task.history}
        while len(found) < n:
            solution = space.row(space.sample(1, self.rng), 0)
            if space.key(solution) not in keys:
                keys.add(space.key(solution))
                found.append(solution)
        return Proposals(space.pack(found))
