"""``--dry-run``: what would be sent, and nothing sent."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from llmopt.baselines.instruction_writer import InstructionWriter
from llmopt.benchmarks.compare import Comparison
from llmopt.cli.order import Order
from llmopt.cli.output import describe
from llmopt.cli.ready import Ready
from llmopt.errors import LlmoptError, ModelError
from llmopt.items import ItemProblem
from llmopt.llm.base import LLM, Reply, Request, Response, Take, Usage, Wrapper
from llmopt.objective import Objective
from llmopt.opro import OPRO
from llmopt.opro.hybrid import Hybrid
from llmopt.report.safe import lines, one_line
from llmopt.run import run
from llmopt.solver import Solver, Task

_Writing: TypeAlias = OPRO | Hybrid | InstructionWriter
"""Solvers with a prompt."""


class _Preview(Solver):
    """Stands in for a solver up to its first request: it gets the same start points and the same generator."""

    def __init__(self, solver: _Writing) -> None:
        self._solver = solver
        self.requests: Sequence[Request] | None = None

    def run(self, objective: Objective, task: Task, rng: np.random.Generator) -> None:
        self._solver.start(task, rng)
        self.requests = self._solver.requests()


def show_prompts(ready: Ready) -> int:
    """Print the requests of the first step of repeat 0 of every solver; only start points are evaluated."""
    comparison, llm = _unscored(ready.order, ready.comparison), ready.llm
    prompts = {
        name: _first_requests(comparison, solver) if isinstance(solver, _Writing) else None
        for name, solver in comparison.solvers.items()
    }
    if ready.order.json:
        listed = [
            {"solver": name, "requests": None if requests is None else [_as_json(request, llm) for request in requests]}
            for name, requests in prompts.items()
        ]
        print(json.dumps({"problem": describe(comparison), "runs": [], "prompts": listed}, indent=2, allow_nan=False))
        return 0
    for name, requests in prompts.items():
        if requests is None:
            print(f"{one_line(name)}: a classical method, which has no prompt")
        else:
            _print_requests(name, requests, llm)
    print("nothing was sent to a model")
    return 0


class _Silent(Wrapper):
    """A model that is not asked: every reply is a question mark."""

    def deliver(self, requests: Sequence[Request], take: Take) -> list[Response]:
        responses = [Response((Reply("?", logprob=0.0),) * request.n, Usage()) for request in requests]
        for i, response in enumerate(responses):
            take(i, 0, response)
        return responses


def _unscored(order: Order, comparison: Comparison) -> Comparison:
    """Return a comparison in which no model is asked for a score: a dry run sends nothing."""
    if not any(isinstance(problem, ItemProblem) for problem in comparison.problems):
        return comparison
    if not order.quiet:
        print("llmopt: a dry run asks no scorer; the scores in its prompt are those of empty answers", file=sys.stderr)
    problems = [
        problem.bound(lambda llm, role: _Silent(llm)) if isinstance(problem, ItemProblem) else problem
        for problem in comparison.problems
    ]
    return replace(comparison, problems=problems)


def _first_requests(comparison: Comparison, solver: _Writing) -> Sequence[Request]:
    preview = _Preview(solver)
    result = run(comparison.problems[0], preview, comparison.budget, seed=comparison.seed)
    if preview.requests is None:
        raise LlmoptError(f"there is no first prompt: {result.message} by the start points")
    return preview.requests


def _print_requests(name: str, requests: Sequence[Request], llm: LLM | None) -> None:
    known: dict[str, int] = {}
    for number, request in enumerate(requests, 1):
        tokens = _tokens(request, llm)
        wanted = "1 reply" if request.n == 1 else f"{request.n} replies"
        print(
            f"{one_line(name)}: request {number} of {len(requests)} of the first step of repeat 1: "
            f"{'number of tokens not known' if tokens is None else f'{tokens:,} tokens'}, "
            f"{wanted} wanted, of at most {request.max_tokens:,} tokens, "
            f"temperature {request.sampling.temperature:g}"
        )
        if isinstance(request.prompt, str):
            _print_block("prompt, to be continued", request.prompt)
        else:
            for message in request.prompt:
                _print_block(f"message, role {message.role}", message.content)
        constraint = request.constraint
        if constraint is None:
            print("--- no constraint")
        else:
            schema = None if constraint.schema is None else json.dumps(constraint.schema, default=dict)
            texts = (("grammar (GBNF)", constraint.grammar), ("JSON schema", schema))
            for kind, text in texts:
                if text is not None and text in known:
                    print(f"--- constraint: the {kind} of request {known[text]}")
                elif text is not None:
                    known[text] = number
                    _print_block(f"constraint: {kind}", text)
        print("---")


def _print_block(heading: str, text: str) -> None:
    print(f"--- {heading}")
    print(lines(text), end="" if text.endswith("\n") else "\n")


def _as_json(request: Request, llm: LLM | None) -> dict[str, Any]:
    constraint = request.constraint
    prompt = request.prompt
    return {
        "prompt": prompt
        if isinstance(prompt, str)
        else [{"role": message.role, "content": message.content} for message in prompt],
        "tokens": _tokens(request, llm),
        "n": request.n,
        "max_tokens": request.max_tokens,
        "temperature": request.sampling.temperature,
        "grammar": None if constraint is None else constraint.grammar,
        "schema": None if constraint is None or constraint.schema is None else dict(constraint.schema),
        "stop": list(request.stop),
        "seed": request.seed,
    }


def _tokens(request: Request, llm: LLM | None) -> int | None:
    try:
        return None if llm is None else llm.count_tokens(request.prompt)
    except ModelError:
        # A recording may not hold the count; that is no reason to hide the prompt.
        return None
