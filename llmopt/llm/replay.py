"""Answers of a model, recorded to a file and given again from it."""

from __future__ import annotations

import hashlib
import itertools
import json
import threading
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from llmopt.errors import InvalidInput, ModelError
from llmopt.llm.base import (
    LLM,
    Capabilities,
    Message,
    ModelInfo,
    Reply,
    Request,
    Response,
    Take,
    Usage,
    Wrapper,
)

_FORMAT = "llmopt-recording"
_VERSION = 1


class Recording:
    """A file to which models' answers are appended: JSON, one answer per line.

    Parameters
    ----------
    path
        A file that does not exist yet.

    Raises
    ------
    InvalidInput
        The file exists or cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        self._lock = threading.Lock()
        self._model: dict[str, Any] | None = None
        try:
            self._file = Path(path).open("x", encoding="utf-8")  # noqa: SIM115 - closed by close
        except FileExistsError:
            raise InvalidInput(f"recording {path} exists already; give a new file") from None
        except OSError as error:
            raise InvalidInput(f"recording {path} cannot be written: {error.strerror}") from None

    def of(self, llm: LLM) -> Recorder:
        """Return a model whose answers are written here; a recording holds those of one model."""
        model = {
            "model": {"spec": llm.info.spec, "details": dict(llm.info.details)},
            "capabilities": asdict(llm.capabilities),
        }
        if self._model is None:
            self._model = model
            self.write({_FORMAT: _VERSION, **model})
        elif self._model != model:
            raise InvalidInput(f"the recording holds answers of {self._model['model']['spec']}; give another file")
        return Recorder(llm, self)

    def write(self, record: Mapping[str, Any]) -> None:
        """Append one line, and hand it to the operating system."""
        with self._lock:
            self._file.write(_text(record) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Recorder(Wrapper):
    """Passes requests on to a model and writes every answer down; made by :meth:`Recording.of`."""

    def __init__(self, llm: LLM, recording: Recording) -> None:
        super().__init__(llm)
        self._recording = recording

    def deliver(self, requests: Sequence[Request], take: Take) -> list[Response]:
        responses = self._llm.deliver(requests, take)
        for request, response in zip(requests, responses, strict=True):
            replies = [[reply.text, reply.finish_reason] for reply in response.replies]
            self._recording.write({"request": _plain(request), "replies": replies, "usage": response.usage._asdict()})
        return responses

    def count_tokens(self, prompt: str | tuple[Message, ...]) -> int | None:
        tokens = self._llm.count_tokens(prompt)
        self._recording.write({"prompt": _plain_prompt(prompt), "tokens": tokens})
        return tokens


class Replay(LLM):
    """Answers from a recording, as the recorded model did; the order of the requests does not matter.

    A request that was recorded several times is answered with the recorded answers in turn, and then with
    the last one again.

    Parameters
    ----------
    path
        A file of a :class:`Recording`.

    Raises
    ------
    InvalidInput
        The file is missing, is no recording, or a line of it is damaged.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._lock = threading.Lock()
        self._answers: defaultdict[str, deque[Response]] = defaultdict(deque)
        self._requests: dict[str, Any] = {}
        self._tokens: dict[str, int | None] = {}
        number = 1
        try:
            with self._path.open(encoding="utf-8") as file:
                self._info, self._capabilities = _header(json.loads(file.readline()))
                for line in file:
                    number += 1
                    self._load(json.loads(line))
        except OSError as error:
            raise InvalidInput(f"recording {path} cannot be read: {error.strerror}") from None
        except (ValueError, LookupError, TypeError, AttributeError):
            what = "is not the header of a recording" if number == 1 else "is damaged"
            raise InvalidInput(f"recording {path}: line {number} {what}") from None

    def _load(self, record: Mapping[str, Any]) -> None:
        if "tokens" in record:
            self._tokens[_fingerprint(record["prompt"])] = record["tokens"]
            return
        replies = tuple(Reply(text, reason) for text, reason in record["replies"])
        key = _fingerprint(record["request"])
        self._requests[key] = record["request"]
        self._answers[key].append(Response(replies, Usage(**record["usage"])))

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        return [self._answer(_plain(request)) for request in requests]

    def count_tokens(self, prompt: str | tuple[Message, ...]) -> int | None:
        key = _fingerprint(_plain_prompt(prompt))
        if key not in self._tokens:
            raise ModelError(f"recording {self._path} does not hold the number of tokens of this prompt")
        return self._tokens[key]

    def _answer(self, request: Mapping[str, Any]) -> Response:
        key = _fingerprint(request)
        with self._lock:
            answers = self._answers.get(key)
            if answers:
                return answers.popleft() if len(answers) > 1 else answers[0]
        raise ModelError(
            f"recording {self._path} does not hold this request (the code, a setting or the seed changed)"
            + self._difference(request)
        )

    def _difference(self, request: Mapping[str, Any]) -> str:
        """Say how a request differs from the recorded one whose prompt is most like it."""
        ours = _lines(request["prompt"])
        nearest = max(self._requests.values(), key=lambda other: _common(ours, _lines(other["prompt"])), default=None)
        if nearest is None:
            return ": it holds none"
        if nearest["prompt"] == request["prompt"]:
            names = [name for name in request if request[name] != nearest.get(name)]
            return f": the same prompt was recorded with another {', '.join(names)}"
        theirs = _lines(nearest["prompt"])
        same = _common(ours, theirs)
        line, other = (lines[same][:120] if same < len(lines) else "" for lines in (ours, theirs))
        return f": line {same + 1} of the prompt is {line!r}, recorded was {other!r}"


def from_spec(rest: str) -> Replay:
    """Return the model of ``replay:PATH``."""
    if not rest:
        raise InvalidInput("replay needs the file to answer from: replay:PATH")
    return Replay(rest)


def _header(record: Mapping[str, Any]) -> tuple[ModelInfo, Capabilities]:
    if record[_FORMAT] != _VERSION:
        raise ValueError
    model = record["model"]
    return ModelInfo(model["spec"], dict(model["details"])), Capabilities(**record["capabilities"])


def _plain(request: Request) -> dict[str, Any]:
    """Return all of a request that an answer depends on, as JSON has it."""
    constraint, sampling = request.constraint, request.sampling
    return {
        "prompt": _plain_prompt(request.prompt),
        "n": request.n,
        "max_tokens": request.max_tokens,
        "grammar": None if constraint is None else constraint.grammar,
        "schema": None if constraint is None else constraint.schema,
        # 1 and 1.0 are the same setting.
        "temperature": float(sampling.temperature),
        "top_p": float(sampling.top_p),
        "top_k": sampling.top_k,
        "min_p": float(sampling.min_p),
        "stop": list(request.stop),
        "seed": request.seed,
    }


def _plain_prompt(prompt: str | tuple[Message, ...]) -> str | list[list[str]]:
    return prompt if isinstance(prompt, str) else [[message.role, message.content] for message in prompt]


def _lines(prompt: str | list[list[str]]) -> list[str]:
    if not isinstance(prompt, str):
        prompt = "\n".join(f"{role}: {content}" for role, content in prompt)
    return prompt.split("\n")


def _common(ours: Sequence[str], theirs: Sequence[str]) -> int:
    """Return the number of lines up to the first that differs."""
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(ours, theirs, strict=False))
    return sum(1 for _ in same)


def _text(value: Any) -> str:
    # ASCII, so that a prompt may hold anything; mappings other than dict are legal in a schema.
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=dict)


def _fingerprint(value: Any) -> str:
    return hashlib.sha256(_text(value).encode()).hexdigest()
