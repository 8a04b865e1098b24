"""GSM8K: word problems of grade school mathematics (Cobbe et al. 2021, arXiv 2110.14168)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from llmopt.problems.prompt.data.public import PublicFile
from llmopt.problems.prompt.data.rows import Rows, checksum, read
from llmopt.problems.prompt.examples import Dataset, Example

FILES = (
    PublicFile("gsm8k/train.jsonl", 4_166_206, "17f347dc51477c50d4efb83959dbb7c56297aba886e5544ee2aaed3024813465"),
    PublicFile("gsm8k/test.jsonl", 749_738, "3730d312f6e3440559ace48831e51066acaca737f6eabec99bccb9e4b3c39d14"),
)
SHA256 = "27507843b4ffea6791bad55e393cd2757ca698e0cf3e9908cea6c12813d9642b"
"""Of the two, one after the other."""
MARK = "####"
"""Stands between the steps of a solution and the number that is its answer."""


def gsm8k(paths: Sequence[Path]) -> Dataset:
    """Read the training file and, if it is given, the test file.

    Raises
    ------
    InvalidInput
        A file is not of this form.
    """
    files = [read(path) for path in paths]
    parts = [_examples(file) for file in files]
    return Dataset("gsm8k", parts[0], parts[1] if len(parts) > 1 else (), "numeric", checksum(*files), "MIT")


def _examples(file: Rows) -> tuple[Example, ...]:
    found = []
    for row in file.rows:
        _, mark, number = file.text(row, "answer").rpartition(MARK)
        # 1,080 is written without its comma, so that any reader of numbers takes it for one.
        target = number.strip().replace(",", "")
        if not mark or not target:
            file.fail(row, f"'answer' does not end in {MARK} and a number; this is not a file of GSM8K")
        found.append(Example(file.text(row, "question"), target))
    return tuple(found)
