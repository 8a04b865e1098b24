"""A model whose replies are in a run's log: those that are there are given again, the others asked for and kept."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from llmopt.errors import LogError, ModelError, ReplayDiverged
from llmopt.llm.base import LLM, Capabilities, Reply, Request, Response, Take, Usage, Wrapper, check_given
from llmopt.llm.samples import gaps_of, part_of
from llmopt.runlog.journal import Journal
from llmopt.runlog.logged_requests import LoggedRequest, Place
from llmopt.runlog.past import FORK
from llmopt.runlog.requests import digest, texts_of


class Logged(Wrapper):
    """Stands before a model of a run, outside of everything else that does.

    Replies have their place by role, step, attempt, request and sample, never by the order in which they arrive.

    Parameters
    ----------
    llm
        The model.
    journal
        The log of the run.
    role
        What the run uses the model for.
    """

    def __init__(self, llm: LLM, journal: Journal, role: str) -> None:
        super().__init__(llm)
        self._journal = journal
        self._role = role

    @property
    def capabilities(self) -> Capabilities:
        # The log has no place for how likely a reply is.
        return replace(super().capabilities, logprobs=False)

    def deliver(self, requests: Sequence[Request], take: Take) -> list[Response]:
        """As the model does; see :meth:`llmopt.llm.base.LLM.deliver`.

        Raises
        ------
        ReplayDiverged
            Something else was asked in this place.
        LogError
            The log cannot be written.
        """
        check_given(self, requests)
        journal = self._journal
        place = journal.place(self._role)
        logged = journal.known(place)
        replies: list[dict[int, Reply]] = [{} for _ in requests]
        if logged is not None:
            _compare(place, logged, requests)
            replies = [
                {sample: reply for sample, reply in known.replies.items() if sample < request.n}
                for known, request in itertools.zip_longest(logged, requests, fillvalue=None)
                if request is not None and known is not None
            ]
            replies += [{} for _ in range(len(requests) - len(replies))]
        for i, found in enumerate(replies):
            for sample, reply in sorted(found.items()):
                take(i, sample, Response((reply,), Usage()))
        usages = [Usage()] * len(requests)
        gaps = [(i, gap) for i, request in enumerate(requests) for gap in gaps_of(replies[i], request.n)]
        if gaps and journal.is_past(place):
            # It failed then, and the run went on without; so it does now.
            raise ModelError("the logged run got no reply here")
        if gaps:
            journal.go_live()
            for i in dict.fromkeys(i for i, _ in gaps):
                journal.keep_request(place, i, requests[i])
            asked = [part_of(requests[i], gap) for i, gap in gaps]

            def keep(j: int, first: int, part: Response) -> None:
                i, gap = gaps[j]
                journal.keep_replies(place, i, gap[first:], part)
                take(i, gap[first], part)

            try:
                answers = self._llm.deliver(asked, keep)
            except BaseException:
                # What came before the error is kept; the error itself is what matters.
                with suppress(LogError):
                    journal.flush()
                raise
            journal.flush()
            if [len(answer.replies) for answer in answers] != [request.n for request in asked]:
                raise ModelError(f"the model {self.info.spec} gave another number of replies than it was asked for")
            for (i, gap), answer in zip(gaps, answers, strict=True):
                replies[i] |= dict(zip(gap, answer.replies, strict=True))
                usages[i] = usages[i].plus(answer.usage)
        return [
            Response(tuple(found[sample] for sample in range(request.n)), usage)
            for request, found, usage in zip(requests, replies, usages, strict=True)
        ]


def _compare(place: Place, logged: Sequence[LoggedRequest], requests: Sequence[Request]) -> None:
    role, step, _ = place
    for i, (old, new) in enumerate(zip(logged, requests, strict=False)):
        if old.sha256 != digest(new):
            raise ReplayDiverged(
                f"the replay diverges in step {step}: request {i + 1} to the model ({role}) {_difference(old, new)}; "
                + FORK
            )
    if len(logged) > len(requests):
        raise ReplayDiverged(
            f"the replay diverges in step {step}: {len(requests)} requests to the model ({role}), logged are "
            f"{len(logged)}; {FORK}"
        )


def _difference(old: LoggedRequest, new: Request) -> str:
    ours, theirs = texts_of(new)["prompt"].splitlines(), old.texts["prompt"].splitlines()
    for number, (line, logged) in enumerate(itertools.zip_longest(ours, theirs, fillvalue=""), 1):
        if line != logged:
            return f"has {line[:120]!r} in line {number} of its prompt, where {logged[:120]!r} is logged"
    return "has the logged prompt with other settings"
