"""Data sets by their names."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from llmopt.errors import InvalidInput
from llmopt.problems.prompt.data import load, names, published_checksum
from llmopt.problems.prompt.data.bbh import TASKS
from llmopt.problems.prompt.examples import Example

SHARED = Path(__file__).parents[4] / "shared" / "data"
shared = pytest.mark.skipif(not (SHARED / "bbh").exists(), reason="the public data sets of ../shared are not here")

FORMS = {
    "choice": r"\([A-R]\)",
    "yes-no": "(?i)yes|no",
    "true-false": "True|False",
    "valid-invalid": "valid|invalid",
    "numeric": r"-?\d+",
    "brackets": r"[])}>]( [])}>])*",
    "words": r"\S+( \S+)+",
}
# A comma in these answers was taken for the end of an option; their authors never corrected it.
MALFORMED = {"Monsters, Inc", "dearth, wind, & fire", "rita, sue and bob poo"}


@pytest.fixture(autouse=True)
def nothing_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMOPT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LLMOPT_DATA", raising=False)


def write(path: Path, value: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path


@shared
@pytest.mark.parametrize("task", TASKS)
def test_the_answers_of_a_task_have_the_form_of_its_metric(task: str) -> None:
    dataset = load(f"bbh/{task}", data=SHARED)
    targets = {example.target for example in dataset.examples} - MALFORMED
    assert [target for target in targets if not re.fullmatch(FORMS[dataset.metric], target)] == []


@shared
@pytest.mark.parametrize("task", TASKS)
def test_a_task_is_what_its_public_file_holds(task: str) -> None:
    dataset = load(f"bbh/{task}", data=SHARED)
    path = SHARED / "bbh" / f"{task}.json"
    document = json.loads(path.read_text())
    assert dataset.examples == tuple(Example(**example) for example in document["examples"])
    assert (dataset.name, dataset.test, dataset.licence) == (f"bbh/{task}", (), "MIT")
    assert dataset.notice == document["canary"]
    assert dataset.sha256 == published_checksum(f"bbh/{task}")
    assert TASKS[task].file.size == path.stat().st_size


@shared
def test_gsm8k_has_a_test_part_and_numbers_as_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMOPT_DATA", str(SHARED))
    dataset = load("gsm8k")
    assert (len(dataset.examples), len(dataset.test)) == (7473, 1319)
    assert all(re.fullmatch(r"-?\d+(\.\d+)?", e.target) for e in (*dataset.examples, *dataset.test))
    assert dataset.examples[0].input.startswith("Natalia sold clips") and dataset.examples[0].target == "72"
    assert (dataset.metric, dataset.licence) == ("numeric", "MIT")
    assert dataset.sha256 == published_checksum("gsm8k")


def test_all_27_tasks_have_names() -> None:
    assert len([name for name in names() if name.startswith("bbh/")]) == 27


def test_another_version_is_taken_and_noticed_by_its_checksum(tmp_path: Path) -> None:
    path = write(tmp_path / "bbh" / "navigate.json", {"examples": [{"input": "Back?", "target": "Yes"}]})
    dataset = load("bbh/navigate", data=tmp_path)
    assert dataset == load("bbh/navigate", data=path)
    assert (dataset.name, dataset.metric, dataset.notice) == ("bbh/navigate", "yes-no", "")
    assert dataset.sha256 != published_checksum("bbh/navigate")


def test_another_version_that_does_not_parse_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "navigate.json", {"examples": [{"input": "Back?"}]})
    with pytest.raises(InvalidInput, match="target"):
        load("bbh/navigate", data=tmp_path)
    (tmp_path / "train.jsonl").write_text('{"question": "1 + 1?", "answer": "It is 2."}')
    (tmp_path / "test.jsonl").write_text('{"question": "1 + 1?", "answer": "#### 2"}')
    with pytest.raises(InvalidInput, match=r"train\.jsonl: line 1: 'answer' does not end in #### and a number"):
        load("gsm8k", data=tmp_path)
    assert load("gsm8k", data=tmp_path / "test.jsonl").examples == (Example("1 + 1?", "2"),)


def test_aqua_shows_its_options_with_letters(tmp_path: Path) -> None:
    path = tmp_path / "test.json"
    rows = [
        {"question": "2 + 2?", "options": ["A)3", "B) 4", "C)x)y"], "rationale": "...", "correct": "B"},
        {"question": "1 + 2?", "options": ["A)3", "B)4", "C)5"], "rationale": "...", "correct": "A"},
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    dataset = load("aqua", data=path)
    assert dataset.examples[0] == Example("2 + 2?\nOptions:\n(A) 3\n(B) 4\n(C) x)y", "(B)")
    assert (len(dataset.examples), dataset.metric) == (2, "choice")


@pytest.mark.parametrize(
    "wrong",
    [{"options": "A)3"}, {"options": ["3", "4"]}, {"options": ["A)3", "A)4"]}, {"correct": "E"}, {"options": []}],
)
def test_aqua_with_other_options_is_refused(tmp_path: Path, wrong: dict[str, object]) -> None:
    row = {"question": "2 + 2?", "options": ["A)3", "B)4"], "correct": "B", **wrong}
    with pytest.raises(InvalidInput, match="item 1: 'options' is not a list"):
        load("aqua", data=write(tmp_path / "x.json", [row]))


def test_multiarith_has_one_number_each(tmp_path: Path) -> None:
    rows = [{"sQuestion": " How many?\n", "lSolutions": [9.0]}, {"sQuestion": "And now?", "lSolutions": [2.5]}]
    dataset = load("multiarith", data=write(tmp_path / "x.json", rows))
    assert dataset.examples == (Example("How many?", "9"), Example("And now?", "2.5"))
    assert dataset.metric == "numeric"
    with pytest.raises(InvalidInput, match="item 1: 'lSolutions' is not a list of one number"):
        load("multiarith", data=write(tmp_path / "x.json", [{"sQuestion": "?", "lSolutions": [1, 2]}]))
    with pytest.raises(InvalidInput, match="item 1: 'lSolutions' is not a list of one number"):
        load("multiarith", data=write(tmp_path / "x.json", [{"sQuestion": "?", "lSolutions": [True]}]))


@pytest.mark.parametrize("name", ["aqua", "multiarith"])
def test_what_is_only_read_from_a_file_asks_for_it(name: str, tmp_path: Path) -> None:
    for data in (None, tmp_path):
        with pytest.raises(InvalidInput, match=f"{name} is read from a local file; give it with data=FILE"):
            load(name, data=data)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(InvalidInput, match="did you mean 'bbh/navigate'"):
        load("bbh/navigat")
    with pytest.raises(InvalidInput, match="only for own files"):
        load("gsm8k", input_column="question")
