"""What a model answers with an instruction, and whether that is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock

import numpy as np

from llmopt.errors import InvalidInput, ModelError
from llmopt.items import ItemScore
from llmopt.llm.base import LLM, Constraint, Reply, Request, Response, Sampling
from llmopt.opro.grammar import quote
from llmopt.problems.prompt.answer import Answer, check, check_options, spellings
from llmopt.problems.prompt.examples import Example
from llmopt.problems.prompt.judge import Judge
from llmopt.problems.prompt.metrics.base import Metric
from llmopt.problems.prompt.template import Template
from llmopt.problems.prompt.usable import Usable

Pair = tuple[str, Example]
"""An instruction and an example."""

_JUDGED = 64
"""Answers that a judge reads together: so many may be lost where a run is killed."""
_GREEDY = Sampling(temperature=0.0)
_OPTION_TOKENS = 8
"""What the longest option may take beside its characters."""
_OBJECT_TOKENS = 16
"""What a provider's JSON object around it may take."""


@dataclass(frozen=True)
class Scorer:
    """Asks a model at temperature 0, as the paper does (OPRO, section 5.1), and scores its answers.

    Parameters
    ----------
    llm
        The model; one that holds no conversation continues the template's text.
    template
        Where the instruction stands.
    metric
        Says whether an answer is right.
    answer
        ``"free"``: the model writes up to ``max_tokens`` tokens. ``"options"``: it decodes under a grammar or schema of
        the metric's options, so that the likeliest one, token by token, is its answer; it cannot reason then.
        ``"likelihood"``: it says how likely each option is, in all its spellings together, and the likeliest one is its
        answer, the first of equals; a request for each spelling.
    max_tokens
        Of a free answer, the same for every instruction.
    judge
        Says whether an answer is right in place of the metric; None: the metric does.
    """

    llm: LLM
    template: Template
    metric: Metric
    answer: Answer = "free"
    max_tokens: int = 256
    judge: Judge | None = None
    # A copy with another model, as every run has it, counts anew.
    _answers: Usable = field(default_factory=Usable, init=False, repr=False, compare=False)
    # An example is scored with many instructions, and its options are looked for in its text once.
    _spelled: dict[Example, Mapping[str, str]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check(self.answer, self.max_tokens)
        able = self.llm.capabilities
        if self.answer == "options" and not (able.grammar or able.schema):
            raise InvalidInput(
                f"answer=options needs a model that decodes under a grammar or schema, which {self.llm.info.spec} does "
                "not; use answer=free"
            )
        if self.answer == "likelihood" and not able.logprobs:
            raise InvalidInput(
                f"answer=likelihood needs a model that says how likely a given reply is, which {self.llm.info.spec} "
                "does not; use answer=options, or a local model"
            )

    def requests(self, instruction: str, example: Example) -> list[Request]:
        """Return all that the model is asked of an example: one request, or one for each spelling of each option.

        Raises
        ------
        InvalidInput
            It is to choose among options, and the example has none, or one that begins with another.
        """
        request = self.request(instruction, example)
        if self.answer != "likelihood":
            return [request]
        # After a colon the text of a base model goes on with a space.
        space = " " if isinstance(request.prompt, str) and not request.prompt[-1:].isspace() else ""
        given = [space + form for form in self._options(example)]
        # No token is shorter than a byte.
        return [replace(request, given=text, max_tokens=len(text.encode()), stop=()) for text in given]

    def request(self, instruction: str, example: Example) -> Request:
        """Return what the model is asked in one request, or what all of them have in common.

        Raises
        ------
        InvalidInput
            As by :meth:`requests`.
        """
        able = self.llm.capabilities
        chat = able.chat
        filled = self.template.messages if chat else self.template.filled
        request = Request(
            filled(instruction, example.input),
            max_tokens=self.max_tokens,
            sampling=_GREEDY,
            # A base model would go on with a question of its own.
            stop=() if chat else ("\nQ:",),
        )
        if self.answer != "options":
            return request
        spelled = list(self._options(example))
        space = "" if chat else '" "? '
        grammar = f"root ::= {space}({' | '.join(map(quote, spelled))})\n"
        return replace(
            request,
            max_tokens=max(map(len, spelled)) + _OPTION_TOKENS + (0 if able.grammar else _OBJECT_TOKENS),
            constraint=Constraint(grammar, {"type": "string", "enum": spelled}),
            stop=(),
        )

    def score(self, pairs: Sequence[Pair], keep: Callable[[int, ItemScore], None]) -> None:
        """Score instructions on examples and hand over each score as soon as it is there, from any thread.

        What a model reads twice comes together: all examples of an instruction where that stands first, all
        instructions of an example where the question does.

        Raises
        ------
        ModelError
            All answers so far, and :data:`llmopt.problems.prompt.usable.ENOUGH` or more, are empty; they were handed
            over before.
        """
        order = list(range(len(pairs)))
        if not self.template.instruction_first:
            first = {example: i for i, (_, example) in reversed(list(enumerate(pairs)))}
            order.sort(key=lambda i: first[pairs[i][1]])
        size = max(1, len(order)) if self.judge is None else _JUDGED
        for start in range(0, len(order), size):
            self._score([(place, *pairs[place]) for place in order[start : start + size]], keep)
        if self._answers.never:
            raise ModelError(
                f"the scorer {self.llm.info.spec} gave an empty answer to all of {self._answers.answers} questions; "
                "ask it one by hand, or use another model, position or max_tokens"
            )

    def _score(self, asked: Sequence[tuple[int, str, Example]], keep: Callable[[int, ItemScore], None]) -> None:
        """Score triples of a place, an instruction and an example."""
        requests = [self.requests(instruction, example) for _, instruction, example in asked]
        owners = [i for i, own in enumerate(requests) for _ in own]
        replies: list[dict[int, Reply]] = [{} for _ in asked]
        lock = Lock()
        answers: dict[int, str] = {}

        def take(number: int, first: int, part: Response) -> None:
            i = owners[number]
            with lock:
                replies[i][number] = part.replies[0]
                if len(replies[i]) < len(requests[i]):
                    return
            place, _, example = asked[i]
            text = self._answer(example, [reply for _, reply in sorted(replies[i].items())])
            self._answers.add(bool(text))
            if self.judge is None:
                keep(place, ItemScore(self.metric.score(text, example), text))
            else:
                answers[i] = text

        self.llm.deliver([request for own in requests for request in own], take)
        if self.judge is not None:
            self.judge.score([(asked[i][0], asked[i][2], text) for i, text in sorted(answers.items())], keep)

    def _answer(self, example: Example, replies: Sequence[Reply]) -> str:
        """Return the answer in the replies to all that was asked of an example."""
        if self.answer != "likelihood":
            return replies[0].text.strip()
        logprobs: dict[str, float] = {}
        texts: dict[str, str] = {}
        for option, reply in zip(self._options(example).values(), replies, strict=True):
            if reply.logprob is None:
                raise ModelError(f"{self.llm.info.spec} did not say how likely {reply.text[:60]!r} is")
            texts.setdefault(option, reply.text.strip())
            logprobs[option] = float(np.logaddexp(logprobs.get(option, -np.inf), reply.logprob))
        return texts[max(logprobs, key=logprobs.__getitem__)]

    def _options(self, example: Example) -> Mapping[str, str]:
        """Return the option that each spelling of an example's options stands for; raise InvalidInput where there are
        none."""
        if example not in self._spelled:
            check_options(self.answer, self.metric, [example])
            self._spelled[example] = spellings(self.metric.options(example))
        return self._spelled[example]
