"""The commands of the studies do as they are documented, and say in one line what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType

import pytest

from llmopt.benchmarks.studies import (
    command,
    confirm,
    gaps,
    hybrid,
    instructions,
    next_city,
    overfitting,
    presentation,
    racing,
    score_matrix,
)
from llmopt.benchmarks.studies.designs import DEFAULT, DESIGNS
from llmopt.benchmarks.studies.frozen import frozen
from llmopt.llm.base import LLM
from llmopt.llm.copier import Copier
from support.models import obedient

COPIES = "no model: lines of the prompt"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    some = list(frozen(1))[:2]
    monkeypatch.setattr(presentation, "frozen", lambda: iter(some))
    monkeypatch.setattr(gaps, "FUNCTIONS", ("name=branin", "name=sphere dim=2"))
    monkeypatch.setattr(gaps, "EACH", 10)
    monkeypatch.setattr(confirm, "SEEDS", range(8_000, 8_002))


def failure(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line of what has just been said."""
    shown = capsys.readouterr()
    assert shown.out == "" and len(shown.err.splitlines()) == 1
    return shown.err


@pytest.mark.usefixtures("small")
def test_designs_that_ask_no_model_open_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(spec: str) -> AbstractContextManager[LLM]:
        raise AssertionError("it is not asked")

    monkeypatch.setattr(command, "connect", never)
    gaps.main(str(tmp_path / "gaps.csv"), "--instances", "1", COPIES)
    confirm.main(str(tmp_path / "confirm.csv"), COPIES)
    monkeypatch.setattr(presentation, "DEFAULT", COPIES)
    presentation.main(str(tmp_path / "presentation.csv"), COPIES)


@pytest.mark.usefixtures("small")
def test_options_may_stand_between_the_file_and_the_designs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presentation, "DEFAULT", COPIES)
    presentation.main(str(tmp_path / "presentation.csv"), "--llm", "copier", COPIES)
    confirm.main(str(tmp_path / "confirm.csv"), "--llm", "copier", COPIES)
    gaps.main(str(tmp_path / "gaps.csv"), "--llm", "copier", "--instances", "1", COPIES)
    assert all(path.read_text().startswith(f"study={path.stem},model=copier") for path in tmp_path.iterdir())


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("study", [presentation, confirm, gaps])
def test_a_model_that_cannot_do_a_design_is_refused_in_one_line(
    study: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        study.main(str(tmp_path / "found.csv"), "--llm", "copier", DEFAULT)
    assert ended.value.code == 2 and failure(capsys).startswith(f"llmopt: {DEFAULT}: ")


def test_a_model_that_there_is_not_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    calls: list[Callable[[], None]] = [
        lambda: next_city.main("no-such-model"),
        lambda: hybrid.main([str(tmp_path / "found.csv"), "no-such-model"]),
    ]
    for call in calls:
        with pytest.raises(SystemExit) as ended:
            call()
        assert ended.value.code == 2 and "no-such-model" in failure(capsys)
    assert not (tmp_path / "found.csv").exists()


@pytest.mark.parametrize("study", [instructions, score_matrix, overfitting])
def test_data_that_are_not_there_are_refused_in_one_line(
    study: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    needed = {
        instructions: ("--llm", "copier", "--out", str(tmp_path)),
        score_matrix: ("--runs", "none", "--tasks", "navigate", "--out", str(tmp_path)),
        overfitting: ("--runs", "none", "--task", "navigate"),
    }
    with pytest.raises(SystemExit) as ended:
        study.main("--data", "/nope", "--scorer", "copier", *needed[study])
    assert ended.value.code == 2 and "data=/nope: there is no such file or folder" in failure(capsys)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "holds no .csv; give a folder that"),
        ("a,b\n", "mine.csv is no matrix of scores"),
        ("\n", "mine.csv is no matrix of scores: it is empty"),
    ],
)
def test_matrices_that_are_none_are_refused_in_one_line(
    content: str | None, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "mine.csv").write_text(content)
    with pytest.raises(SystemExit) as ended:
        racing.main(["--matrices", str(tmp_path)])
    assert ended.value.code == 2 and words in failure(capsys)


def test_a_folder_that_cannot_be_written_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    out = str(tmp_path / "file" / "matrices")
    with pytest.raises(SystemExit) as ended:
        score_matrix.main("--data", "none", "--runs", "none", "--tasks", "navigate", "--out", out)
    assert ended.value.code == 2 and f"{out}: Not a directory" in failure(capsys)


def test_help_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    studies = (next_city, confirm, gaps, presentation, instructions, score_matrix, overfitting)
    for main in [study.main for study in studies]:
        with pytest.raises(SystemExit) as ended:
            main("--help")
        assert ended.value.code == 0 and capsys.readouterr().out.startswith("usage: ")


def test_a_design_asks_no_model_where_its_name_says_so() -> None:
    for name, make in DESIGNS.items():
        [asked] = make(obedient()).models.values()
        assert isinstance(asked, Copier) == name.startswith(command.NO_MODEL)
