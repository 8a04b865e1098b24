"""The command line."""

from __future__ import annotations

import sys


def main() -> None:
    """Run ``llmopt`` with the arguments of this process, and end it with the exit code."""
    from llmopt.cli.app import execute
    from llmopt.cli.interrupts import keep_interrupts

    keep_interrupts()
    raise SystemExit(execute(sys.argv[1:]))
