"""``llmopt new``: the beginning of a package with a problem of one's own."""

from __future__ import annotations

import json
import keyword
import re
import sys
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Annotated, Literal

import typer

from llmopt.cli import options
from llmopt.errors import InvalidInput

Kind = Literal["problem"]

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def new(
    kind: Annotated[Kind, typer.Argument(metavar="problem", help="What to begin.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name, which is that of a Python module too.")],
    as_json: options.Json = False,
) -> int:
    """Write a folder NAME with a problem, its tests and its registration, to be changed.

    Example: llmopt new problem fence
    """
    from llmopt.report.safe import one_line

    folder = Path(name)
    written = _write(folder, name)
    if as_json:
        print(json.dumps({"folder": str(folder), "written": [str(path) for path in written]}, indent=2))
        return 0
    for path in written:
        print(one_line(f"written: {path}"))
    print(f"next: pip install -e './{name}[test]'; pytest {name}; llmopt solve {name} --solver random")
    return 0


def _write(folder: Path, name: str) -> list[Path]:
    from llmopt.registry import names

    for is_taken, what in ((keyword.iskeyword(name), "a keyword"), (name in sys.stdlib_module_names, "a module")):
        if is_taken:
            raise InvalidInput(f"{name!r} is {what} of Python, which no other module can be named; choose another name")
    if not _NAME.fullmatch(name):
        raise InvalidInput(f"{name!r} cannot be the name of a module: use small letters, digits and _, a letter first")
    if name in names("llmopt.problems"):
        raise InvalidInput(f"there is a problem {name} already (llmopt list problems); choose another name")
    if folder.exists():
        raise InvalidInput(f"{folder} is there already; choose another name, or go to another folder")
    class_name = "".join(word.capitalize() for word in name.split("_"))
    values = {"name": name, "dashed": name.replace("_", "-").strip("-"), "class_name": class_name}
    written = []
    try:
        folder.mkdir()
        for template in sorted(files("llmopt.cli").joinpath("templates/problem").iterdir(), key=lambda file: file.name):
            path = folder / template.name.removesuffix(".template").replace("module", name)
            path.write_text(Template(template.read_text(encoding="utf-8")).substitute(values), encoding="utf-8")
            written.append(path)
    except OSError as error:
        raise InvalidInput(f"{error.filename} cannot be written: {error.strerror}") from None
    return written
