"""Suites in TOML files: what is not legal is told with its line and its key."""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from llmopt.benchmarks.suite import PER_VARIABLE, Group, Suite
from llmopt.budget import Budget
from llmopt.errors import InvalidInput
from llmopt.registry import create_solver, load, names, needs_model
from llmopt.settings import unknown_name

_TOP = ("name", "description", "source", "group", "smoke")
_GROUP = ("problem", "settings", "repeats", "instance", "seed", "solvers", "budget")
_NEEDED = ("problem", "solvers", "budget")
_BUDGET = (*(field.name for field in fields(Budget)), PER_VARIABLE)


def find(name: str, *, smoke: bool = False) -> Suite:
    """Return a suite by the name of an entry point, or from a file that ends in ``.toml``.

    Parameters
    ----------
    name
        A name in the entry-point group ``llmopt.suites``, each of which is the path of a file; or a path.
    smoke
        Return the small size.

    Raises
    ------
    InvalidInput
        There is no such suite, or something in the file is not legal; the message names the line and the key.
    """
    if name.endswith(".toml"):
        return read(Path(name), smoke=smoke)
    return read(Path(load("llmopt.suites", name)), smoke=smoke)


def read(path: Path, *, smoke: bool = False) -> Suite:
    """Read a suite from a file; see :func:`find`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise InvalidInput(f"suite {path}: cannot be read: {reason}") from None
    return parse(text, str(path), smoke=smoke)


def parse(text: str, file: str = "suite", *, smoke: bool = False) -> Suite:
    """Return the suite of a TOML text; see :func:`find`.

    Examples
    --------
    >>> suite = parse('''
    ... name = "mine"
    ... [[group]]
    ... problem = "function"
    ... settings = { name = ["sphere", "ackley"], dim = [2, 5] }
    ... repeats = 3
    ... solvers = ["random", "tpe"]
    ... budget = { evaluations_per_variable = 100 }
    ... ''')
    >>> cells = list(suite.cells())
    >>> len(cells), cells[-1].name, cells[-1].repeat, cells[-1].budget.evaluations
    (24, 'function name=ackley dim=5: tpe', 2, 500)
    """
    source = _Source(text, file)
    table = source.table()
    for key in table:
        if key not in _TOP:
            raise source.error(f"{key!r} is no key of a suite; legal: {', '.join(_TOP)}", key=key)
    name = table.get("name")
    if not isinstance(name, str) or not name:
        raise source.error("a suite needs a name", key="name")
    section = "smoke" if smoke else "group"
    found = table.get(section)
    if not isinstance(found, list) or not found or not all(isinstance(group, dict) for group in found):
        what = "no small size; leave --smoke out, or add [[smoke]] to it" if smoke else "no [[group]]"
        raise source.error(f"the suite {name} has {what}", key=section)
    groups = [_group(source, section, i, entries) for i, entries in enumerate(found)]
    return Suite(name, str(table.get("description", "")), str(table.get("source", "")), groups, smoke, file)


class _Source:
    """A TOML text that can say on which line something stands."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file

    def table(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            raise InvalidInput(f"suite {self.file}: this is not TOML: {error}") from None

    def error(
        self, message: str, *, section: str | None = None, index: int = 0, key: str = "", value: str = ""
    ) -> InvalidInput:
        line = self.line(section, index, key, value)
        return InvalidInput(f"suite {self.file}, line {line}: {message}")

    def line(self, section: str | None, index: int, key: str = "", value: str = "") -> int:
        """Return the line of a value or a key in a section, or the section's own."""
        lines = self.text.splitlines()
        heads = [i for i, line in enumerate(lines) if re.match(r"\s*\[", line)]
        if section is None:
            first, last = 0, heads[0] if heads and not key else len(lines)
        else:
            own = [i for i in heads if re.match(rf"\s*\[\[\s*{section}\s*\]\]", lines[i])]
            first = own[index] if index < len(own) else 0
            last = next((i for i in heads if i > first), len(lines))
        for pattern in (re.escape(value) if value else None, rf"(?<![\w-]){re.escape(key)}(?![\w-])" if key else None):
            for i in range(first, last):
                if pattern is not None and re.search(pattern, lines[i].partition("#")[0]):
                    return i + 1
        return first + 1


def _group(source: _Source, section: str, index: int, entries: Mapping[str, Any]) -> Group:
    def error(message: str, key: str = "", value: str = "") -> InvalidInput:
        return source.error(message, section=section, index=index, key=key, value=value)

    for key in entries:
        if key not in _GROUP:
            raise error(f"{key!r} is no key of a group; legal: {', '.join(_GROUP)}", key)
    for key in _NEEDED:
        if key not in entries:
            raise error(f"a group needs the key {key!r}")
    numbers = {"repeats": 1, "instance": 0, "seed": 0}
    for key, low in numbers.items():
        value = entries.get(key, low)
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            raise error(f"{key} must be a whole number of at least {low}, not {value!r}", key)
    problem, solvers = entries["problem"], entries["solvers"]
    if problem not in names("llmopt.problems"):
        raise error(str(unknown_name("problem", str(problem), names("llmopt.problems"))), "problem")
    if not isinstance(solvers, list) or not solvers or not all(isinstance(text, str) for text in solvers):
        raise error('solvers must be a list of texts, such as ["random", "tpe"]', "solvers")
    for text in solvers:
        if text.partition(":")[0] not in names("llmopt.solvers"):
            unknown = unknown_name("solver", text.partition(":")[0], names("llmopt.solvers"))
            raise error(str(unknown), "solvers", f'"{text}"')
        if solvers.count(text) > 1:
            raise error(f"the solver {text} is given twice", "solvers", f'"{text}"')
        try:
            if not needs_model(text):
                create_solver(text)
        except InvalidInput as wrong:
            raise error(str(wrong), "solvers", f'"{text}"') from None
    budget = entries["budget"]
    if not isinstance(budget, dict):
        raise error("budget must be a table, such as { evaluations = 500 }", "budget")
    for key in budget:
        if key not in _BUDGET:
            raise error(f"{key!r} is no budget; legal: {', '.join(_BUDGET)}", key)
    limits = dict(budget)
    if PER_VARIABLE in limits:
        each = limits.pop(PER_VARIABLE)
        if isinstance(each, bool) or not isinstance(each, int) or each < 1 or "evaluations" in limits:
            raise error(
                f"{PER_VARIABLE} must be a whole number of at least 1, and stand without evaluations", PER_VARIABLE
            )
        limits["evaluations"] = each
    try:
        Budget(**limits)
    except InvalidInput as wrong:
        raise error(str(wrong), "budget") from None
    settings = entries.get("settings", {})
    tables = settings if isinstance(settings, list) else [settings]
    if not tables or not all(isinstance(table, dict) for table in tables):
        raise error('settings must be a table, or a list of tables, such as { name = "sphere" }', "settings")
    for key, value in itertools.chain.from_iterable(table.items() for table in tables):
        if value == []:
            raise error(f"{key} is an empty list, which leaves nothing to run; give a value, or a list of some", key)
    multiplied = [each for table in tables for each in _multiplied(table)]
    for each in multiplied:
        if "instance" in each:
            raise error("the instance is a key of the group, not a setting", "instance")
    repeats, instance, seed = (entries.get(key, low) for key, low in numbers.items())
    return Group(problem, multiplied, repeats, instance, seed, solvers, budget, source.line(section, index))


def _multiplied(table: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Yield the settings of a table whose lists are multiplied out, the last one changing fastest."""
    choices = [value if isinstance(value, list) else [value] for value in table.values()]
    for values in itertools.product(*choices):
        yield {key: _text(value) for key, value in zip(table, values, strict=True)}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
