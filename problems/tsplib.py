"""Reading TSPLIB files: instances of the travelling salesman problem, and tours.

Reinelt, "TSPLIB 95" (1995). The maintained packages of the field read no asymmetric matrices, and the one that reads
everything was given up in 2020.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from llmopt.errors import InvalidInput
from llmopt.tours import Distances

LARGEST = 10_000
"""Cities; their distances take 800 MB."""

Floats = NDArray[np.float64]
PI = 3.141592
EARTH_RADIUS = 6378.388


@dataclass(frozen=True)
class Instance:
    """What a file holds: distances, and where it draws its cities, shape (n, 2), if it does."""

    distances: Distances
    points: Floats | None


def read_instance(path: Path) -> Instance:
    """Read a file of TYPE TSP or ATSP.

    Distances are those of the file's EDGE_WEIGHT_TYPE, rounded as TSPLIB 95 defines it: EUC_2D, CEIL_2D, MAN_2D,
    MAX_2D, ATT, GEO, or EXPLICIT in any EDGE_WEIGHT_FORMAT of a matrix.

    Raises
    ------
    InvalidInput
        The file is missing, cut off, of another type, or its data are no numbers or too few or too many; one line names
        what is wrong.
    """
    file = _read(path)
    kind = file.word("TYPE").split()[0].upper()
    if kind not in ("TSP", "ATSP"):
        file.fail(f"it is of TYPE {kind}; TSP and ATSP can be read")
    if "FIXED_EDGES_SECTION" in file.sections:
        file.fail("it has fixed edges, which are not supported; remove FIXED_EDGES_SECTION")
    n = file.whole("DIMENSION", 3, LARGEST)
    weights = file.word("EDGE_WEIGHT_TYPE").upper()
    if weights == "EXPLICIT":
        points = file.coordinates("DISPLAY_DATA_SECTION", n) if "DISPLAY_DATA_SECTION" in file.sections else None
        matrix = _explicit(file, n)
    elif weights in _ROUNDED:
        points = file.coordinates("NODE_COORD_SECTION", n)
        matrix = _ROUNDED[weights](points)
        # GEO has latitude before longitude.
        points = points[:, ::-1] if weights == "GEO" else points
    else:
        file.fail(f"EDGE_WEIGHT_TYPE {weights} is not supported; legal are EXPLICIT, {', '.join(_ROUNDED)}")
    distances = file.checked(matrix)
    if kind == "TSP" and not distances.symmetric:
        i, j = (int(k) + 1 for k in np.argwhere(distances.matrix != distances.matrix.T)[0])
        file.fail(
            f"TYPE TSP promises symmetric distances, but those between cities {i} and {j} differ; use TYPE : ATSP"
        )
    return Instance(distances, points)


def read_tour(path: Path, n: int) -> NDArray[np.int32]:
    """Read the tour of n cities, counted from 0, of a file of TYPE TOUR.

    Raises
    ------
    InvalidInput
        There is no such tour in the file.
    """
    file = _read(path)
    if "TOUR_SECTION" not in file.sections:
        file.fail("it has no TOUR_SECTION")
    values = file.numbers("TOUR_SECTION")
    values = values[: int(np.argmax(values == -1))] if (values == -1).any() else values
    if not np.array_equal(np.sort(values), np.arange(1, n + 1)):
        file.fail(f"its TOUR_SECTION is not a tour of the cities 1 to {n}")
    return (values - 1).astype(np.int32)


@dataclass(frozen=True)
class _File:
    path: Path
    keywords: dict[str, str] = field(default_factory=dict)
    sections: dict[str, list[str]] = field(default_factory=dict)

    def fail(self, what: str) -> NoReturn:
        raise InvalidInput(f"{self.path}: {what}")

    def checked(self, matrix: Floats) -> Distances:
        try:
            return Distances(matrix)
        except InvalidInput as error:
            self.fail(str(error))

    def word(self, keyword: str) -> str:
        if not self.keywords.get(keyword):
            self.fail(f"it has no {keyword}; a TSPLIB file has a line such as '{keyword} : {_EXAMPLES[keyword]}'")
        return self.keywords[keyword]

    def whole(self, keyword: str, low: int, high: int) -> int:
        text = self.word(keyword)
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            self.fail(f"{keyword} {text} is not legal; it must be a whole number from {low} to {high:,}")
        return int(text)

    def numbers(self, section: str) -> Floats:
        words = " ".join(self.sections.get(section, [])).split()
        try:
            return np.array(words, dtype=np.float64)
        except ValueError:
            wrong = next(word for word in words if not _is_number(word))
            self.fail(f"{section} holds {wrong[:40]!r}, which is not a number")

    def some(self, section: str, count: int) -> Floats:
        if section not in self.sections:
            self.fail(f"it has no {section}; it may be cut off")
        values = self.numbers(section)
        if len(values) != count:
            cut = "; it may be cut off" if len(values) < count else ""
            self.fail(f"{section} holds {len(values):,} numbers where DIMENSION asks for {count:,}{cut}")
        return values

    def coordinates(self, section: str, n: int) -> Floats:
        rows = self.some(section, 3 * n).reshape(n, 3)
        if not np.isfinite(rows).all():
            self.fail(f"{section} holds a coordinate that is not finite")
        if not np.array_equal(np.sort(rows[:, 0]), np.arange(1, n + 1)):
            self.fail(f"{section} does not number its cities from 1 to {n}, each once")
        return rows[np.argsort(rows[:, 0]), 1:]


_EXAMPLES = {"TYPE": "TSP", "DIMENSION": "52", "EDGE_WEIGHT_TYPE": "EUC_2D", "EDGE_WEIGHT_FORMAT": "FULL_MATRIX"}


def _read(path: Path) -> _File:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror or error}") from None
    file, section = _File(path), None
    for line in (line.strip() for line in text.splitlines()):
        keyword, _, value = (part.strip() for part in line.partition(":"))
        if keyword == "EOF":
            break
        if keyword.endswith("_SECTION"):
            section = file.sections.setdefault(keyword, [])
        elif keyword[:1].isalpha() and keyword.isupper() and (value or section is None):
            file.keywords[keyword] = value
            section = None
        elif section is not None:
            section.append(line)
        elif line:
            file.fail(f"the line {line[:40]!r} is no part of a TSPLIB file")
    return file


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _explicit(file: _File, n: int) -> Floats:
    form = file.word("EDGE_WEIGHT_FORMAT").upper()
    section = "EDGE_WEIGHT_SECTION"
    if form == "FULL_MATRIX":
        return file.some(section, n * n).reshape(n, n)
    if form not in _TRIANGLES:
        legal = ", ".join(["FULL_MATRIX", *_TRIANGLES])
        file.fail(f"EDGE_WEIGHT_FORMAT {form} is not supported; legal are {legal}")
    lower, diagonal = _TRIANGLES[form]
    rows, columns = np.tril_indices(n, 0 if diagonal else -1) if lower else np.triu_indices(n, 0 if diagonal else 1)
    matrix = np.zeros((n, n))
    matrix[rows, columns] = matrix[columns, rows] = file.some(section, len(rows))
    return matrix


# Whether the numbers, read row by row, are those of the lower triangle, and whether the diagonal is among them.
# The columns of one triangle are the rows of the other.
_TRIANGLES = {
    "UPPER_ROW": (False, False),
    "LOWER_ROW": (True, False),
    "UPPER_DIAG_ROW": (False, True),
    "LOWER_DIAG_ROW": (True, True),
    "UPPER_COL": (True, False),
    "LOWER_COL": (False, False),
    "UPPER_DIAG_COL": (True, True),
    "LOWER_DIAG_COL": (False, True),
}


def _differences(points: Floats) -> tuple[Floats, Floats]:
    x, y = points.T
    return np.abs(x[:, None] - x), np.abs(y[:, None] - y)


def _nearest(values: Floats) -> Floats:
    return np.floor(values + 0.5)


def _euclidean(points: Floats) -> Floats:
    return np.asarray(np.hypot(*_differences(points)), dtype=np.float64)


def _maximum(points: Floats) -> Floats:
    dx, dy = _differences(points)
    return np.maximum(_nearest(dx), _nearest(dy))


def _att(points: Floats) -> Floats:
    dx, dy = _differences(points)
    exact = np.sqrt((dx**2 + dy**2) / 10)
    rounded = _nearest(exact)
    return np.where(rounded < exact, rounded + 1, rounded)


def _geo(points: Floats) -> Floats:
    # Coordinates are degrees and minutes: 38.24 is 38 degrees and 24 minutes.
    degrees = np.trunc(points)
    latitude, longitude = (PI * (degrees + 5 * (points - degrees) / 3) / 180).T
    q1 = np.cos(longitude[:, None] - longitude)
    q2 = np.cos(latitude[:, None] - latitude)
    q3 = np.cos(latitude[:, None] + latitude)
    angle = np.arccos(np.clip(0.5 * ((1 + q1) * q2 - (1 - q1) * q3), -1, 1))
    return np.asarray(np.floor(EARTH_RADIUS * angle + 1), dtype=np.float64)


_ROUNDED: dict[str, Callable[[Floats], Floats]] = {
    "EUC_2D": lambda points: _nearest(_euclidean(points)),
    "CEIL_2D": lambda points: np.ceil(_euclidean(points)),
    "MAN_2D": lambda points: _nearest(np.sum(_differences(points), axis=0)),
    "MAX_2D": _maximum,
    "ATT": _att,
    "GEO": _geo,
}
