"""A model that answers as another one did, from the log of a run."""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llmopt.errors import InvalidInput, ModelError
from llmopt.llm.base import LLM, Capabilities, ModelInfo, Request, Response, Usage, check_given
from llmopt.runlog.logged_requests import LoggedRequest
from llmopt.runlog.reader import FILE, LogReader
from llmopt.runlog.requests import digest, settings_of, texts_of

_Key = tuple[bytes, int]


class Replay(LLM):
    """Answers from the log of a run, as the model of that run did; the order of the requests does not matter.

    A request that was made several times is answered with the logged answers in turn, and then with the last one
    again. Nothing is written.

    Parameters
    ----------
    path
        The folder of a run, or the log in it.

    Raises
    ------
    InvalidInput
        There is no log, it is damaged, or it does not hold the replies of one model.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._lock = threading.Lock()
        self._answers: defaultdict[_Key, deque[Response]] = defaultdict(deque)
        self._requests: list[LoggedRequest] = []
        with LogReader(self._path.parent if self._path.name == FILE else self._path) as reader:
            models = []
            for run in reader.runs():
                models += [model for model in run.identity["models"].values() if model not in models]
                for requests in reader.requests(run).values():
                    for request in requests:
                        self._load(request)
            if reader.damage:
                raise InvalidInput(f"{path} cannot be replayed: {'; '.join(reader.damage)}")
        if len(models) != 1:
            specs = " and ".join(model["spec"] for model in models) or "no model"
            raise InvalidInput(f"{path} holds the replies of {specs}; give the folder of runs with one model")
        self._info = ModelInfo(models[0]["spec"], models[0]["details"])
        self._capabilities = Capabilities(**models[0]["capabilities"])

    def _load(self, request: LoggedRequest) -> None:
        replies = tuple(request.replies[sample] for sample in range(request.n) if sample in request.replies)
        if len(replies) < request.n:
            # The process died while it was waiting for the rest.
            return
        usage = Usage()
        for part in request.usage:
            usage = usage.plus(part)
        self._requests.append(request)
        self._answers[request.sha256, request.n].append(Response(replies, usage))

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        check_given(self, requests)
        return [self._answer(request) for request in requests]

    def _answer(self, request: Request) -> Response:
        with self._lock:
            answers = self._answers.get((digest(request), request.n))
            if answers:
                return answers.popleft() if len(answers) > 1 else answers[0]
        raise ModelError(
            f"{self._path} does not hold this request (the code, a setting or the seed changed)"
            + self._difference(request)
        )

    def _difference(self, request: Request) -> str:
        """Say how a request differs from the logged one whose prompt is most like it."""
        texts = texts_of(request)
        ours = texts["prompt"].splitlines()
        nearest = max(self._requests, key=lambda other: _common(ours, other.texts["prompt"].splitlines()), default=None)
        if nearest is None:
            return ": it holds none"
        if nearest.texts["prompt"] == texts["prompt"]:
            new, old = (
                _parts(texts, settings_of(request), request.n),
                _parts(nearest.texts, nearest.settings, nearest.n),
            )
            names = [name for name in new if new[name] != old.get(name)]
            return f": the same prompt is logged with another {', '.join(names)}"
        theirs = nearest.texts["prompt"].splitlines()
        same = _common(ours, theirs)
        line, other = (lines[same][:120] if same < len(lines) else "" for lines in (ours, theirs))
        return f": line {same + 1} of the prompt is {line!r}, logged is {other!r}"


def from_spec(rest: str) -> Replay:
    """Return the model of ``replay:PATH``."""
    if not rest:
        raise InvalidInput("replay needs the folder of a run to answer from: replay:PATH")
    return Replay(rest)


def _parts(texts: Mapping[str, str], settings: Mapping[str, Any], n: int) -> dict[str, Any]:
    return {"n": n, "grammar": texts.get("grammar"), "schema": texts.get("schema"), **settings}


def _common(ours: Sequence[str], theirs: Sequence[str]) -> int:
    """Return the number of equal lines at the beginning."""
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(ours, theirs, strict=False))
    return sum(1 for _ in same)
