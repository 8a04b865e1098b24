"""``python -m llmopt.benchmarks.perf``: measure everything, print one table, and keep it for a report."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from llmopt.benchmarks.perf.measurements import FILE, HEADINGS, Measurements, cells
from llmopt.errors import InvalidInput, MissingExtra
from llmopt.runlog.reader import FILE as RUN_LOG

# What is sensitive to the size of this process comes first, what makes it large last.
NAMES = (
    "startup",
    "exhaustive",
    "random_search",
    "remote_calls",
    "reply_cache",
    "local_step",
    "scoring",
    "meta_prompt",
    "llm_sampler",
    "run_log",
    "many_runs",
    "tours",
)
PACKAGES = ("llmopt", "numpy", "scipy", "optuna", "xllamacpp", "httpx2", "openai")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the measurements and print their rows."""
    parser = argparse.ArgumentParser(prog="python -m llmopt.benchmarks.perf", description=__doc__)
    parser.add_argument("--only", choices=NAMES, action="append", help="measure this alone; may be repeated")
    parser.add_argument("--quick", action="store_true", help="small sizes, which say nothing about the targets")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help=f"keep what is measured in DIR/{FILE}, for llmopt report DIR"
    )
    options = parser.parse_args(arguments)
    names = list(dict.fromkeys(options.only or NAMES))
    command = ["python", "-m", "llmopt.benchmarks.perf", *(["--quick"] if options.quick else [])]
    command += [word for name in options.only or () for word in ("--only", name)]
    found = Measurements(command, machine(), options.quick, pending=names)
    try:
        _measure(found, options.out)
    except InvalidInput as error:
        parser.error(str(error))
    if options.json:
        print(json.dumps(found.as_json(), indent=1))
        return
    print("Speed and memory" + (" (quick: small sizes, the targets do not apply)" if options.quick else ""))
    print()
    print(table([HEADINGS, *map(cells, found.rows)]))
    print()
    print("; ".join(f"{key} {value}" for key, value in found.machine.items()))
    for name, reason in found.missing.items():
        print(f"{name} was not measured: {reason}")


def _measure(found: Measurements, folder: Path | None) -> None:
    """Measure what is pending; what has been measured is in the folder at once."""
    if folder is not None:
        _begin(found, folder)
    for name in tuple(found.pending):
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        try:
            found.rows += import_module(f"llmopt.benchmarks.perf.{name}").measure(quick=found.quick).rows()
        except MissingExtra as error:
            found.missing[name] = str(error)
        found.pending.remove(name)
        if folder is not None:
            found.write(folder)


def _begin(found: Measurements, folder: Path) -> None:
    """Write the file before anything is measured, which shows whether that can be done."""
    if any((folder / name).exists() for name in (FILE, RUN_LOG)):
        raise InvalidInput(f"--out {folder} holds results already; give another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"--out {folder} cannot be made: {error.strerror or error}") from None
    found.write(folder)


def machine() -> dict[str, str]:
    """Return what the figures depend on."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "CPUs": str(os.cpu_count()),
        "load": f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        **{package: _version(package) for package in PACKAGES},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def table(lines: Sequence[Sequence[str]]) -> str:
    """Return lines of cells in aligned columns, the first of them as headings."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    ruled = [lines[0], ["-" * width for width in widths], *lines[1:]]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in ruled
    )


if __name__ == "__main__":
    main()
