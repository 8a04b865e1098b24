"""``llmopt export``."""

import json
from pathlib import Path

import pytest

from support.commands import Here

MAKE = ("compare", "regression", "--solvers", "random,quadratic", "--repeats", "2", "--max-evaluations", "30")


@pytest.fixture
def report(here: Here) -> str:
    assert here(*MAKE, "--out", "report", "--quiet")[0] == 0
    return "report"


@pytest.mark.parametrize(
    ("form", "files"),
    [
        ("csv", ["runs.csv", "evaluations.csv"]),
        ("parquet", ["runs.parquet", "evaluations.parquet"]),
        ("ioh", ["random", "quadratic"]),
    ],
)
def test_files(here: Here, report: str, form: str, files: list[str], tmp_path: Path) -> None:
    code, out, error = here("export", report, "--format", form, "--to", "out", "--json")
    assert (code, error) == (0, "")
    assert json.loads(out) == {"runs": [1, 2, 3, 4], "to": "out", "written": files}
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(files)
    code, out, error = here("export", report, "--format", form, "--to", "out")
    assert (code, out) == (2, "")
    assert error == "llmopt: --to out exists and is not empty; give a new folder\n"


def test_studies(here: Here, report: str) -> None:
    code, out, _ = here("export", report, "--format", "optuna", "--to", "sqlite:///runs.db", "--run", "3")
    assert code == 0
    assert out == "1 run written to sqlite:///runs.db:\n  report: quadratic, repeat 0, run 3\n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("export report --format xml --to out", "'xml' is not one of"),
        ("export report --format csv", "Missing option '--to'"),
        ("export report --format csv --to out --run 9", "report holds no run 9; legal: 1, 2, 3, 4"),
        ("export . --format csv --to out", ". is not the folder of a run: it holds no run.sqlite"),
        ("export report --format csv --to report/meta.json", "exists and is not empty"),
        ("export report --format csv --to report/meta.json/x", "cannot be written: Not a directory"),
        ("export report --format optuna --to mysql://nowhere", "cannot be used"),
    ],
)
def test_bad_input_is_one_line(here: Here, report: str, line: str, message: str) -> None:
    code, out, error = here(*line.split())
    assert (code, out) == (2, "")
    assert message in error
    assert error.startswith("llmopt: ") and error.count("\n") == 1
