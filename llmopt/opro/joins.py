"""Changes of an order that put one entry behind another: what remains of a proposal when a model names a single leg."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from llmopt.history import History
from llmopt.opro.stagnation import stagnation
from llmopt.space import Permutation
from llmopt.space.permutation import COLUMN

Orders = NDArray[np.int32]
Change = Literal["local", "far"]

TRIES = 50
"""Draws of an order and an entry, for each question, before known orders are offered too."""
SHORT = 3
"""The most entries of a short part, as in Or-opt (Or 1976)."""
SHORT_SHARE = 0.25
"""How often a local change moves a short part."""
WIDENING = 4
"""Steps without a better order after which one more is a candidate. This and the share were chosen by simulation, with
a stand-in for the model that prefers near cities, on random instances 200 to 219 (docs/results.md)."""
CANDIDATES = 20
"""The most orders to draw from, as many as the paper shows (OPRO, section 3.1)."""


@dataclass(frozen=True)
class Join:
    """A question: which entry should come behind the last one of ``path``?

    Parameters
    ----------
    path
        The end of an order up to the entry in question, shape (k,).
    entries
        What may come next, shape (m,).
    orders
        The order that each of them leads to, shape (m, n).
    """

    path: NDArray[np.int32]
    entries: NDArray[np.int32]
    orders: Orders


def joins(
    history: History,
    count: int,
    rng: np.random.Generator,
    *,
    step: int,
    change: Change,
    shown: int,
    candidates: int = CANDIDATES,
) -> list[Join]:
    """Return questions about good orders, none of whose answers is known or is an answer to another one.

    The order is drawn from the best ones: first only from the best, and from one more for every four steps that found
    no better one, so that a search that gains nothing widens. The entry is drawn uniformly; where symmetry allows it,
    the order is turned so that the entry comes last.

    Parameters
    ----------
    history
        Of a :class:`~llmopt.space.Permutation`.
    count
        The number of questions.
    rng
        For the draws, and for the parts that are moved.
    step
        The step that is asked for.
    change
        What happens to the rest of the order. ``"far"``: the named entry takes a part of random length with it.
        ``"local"``: in a quarter of the questions it takes at most two others with it (Or-opt); in the others the part
        between the two entries is reversed (2-opt) where direction does not count, else moved as in ``"far"``.
    shown
        The most entries of a path.
    candidates
        The most orders to draw from.
    """
    space = history.space
    assert isinstance(space, Permutation)
    best = history.best(candidates)
    since = stagnation(history, step)
    found: list[Join] = []
    offered: set[object] = set()
    for attempt in range(TRIES * count):
        if len(found) == count:
            break
        rows = best if attempt > TRIES * count // 2 else best[: 1 + since // WIDENING]
        # Without a scored order, or where all about the best ones is known, any order will do.
        anywhere = not len(rows) or attempt > TRIES * count * 3 // 4
        drawn = space.sample(1, rng)[COLUMN][0] if anywhere else history.columns[COLUMN][rng.choice(rows)]
        join = _join(space, np.asarray(drawn, dtype=np.int32), rng, shown, change)
        keys = space.keys({COLUMN: join.orders})
        _, fresh = history.match(keys)
        new = np.flatnonzero(fresh & np.array([key not in offered for key in keys], dtype=np.bool_))
        if len(new):
            found.append(Join(join.path, join.entries[new], join.orders[new]))
            offered.update(keys[i] for i in new)
    while len(found) < count:
        drawn = history.columns[COLUMN][rng.choice(best)] if len(best) else space.sample(1, rng)[COLUMN][0]
        found.append(_join(space, np.asarray(drawn, dtype=np.int32), rng, shown, change))
    return found


def random_joins(history: History, count: int, rng: np.random.Generator, *, step: int, change: Change) -> Orders:
    """Return the orders that random answers lead to, shape (count, n); what a model's answers are compared with."""
    asked = joins(history, count, rng, step=step, change=change, shown=1)
    return np.array([rng.choice(join.orders) for join in asked])


def _join(space: Permutation, order: Orders, rng: np.random.Generator, shown: int, change: Change) -> Join:
    n = space.n
    place = int(rng.integers(n))
    if space.symmetry == "dihedral" and rng.random() < 0.5:
        order, place = order[::-1], n - 1 - place
    if space.symmetry != "none":
        order, place = np.roll(order, n - 1 - place), n - 1
    path = order[max(0, place + 1 - shown) : place + 1]
    longest = SHORT if change == "local" and rng.random() < SHORT_SHARE else n
    if change == "local" and longest == n and space.symmetry == "dihedral":
        # Behind the last entry comes the one at j: all from j + 1 on is reversed.
        places = np.arange(1, n - 2)
        orders = np.array([np.concatenate([order[: j + 1], order[j + 1 :][::-1]]) for j in places], dtype=np.int32)
    else:
        places = np.array([j for j in range(n) if j not in (place, place + 1)], dtype=np.int64)
        orders = np.array([_moved(order, place, int(j), longest, rng) for j in places], dtype=np.int32)
    if not len(places):
        places, orders = np.array([(place + 1) % n]), order[None]
    return Join(path, order[places], orders.reshape(len(places), n))


def _moved(order: Orders, place: int, first: int, longest: int, rng: np.random.Generator) -> Orders:
    """Return the order with a part that begins at ``first`` moved behind the entry at ``place``."""
    end = place if first < place else len(order)
    stop = int(rng.integers(first + 1, min(end, first + longest) + 1))
    part = order[first:stop]
    if first < place:
        return np.concatenate([order[:first], order[stop : place + 1], part, order[place + 1 :]])
    return np.concatenate([order[: place + 1], part, order[place + 1 : first], order[stop:]])
