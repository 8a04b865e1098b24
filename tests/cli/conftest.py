import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.commands import PLUGIN, Command, Here, environment


@pytest.fixture
def llmopt(tmp_path: Path) -> Command:
    """Run the command line in a process of its own, in an empty folder."""

    def command(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "llmopt.cli", *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment(),
            timeout=60,
            **options,
        )

    return command


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Here:
    monkeypatch.syspath_prepend(str(PLUGIN))
    monkeypatch.chdir(tmp_path)
    return Here(capsys)
