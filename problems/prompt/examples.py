"""What an instruction is scored on: questions with their answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """A question and its answer.

    Parameters
    ----------
    input
        What the scorer is asked.
    target
        What it should answer.
    """

    input: str
    target: str


@dataclass(frozen=True)
class Dataset:
    """Examples of one task.

    Parameters
    ----------
    name
        Such as ``bbh/navigate``; of a user's own file its name.
    examples
        Those that are divided into parts.
    test
        The test examples of a data set that comes with some; empty: they are taken from ``examples``.
    metric
        The name of the metric that fits, see :mod:`llmopt.problems.prompt.metrics`.
    sha256
        The checksum of the content, which tells this data set from another version of it.
    licence
        The name of its licence; empty: not known.
    notice
        What its authors ask to be said with it, such as a canary.
    """

    name: str
    examples: tuple[Example, ...]
    test: tuple[Example, ...] = ()
    metric: str = "exact"
    sha256: str = ""
    licence: str = ""
    notice: str = ""
