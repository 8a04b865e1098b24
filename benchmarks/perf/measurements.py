"""The file of what was measured, and its rows in words: what a report is made of."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar, get_args

from llmopt.benchmarks.perf.row import Comparison, Row
from llmopt.errors import InvalidInput
from llmopt.files import write_whole

FILE = "perf.json"
HEADINGS = ("what", "measured", "target", "holds", "ratio", "beside")
_PROGRAM = "python -m llmopt.benchmarks.perf"
# In bytes; ours has some 10,000.
_LARGEST = 1_000_000
_KINDS = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}

T = TypeVar("T")


@dataclass
class Measurements:
    """What was measured on a machine.

    Attributes
    ----------
    command
        What made it, without places of the machine.
    machine
        What the figures depend on, by name.
    quick
        Whether sizes are small, so that the targets do not apply.
    rows
        The figures.
    missing
        Measurements that could not be made, and why.
    pending
        Those that come still, or never if the program was ended.
    """

    command: list[str]
    machine: dict[str, str]
    quick: bool
    rows: list[Row] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    pending: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return them as JSON has them, with what follows from each row."""
        rows = [{**asdict(row), "value": row.value, "holds": row.holds} for row in self.rows]
        return {**vars(self), "rows": rows}

    def write(self, folder: Path) -> None:
        """Write the file of a folder: it is there as a whole, or as it was.

        Raises
        ------
        InvalidInput
            It cannot be written.
        """
        path = folder / FILE
        try:
            write_whole(path, json.dumps(self.as_json(), indent=1) + "\n")
        except OSError as error:
            raise InvalidInput(f"{path} cannot be written: {error.strerror or error}") from None

    @classmethod
    def read(cls, folder: Path) -> Measurements:
        """Read the file of a folder. What follows from each row is not read, but follows anew.

        Raises
        ------
        InvalidInput
            There is none, or it is not what :meth:`write` makes.
        """
        path = folder / FILE
        try:
            if path.stat().st_size > _LARGEST:
                raise ValueError(f"it is larger than {_LARGEST:,} bytes")
            told = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(told, dict):
                raise ValueError("it is not an object")
            return cls(
                _texts(told, "command"),
                _words(told, "machine"),
                _part(told, "quick", bool),
                [_row(row, f"row {number}: ") for number, row in enumerate(_part(told, "rows", list), 1)],
                _words(told, "missing"),
                _texts(told, "pending"),
            )
        except OSError as error:
            raise InvalidInput(f"{path} cannot be read: {error.strerror or error}") from None
        except (ValueError, OverflowError, RecursionError) as error:
            raise InvalidInput(f"{path} is damaged, or not a file of '{_PROGRAM}': {error}") from None


def cells(row: Row) -> tuple[str, ...]:
    """Return a row as texts, one for each of the headings."""
    beside = "" if row.beside is None else f"{_number(row.beside)} {row.unit} ({row.beside_what})"
    compared = {"none": "", "ratio": f"{row.value:.3f}", "difference": f"{row.value:+.3f} {row.unit}"}[row.compared]
    if row.limit is None:
        target = ""
    else:
        unit = {"none": row.unit, "ratio": "times", "difference": f"{row.unit} more"}[row.compared]
        target = f"<= {row.limit:g} {unit}"
    holds = {None: "", True: "yes", False: "NO"}[row.holds]
    return row.what, f"{_number(row.measured)} {row.unit}", target, holds, compared, beside


def _number(value: float) -> str:
    return f"{value:,.0f}" if 100 <= value < 1e15 else f"{value:.3g}"


def _row(told: Any, where: str) -> Row:
    if not isinstance(told, dict):
        raise ValueError(f"{where}it is not an object")
    known: dict[str, Any] = {
        name: _part(told, name, str, where) for name in ("what", "unit", "beside_what", "compared")
    }
    if known["compared"] not in get_args(Comparison):
        raise ValueError(f"{where}'compared' is not one of {', '.join(get_args(Comparison))}")
    for name in (each.name for each in fields(Row) if each.name not in known):
        value = told.get(name)
        # A row without a figure says nothing; the other numbers may be absent.
        if value is None and name != "measured":
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(f"{where}{name!r} is not a finite number")
        known[name] = value
    row = Row(**known)
    if row.compared == "ratio" and row.ratio is None and row.beside == 0:
        raise ValueError(f"{where}'beside' is zero, of which there is no ratio")
    return row


def _part(told: Mapping[str, Any], name: str, kind: type[T], where: str = "") -> T:
    value = told.get(name)
    if type(value) is not kind:
        raise ValueError(f"{where}{name!r} is not {_KINDS[kind]}")
    return value


def _texts(told: Mapping[str, Any], name: str) -> list[str]:
    found = _part(told, name, list)
    if not all(isinstance(text, str) for text in found):
        raise ValueError(f"{name!r} is not a list of texts")
    return found


def _words(told: Mapping[str, Any], name: str) -> dict[str, str]:
    found = _part(told, name, dict)
    if not all(isinstance(text, str) for text in found.values()):
        raise ValueError(f"{name!r} has a value that is not a text")
    return found
