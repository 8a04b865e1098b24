"""One step of the local model beside the bare requests to the same server."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

import numpy as np

from llmopt import Budget, Objective, Problem, Task
from llmopt.benchmarks.perf.row import Row, alternate, median_ratio
from llmopt.llm import Request, connect
from llmopt.llm.local import LocalLLM
from llmopt.opro import OPRO
from llmopt.registry import create_problem

SAMPLES = 8
KNOWN = 40


@dataclass(frozen=True)
class LocalStepCost:
    """Seconds, medians over the rounds; the ratios are medians of the ratios within a round."""

    step: float
    call: float
    bare: float
    step_ratio: float
    call_ratio: float
    replies: int

    def rows(self) -> list[Row]:
        """Return the rows of the table."""
        bare = "bare requests to the same server"
        return [
            Row(f"one step of the local model, {SAMPLES} samples", self.step, "s", self.bare, bare, "ratio",
                self.step_ratio, 1.1),
            Row("of which the call of the model", self.call, "s", self.bare, bare, "ratio", self.call_ratio, 1.1),
        ]  # fmt: skip


def measure(*, quick: bool = False) -> LocalStepCost:
    """Time a step of OPRO, its call of the model alone, and the same bodies posted by a plain client.

    All three have the same prompts, and the server has read every prompt before: what it need not read again makes
    the part of the framework look larger, not smaller. Seeds change from round to round, since one side's replies
    to fixed seeds may happen to be the longer ones.
    """
    import httpx2

    problem = create_problem("regression", {"w_true": "15", "b_true": "14"})
    llm = connect("local")
    assert isinstance(llm, LocalLLM) and llm._server is not None
    address = llm._server.address
    headers = {"Authorization": f"Bearer {address.key}"}
    # New connections, as LocalLLM opens them: with kept ones a plain client took a third longer in the same server.
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=0)
    with (
        llm,
        httpx2.Client(
            base_url=address.url, headers=headers, timeout=600, trust_env=False, verify=False, limits=limits
        ) as http,
        ThreadPoolExecutor(SAMPLES) as pool,
    ):
        replies = 0
        seeds = itertools.count(step=SAMPLES)

        def step() -> float:
            solver, objective = _fresh(problem, llm, next(seeds))
            began = time.perf_counter()
            evaluations = objective.step(solver.ask(SAMPLES))
            seconds = time.perf_counter() - began
            nonlocal replies
            replies = len(evaluations)
            return seconds

        with (
            mock.patch.object(llm, "generate", wraps=llm.generate) as generated,
            mock.patch.object(llm._client, "post", wraps=llm._client.post) as posted,
        ):
            step()
        # Where a step asks again since a reply could not be read, only its first round counts.
        requests: list[Request] = generated.call_args_list[0].args[0]
        bodies = [call.args[1] for call in posted.call_args_list if call.args[0] == "/completion"][: len(requests)]

        def call() -> float:
            seed = next(seeds)
            seeded = [replace(request, seed=seed + i) for i, request in enumerate(requests)]
            began = time.perf_counter()
            llm.generate(seeded)
            return time.perf_counter() - began

        def bare() -> float:
            seed = next(seeds)
            seeded = [{**body, "seed": seed + i} for i, body in enumerate(bodies)]
            began = time.perf_counter()
            list(pool.map(post, seeded))
            return time.perf_counter() - began

        def post(body: Mapping[str, Any]) -> Any:
            return http.post("/completion", json=body).raise_for_status().json()

        sides = [step, call, bare]
        alternate(sides, 1)
        steps, calls, bares = alternate(sides, 1 if quick else 30)
    return LocalStepCost(
        statistics.median(steps),
        statistics.median(calls),
        statistics.median(bares),
        median_ratio(steps, bares),
        median_ratio(calls, bares),
        replies,
    )


def _fresh(problem: Problem, llm: LocalLLM, seed: int) -> tuple[OPRO, Objective]:
    """Return a solver at its first step, with the same history whenever it is called."""
    objective = Objective(problem, Budget(steps=2), target=-1.0)
    objective.start(problem.space.solutions(problem.space.sample(KNOWN, np.random.default_rng(0))))
    # Asked once, as the bare requests are.
    solver = OPRO(llm, samples=SAMPLES, retries=0)
    solver.start(Task(objective.history, problem.describe(), seed), np.random.default_rng(0))
    return solver, objective
