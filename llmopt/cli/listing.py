"""``llmopt list``: what there is, and what it can be told."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin, get_type_hints

import typer

from llmopt.cli import options

Kind = Literal["problems", "solvers", "suites"]

# Not settings: the command line gives them to every solver that takes them.
_GIVEN = ("llm", "hint", "instance", "open_model")


def show(
    kind: Annotated[Kind, typer.Argument(metavar="problems|solvers|suites", help="What to list.")],
    as_json: options.Json = False,
) -> int:
    """List problems, solvers or suites with their settings."""
    entries = [_entry(kind, name) for name in _names(kind)]
    if as_json:
        print(json.dumps({kind: entries}, indent=2, allow_nan=False))
    elif not entries:
        print(f"no {kind} are installed")
    else:
        for entry in entries:
            _print(kind, entry)
        if kind == "problems":
            print("every problem:\n    instance=0  (whole number: which of its instances repeat 0 has)")
    return 0


def _names(kind: Kind) -> list[str]:
    from llmopt.registry import Group, names

    return names(cast(Group, f"llmopt.{kind}"))


def _entry(kind: Kind, name: str) -> dict[str, Any]:
    from llmopt.registry import Group, load

    try:
        factory = load(cast(Group, f"llmopt.{kind}"), name)
        if kind == "suites":
            return {"name": name, **_suite(factory)}
        settings = _settings(factory)
    except Exception as error:
        # One broken plug-in must not hide the others.
        return {"name": name, "about": f"cannot be loaded: {error}", "settings": []}
    entry: dict[str, Any] = {"name": name, "about": _about(factory)}
    if kind == "solvers":
        entry["access"] = getattr(factory, "access", "scores")
        entry["needs_model"] = "llm" in inspect.signature(factory).parameters
    entry["settings"] = settings
    return entry


def _suite(path: str | Path) -> dict[str, Any]:
    """Return what a suite's file says of it."""
    from llmopt.benchmarks.suite_file import read

    suite = read(Path(path))
    runs = sum(1 for _ in suite.cells())
    about = f"{' '.join(suite.description.split())} ({runs:,} runs)"
    return {"name": suite.name, "about": about.strip(), "runs": runs, "settings": []}


def _about(factory: object) -> str:
    """Return the first line of a docstring, without the marks that are for documentation tools."""
    line = (inspect.getdoc(factory) or "").partition("\n")[0]
    return re.sub(r":\w+:`~?(?:[\w.]*\.)?(\w+)`", r"\1", line).replace("``", "")


def _settings(factory: Callable[..., Any]) -> list[dict[str, Any]]:
    hints = get_type_hints(factory.__init__ if inspect.isclass(factory) else factory)
    settings = []
    for name, parameter in inspect.signature(factory).parameters.items():
        if name in _GIVEN or parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            continue
        kind = _kind(hints.get(name, str))
        if kind is not None:
            setting = {"name": name, "type": kind}
            if parameter.default is not parameter.empty:
                setting["default"] = _text(parameter.default)
            settings.append(setting)
    return settings


def _kind(hint: Any) -> str | None:
    """Say what a setting takes; None for what cannot be written as text."""
    from pathlib import Path
    from types import NoneType, UnionType

    if get_origin(hint) in (Union, UnionType):
        kinds = [_kind(option) for option in get_args(hint)]
        settable = [kind for kind in kinds if kind not in (None, "none")]
        return " or ".join(kind for kind in kinds if kind is not None) if settable else None
    if get_origin(hint) is Literal:
        return "|".join(map(str, get_args(hint)))
    words = {
        int: "whole number",
        float: "number",
        bool: "true or false",
        str: "text",
        Path: "file",
        NoneType: "none",
    }
    return words.get(hint)


def _text(default: Any) -> str:
    return str(default).lower() if default is None or isinstance(default, bool) else str(default)


def _print(kind: Kind, entry: dict[str, Any]) -> None:
    from llmopt.report.safe import one_line

    traits = ""
    if kind == "solvers" and "access" in entry:
        traits = f" [sees {entry['access']}{', needs a language model' if entry['needs_model'] else ''}]"
    print(one_line(f"{entry['name']}{traits}: {entry['about']}"))
    for setting in entry["settings"]:
        default = setting.get("default", "...")
        trait = ", must be given" if "default" not in setting else ", optional" if default == "none" else ""
        kind_of_value = setting["type"].removesuffix(" or none") + trait
        print(one_line(f"    {setting['name']}={'...' if default == 'none' else default}  ({kind_of_value})"))
