"""Reading a file that holds nothing but rows of numbers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llmopt.errors import InvalidInput


def read_numbers(path: Path) -> NDArray[np.float64]:
    """Read rows of equally many finite numbers, separated by commas, semicolons, tabs or spaces.

    Returns
    -------
    NDArray
        Shape (rows, columns). Empty lines are left out.

    Raises
    ------
    InvalidInput
        The file cannot be read or is empty, a cell is not a finite number, or rows differ in length.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or error) if isinstance(error, OSError) else "it is not a text in UTF-8"
        raise InvalidInput(f"{path} cannot be read: {reason}") from None
    rows: list[list[float]] = []
    for number, line in enumerate(text.splitlines(), 1):
        cells = re.split(r"\s*[,;\t]\s*|\s+", line.strip())
        if cells == [""]:
            continue
        try:
            row = [float(cell) for cell in cells]
        except ValueError:
            row = [np.nan]
        if not np.isfinite(row).all():
            raise InvalidInput(f"{path}, line {number}: {line.strip()[:60]!r} is not a row of finite numbers")
        if rows and len(row) != len(rows[0]):
            raise InvalidInput(f"{path}, line {number}: {len(row)} numbers where the rows before have {len(rows[0])}")
        rows.append(row)
    if not rows:
        raise InvalidInput(f"{path} is empty; give rows of numbers")
    return np.array(rows)
