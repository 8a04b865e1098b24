"""The rows of a file, whatever its kind: JSON lines, a JSON list, CSV or Parquet."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from llmopt.errors import InvalidInput, MissingExtra
from llmopt.settings import unknown_name

DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Row:
    """The cells of one row by column; ``where`` tells a reader of the file which it is, such as ``line 7``."""

    where: str
    cells: Mapping[str, object]


@dataclass(frozen=True)
class Rows:
    """What a file holds.

    Parameters
    ----------
    path
        The file.
    content
        Its bytes.
    rows
        Its rows, at least one.
    about
        What a JSON file says beside its rows.
    """

    path: Path
    content: bytes
    rows: tuple[Row, ...]
    about: Mapping[str, object] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """The names of all columns, in the order of the file."""
        return list(dict.fromkeys(column for row in self.rows for column in row.cells))

    def cell(self, row: Row, column: str) -> object:
        """Return what a row has in a column.

        Raises
        ------
        InvalidInput
            It has nothing there.
        """
        if column not in self.columns_of(row):
            if not any(column in other.cells for other in self.rows):
                raise unknown_name(f"column of {self.path}", column, self.columns)
            self.fail(row, f"it has no {column!r}; add it")
        return row.cells[column]

    def columns_of(self, row: Row) -> set[str]:
        """Return the columns in which a row has something; Parquet and JSON write ``null`` for nothing."""
        return {column for column, cell in row.cells.items() if cell is not None}

    def text(self, row: Row, column: str) -> str:
        """Return a cell that holds text.

        Raises
        ------
        InvalidInput
            It is missing, empty or not text.
        """
        cell = self.cell(row, column)
        if not isinstance(cell, str):
            self.fail(row, f"{column!r} holds {_short(cell)}, which is not text; write it in quotes")
        if not cell.strip():
            self.fail(row, f"{column!r} is empty; fill it in, or leave the row out")
        try:
            cell.encode()
        except UnicodeEncodeError:
            # JSON can write half of a surrogate pair, which no model and no log could take.
            self.fail(row, f"{column!r} holds {_short(cell)}, with half a character; correct it")
        return cell

    def answer(self, row: Row, column: str) -> str:
        """Return a cell that holds text, a number, or true or false as JSON has them, as text.

        Raises
        ------
        InvalidInput
            It is missing, empty, or something else, such as a list or a number that is not finite.
        """
        cell = self.cell(row, column)
        if isinstance(cell, str):
            return self.text(row, column).strip()
        # A column of whole numbers with gaps becomes one of floats on its way through many tools: 9.0 is the answer 9.
        if isinstance(cell, float) and cell.is_integer():
            return str(int(cell))
        if isinstance(cell, bool):
            return str(cell).lower()
        # An integer is finite, also where it has more digits than a float can hold.
        if not (isinstance(cell, int) or (isinstance(cell, float) and math.isfinite(cell))):
            self.fail(row, f"{column!r} holds {_short(cell)}, which is neither text nor a number; write it in quotes")
        return str(cell)

    def fail(self, row: Row, what: str) -> NoReturn:
        """Raise the error that something is wrong in a row."""
        raise InvalidInput(f"{self.path}: {row.where}: {what}")


def read(path: Path) -> Rows:
    """Read a file of the kind that the end of its name tells: .jsonl, .json, .csv, .tsv or .parquet.

    JSON is a list of objects, or an object that has one as ``examples``; a .json file may also hold JSON lines. CSV
    is UTF-8 with a header row and is separated by commas, semicolons or tabs, whichever gives the header most columns;
    in a .tsv file the tab goes first, where the header has one.

    Raises
    ------
    InvalidInput
        The file is missing, of another kind, not well formed or without a row.
    MissingExtra
        It is Parquet, and pyarrow is not installed.
    """
    parse = _KINDS.get(path.suffix.lower())
    if parse is None:
        raise InvalidInput(
            f"{path}: no kind of file ends in {path.suffix or path.name!r}; legal are {', '.join(_KINDS)}"
        )
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InvalidInput(f"{path}: there is no such file; give one of {', '.join(_KINDS)}") from None
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    found = parse(path, content)
    if not found.rows:
        raise InvalidInput(f"{path}: the file holds no examples; add some")
    return found


def checksum(*files: Rows) -> str:
    """Return the SHA-256 of files, one after another: of one file what ``sha256sum`` prints."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.content)
    return digest.hexdigest()


def _json_lines(path: Path, content: bytes) -> Rows:
    # Not splitlines: JSON text may hold other characters that it takes for the end of a line.
    lines = enumerate(_text(path, content).split("\n"), start=1)
    return Rows(path, content, tuple(_objects(path, ((f"line {n}", _json(path, s, f"line {n}: ")) for n, s in lines))))


