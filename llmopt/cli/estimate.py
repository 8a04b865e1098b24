"""What a run may cost, said before it begins; above a limit, a person is asked."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import numpy as np

from llmopt.benchmarks.compare import Comparison
from llmopt.cli.order import Order
from llmopt.errors import InvalidInput
from llmopt.llm.base import LLM, Request
from llmopt.llm.metered import prompt_bound
from llmopt.problems.prompt.examples import Example
from llmopt.problems.prompt.problem import PromptProblem
from llmopt.report.safe import one_line
from llmopt.report.table import dollars

ASK_ABOVE = 1.0
"""Dollars from which a person at a terminal is asked; a model without a known price that is not free, always."""

_PROBED = 8


def confirm(order: Order, comparison: Comparison) -> None:
    """Say what scoring instructions may take, and ask where it is expensive.

    Raises
    ------
    InvalidInput
        The person said no; nothing was sent.
    """
    problem = comparison.problems[0]
    if not isinstance(problem, PromptProblem):
        return
    calls = most_calls(comparison)
    probed = problem.examples_of_all[:_PROBED]
    read = written = 0
    cost: float | None = 0.0
    for llm, requests in _asked(problem, probed):
        # Four characters a token is what tokenizers give for English, near enough for an estimate.
        counts = [llm.count_tokens(request.prompt) or prompt_bound(request) // 4 for request in requests]
        each = round(sum(counts) / len(counts))
        price = comparison.terms.price(llm)
        cost = None if price is None or cost is None else cost + calls * price.cost(each, 0, requests[0].max_tokens)
        read += each
        written += requests[0].max_tokens
    money = "price unknown (--prices)" if cost is None else dollars(cost)
    if not order.quiet:
        specs = ", judged by ".join(one_line(llm.info.spec) for llm in problem.models.values())
        print(
            f"llmopt: at most {calls:,} scorer calls ({specs}), about {calls * read:,} tokens read, "
            f"at most {calls * written:,} written: {money}",
            file=sys.stderr,
        )
    if order.yes or (cost is not None and cost <= ASK_ABOVE) or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    print(f"llmopt: that may be more than {dollars(ASK_ABOVE)}; go on? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise InvalidInput("nothing was sent; give a smaller budget (--max-scorer-calls), or --yes to go on")


def _asked(problem: PromptProblem, examples: Sequence[Example]) -> Iterator[tuple[LLM, list[Request]]]:
    """Yield each model that a score takes, with what it is asked: the scorer, and a judge of its answers."""
    scorer = problem.scorer
    yield scorer.llm, [scorer.request("x " * 40, example) for example in examples]
    if scorer.judge is not None:
        answer = "x " * scorer.max_tokens
        yield scorer.judge.llm, [scorer.judge.request(example, answer) for example in examples]


def most_calls(comparison: Comparison) -> int:
    """Return the most scorer calls that a comparison can make: in its searches, and for its report."""
    problem = comparison.problems[0]
    assert isinstance(problem, PromptProblem)
    budget = comparison.budget
    searched = budget.scorer_calls
    if budget.evaluations is not None:
        whole = budget.evaluations * problem.items
        searched = whole if searched is None else min(searched, whole)
    if searched is None:
        raise InvalidInput("prompt: give --max-scorer-calls or --max-evaluations, so that the cost is bounded")
    # Two that the space takes as one are one evaluation.
    starts = len({problem.space.key(text) for text in problem.starts(np.random.default_rng(comparison.seed))})
    if searched < starts * problem.items:
        raise InvalidInput(
            f"prompt: the budget pays for {searched:,} scorer calls, and the {starts} instructions to start with take "
            f"{starts} x {problem.items} training examples; give at least --max-scorer-calls {starts * problem.items}, "
            "or fewer training examples (train=N)"
        )
    return (searched + problem.assessed_calls) * comparison.repeats * len(comparison.solvers)
