"""The command line for tests: in a process of its own, or in this one, with the tests' own package installed."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from llmopt.cli.app import execute

PLUGIN = Path(__file__).parent / "plugin"

Command = Callable[..., subprocess.CompletedProcess[str]]


def environment() -> dict[str, str]:
    """Return an environment in which the package of the tests is installed."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(PLUGIN), str(PLUGIN.parents[1])]), "PYTHONWARNINGS": ""}


class Here:
    """Runs the command line in this process, which is quicker."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self._capsys.readouterr()
        code = execute(arguments)
        return code, *self._capsys.readouterr()