def _json_document(path: Path, content: bytes) -> Rows:
    try:
        value = _json(path, _text(path, content))
    except InvalidInput:
        # Some data sets are JSON lines in a file that ends in .json.
        first = content.lstrip().partition(b"\n")[0]
        if not first.startswith(b"{") or not first.rstrip().endswith(b"}"):
            raise
        return _json_lines(path, content)
    about: dict[str, object] = {}
    if isinstance(value, dict):
        about = dict(value)
        value = about.pop("examples", None)
    if not isinstance(value, list):
        raise InvalidInput(
            f"{path}: it is neither a list of objects nor an object with such a list as 'examples'; make it one, "
            "or write one object a line in a file that ends in .jsonl"
        )
    items = ((f"item {i}", item) for i, item in enumerate(value, start=1))
    return Rows(path, content, tuple(_objects(path, items)), about)


def _objects(path: Path, values: Iterator[tuple[str, object]]) -> Iterator[Row]:
    for where, value in values:
        if value is _BLANK:
            continue
        if not isinstance(value, dict):
            raise InvalidInput(f'{path}: {where}: {_short(value)} is not an object such as {{"input": "..."}}')
        yield Row(where, value)


_BLANK = object()


def _json(path: Path, text: str, where: str = "") -> object:
    if not text.strip():
        return _BLANK
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = where or f"line {error.lineno}: "
        raise InvalidInput(f"{path}: {place}not JSON: {error.msg} at column {error.colno}") from None
    except (ValueError, RecursionError):
        raise InvalidInput(f"{path}: {where}a number is too long, or lists too deep, for JSON") from None


def _csv(path: Path, content: bytes) -> Rows:
    text = _text(path, content)
    with _cells_of(len(text)):
        return Rows(path, content, tuple(_separated(path, text, _delimiter(path, text))))


_LIMIT = threading.Lock()


@contextmanager
def _cells_of(length: int) -> Iterator[None]:
    """Let cells be so long: the csv module has one limit for everybody, which is set back."""
    with _LIMIT:
        before = csv.field_size_limit()
        csv.field_size_limit(max(before, length))
        try:
            yield
        finally:
            csv.field_size_limit(before)


def _delimiter(path: Path, text: str) -> str:
    widths = {delimiter: _width(path, text, delimiter) for delimiter in DELIMITERS}
    if path.suffix.lower() == ".tsv" and widths["\t"] > 1:
        return "\t"
    return max(widths, key=lambda delimiter: widths[delimiter])


def _separated(path: Path, text: str, delimiter: str) -> Iterator[Row]:
    records = _records(path, text, delimiter)
    _, names = next(records, (1, []))
    header = [" ".join(name.split()) for name in names]
    if len(set(header)) < len(header):
        raise InvalidInput(f"{path}: the header needs a different name for each column, not {', '.join(header)}")
    for line, record in records:
        if len(record) != len(header):
            raise InvalidInput(
                f"{path}: line {line} has {len(record)} cells, the header {len(header)}; make them the same, and "
                "put a cell that holds the separator in quotes"
            )
        # Tools that number rows leave the name of that column empty.
        yield Row(f"line {line}", {name: cell for name, cell in zip(header, record, strict=True) if name})


def _width(path: Path, text: str, delimiter: str) -> int:
    """Return how many columns the header has with a delimiter."""
    try:
        return len(next(_records(path, text, delimiter), (1, []))[1])
    except InvalidInput:
        return 0


def _records(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the records that are not blank, each with the number of its first line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for record in reader:
            if any(cell.strip() for cell in record):
                yield line, record
            line = reader.line_num + 1
    except csv.Error as error:
        raise InvalidInput(f"{path}: line {line}: not CSV: {error}; correct the file") from None


def _parquet(path: Path, content: bytes) -> Rows:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise MissingExtra("Parquet files need pyarrow: pip install 'llmopt[parquet]'") from None
    try:
        items = parquet.read_table(io.BytesIO(content)).to_pylist()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InvalidInput(f"{path}: not a Parquet file: {str(error).splitlines()[0]}") from None
    return Rows(path, content, tuple(Row(f"row {i}", item) for i, item in enumerate(items, start=1)))


def _text(path: Path, content: bytes) -> str:
    try:
        # Drops a byte order mark.
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidInput(f"{path}: line {line}: not UTF-8 text; save the file as UTF-8") from None


def _short(value: object) -> str:
    shown = ascii(value)
    return shown if len(shown) <= 40 else f"{shown[:40]}..."


_KINDS: dict[str, Callable[[Path, bytes], Rows]] = {
    ".jsonl": _json_lines,
    ".json": _json_document,
    ".csv": _csv,
    ".tsv": _csv,
    ".parquet": _parquet,
}
