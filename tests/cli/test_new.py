"""A problem of one's own is begun by one command, and works at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.commands import Here


def test_a_new_problem_is_installed_solved_and_checked(here: Here, tmp_path: Path) -> None:
    code, out, _ = here("new", "problem", "my_fence")
    assert code == 0
    assert sorted(path.name for path in (tmp_path / "my_fence").iterdir()) == [
        "my_fence.py",
        "pyproject.toml",
        "test_my_fence.py",
    ]
    assert "llmopt solve my_fence" in out
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--no-build-isolation"]
    site = tmp_path / "site"
    subprocess.run([*pip, "--target", str(site), str(tmp_path / "my_fence")], check=True)
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-P", "-m", "llmopt.cli", "solve", "my_fence", "dim=3", "--solver", "random", "--json"]
    solved = subprocess.run(
        [*command, "--max-evaluations", "50"], env=environment, stdout=subprocess.PIPE, text=True, cwd=tmp_path
    )
    assert json.loads(solved.stdout)["runs"][0]["proposals"] == 50
    tests = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path / "my_fence")]
    checked = subprocess.run(tests, env=environment, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout


def test_the_document_for_machines_names_the_files(here: Here) -> None:
    code, out, _ = here("new", "problem", "fence", "--json")
    assert code == 0
    assert json.loads(out)["folder"] == "fence"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Fence", "small letters"),
        ("../fence", "small letters"),
        ("class", "'class' is a keyword of Python"),
        ("json", "'json' is a module of Python"),
        ("regression", "there is a problem regression already"),
    ],
)
def test_a_name_that_is_not_legal_is_one_clear_error(here: Here, tmp_path: Path, name: str, words: str) -> None:
    code, _, err = here("new", "problem", name)
    assert code == 2
    assert words in err
    assert not list(tmp_path.iterdir())


def test_what_is_there_is_not_written_over(here: Here, tmp_path: Path) -> None:
    (tmp_path / "fence").mkdir()
    code, _, err = here("new", "problem", "fence")
    assert (code, list((tmp_path / "fence").iterdir())) == (2, [])
    assert "is there already" in err
