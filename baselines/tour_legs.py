"""The control for tours that fits the length of every leg to the lengths of whole tours."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_array

from llmopt.baselines.new_solutions import draw_new
from llmopt.baselines.tour_blind import PermutationMethod, reverse_parts
from llmopt.objective import Proposals
from llmopt.solver import Task
from llmopt.space import Columns
from llmopt.space.permutation import COLUMN
from llmopt.tours import Distances
from llmopt.tours.local_search import local_search


class LegRegression(PermutationMethod):
    """A black box that takes a tour's length for the sum of unknown legs, as `quadratic` takes a loss for a parabola.

    The legs have a normal prior, whose mean and deviation come from the lengths seen, and a posterior given these
    (Bayesian linear regression). Every candidate is a draw of all legs from it, and the tour that 2-opt and Or-opt find
    for the draw from the incumbent (Thompson sampling; Russo et al., A tutorial on Thompson sampling, 2018, section
    4.1). Draws are made by Matheron's rule (Wilson et al., Efficiently sampling functions from Gaussian process
    posteriors, ICML 2020, equation 9), so that the work grows with the number of tours that are fitted and not with
    that of the legs. Known tours are drawn again, after four tries with a random part reversed.

    No distance of the problem is seen. Scores that are no sums over neighbours are fitted badly.

    Parameters
    ----------
    batch
        Proposals per step.
    """

    packages: ClassVar[tuple[str, ...]] = ("scipy",)
    fitted = 2_000
    """The best so many tours are fitted."""
    noise = 0.02
    """The deviation of a tour's length from the sum, as a share of the deviation of a leg."""

    def start(self, task: Task, rng: np.random.Generator) -> None:
        super().start(task, rng)
        self._undirected = getattr(task.space, "symmetry", None) == "dihedral"

    def ask(self, n: int) -> Proposals:
        history = self.task.history
        rows = history.best(self.fitted)
        if len(rows) < 2 or history.columns[COLUMN].shape[1] < 3:
            return Proposals(draw_new(history, n, self.rng))
        orders = np.asarray(history.columns[COLUMN][rows], dtype=np.int32)
        posterior = _Legs(orders, history.losses[rows], self._undirected, self.noise)

        def draw(count: int, attempt: int) -> Columns:
            found = np.array([local_search(legs, orders[0]).tour for legs in posterior.draws(count, self.rng)])
            for _ in range(attempt // 4):
                reverse_parts(found, self.rng)
            return {COLUMN: found}

        return Proposals(draw_new(history, n, self.rng, draw))


class _Legs:
    """The posterior of the legs, given the losses, shape (m,), of orders, shape (m, n)."""

    def __init__(self, orders: NDArray[np.int32], losses: NDArray[np.float64], undirected: bool, noise: float) -> None:
        m, n = orders.shape
        self._shape, self._undirected = (n, n), undirected
        left, right = orders, np.roll(orders, -1, axis=1)
        if undirected:
            left, right = np.minimum(left, right), np.maximum(left, right)
        cells = (left.astype(np.int64) * n + right).ravel()
        self._uses = csr_array((np.ones(m * n), cells, np.arange(0, m * n + 1, n)), shape=(m, n * n))
        # Squares of huge losses overflow; a power of two changes no digit.
        losses = np.ldexp(losses, -np.frexp(np.abs(losses).max())[1])
        # In units of the prior: the sum of a tour's legs has mean 0 and variance n.
        scale = float(np.std(losses)) or 1.0
        self._sums = (losses - losses.mean()) / scale * np.sqrt(n)
        self._noise = noise
        self._factor = cho_factor((self._uses @ self._uses.T).toarray() + noise**2 * np.eye(m))

    def draws(self, count: int, rng: np.random.Generator) -> list[Distances]:
        """Return draws of all legs, moved by one constant each so that none is negative."""
        prior = rng.standard_normal((self._uses.shape[1], count))
        wrong = self._sums[:, None] - self._uses @ prior
        wrong += self._noise * rng.standard_normal(wrong.shape)
        legs = (prior + self._uses.T @ cho_solve(self._factor, wrong)).T.reshape(count, *self._shape)
        if self._undirected:
            upper = np.triu(legs, 1)
            legs = upper + upper.transpose(0, 2, 1)
        return [Distances(each - each.min()) for each in legs]
