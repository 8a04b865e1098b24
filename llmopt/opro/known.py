"""What a run knows, and a reply need not say."""

from __future__ import annotations

from typing import Any

from llmopt.history import History

# The known solutions that a grammar leaves out: a model repeats the good and the recent ones. Others that it
# repeats are counted as duplicates.
EXCLUDED_BEST = 256
EXCLUDED_LATEST = 128
# Among endlessly many solutions a model repeats little but what it is shown.
EXCLUDED_BEST_INFINITE = 64
EXCLUDED_LATEST_INFINITE = 32


def known_rows(history: History) -> list[int]:
    """Return the best and the latest evaluations, which a model would repeat."""
    finite = history.space.size is not None
    best, latest = (EXCLUDED_BEST, EXCLUDED_LATEST) if finite else (EXCLUDED_BEST_INFINITE, EXCLUDED_LATEST_INFINITE)
    recent = range(max(0, len(history) - latest), len(history))
    return [*dict.fromkeys([*history.best(best).tolist(), *recent])]


class Repeats:
    """Tells the solutions of a step that are in the history, or that the same step has proposed.

    Parameters
    ----------
    history
        As it is before the step. Noisy evaluations are never known, but to propose one twice in a step still repeats.
    """

    def __init__(self, history: History) -> None:
        self._history = history
        self._proposed: set[Any] = set()

    def __call__(self, solution: Any) -> bool:
        """Return whether a solution repeats one; from now on, it is proposed."""
        keys = self._history.space.keys(self._history.space.pack([solution]))
        _, fresh = self._history.match(keys)
        key = keys[0]
        repeats = key in self._proposed or not fresh[0]
        self._proposed.add(key)
        return repeats
