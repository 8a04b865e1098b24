"""A user's own examples: a file and the names of two of its columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from llmopt.errors import InvalidInput
from llmopt.problems.prompt.data.rows import Rows, checksum, read
from llmopt.problems.prompt.examples import Dataset, Example

INPUT_COLUMNS = ("input", "question", "text")
TARGET_COLUMNS = ("target", "answer", "label")


def own_file(path: Path, input_column: str | None = None, target_column: str | None = None) -> Dataset:
    """Read examples from a JSONL, JSON, CSV, TSV or Parquet file.

    Parameters
    ----------
    path
        The file.
    input_column
        The column of the questions; None: the only one that is named input, question or text.
    target_column
        The column of the answers, text or numbers; None: the only one that is named target, answer or label.

    Raises
    ------
    InvalidInput
        The file cannot be read, has no such column, or has a cell that is missing, empty or not text.
    MissingExtra
        It is a Parquet file, and pyarrow is not installed.
    """
    file = read(path)
    question = input_column or _guess(file, INPUT_COLUMNS, "input_column")
    answer = target_column or _guess(file, TARGET_COLUMNS, "target_column")
    if question == answer:
        raise InvalidInput(f"{path}: input_column and target_column are both {question!r}; give two columns")
    return Dataset(name=path.name, examples=examples(file, question, answer), sha256=checksum(file))


def examples(file: Rows, question: str, answer: str) -> tuple[Example, ...]:
    """Return the examples of a file, in its order.

    Raises
    ------
    InvalidInput
        A column is unknown, or a cell is missing, empty or not text.
    """
    return tuple(Example(file.text(row, question), file.answer(row, answer)) for row in file.rows)


def _guess(file: Rows, usual: Sequence[str], setting: str) -> str:
    fitting = [column for column in file.columns if column.strip().casefold() in usual]
    if len(fitting) == 1:
        return fitting[0]
    found = f"several of its columns are ({', '.join(fitting)})" if fitting else "none of its columns is"
    raise InvalidInput(
        f"{file.path}: {setting} is needed, since {found} named {', '.join(usual[:-1])} or {usual[-1]}; "
        f"its columns are {', '.join(file.columns)}"
    )
