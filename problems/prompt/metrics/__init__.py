"""Metrics: whether a reply gives the answer that an example asks for, and the metric of a name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from llmopt.problems.prompt.examples import Example
from llmopt.problems.prompt.metrics.base import Metric
from llmopt.problems.prompt.metrics.choice import Choice
from llmopt.problems.prompt.metrics.exact import Exact
from llmopt.problems.prompt.metrics.function import FunctionMetric
from llmopt.problems.prompt.metrics.labels import Labels
from llmopt.problems.prompt.metrics.numeric import Numeric
from llmopt.problems.prompt.metrics.one_of import OneOf
from llmopt.problems.prompt.metrics.sequence import Brackets, Words
from llmopt.settings import unknown_name

__all__ = [
    "METRICS",
    "Brackets",
    "Choice",
    "Exact",
    "FunctionMetric",
    "Labels",
    "Metric",
    "Numeric",
    "OneOf",
    "Words",
    "by_name",
    "fitting",
]

METRICS: dict[str, Callable[[], Metric]] = {
    "exact": Exact,
    "choice": Choice,
    "numeric": Numeric,
    "yes-no": lambda: Labels("Yes", "No"),
    "valid-invalid": lambda: Labels("valid", "invalid"),
    "true-false": lambda: Labels("True", "False"),
    "words": Words,
    "brackets": Brackets,
}


def by_name(name: str, targets: Iterable[str] = ()) -> Metric:
    """Return the metric of a name.

    Parameters
    ----------
    name
        One of :data:`METRICS`; ``labels``, whose labels are the different targets; or ``FILE.py:FUNCTION`` for a
        function of the user's own.
    targets
        All targets of the data, for ``labels``.

    Raises
    ------
    InvalidInput
        There is no such metric, or the function cannot be loaded.

    Examples
    --------
    >>> from llmopt.problems.prompt.examples import Example
    >>> by_name("yes-no").score("**Yes**, it is.", Example("Is it?", "Yes"))
    1.0
    """
    if name in METRICS:
        return METRICS[name]()
    if name == "labels":
        return OneOf(targets)
    if ":" in name:
        return FunctionMetric(name)
    raise unknown_name("metric", name, [*METRICS, "labels", "FILE.py:FUNCTION"])


_FEW = 20
_FORMS = (
    ("yes-no", re.compile(r"yes|no", re.IGNORECASE)),
    ("true-false", re.compile(r"true|false", re.IGNORECASE)),
    ("valid-invalid", re.compile(r"valid|invalid", re.IGNORECASE)),
    ("choice", re.compile(r"\([A-Z]\)")),
    ("numeric", re.compile(r"-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")),
)


def fitting(targets: Iterable[str], inputs: Iterable[str] = ()) -> str:
    """Return the name of the metric for targets of which nobody has said what they are: that whose form all have;
    ``choice`` where they are letters, and most inputs list options of which they are the letter; ``labels`` where a few
    recur, at least five times each on average; else ``exact``.

    Examples
    --------
    >>> fitting(["A", "B"], 2 * ["Which?\\nA. oak\\nB. pear"])
    'choice'
    >>> fitting(["Yes", "no"]), fitting(["3", "1,200"]), fitting(["(B)"]), fitting(["yes", "maybe"])
    ('yes-no', 'numeric', 'choice', 'exact')
    >>> fitting(5 * ["good", "bad", "fair"])
    'labels'
    """
    texts = [target.strip() for target in targets]
    for name, form in _FORMS:
        if texts and all(map(form.fullmatch, texts)):
            return name
    asked = [Example(text, target) for text, target in zip(inputs, texts, strict=False)]
    if asked and all(map(Choice().parses, texts)):
        listed = [example for example in asked if Choice().options(example) and Choice().fits(example)]
        if len(listed) > len(asked) / 2:
            return "choice"
    different = len(set(texts))
    return "labels" if 2 <= different <= _FEW and len(texts) >= 5 * different else "exact"
