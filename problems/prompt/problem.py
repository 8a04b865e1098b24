"""Which instruction makes a model answer best."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from llmopt.errors import InvalidInput
from llmopt.history import History
from llmopt.items import Exemplar, ItemProblem, ItemScores, Keep
from llmopt.lines import read_lines
from llmopt.llm import connect
from llmopt.llm.base import LLM
from llmopt.problems.prompt import assessment, hand_written
from llmopt.problems.prompt.answer import Answer, check, check_options
from llmopt.problems.prompt.context import check_context
from llmopt.problems.prompt.data import load
from llmopt.problems.prompt.examples import Dataset, Example
from llmopt.problems.prompt.judge import Judge
from llmopt.problems.prompt.metrics import by_name, fitting
from llmopt.problems.prompt.scorer import Scorer
from llmopt.problems.prompt.splits import Share, Splits, split
from llmopt.problems.prompt.template import Position, Template
from llmopt.space import Text

SCORER, JUDGE = "scorer", "judge"

LONGEST = 500
"""Characters of an instruction (OPRO, appendix B)."""

_FIT = 0.5
"""The share of targets that must have the metric's form; fewer mean that it is the wrong metric."""


class PromptProblem(ItemProblem):
    """The search for an instruction; its score is the accuracy on training examples, from 0 to 1.

    The items are the training examples, then those of validation, then those of the test. Validation chooses among
    what the search has found; the test is scored once, see :meth:`assess`.

    Parameters
    ----------
    scorer
        The model with its template and metric.
    splits
        The examples.
    dataset
        Where they are from.
    initial
        Instructions that every solver starts with.
    digits
        Whether an instruction may hold digits; the paper forbids them where answers are numbers.
    max_length
        Of an instruction, in characters.
    notices
        What a user should be told about the data.

    Raises
    ------
    InvalidInput
        A part is empty or overlaps with the test, an initial instruction is not legal, or an example is too long.
    """

    direction = "maximize"
    space: Text

    def __init__(
        self,
        scorer: Scorer,
        splits: Splits,
        dataset: Dataset,
        *,
        initial: Sequence[str] = hand_written.STARTS,
        digits: bool = True,
        max_length: int = LONGEST,
        notices: Sequence[str] = (),
    ) -> None:
        self.scorer = scorer
        self.splits = splits
        self.dataset = dataset
        self.space = Text(max_length=max_length, min_length=0, digits=digits)
        self._notices = tuple(notices)
        self._initial = list(initial)
        self.examples_of_all = (*splits.train, *splits.validation, *splits.test)
        _check_initial(self.space, self._initial)
        _check_splits(splits)
        check_context(scorer, self.examples_of_all, "x " * (max_length // 2))

    @property
    def items(self) -> int:
        return len(self.splits.train)

    @property
    def validation_items(self) -> range:
        """The items that choose among what was found."""
        return range(self.items, self.items + len(self.splits.validation))

    @property
    def test_items(self) -> range:
        """The items that nothing but the report sees."""
        return range(self.validation_items.stop, len(self.examples_of_all))

    @property
    def assessed_calls(self) -> int:
        """The most scorer calls that :meth:`assess` makes."""
        tested = 1 + len(hand_written.COMPARED)
        return assessment.FINALISTS * len(self.validation_items) + tested * len(self.test_items)

    @property
    def notices(self) -> Sequence[str]:
        return self._notices

    @property
    def models(self) -> Mapping[str, LLM]:
        judge = self.scorer.judge
        return {SCORER: self.scorer.llm} | ({} if judge is None else {JUDGE: judge.llm})

    def with_models(self, models: Mapping[str, LLM]) -> PromptProblem:
        judge = None if self.scorer.judge is None else Judge(models[JUDGE])
        bound = copy(self)
        bound.scorer = replace(self.scorer, llm=models[SCORER], judge=judge)
        return bound

    def with_test(self, test: Sequence[Example], notice: str) -> PromptProblem:
        """Return this problem with other test examples, and with a notice that says why."""
        changed = copy(self)
        changed.splits = replace(self.splits, test=tuple(test))
        changed.examples_of_all = (*changed.splits.train, *changed.splits.validation, *changed.splits.test)
        changed._notices = (*self._notices, notice)
        return changed

    @property
    def exemplars(self) -> Sequence[Exemplar]:
        return [Exemplar(*self.scorer.template.around(example.input), example.target) for example in self.splits.train]

    def score_items(self, pairs: Sequence[tuple[Any, int]], keep: Keep) -> None:
        self.scorer.score([(instruction, self.examples_of_all[item]) for instruction, item in pairs], keep)

    def describe(self) -> str:
        return (
            f"Find an instruction with which a language model answers questions like those of {self.dataset.name} "
            f"rightly. Its score is the share of {self.items} training questions that are answered rightly."
        )

    def starts(self, rng: np.random.Generator) -> list[Any]:
        return list(self._initial)

    def identity(self) -> Mapping[str, Any]:
        """Return what the scores depend on: the examples of each part, the template, the metric and the models."""
        return {
            "dataset": self.dataset.name,
            "sha256": self.dataset.sha256,
            "parts": [len(self.splits.train), len(self.splits.validation), len(self.splits.test)],
            "examples": self.splits.sha256,
            "template": [self.scorer.template.system, self.scorer.template.text],
            "metric": self.scorer.metric.identity(),
            "answer": self.scorer.answer,
            "max_tokens": self.scorer.max_tokens,
            "initial": self._initial,
            "models": {role: [llm.info.spec, sorted(llm.info.details.items())] for role, llm in self.models.items()},
        }

    def assess(self, history: History, scores: ItemScores) -> Mapping[str, Any]:
        """Choose an instruction and test it; see :func:`llmopt.problems.prompt.assessment.assess`."""
        return assessment.assess(self, history, scores)


def prompt(
    dataset: str,
    position: Position = "Q_begin",
    scorer: str = "local",
    metric: str | None = None,
    answer: Answer = "free",
    max_tokens: int = 256,
    judge: str | None = None,
    template: Path | None = None,
    initial: Path | None = None,
    start: str | None = None,
    data: Path | None = None,
    input_column: str | None = None,
    target_column: str | None = None,
    share: Share = "default",
    train: float | None = None,
    validation: float | None = None,
    test: float | None = None,
    digits: bool | None = None,
    max_length: int = LONGEST,
    instance: int = 0,
    *,
    open_model: Callable[[str], LLM] = connect,
) -> PromptProblem:
    """An instruction for a data set: gsm8k, bbh/TASK, aqua, multiarith, or a JSONL, JSON, CSV, TSV or Parquet file.

    Parameters
    ----------
    dataset, data, input_column, target_column
        See :func:`llmopt.problems.prompt.data.load`.
    position
        Where the instruction stands: ``Q_begin``, ``Q_end`` or ``A_begin`` as in the paper (section 5.1), ``system``.
    scorer
        The SPEC of the model that answers.
    metric
        See :func:`llmopt.problems.prompt.metrics.by_name`; None: the one that fits the data set, or the targets.
    answer, max_tokens
        See :class:`llmopt.problems.prompt.scorer.Scorer`.
    judge
        The SPEC of a model that says whether an answer is right, in place of the metric.
    template
        A file with a text of the user's own that holds ``{instruction}`` and ``{input}``, in place of a position.
    initial
        A file with instructions to start with, one a line; None: three that people have written.
    start
        The one instruction to start with, in place of these; it may be empty.
    share, train, validation, test
        Sizes of the parts, see :func:`llmopt.problems.prompt.splits.split`.
    digits, max_length
        Whether instructions may hold digits (None: not where the metric is numeric), and their length.
    instance
        The seed of the split.
    open_model
        Returns the model of a SPEC; whoever hands it in closes the model.

    Raises
    ------
    InvalidInput
        Something is not legal; no model was asked.
    """
    if initial is not None and start is not None:
        raise InvalidInput(f"a search starts with start={start!r} or with those of initial={initial}; leave one out")
    found = load(dataset, data=data, input_column=input_column, target_column=target_column)
    name = metric or found.metric
    if name == "exact" and metric is None:
        name = fitting([example.target for example in found.examples], [example.input for example in found.examples])
    judged = by_name(name, (example.target for example in (*found.examples, *found.test)))
    examples, test_part = ([e for e in part if judge or judged.fits(e)] for part in (found.examples, found.test))
    left_out = len(found.examples) + len(found.test) - len(examples) - len(test_part)
    total = len(found.examples) + len(found.test)
    if total - left_out < _FIT * total:
        raise InvalidInput(
            f"dataset={dataset}: {total - left_out} of {total} targets parse as metric={name}, such as not "
            f"{_first_unfit(found, judged)!r}; choose another metric, or correct the column of targets"
        )
    parts = split(
        replace(found, examples=tuple(examples), test=tuple(test_part)),
        seed=instance,
        train=train,
        validation=validation,
        test=test,
        share=share,
    )
    where = Template.at(position) if template is None else Template.read(template)
    if start is not None:
        starts: Sequence[str] = [start]
    else:
        starts = hand_written.STARTS if initial is None else read_lines(initial, "initial")
    notices = [
        *([f"{dataset}: metric={name}, by the form of its targets"] if metric is None and name != found.metric else []),
        *([f"{dataset}: licence {found.licence}"] if found.licence else []),
        *([f"{dataset}: {found.notice}"] if found.notice else []),
        *(
            [f"{dataset}: {left_out} of {total} targets do not parse as metric={name} and are left out"]
            if left_out
            else []
        ),
        *([f"{dataset}: {parts.dropped} examples ask what another one asks and are left out"] if parts.dropped else []),
    ]
    # The models last: they take time, and what is wrong with the data or a setting is said before.
    legal_digits = name != "numeric" if digits is None else digits
    check(answer, max_tokens)
    check_options(answer, judged, (*parts.train, *parts.validation, *parts.test))
    _check_initial(Text(max_length=max_length, min_length=0, digits=legal_digits), starts)
    referee = None if judge is None else Judge(open_model(judge))
    llm = open_model(scorer)
    if where.system and not llm.capabilities.chat:
        # It would continue a question that nothing marks as one.
        raise InvalidInput(
            f"position={position} needs a chat model, since a base model as {llm.info.spec} is told no system message; "
            "choose position=Q_begin, Q_end or A_begin, or another scorer=SPEC"
        )
    asked = Scorer(llm, where, judged, answer, max_tokens, referee)
    return PromptProblem(
        asked,
        parts,
        found,
        initial=starts,
        digits=legal_digits,
        max_length=max_length,
        notices=notices,
    )


def _check_splits(splits: Splits) -> None:
    if not splits.train or not splits.test:
        raise InvalidInput(
            f"a search needs training and test examples, not {len(splits.train)} and {len(splits.test)}; see "
            "llmopt.problems.prompt.splits.split"
        )
    if splits.duplicates:
        raise InvalidInput(
            f"{splits.duplicates} questions of the test are training or validation questions too, which would flatter "
            "what is found; leave them out, or let llmopt.problems.prompt.splits.split divide the examples"
        )


def _check_initial(space: Text, instructions: Sequence[str]) -> None:
    for instruction in instructions:
        if reason := space.violation(instruction):
            raise InvalidInput(f"the initial instruction {instruction[:60]!r} is not legal: {reason}")


def _first_unfit(dataset: Dataset, metric: Any) -> str:
    return next(e.target for e in (*dataset.examples, *dataset.test) if not metric.fits(e))[:60]
