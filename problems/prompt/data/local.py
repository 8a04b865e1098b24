"""Known data sets that are read from a local file only: AQuA and MultiArith."""

from __future__ import annotations

import re
from pathlib import Path

from llmopt.problems.prompt.data.rows import Row, Rows, checksum, read
from llmopt.problems.prompt.examples import Dataset, Example


def aqua(path: Path) -> Dataset:
    """Read AQuA-RAT (Ling et al. 2017): algebra with five options, as JSON lines.

    Raises
    ------
    InvalidInput
        The file is not of this form.
    """
    file = read(path)
    return Dataset("aqua", tuple(_choice(file, row) for row in file.rows), metric="choice", sha256=checksum(file))


def _choice(file: Rows, row: Row) -> Example:
    options = file.cell(row, "options")
    # An option is written with its letter: "A)21".
    found = [re.fullmatch(r"([A-Z])\)(.*)", str(o), re.DOTALL) for o in options] if isinstance(options, list) else []
    letters = {option[1]: option[2].strip() for option in found if option}
    correct = file.text(row, "correct").strip()
    if not found or len(letters) != len(found) or correct not in letters:
        file.fail(row, "'options' is not a list such as ['A)21', 'B)22'] that has the one that is 'correct'")
    lines = [file.text(row, "question"), "Options:", *(f"({letter}) {text}" for letter, text in letters.items())]
    return Example("\n".join(lines), f"({correct})")


def multiarith(path: Path) -> Dataset:
    """Read MultiArith (Roy and Roth 2015): word problems of several steps, as a JSON list.

    Raises
    ------
    InvalidInput
        The file is not of this form.
    """
    file = read(path)
    return Dataset("multiarith", tuple(_sum(file, row) for row in file.rows), metric="numeric", sha256=checksum(file))


def _sum(file: Rows, row: Row) -> Example:
    solutions = file.cell(row, "lSolutions")
    if not isinstance(solutions, list) or len(solutions) != 1 or isinstance(solutions[0], bool):
        file.fail(row, "'lSolutions' is not a list of one number")
    answer = Row(row.where, {"lSolutions": solutions[0]})
    return Example(file.text(row, "sQuestion").strip(), file.answer(answer, "lSolutions"))
