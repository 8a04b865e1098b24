"""Reading a user's table: a CSV file with a header row."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llmopt.errors import InvalidInput
from llmopt.settings import unknown_name

DELIMITERS = ",;\t"
LARGEST_CELL = 1e15
"""The squares of larger numbers, summed over many rows, would leave too few digits to tell two fits apart."""


@dataclass(frozen=True)
class Table:
    """The cells of a file as text, by column; ``lines`` are the line numbers of the rows in the file."""

    path: Path
    columns: dict[str, list[str]]
    lines: list[int]

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Return a column as numbers, shape (rows,).

        Raises
        ------
        InvalidInput
            There is no such column, or a cell is not a finite number of at most 1e15 in magnitude.
        """
        if name not in self.columns:
            raise unknown_name(f"column of {self.path}", name, self.columns)
        values = np.empty(len(self.lines))
        for i, cell in enumerate(self.columns[name]):
            try:
                values[i] = float(cell)
            except ValueError:
                values[i] = math.nan
            if not abs(values[i]) <= LARGEST_CELL:
                raise InvalidInput(
                    f"data={self.path}: line {self.lines[i]}, column {name!r}: {cell!r} is not a finite number of at "
                    "most 1e15 (with a decimal point); correct the cell, or choose columns with features=a,b,c"
                )
        return values


def read_table(path: Path) -> Table:
    """Read a UTF-8 file of values separated by commas, semicolons or tabs, whichever gives the header most columns.

    Raises
    ------
    InvalidInput
        The file is missing, unreadable, empty or has no rows; names in the header are empty or there twice; a
        row is longer or shorter than the header.
    """
    try:
        # A directory or a file without permission is an OSError as well; utf-8-sig drops a byte order mark.
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InvalidInput(f"data={path}: there is no such file; give a CSV file with a header row") from None
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise InvalidInput(f"data={path}: cannot be read: {reason}; give a CSV file with a header row") from None
    rows = max((_rows(text, delimiter, path) for delimiter in DELIMITERS), key=lambda rows: len(rows[0][1]))
    header = [" ".join(name.split()) for name in rows[0][1]]
    if "" in header or len(set(header)) < len(header):
        raise InvalidInput(f"data={path}: the header needs one different name per column, not {', '.join(header)}")
    if len(rows) == 1:
        raise InvalidInput(f"data={path}: there is a header but no row below it; add the data")
    for line, row in rows[1:]:
        if len(row) != len(header):
            raise InvalidInput(
                f"data={path}: line {line} has {len(row)} cells, the header {len(header)}; make them the same"
            )
    columns = {name: [row[j] for _, row in rows[1:]] for j, name in enumerate(header)}
    return Table(path, columns, [line for line, _ in rows[1:]])


def _rows(text: str, delimiter: str, path: Path) -> list[tuple[int, list[str]]]:
    """Return the rows that are not blank, each with the number of its last line."""
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise InvalidInput(f"data={path}: line {reader.line_num} is not CSV: {error}; correct the file") from None
    if not rows:
        raise InvalidInput(f"data={path}: the file is empty; give a CSV file with a header row and numbers below it")
    return rows
