"""Whether the longest examples leave room for an answer in a scorer's context."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from llmopt.errors import InvalidInput
from llmopt.llm.base import Request
from llmopt.llm.metered import prompt_bound
from llmopt.problems.prompt.examples import Example
from llmopt.problems.prompt.scorer import Scorer

_COUNTED = 8
"""Examples that are counted by each measure: to count may be a request to a server."""

_IN_LONG_TOKENS = re.compile(r"[A-Za-z ]+")


def check_context(scorer: Scorer, examples: Sequence[Example], instruction: str) -> None:
    """Raise InvalidInput where an example and an instruction leave no room for the answer in the scorer's context.

    Only tokens tell that. No token is shorter than a byte, so that most examples need no count; of the others those are
    counted that are longest by some measure, since one tokenizer has a token for a word, and another for a byte.
    """
    context = scorer.llm.capabilities.context
    if context is None:
        return

    def longest_answer(example: Example) -> Request:
        return max(scorer.requests(instruction, example), key=lambda request: request.max_tokens)

    asked = {example: longest_answer(example) for example in examples}
    for example in _longest(
        [e for e, request in asked.items() if prompt_bound(request) + request.max_tokens > context]
    ):
        request = asked[example]
        tokens = scorer.llm.count_tokens(request.prompt)
        if tokens is not None and tokens + request.max_tokens > context:
            raise InvalidInput(
                f"the example that begins with {example.input[:60]!r} and the longest instruction take {tokens:,} "
                f"tokens, and an answer up to {request.max_tokens:,}, more than the context of {context:,} tokens of "
                f"{scorer.llm.info.spec}; leave it out, lower max_tokens, or use another scorer"
            )


def _longest(examples: Sequence[Example]) -> list[Example]:
    """Return the examples that may have most tokens, each once."""
    measures: Sequence[Callable[[str], int]] = (len, _bytes, _bytes_in_short_tokens)
    found = [
        example
        for measure in measures
        for example in sorted(examples, key=lambda example: -measure(example.input))[:_COUNTED]
    ]
    return list(dict.fromkeys(found))


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _bytes_in_short_tokens(text: str) -> int:
    """Return the bytes of what is not English words: other scripts, digits and signs may be a token each."""
    return _bytes(_IN_LONG_TOKENS.sub("", text))
