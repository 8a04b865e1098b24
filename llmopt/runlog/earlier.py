"""What came before, of a run that goes on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Self

from llmopt.budget import larger
from llmopt.runlog.identity import Identity
from llmopt.runlog.logged_run import LoggedRun


@dataclass(frozen=True)
class Earlier:
    """How a run ended that goes on.

    Attributes
    ----------
    seconds
        Time that it took.
    cached_replies
        Replies that came from a cache.
    out_of_time
        Whether the clock ended it, and does so again: it has no more time than it had.
    limit
        The budget of evaluations that it had, where it has a larger one from here on.
    identity
        The run's identity as JSON, where it is another one from here on.
    """

    seconds: float
    cached_replies: int
    out_of_time: bool
    limit: int | None
    identity: str | None

    @classmethod
    def of(cls, run: LoggedRun, new: Identity) -> Self:
        """Return that of a logged run; ``new`` is its identity from here on."""
        old, budget = run.identity["budget"], new["budget"]
        more = larger(budget["evaluations"], than=old["evaluations"])
        return cls(
            seconds=run.seconds,
            cached_replies=run.cached_replies,
            out_of_time=run.stop_reason == "seconds" and budget["seconds"] == old["seconds"],
            limit=old["evaluations"] if more else None,
            identity=None if new == run.identity else json.dumps(new),
        )
