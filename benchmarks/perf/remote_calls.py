"""Many calls of a provider beside the bare SDK in as many threads, against the same server."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from llmopt.benchmarks.perf.latency_server import latency_server
from llmopt.benchmarks.perf.row import Row, alternate, median_ratio
from llmopt.llm import Message, Request
from llmopt.llm.ledger import Ledger
from llmopt.llm.limits import Limits
from llmopt.llm.metered import Metered
from llmopt.llm.openai import OpenAILLM
from llmopt.llm.prices import FREE

AT_ONCE = 64
LATENCY = 0.2
PROMPT = "Give the next solution."


@dataclass(frozen=True)
class RemoteCallsCost:
    """Seconds for all calls, and seconds of the processor per call; the ratios are medians of the rounds' ratios."""

    calls: int
    ours: float
    bare: float
    ratio: float
    our_cpu: float
    bare_cpu: float
    cpu_ratio: float

    def rows(self) -> list[Row]:
        """Return the rows of the table."""
        bare = f"the bare synchronous SDK in {AT_ONCE} threads"
        return [
            Row(f"{self.calls:,} calls of 200 ms, {AT_ONCE} in flight", self.ours, "s", self.bare, bare, "ratio",
                self.ratio, 1.1),
            Row("the same, per call", self.our_cpu * 1e6, "us CPU", self.bare_cpu * 1e6, bare, "ratio",
                self.cpu_ratio, 1.5),
        ]  # fmt: skip


def measure(*, quick: bool = False) -> RemoteCallsCost:
    """Time both; ours is the whole way, with limits, retries and a ledger with a budget."""
    from openai import OpenAI

    calls, rounds = (AT_ONCE, 1) if quick else (2_000, 3)
    prompt = (Message("user", PROMPT),)
    with (
        latency_server(LATENCY, AT_ONCE) as url,
        OpenAI(base_url=url, api_key="none", max_retries=0) as sdk,
        OpenAILLM("m", url, api_key="none", limits=Limits(AT_ONCE)) as llm,
    ):
        model = Metered(llm, Ledger(max_tokens=10**9), "optimizer", price=FREE)
        ours_cpu: list[float] = []
        bare_cpu: list[float] = []

        def ours() -> None:
            model.generate([Request(prompt, seed=i) for i in range(calls)])

        def one(seed: int) -> str | None:
            answer = sdk.chat.completions.create(
                model="m", messages=[{"role": "user", "content": PROMPT}], max_tokens=64, temperature=1.0, seed=seed
            )
            return answer.choices[0].message.content

        def bare() -> None:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(one, range(calls)))

        def timed(work: Callable[[], None], cpu: list[float]) -> float:
            began, began_cpu = time.perf_counter(), time.process_time()
            work()
            cpu.append((time.process_time() - began_cpu) / calls)
            return time.perf_counter() - began

        # The SDK loads much at its first use.
        one(0)
        model.generate([Request(prompt)])
        seconds = alternate([lambda: timed(ours, ours_cpu), lambda: timed(bare, bare_cpu)], rounds)
    return RemoteCallsCost(
        calls,
        statistics.median(seconds[0]),
        statistics.median(seconds[1]),
        median_ratio(*seconds),
        statistics.median(ours_cpu),
        statistics.median(bare_cpu),
        median_ratio(ours_cpu, bare_cpu),
    )
