"""How a model may answer, and what must hold for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from llmopt.errors import InvalidInput
from llmopt.problems.prompt.examples import Example
from llmopt.problems.prompt.metrics.base import Metric

Answer = Literal["free", "options", "likelihood"]
"""In the model's own words, one of the options as it decodes under a grammar of them, or the likeliest option."""


def check(answer: object, max_tokens: object) -> None:
    """Raise InvalidInput where one of these settings is not legal."""
    if answer not in get_args(Answer):
        raise InvalidInput(f"answer={answer} is not legal; choose one of {', '.join(get_args(Answer))}")
    if isinstance(max_tokens, bool) or not isinstance(max_tokens, int) or max_tokens < 1:
        raise InvalidInput(f"max_tokens={max_tokens!r} is not legal; give a whole number of at least 1")


def check_options(answer: Answer, metric: Metric, examples: Sequence[Example]) -> None:
    """Raise InvalidInput where an example has no options among which an answer could be chosen."""
    if answer == "free":
        return
    without = [example for example in examples if not metric.options(example)]
    if without:
        raise InvalidInput(
            f"answer={answer} needs the options of every example, and {len(without)} of {len(examples)} have none, "
            f"such as the one that begins with {without[0].input[:60]!r}; use answer=free or another metric"
        )
    if answer == "likelihood":
        for options in dict.fromkeys(tuple(metric.options(example)) for example in examples):
            _check_beginnings(options)


def _check_beginnings(options: Sequence[str]) -> None:
    """Raise InvalidInput where an option begins with another one, than which it is never likelier."""
    for one in options:
        for other in options:
            if one != other and other.casefold().startswith(one.casefold()):
                raise InvalidInput(
                    f"answer=likelihood cannot choose {other!r}, which begins with the option {one!r} and is never "
                    "likelier; use answer=options"
                )


def spellings(options: Sequence[str]) -> Mapping[str, str]:
    """Return the option that each spelling stands for."""
    # A word may begin with a capital letter or not; the metric makes no difference.
    spelled: dict[str, str] = {}
    for option in options:
        for form in (option, option.capitalize()):
            if form in options or not form.startswith("("):
                spelled.setdefault(form, option)
    return spelled
