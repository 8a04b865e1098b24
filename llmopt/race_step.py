"""One step of a race: candidates are scored block after block, and each goes as soon as it cannot win."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from llmopt.racing import Race, Scores

ScoreBlock = Callable[[Sequence[int], slice], Scores]
"""Scores some candidates, by their place in the step, on consecutive items: shape (candidates, items)."""


def race_step(
    race: Race | None,
    candidates: int,
    complete: Scores,
    score: ScoreBlock,
    out_of_time: Callable[[], bool] = lambda: False,
) -> dict[int, int]:
    """Race the candidates of a step against the incumbent.

    Where there is none yet, the leader after the first block is scored in full, and the others race against it.

    Parameters
    ----------
    race
        Who goes on after a block; None: all are scored on every item.
    candidates
        How many there are.
    complete
        The scores on all items of those that were scored in full before, best first, shape (M, n); M may be 0.
    score
        Is called block by block, for those that are still in the race. Larger is better.
    out_of_time
        Whether to stop before another block; the first one is always scored.

    Returns
    -------
    dict of int to int
        How many items each candidate was scored on, all of them or until it was dropped, by its place; without those
        about which time left nothing to say.
    """
    items = complete.shape[1]
    found: Scores = np.empty((candidates, 0))
    judged: dict[int, int] = {}
    alive = list(range(candidates))
    since = 0
    for block in [slice(0, items)] if race is None else race.blocks(items):
        if not alive or (block.start and out_of_time()):
            break
        found = np.hstack([found, score(alive, block)])
        if race is None or block.stop == items:
            judged.update((place, items) for place in alive)
            break
        if not len(complete):
            if out_of_time():
                break
            first = race.leader(found)
            leader = alive.pop(first)
            complete = np.hstack([found[[first]], score([leader], slice(block.stop, items))])
            found, since = np.delete(found, first, axis=0), block.stop
            judged[leader] = items
        on = race.keeps(found, complete[0], complete[1:], since).tolist()
        judged |= {place: block.stop for place, stays in zip(alive, on, strict=True) if not stays}
        alive, found = [place for place, stays in zip(alive, on, strict=True) if stays], found[on]
    return judged
