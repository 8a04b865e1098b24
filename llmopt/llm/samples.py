"""The samples of a request: which are missing, and the request for some of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from llmopt.llm.base import Request


def gaps_of(known: Collection[int], size: int) -> Iterator[range]:
    """Yield the runs of sample numbers below ``size`` that are not known."""
    start = None
    for sample in range(size + 1):
        if sample < size and sample not in known:
            start = sample if start is None else start
        elif start is not None:
            yield range(start, sample)
            start = None


def part_of(request: Request, gap: range) -> Request:
    """Return a request for some of the samples; reply ``i`` of a request has the seed ``seed + i``."""
    return replace(request, n=len(gap), seed=None if request.seed is None else request.seed + gap.start)
