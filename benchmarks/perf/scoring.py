"""Scoring instructions with the local model beside the bare requests to the same server."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from llmopt.benchmarks.perf.row import Row, alternate, median_ratio
from llmopt.items import ItemScore
from llmopt.llm import connect
from llmopt.llm.ledger import Ledger
from llmopt.llm.local import LocalLLM
from llmopt.llm.terms import Models, Terms
from llmopt.problems.prompt.examples import Example
from llmopt.problems.prompt.metrics import by_name
from llmopt.problems.prompt.scorer import Scorer
from llmopt.problems.prompt.template import Template

PARALLEL = 8
EXAMPLES = 64


@dataclass(frozen=True)
class ScoringCost:
    """Seconds for an instruction on all examples, medians over the rounds; the ratio is that of a round."""

    scored: float
    bare: float
    ratio: float

    def rows(self) -> list[Row]:
        """Return the rows of the table: a ratio of at most 1.11 is 90 % of the throughput."""
        return [
            Row(f"scoring an instruction on {EXAMPLES} examples", self.scored, "s", self.bare,
                "bare requests to the same server", "ratio", self.ratio, 1.11),
        ]  # fmt: skip


def measure(*, quick: bool = False) -> ScoringCost:
    """Time the scorer as a run has it, and the same bodies posted by a plain client at the same concurrency.

    Every round has an instruction that the server has not read before. Bare prompts are tokens beforehand; the
    scorer's are not, so that its tokenizing counts.
    """
    import httpx2

    count = 16 if quick else EXAMPLES
    examples = [Example(f"Is {i} + {3 * i % 7} equal to {i + 3 * i % 7 + i % 2}?", "yes") for i in range(count)]
    llm = connect("local")
    assert isinstance(llm, LocalLLM) and llm._server is not None
    address = llm._server.address
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=0)
    numbers = itertools.count()
    with (
        llm,
        Models(Terms(), Ledger()) as models,
        httpx2.Client(
            base_url=address.url,
            headers={"Authorization": f"Bearer {address.key}"},
            timeout=600,
            trust_env=False,
            verify=False,
            limits=limits,
        ) as http,
        ThreadPoolExecutor(PARALLEL) as pool,
    ):
        scorer = Scorer(
            models.bind_scorer(llm, "scorer"), Template.at("Q_begin"), by_name("yes-no"), answer="free", max_tokens=8
        )

        def instruction() -> str:
            return f"Answer question number {next(numbers) + 1000} with yes or no."

        def scored() -> float:
            text, kept = instruction(), list[ItemScore]()
            began = time.perf_counter()
            scorer.score([(text, example) for example in examples], lambda i, score: kept.append(score))
            assert len(kept) == count
            return time.perf_counter() - began

        def bare() -> float:
            text = instruction()
            requests = [scorer.request(text, example) for example in examples]
            bodies = [
                {
                    "prompt": llm._tokens(llm._as_text(request.prompt)),
                    "n_predict": request.max_tokens,
                    "temperature": 0.0,
                    "stop": request.stop,
                    "cache_prompt": True,
                }
                for request in requests
            ]
            began = time.perf_counter()
            list(pool.map(post, bodies))
            return time.perf_counter() - began

        def post(body: Mapping[str, Any]) -> Any:
            return http.post("/completion", json=body).raise_for_status().json()

        sides = [scored, bare]
        alternate(sides, 1)
        own, others = alternate(sides, 1 if quick else 12)
    return ScoringCost(statistics.median(own), statistics.median(others), median_ratio(own, others))
