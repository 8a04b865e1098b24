"""``python -m llmopt.benchmarks.perf``: measure everything and print one table."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from llmopt.benchmarks.perf.row import Row
from llmopt.errors import MissingExtra

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
    "run_log",
    "tours",
)
PACKAGES = ("llmopt", "numpy", "scipy", "optuna", "xllamacpp", "httpx2", "openai")
HEADINGS = ("what", "measured", "beside", "ratio", "target", "holds")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the measurements and print their rows."""
    parser = argparse.ArgumentParser(prog="python -m llmopt.benchmarks.perf", description=__doc__)
    parser.add_argument("--only", choices=NAMES, action="append", help="measure this alone; may be repeated")
    parser.add_argument("--quick", action="store_true", help="small sizes, which say nothing about the targets")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args(arguments)
    rows: list[Row] = []
    missing: dict[str, str] = {}
    for name in options.only or NAMES:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        try:
            rows += import_module(f"llmopt.benchmarks.perf.{name}").measure(quick=options.quick).rows()
        except MissingExtra as error:
            missing[name] = str(error)
    if options.json:
        records = [{**asdict(row), "value": row.value, "holds": row.holds} for row in rows]
        document = {"machine": machine(), "quick": options.quick, "rows": records, "missing": missing}
        print(json.dumps(document, indent=1))
        return
    print("Speed and memory" + (" (quick: small sizes, the targets do not apply)" if options.quick else ""))
    print()
    print(table([HEADINGS, *map(cells, rows)]))
    print()
    print("; ".join(f"{key} {value}" for key, value in machine().items()))
    for name, reason in missing.items():
        print(f"{name} was not measured: {reason}")


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


def cells(row: Row) -> tuple[str, ...]:
    """Return a row as texts, one for each heading."""
    beside = "" if row.beside is None else f"{_number(row.beside)} {row.unit} ({row.beside_what})"
    compared = {"none": "", "ratio": f"{row.value:.3f}", "difference": f"{row.value:+.3f} {row.unit}"}[row.compared]
    if row.limit is None:
        target = ""
    else:
        unit = {"none": row.unit, "ratio": "times", "difference": f"{row.unit} more"}[row.compared]
        target = f"<= {row.limit:g} {unit}"
    holds = {None: "", True: "yes", False: "NO"}[row.holds]
    return row.what, f"{_number(row.measured)} {row.unit}", beside, compared, target, holds


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(lines: Sequence[Sequence[str]]) -> str:
    """Return lines of cells in aligned columns, the first of them as headings."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    ruled = [lines[0], ["-" * width for width in widths], *lines[1:]]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in ruled
    )


if __name__ == "__main__":
    main()
