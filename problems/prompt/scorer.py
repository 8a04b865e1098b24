"""What a model answers with an instruction, and whether that is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from llmopt.errors import InvalidInput, ModelError
from llmopt.items import ItemScore
from llmopt.llm.base import LLM, Constraint, Request, Response, Sampling
from llmopt.opro.grammar import quote
from llmopt.problems.prompt.examples import Example
from llmopt.problems.prompt.judge import Judge
from llmopt.problems.prompt.metrics.base import Metric
from llmopt.problems.prompt.template import Template

Answer = Literal["free", "options"]

Pair = tuple[str, Example]
"""An instruction and an example."""

SILENT = 20
"""Empty answers, and no other, after which a scorer counts as broken."""

_JUDGED = 64
"""Answers that a judge reads together: so many may be lost where a run is killed."""
_GREEDY = Sampling(temperature=0.0)
_OPTION_TOKENS = 8
"""What the longest option may take beside its characters."""
_OBJECT_TOKENS = 16
"""What a provider's JSON object around it may take."""


def check(answer: object, max_tokens: object) -> None:
    """Raise InvalidInput where one of these settings of a :class:`Scorer` is not legal."""
    if answer not in get_args(Answer):
        raise InvalidInput(f"answer={answer} is not legal; choose one of {', '.join(get_args(Answer))}")
    if isinstance(max_tokens, bool) or not isinstance(max_tokens, int) or max_tokens < 1:
        raise InvalidInput(f"max_tokens={max_tokens!r} is not legal; give a whole number of at least 1")


def check_options(metric: Metric, examples: Sequence[Example]) -> None:
    """Raise InvalidInput where an example has no options among which ``answer=options`` could choose."""
    without = [example for example in examples if not metric.options(example)]
    if without:
        raise _without_options(without, len(examples))


def _without_options(without: Sequence[Example], count: int) -> InvalidInput:
    return InvalidInput(
        f"answer=options needs the options of every example, and {len(without)} of {count} have none, such "
        f"as the one that begins with {without[0].input[:60]!r}; use answer=free or another metric"
    )


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
    # Of each answer so far, whether it holds anything; a copy with another model, as every run has it, begins anew.
    _said: list[bool] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check(self.answer, self.max_tokens)
        able = self.llm.capabilities
        if self.answer == "options" and not (able.grammar or able.schema):
            raise InvalidInput(
                f"answer=options needs a model that decodes under a grammar or schema, which {self.llm.info.spec} does "
                "not; use answer=free"
            )

    def request(self, instruction: str, example: Example) -> Request:
        """Return what the model is asked.

        Raises
        ------
        InvalidInput
            It is to choose among options, and the example has none.
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
        options = self.metric.options(example)
        if not options:
            raise _without_options([example], 1)
        # A word may begin with a capital letter or not; the metric makes no difference.
        spelled = list(dict.fromkeys(form for option in options for form in (option, option.capitalize())))
        spelled = [form for form in spelled if not form.startswith("(") or form in options]
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
            All answers so far, and :data:`SILENT` or more, are empty; they were handed over before.
        """
        order = list(range(len(pairs)))
        if not self.template.instruction_first:
            first = {example: i for i, (_, example) in reversed(list(enumerate(pairs)))}
            order.sort(key=lambda i: first[pairs[i][1]])
        size = max(1, len(order)) if self.judge is None else _JUDGED
        for start in range(0, len(order), size):
            self._score([(place, *pairs[place]) for place in order[start : start + size]], keep)
        if len(self._said) >= SILENT and not any(self._said):
            raise ModelError(
                f"the scorer {self.llm.info.spec} gave an empty answer to all of {len(self._said)} questions; ask it "
                "one by hand, or use another model, position or max_tokens"
            )

    def _score(self, asked: Sequence[tuple[int, str, Example]], keep: Callable[[int, ItemScore], None]) -> None:
        """Score triples of a place, an instruction and an example."""
        answers: dict[int, str] = {}

        def take(i: int, first: int, part: Response) -> None:
            place, _, example = asked[i]
            text = part.replies[0].text.strip()
            self._said.append(bool(text))
            if self.judge is None:
                keep(place, ItemScore(self.metric.score(text, example), text))
            else:
                answers[i] = text

        self.llm.deliver([self.request(instruction, example) for _, instruction, example in asked], take)
        if self.judge is not None:
            self.judge.score([(asked[i][0], asked[i][2], text) for i, text in sorted(answers.items())], keep)
