"""Replies that were paid for once: a repeated run is free, and a new sample is never an old one."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from llmopt.errors import ModelError
from llmopt.llm.base import LLM, Reply, Request, Response, Take, Usage, Wrapper
from llmopt.llm.reply_file import ReplyFile
from llmopt.llm.samples import gaps_of, part_of


class Cached(Wrapper):
    """Answers from a file what was answered before, and asks a model for the rest.

    The replies to a request are samples with numbers, and each is kept under its own: a request that wants more
    of them than are there is topped up. A sample is known by the model (its spec and details, such as the
    checksum of its weights), everything in the request that an answer depends on, and its draw: the request's
    seed, the sample's number and ``draw``. So a request with another seed always gets new replies. At
    temperature 0 there is one reply and no draw. A request without a seed at any other temperature is never
    kept and never answered from the file, because nothing would tell its repetition from a new draw.

    A reply from the file costs nothing: no call, no tokens. Of threads that want the same sample one asks for
    it; processes may both ask, and then both go on with the reply that was there first.

    Parameters
    ----------
    llm
        The model.
    path
        The file. Threads and processes may share it, and models too. It holds replies, no prompts.
    draw
        Names a set of draws: with another name the same requests get new replies.

    Raises
    ------
    InvalidInput
        Here and by :meth:`generate`: the file belongs to another program, is damaged, stays locked, or cannot
        be read or written.
    """

    def __init__(self, llm: LLM, path: str | Path, draw: str = "") -> None:
        super().__init__(llm)
        self._draw = draw
        self._endpoint = [llm.info.spec, sorted(llm.info.details.items())]
        self._file = ReplyFile(Path(path))
        self._lock = threading.Lock()
        self._asking: WeakValueDictionary[bytes, threading.Lock] = WeakValueDictionary()
        self._hits = 0

    @property
    def hits(self) -> int:
        """The number of replies so far that nothing was paid for."""
        return self._hits

    def deliver(self, requests: Sequence[Request], take: Take) -> list[Response]:
        """As the model does; see :meth:`llmopt.llm.base.LLM.deliver`."""
        keyed = [(self._key(request), request) for request in requests]
        wanted: dict[bytes, Request] = {}
        for key, request in keyed:
            if key is not None and (key not in wanted or wanted[key].n < request.n):
                wanted[key] = request
        known = self._read(wanted)
        lacking = {key: request for key, request in wanted.items() if len(known[key]) < _samples(request)}
        loose = [i for i, (key, _) in enumerate(keyed) if key is None]
        paid: dict[bytes, Usage] = {}
        answers: Iterator[Response] = iter(())
        if lacking or loose:
            with self._turns(lacking):
                # Another thread may have asked for some of them meanwhile.
                known |= self._read(lacking)
                asked = {i: keyed[i][1] for i in loose}
                answers = iter(self._top_up(lacking, known, paid, asked, take))
        responses = []
        for i, (key, request) in enumerate(keyed):
            if key is None:
                responses.append(next(answers))
                continue
            responses.append(Response(_replies(known[key], request), paid.pop(key, Usage())))
            take(i, 0, responses[-1])
        with self._lock:
            self._hits += sum(request.n for key, request in keyed if key is not None)
        return responses

    def _top_up(
        self,
        lacking: Mapping[bytes, Request],
        known: dict[bytes, dict[int, Reply]],
        paid: dict[bytes, Usage],
        loose: Mapping[int, Request],
        take: Take,
    ) -> list[Response]:
        """Ask for all that is missing at once; put it in ``known`` and ``paid``, return what has no key."""
        gaps = [(key, gap) for key in lacking for gap in gaps_of(known[key], _samples(lacking[key]))]
        places = list(loose)
        requests = [*loose.values(), *(part_of(lacking[key], gap) for key, gap in gaps)]

        def keep(i: int, first: int, part: Response) -> None:
            # At once: what was paid for is kept even where a later reply fails.
            if i < len(loose):
                take(places[i], first, part)
            else:
                key, gap = gaps[i - len(loose)]
                self._file.write((key, sample, reply) for sample, reply in zip(gap[first:], part.replies, strict=False))

        answers = self._llm.deliver(requests, keep) if requests else []
        if [len(answer.replies) for answer in answers] != [request.n for request in requests]:
            raise ModelError(f"the model {self.info.spec} gave another number of replies than it was asked for")
        for (key, gap), answer in zip(gaps, answers[len(loose) :], strict=True):
            known[key] |= dict(zip(gap, answer.replies, strict=True))
            paid[key] = paid.get(key, Usage()).plus(answer.usage)
        if gaps:
            # Where another process was quicker, its reply is the one that will be given again.
            for key, stored in self._read(lacking).items():
                known[key] |= stored
        with self._lock:
            self._hits -= sum(len(gap) for _, gap in gaps)
        return answers[: len(loose)]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _key(self, request: Request) -> bytes | None:
        """Return what the samples of a request have in common, or None where they must not be kept."""
        greedy = request.sampling.temperature == 0
        if request.n < 1 or (request.seed is None and not greedy):
            return None
        identity = {
            # Without what is not given, so that replies are found that were kept before replies could be given.
            **{name: value for name, value in vars(request).items() if name != "given" or value is not None},
            "n": None,
            "seed": None if greedy else [self._draw, request.seed],
            # 1 and 1.0 are the same setting.
            "sampling": {name: float(value) for name, value in vars(request.sampling).items()},
            "endpoint": self._endpoint,
        }
        # In the order of the fields: that of a schema's properties may matter to a decoder.
        return hashlib.sha256(json.dumps(identity, default=_plain).encode()).digest()

    def _read(self, wanted: Mapping[bytes, Request]) -> dict[bytes, dict[int, Reply]]:
        return self._file.read({key: _samples(request) for key, request in wanted.items()})

    @contextmanager
    def _turns(self, keys: Iterable[bytes]) -> Iterator[None]:
        """Be the only thread that asks for these; taken in an order that cannot end in a deadlock."""
        with ExitStack() as stack:
            for key in sorted(keys):
                with self._lock:
                    # Forgotten when nobody holds it or waits for it.
                    turn = self._asking.setdefault(key, threading.Lock())
                stack.enter_context(turn)
            yield

    def __reduce__(self) -> tuple[type[Cached], tuple[LLM, Path, str]]:
        return Cached, (self._llm, self._file.path, self._draw)


def _samples(request: Request) -> int:
    return 1 if request.sampling.temperature == 0 else request.n


def _replies(known: Mapping[int, Reply], request: Request) -> tuple[Reply, ...]:
    return tuple(known[i % _samples(request)] for i in range(request.n))


def _plain(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else vars(value)
