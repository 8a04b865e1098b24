"""Whether a model that is asked again and again ever says something of use."""

from __future__ import annotations

from threading import Lock

ENOUGH = 20
"""Answers of no use, and no other, after which a model counts as broken."""


class Usable:
    """Counts a model's answers, from any thread."""

    def __init__(self) -> None:
        self.answers = 0
        self._usable = 0
        self._lock = Lock()

    def add(self, usable: bool) -> None:
        """Count an answer."""
        with self._lock:
            self.answers += 1
            self._usable += usable

    @property
    def never(self) -> bool:
        """Whether there are :data:`ENOUGH` answers and none of them was of use."""
        return self.answers >= ENOUGH and not self._usable
