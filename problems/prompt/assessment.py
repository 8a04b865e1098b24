"""What a search for an instruction has brought: which one is chosen, and how it does on examples nobody has seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llmopt.history import History
from llmopt.items import ItemScores
from llmopt.problems.prompt.examples import Example
from llmopt.problems.prompt.export import messages
from llmopt.problems.prompt.flags import flags
from llmopt.problems.prompt.hand_written import COMPARED
from llmopt.problems.prompt.metrics.base import Metric
from llmopt.problems.prompt.metrics.choice import read_options
from llmopt.problems.prompt.significance import mcnemar, wilson

if TYPE_CHECKING:
    from llmopt.problems.prompt.problem import PromptProblem

FINALISTS = 5
"""The best instructions on training examples, among which validation chooses."""

_OF_LABEL = 3
"""Examples that have the same answer before it can be a label."""


def assess(problem: PromptProblem, history: History, scores: ItemScores) -> Mapping[str, Any]:
    """Choose an instruction and score it, and those it is compared with, on the test examples.

    The ``FINALISTS`` best on the training examples are scored on the validation examples, and the one with the most
    right answers on both together is chosen (the earlier of equals). The test examples have no part in that.

    Returns
    -------
    dict
        ``instruction``; ``train_accuracy``, ``validation_accuracy`` (None without such examples) and
        ``test_accuracy``; ``train_interval``, ``validation_interval`` and ``test_interval``, Wilson's at 95 %;
        ``test_examples``; ``compared``: for each instruction
        of :data:`llmopt.problems.prompt.hand_written.COMPARED` its accuracy and McNemar's exact p-value on the same
        test examples; ``empty_answers``: how many answers to all these instructions were empty; ``flags``;
        ``messages``: the instruction ready for both SDKs.
    """
    chosen, train, validation = choose(problem, history, scores)
    test = score(scores, chosen, problem.test_items)
    right = float(test.sum())
    compared = []
    for other in COMPARED:
        others = score(scores, other, problem.test_items)
        compared.append(
            {
                "instruction": other,
                "test_accuracy": float(others.mean()),
                "test_interval": list(wilson(float(others.sum()), len(others))),
                "p_value": mcnemar(test, others),
            }
        )
    answers = [scores.known(solution) for solution in dict.fromkeys([chosen, *COMPARED])]
    return {
        "instruction": chosen,
        "train_accuracy": float(train.mean()),
        "train_interval": list(wilson(float(train.sum()), len(train))),
        "validation_accuracy": float(validation.mean()) if len(validation) else None,
        "validation_interval": list(wilson(float(validation.sum()), len(validation))) if len(validation) else None,
        "test_accuracy": right / len(test),
        "test_interval": list(wilson(right, len(test))),
        "test_examples": len(test),
        "compared": compared,
        "empty_answers": sum(not found.answer for known in answers for found in known.values()),
        "flags": flags(chosen, _telling_answers(problem), problem.scorer.metric),
        "messages": messages(problem.scorer.template, chosen),
    }


def _telling_answers(problem: PromptProblem) -> list[str]:
    """Return the answers of training examples but for labels and options' letters, which an instruction may well name.

    The answer to a question with options is the text of the right one. A label is an answer, or the text of an option,
    that recurs: in every twentieth example, and in ``_OF_LABEL`` at least.
    """
    metric, train = problem.scorer.metric, problem.splits.train
    told = [_in_words(example, metric) for example in train]
    times = Counter(text for answers in told for text in {text for text, _ in answers})
    labels = {text for text, n in times.items() if n >= max(_OF_LABEL, len(train) / 20)}
    return [text for answers in told for text, right in answers if right and text not in labels]


def _in_words(example: Example, metric: Metric) -> list[tuple[str, bool]]:
    """Return the answers that an example offers in words, and whether each is right; none where the metric has labels
    of its own, such as yes and no."""
    options = metric.options(example)
    if not options:
        return [(example.target, True)]
    texts = {f"({letter})": text for letter, text in read_options(example.input).items()}
    return [(texts[option], metric.score(option, example) > 0) for option in options if option in texts]


def choose(
    problem: PromptProblem, history: History, scores: ItemScores
) -> tuple[str, NDArray[np.float64], NDArray[np.float64]]:
    """Return the instruction that training and validation examples together favour, and its scores on both."""
    rows = history.best(FINALISTS).tolist()
    finalists = [str(history.space.row(history.columns, row)) for row in rows]
    pairs = [(finalist, item) for finalist in finalists for item in problem.validation_items]
    if pairs:
        # All at once, so that a model is kept busy.
        scores.score(pairs)
    train = [score(scores, finalist, range(problem.items)) for finalist in finalists]
    validation = [score(scores, finalist, problem.validation_items) for finalist in finalists]
    best = int(np.argmax([a.sum() + b.sum() for a, b in zip(train, validation, strict=True)]))
    return finalists[best], train[best], validation[best]


def score(scores: ItemScores, instruction: str, items: Sequence[int]) -> NDArray[np.float64]:
    """Return the scores of an instruction on items, shape (len(items),)."""
    return scores.score([(instruction, item) for item in items]) if len(items) else np.empty(0)
