"""A file of a study says what it is of, and is not taken for one of something else."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt.benchmarks.studies import confirm, gaps, hybrid, presentation
from llmopt.benchmarks.studies.kept import Kept
from llmopt.errors import InvalidInput


def test_rows_come_back_to_who_asks_for_the_same(tmp_path: Path) -> None:
    path = tmp_path / "kept.csv"
    kept = Kept(path, "gaps", model="local,local:smollm2-135m")
    assert kept.rows == [] and not path.exists()
    kept.add("a, b", 1)
    kept.add("c", 2)
    assert Kept(path, "gaps", model="local,local:smollm2-135m").rows == [["a, b", "1"], ["c", "2"]]


def test_a_file_of_another_model_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "kept.csv"
    Kept(path, "gaps", model="local").add("a", 1)
    before = path.read_text()
    with pytest.raises(InvalidInput, match=r"is of study=gaps,model=local, not of study=gaps,model=copier; name"):
        Kept(path, "gaps", model="copier")
    with pytest.raises(InvalidInput, match="not of study=confirm,model=local"):
        Kept(path, "confirm", model="local")
    assert path.read_text() == before


def test_a_file_that_says_nothing_is_refused_with_the_command_that_lets_it_speak(tmp_path: Path) -> None:
    path = tmp_path / "an old one.csv"
    path.write_text("gaussian,8000,1,219,27\n")
    with pytest.raises(InvalidInput, match="does not say what it is of") as refused:
        Kept(path, "confirm", model="local,copier")
    subprocess.run(str(refused.value).rpartition("first line: ")[2], shell=True, check=True)
    assert Kept(path, "confirm", model="local,copier").rows == [["gaussian", "8000", "1", "219", "27"]]


@given(st.integers(0, 60))
def test_a_line_that_was_cut_short_is_written_again(cut: int) -> None:
    rows = [["a, b", "1"], ["c", "22"], ["d", "3"]]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "kept.csv"
        for row in rows:
            Kept(path, "gaps", model="local").add(*row)
        whole = path.read_bytes()
        path.write_bytes(whole[: max(0, len(whole) - cut)])
        kept = Kept(path, "gaps", model="local")
        assert kept.rows == rows[: len(kept.rows)] and (len(kept.rows) == 3) == (cut == 0)
        for row in rows[len(kept.rows) :]:
            kept.add(*row)
        assert path.read_bytes() == whole


def test_a_row_of_another_width_is_named(tmp_path: Path) -> None:
    path = tmp_path / "kept.csv"
    path.write_text("study=gaps\na,1\nb,1,2\n")
    with pytest.raises(InvalidInput, match=r"kept.csv line 3: 3 fields, and there are 2 in line 2"):
        Kept(path, "gaps")


def test_a_file_that_cannot_be_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="there is no folder"):
        Kept(tmp_path / "none" / "kept.csv", "gaps")
    with pytest.raises(InvalidInput, match="cannot be read"):
        Kept(tmp_path, "gaps")


def test_no_study_takes_the_rows_of_another_model_for_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, design = str(tmp_path / "kept.csv"), "no model: lines of the prompt"
    Kept(Path(path), "another").add("a", 1)
    calls: list[Callable[[], None]] = [
        lambda: confirm.main(path, design),
        lambda: gaps.main(path, design),
        lambda: presentation.main(path, design),
        lambda: hybrid.main([path, "copier"]),
    ]
    for call in calls:
        with pytest.raises(SystemExit) as ended:
            call()
        said = capsys.readouterr().err
        assert ended.value.code == 2 and len(said.splitlines()) == 1 and "is of study=another, not of study=" in said
