"""Replies from the cache: how many a second."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from llmopt.benchmarks.perf.row import Row
from llmopt.llm import LLM, Capabilities, ModelInfo, Reply, Request, Response, Usage
from llmopt.llm.cache import Cached

LINES = 20


@dataclass(frozen=True)
class ReplyCacheCost:
    """Seconds per reply from the cache, each by a request of its own with a prompt of twenty lines."""

    replies: int
    seconds: float

    def rows(self) -> list[Row]:
        """Return the rows of the table."""
        return [Row(f"{self.replies:,} replies from the cache", self.seconds * 1e6, "us each", limit=200.0)]


class _Echo(LLM):
    @property
    def info(self) -> ModelInfo:
        return ModelInfo("benchmark:echo")

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(continuation=True, seed=True)

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        return [Response(tuple(Reply("w=1 b=2") for _ in range(request.n)), Usage(1, 1, 0, 1)) for request in requests]


def measure(*, quick: bool = False) -> ReplyCacheCost:
    """Fill a file, and read it through a new object; 5,000 a second are 200 us each."""
    replies = 200 if quick else 20_000
    prompt = "".join(f"loss={i} at w={i} b={-i}\n" for i in range(LINES))
    requests = [Request(prompt, seed=seed) for seed in range(replies)]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "replies.sqlite"
        with Cached(_Echo(), path) as llm:
            llm.generate(requests)
        with Cached(_Echo(), path) as llm:
            began = time.perf_counter()
            for request in requests:
                llm.generate([request])
            seconds = time.perf_counter() - began
            assert llm.hits == replies
    return ReplyCacheCost(replies, seconds / replies)
