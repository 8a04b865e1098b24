"""The log of one run in progress: it answers what is known, and keeps what is new."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from llmopt.errors import ReplayDiverged
from llmopt.evaluate import Outcomes
from llmopt.llm.base import Request, Response, Usage
from llmopt.llm.ledger import Entry
from llmopt.runlog import rows
from llmopt.runlog.earlier import Earlier
from llmopt.runlog.identity import Identity, machine
from llmopt.runlog.logged_requests import LoggedRequest, Place
from llmopt.runlog.logged_run import LoggedRest, LoggedRun
from llmopt.runlog.past import FORK, Past
from llmopt.runlog.requests import checksum_of, digest, settings_text, texts_of
from llmopt.runlog.rows import Outcome
from llmopt.runlog.texts import storable, text_digest
from llmopt.runlog.writer import Sink, Statement
from llmopt.space import Columns, Space, length, take

SLOW_SECONDS = 0.02
"""What took longer than this is on the disk before the next evaluation begins."""

_REMEMBERED_TEXTS = 4_096


class Journal:
    """One run of a log, while it runs.

    A resumed run starts as it did the first time; what it evaluates and what it asks models is answered from here,
    and compared with what was logged, until the log ends. From then on the run is *live*, and everything that is
    completed is written.

    Parameters
    ----------
    writer
        The log's writer.
    run
        The run's number.
    space, maximize
        Those of the problem.
    past
        The evaluations that are logged.
    rest
        What else is logged.
    forked
        Whether the past is that of another run, and the start of this one.
    earlier
        How the run ended before; None: it begins.

    Attributes
    ----------
    past_items
        The scores of items that are logged.
    spent
        What models cost so far, by role.
    """

    def __init__(
        self,
        writer: Sink,
        run: int,
        space: Space[Any],
        *,
        maximize: bool,
        past: Outcome | None = None,
        rest: LoggedRest | None = None,
        forked: bool = False,
        earlier: Earlier | None = None,
    ) -> None:
        rest = rest or LoggedRest()
        self.run = run
        self.past_items = rest.items
        self.spent = dict(rest.spent)
        self.cached_replies = 0 if earlier is None else earlier.cached_replies
        self.step = 0
        self.forked = forked
        limit = None if earlier is None else earlier.limit
        self._limits = sorted([*rest.limits, *([] if limit is None else [limit])])
        self._earlier = earlier
        self._writer = writer
        self._space = space
        self._maximize = maximize
        self._past = Past(past)
        self._requests = dict(rest.requests)
        self._latest = {role: max(p for p in self._requests if p[0] == role)[1:] for role in _roles(self._requests)}
        self._attempts: Counter[tuple[str, int]] = Counter()
        self._lock = threading.Lock()
        self._texts: set[bytes] = set()
        self._live_since: float | None = None
        if not len(self._past) and not self._requests and not self.past_items:
            self.go_live()

    @classmethod
    def going_on(
        cls,
        writer: Sink,
        run: LoggedRun,
        new: Identity,
        space: Space[Any],
        past: Outcome,
        rest: LoggedRest,
    ) -> Journal:
        """Return the journal of a run that goes on; ``new`` is its identity now."""
        return cls(
            writer,
            run.id,
            space,
            maximize=run.maximize,
            past=past,
            rest=rest,
            forked=run.parent is not None,
            earlier=Earlier.of(run, new),
        )

    def __len__(self) -> int:
        """The number of evaluations that are logged."""
        return self._past.known

    @property
    def live(self) -> bool:
        """Whether the log has ended, so that evaluations and replies are new."""
        return self._live_since is not None

    @property
    def told(self) -> list[Any]:
        """The start points that are logged: of a forked run, what it was told."""
        return self._space.solutions(take(self._past.columns, self._past.starts)) if len(self._past) else []

    @property
    def out_of_time(self) -> bool:
        """Whether the clock ended the run at the end of the log, and ends it there again."""
        return self._earlier is not None and self._earlier.out_of_time

    @property
    def before(self) -> float:
        """Seconds that the run took in earlier sessions."""
        return 0.0 if self._earlier is None else self._earlier.seconds

    @property
    def seconds(self) -> float:
        """Seconds that the run took in all its sessions, without what was replayed."""
        return self.before + (0.0 if self._live_since is None else time.perf_counter() - self._live_since)

    def go_live(self) -> None:
        """Say that the log has ended; what follows takes time and is written."""
        with self._lock:
            if self._live_since is not None:
                return
            self._live_since = time.perf_counter()
        if (earlier := self._earlier) is not None:
            # The record stays: it says what is assessed already. Without a reason that agrees, no report shows it.
            begun = "UPDATE runs SET state = 'running', stop_reason = NULL, message = NULL, ended = NULL WHERE id = ?"
            self._write((begun, [(self.run,)]))
            if earlier.identity is not None:
                self._write(("UPDATE runs SET identity = ? WHERE id = ?", [(earlier.identity, self.run)]))
            if earlier.limit is not None:
                self._event("limit", earlier.limit, "")
            self._event("resumed", len(self), json.dumps(machine()))

    def end(self, reason: str, message: str, evaluations: int) -> None:
        """Write why the run ended; where a mere replay was ended, how it ended before stays."""
        if not self.live and reason in ("interrupted", "error"):
            return
        state = {"interrupted": "interrupted", "error": "failed"}.get(reason, "done")
        self._write(
            (
                "UPDATE runs SET state = ?, stop_reason = ?, message = ?, ended = ?, seconds = ? WHERE id = ?",
                [(state, reason, message, now(), self.seconds, self.run)],
            )
        )
        self._event("ended", evaluations, reason)
        self.flush()

    def _event(self, kind: str, call: int, detail: str) -> None:
        self._write(
            (
                "INSERT INTO events (run, time, kind, call, detail) VALUES (?, ?, ?, ?, ?)",
                [(self.run, now(), kind, call, detail)],
            )
        )

    def earlier_limit(self, evaluations: int) -> int | None:
        """Return the smaller budget of evaluations under which a run was that has made so many; None: it has its own.

        It goes on under that one until it is spent: how many solutions its solver was asked for depends on it.
        """
        return next((limit for limit in self._limits if limit > evaluations), None)

    # -- evaluations ------------------------------------------------------------------------------------------------

    def answer(self, first: int, columns: Columns, outcomes: Outcomes) -> None:
        """Fill in the outcomes of proposals that are logged.

        Parameters
        ----------
        first
            The place in the run of the first of them.
        columns
            The proposals.
        outcomes
            Is filled in.

        Raises
        ------
        ReplayDiverged
            Another solution is logged in a place.
        """
        stop = min(first + length(columns), len(self._past))
        if stop > first:
            self._past.compare(slice(first, stop), columns, self.step, self._space)
            self._past.fill(slice(first, stop), outcomes)

    def keep(self, first: int, columns: Columns, outcomes: Outcomes, new: Sequence[int], seconds: float) -> None:
        """Write evaluations that were just made.

        Parameters
        ----------
        first, columns, outcomes
            As for :meth:`answer`.
        new
            The positions among them.
        seconds
            What the evaluations took; after slow ones this returns when they are on the disk.
        """
        chosen = np.asarray(new, dtype=np.int64)
        outcome = Outcome(
            first + chosen,
            np.full(len(chosen), self.step, dtype=np.int32),
            take(columns, chosen),
            outcomes.losses[chosen],
            outcomes.status[chosen],
            {i: outcomes.reasons[row] for i, row in enumerate(new) if row in outcomes.reasons},
        )
        for part in rows.chunks(outcome):
            self._write(
                (rows.INSERT, rows.rows(self.run, self._space, part, maximize=self._maximize)),
                self._clock_statement(),
            )
        if seconds > SLOW_SECONDS:
            self._writer.flush()

    def keep_item(self, solution: bytes, item: int, score: float, answer: str) -> None:
        """Write the score of an item that has just come; ``solution`` is its key."""
        row = (solution, item, score, storable(answer))
        self._write(
            ("INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?, ?, ?)", [(self.run, *row, checksum_of(row))]),
            self._clock_statement(),
        )

    # -- models -----------------------------------------------------------------------------------------------------

    def place(self, role: str) -> Place:
        """Return the place of a role's next call of models."""
        with self._lock:
            attempt = self._attempts[role, self.step]
            self._attempts[role, self.step] += 1
        return role, self.step, attempt

    def known(self, place: Place) -> Sequence[LoggedRequest] | None:
        """Return what is logged of a call; None where it is new.

        Raises
        ------
        ReplayDiverged
            It is not, but later calls of the role are.
        """
        found = self._requests.get(place)
        if found is None and self.is_past(place):
            role, step, _ = place
            raise ReplayDiverged(
                f"the replay diverges in step {step}: the model ({role}) is asked once more than is logged; " + FORK
            )
        return found

    def is_past(self, place: Place) -> bool:
        """Return whether later calls of the same role are logged, or evaluations of the step, for which it came before
        them."""
        role, *number = place
        return (role in self._latest and tuple(number) < self._latest[role]) or 0 < place[1] <= self._past.last_step

    def keep_request(self, place: Place, number: int, request: Request) -> None:
        """Write what is about to be asked; each different prompt, grammar and schema is stored once."""
        texts = texts_of(request)
        hashes = {name: text_digest(text) for name, text in texts.items()}
        with self._lock:
            fresh = [(hashes[name], storable(text)) for name, text in texts.items() if hashes[name] not in self._texts]
            if len(self._texts) > _REMEMBERED_TEXTS:
                self._texts.clear()
            self._texts.update(hashes.values())
        row = (
            *(self.run, *place, number, digest(request), request.n, hashes["prompt"]),
            *(hashes.get("grammar"), hashes.get("schema"), settings_text(request)),
        )
        self._write(
            ("INSERT OR IGNORE INTO texts VALUES (?, ?)", fresh),
            ("INSERT OR IGNORE INTO requests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [row]),
        )

    def keep_replies(self, place: Place, number: int, samples: Sequence[int], part: Response) -> None:
        """Write replies that have just come; the first of them bears what they cost together."""
        found = []
        usage = part.usage
        for sample, reply in zip(samples, part.replies, strict=False):
            row = (*place, number, sample, reply.finish_reason, storable(reply.text), *usage)
            found.append((self.run, *row, checksum_of(row)))
            usage = Usage()
        self._write((f"INSERT OR IGNORE INTO replies VALUES ({', '.join('?' * 13)})", found))

    def keep_charge(self, role: str, entry: Entry) -> None:
        """Write what a call cost."""
        values = [getattr(entry, name) for name in Entry.__dataclass_fields__]
        self._write((f"INSERT INTO charges VALUES (NULL, ?, ?, {', '.join('?' * len(values))})",
                     [(self.run, role, *values)]))  # fmt: skip

    def keep_cached(self, count: int) -> None:
        """Write how many replies of the run came from a cache."""
        self._write(("UPDATE runs SET cached_replies = ? WHERE id = ?", [(count, self.run)]), self._clock_statement())

    def flush(self) -> None:
        """Return when everything is on the disk."""
        self._writer.flush()

    def check_whole(self, evaluations: int) -> None:
        """Raise ReplayDiverged where the run has ended before its log."""
        if not self.live and evaluations < len(self):
            raise ReplayDiverged(
                f"the replay diverges: it ended after {evaluations} of the {len(self)} logged evaluations; {FORK}"
            )

    def _clock_statement(self) -> Statement:
        return "UPDATE runs SET seconds = ? WHERE id = ?", [(self.seconds, self.run)]

    def _write(self, *statements: Statement) -> None:
        self._writer.put(*statements)


def now() -> str:
    """Return the time in UTC, for people; nothing depends on it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _roles(requests: Mapping[Place, Any]) -> set[str]:
    return {role for role, _, _ in requests}
