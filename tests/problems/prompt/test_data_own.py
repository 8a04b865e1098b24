"""A user's own examples, in every kind of file."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmopt.errors import InvalidInput, MissingExtra
from llmopt.problems.prompt.data import load
from llmopt.problems.prompt.data.own import own_file
from llmopt.problems.prompt.examples import Example

ROWS = [{"question": "What is 2 + 3?", "answer": "5"}, {"question": "Größe, und?", "answer": "ja; doch"}]
EXAMPLES = tuple(Example(row["question"], row["answer"]) for row in ROWS)


def csv_text(rows: list[dict[str, str]], delimiter: str) -> str:
    target = io.StringIO(newline="")
    writer = csv.DictWriter(target, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return target.getvalue()


FILES = {
    "x.jsonl": "\n".join(json.dumps(row) for row in ROWS) + "\n\n",
    "lines.json": "\n".join(json.dumps(row) for row in ROWS),
    "list.json": json.dumps(ROWS, indent=2),
    "bbh.json": json.dumps({"canary": "keep out", "examples": ROWS}),
    "comma.csv": csv_text(ROWS, ","),
    "semicolon.CSV": csv_text(ROWS, ";"),
    "tab.tsv": csv_text(ROWS, "\t"),
    "excel.csv": "\ufeff" + csv_text(ROWS, ";"),
    "numbered.csv": csv_text([{"": str(i), **row} for i, row in enumerate(ROWS)], ","),
}


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_file_gives_the_same_examples_in_its_order(tmp_path: Path, name: str) -> None:
    dataset = own_file(write(tmp_path, name, FILES[name]))
    assert dataset.examples == EXAMPLES
    assert (dataset.name, dataset.test, dataset.metric, dataset.licence) == (name, (), "exact", "")
    assert dataset.sha256 == hashlib.sha256(FILES[name].encode()).hexdigest()


def test_parquet_gives_them_too(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pa.Table.from_pylist(ROWS), tmp_path / "x.parquet")
    assert own_file(tmp_path / "x.parquet").examples == EXAMPLES
    with pytest.raises(InvalidInput, match=r"y\.parquet: not a Parquet file"):
        own_file(write(tmp_path, "y.parquet", "PAR1 and no more"))


def test_parquet_without_its_package_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"pip install 'llmopt\[parquet\]'"):
        own_file(write(tmp_path, "x.parquet", "?"))


# No lone surrogates, which UTF-8 cannot hold, and no carriage return or NUL, which CSV cannot hold everywhere.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), min_size=1).filter(str.strip)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.fixed_dictionaries({"text": texts, "label": texts}), min_size=1))
def test_any_text_comes_back_from_json_lines_and_from_csv(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    wanted = tuple(Example(row["text"], row["label"].strip()) for row in rows)
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    assert own_file(write(tmp_path, "x.jsonl", lines)).examples == wanted
    assert own_file(write(tmp_path, "x.csv", csv_text(rows, ","))).examples == wanted


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary() | st.text(alphabet='{}[]",:\n ainputrge1').map(str.encode),
    kind=st.sampled_from(["jsonl", "json", "csv"]),
)
def test_any_other_file_is_an_error_of_one_line(tmp_path: Path, content: bytes, kind: str) -> None:
    path = tmp_path / f"x.{kind}"
    path.write_bytes(content)
    try:
        own_file(path)
    except InvalidInput as error:
        assert str(path) in str(error)
        assert "\n" not in str(error).replace(str(path), "")


@pytest.mark.parametrize(("number", "text"), [(7, "7"), (7.0, "7"), (0.25, "0.25"), (-3, "-3")])
def test_an_answer_may_be_a_number(tmp_path: Path, number: float, text: str) -> None:
    path = write(tmp_path, "x.json", json.dumps([{"input": "?", "target": number}]))
    assert own_file(path).examples == (Example("?", text),)


@pytest.mark.parametrize("digits", [310, 4_299])
def test_a_number_beyond_floats_is_taken_by_its_digits(tmp_path: Path, digits: int) -> None:
    number = "9" * digits
    path = write(tmp_path, "x.jsonl", f'{{"input": "?", "target": {number}}}\n{{"input": "!", "target": -{number}}}')
    assert own_file(path).examples == (Example("?", number), Example("!", f"-{number}"))


def test_a_cell_may_be_long_and_other_readers_of_csv_keep_their_limit(tmp_path: Path) -> None:
    rows = [{"question": "long " * 40_000, "answer": "5"}]
    before = csv.field_size_limit()
    for name, delimiter in (("x.csv", ","), ("x.tsv", "\t")):
        path = write(tmp_path, name, csv_text(rows, delimiter))
        assert own_file(path).examples == (Example(rows[0]["question"], "5"),)
    with pytest.raises(InvalidInput, match="line 2: not CSV"):
        own_file(write(tmp_path, "broken.csv", 'input,target\na,"b\n'))
    assert csv.field_size_limit() == before


@pytest.mark.parametrize("name", ["x.tsv", "x.TSV"])
def test_in_a_tsv_file_the_tab_separates_whatever_else_a_header_holds(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name, "question, in words; or not\ttarget\nWhat is 2 + 3?\t5\n")
    assert own_file(path, "question, in words; or not").examples == (Example("What is 2 + 3?", "5"),)
    path = write(tmp_path, name, "input,target\na,b\n")
    assert own_file(path).examples == (Example("a", "b"),)


def test_an_answer_may_be_true_or_false(tmp_path: Path) -> None:
    path = write(tmp_path, "x.jsonl", '{"input": "a", "target": true}\n{"input": "b", "target": false}')
    assert own_file(path).examples == (Example("a", "true"), Example("b", "false"))


def test_a_file_is_named_as_it_was_given_whatever_setting_named_it(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", "")
    for name, data in ((str(path), None), ("file", path)):
        with pytest.raises(InvalidInput, match=f"^{path}: the file holds no examples"):
            load(name, data=data)


def test_columns_can_be_chosen_where_they_cannot_be_guessed(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", "text,question,answer,best\na,b,c,d\n")
    assert own_file(path, input_column="question").examples == (Example("b", "c"),)
    assert own_file(path, "text", "best").examples == (Example("a", "d"),)
    with pytest.raises(InvalidInput, match=r"input_column is needed.*\(text, question\).*text, question, answer, best"):
        own_file(path)
    with pytest.raises(InvalidInput, match=r"unknown column .*did you mean 'answer'"):
        own_file(path, "text", "answr")
    with pytest.raises(InvalidInput, match="both 'text'; give two columns"):
        own_file(path, "text", "text")


def test_without_a_usual_name_the_columns_are_listed(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", "question,reply\na,b\n")
    with pytest.raises(InvalidInput, match=r"target_column is needed, since none .*its columns are question, reply"):
        own_file(path)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.txt", "input", r"no kind of file ends in '\.txt'; legal are \.jsonl"),
        ("x.jsonl", "", "holds no examples"),
        ("x.csv", "", "holds no examples"),
        ("x.csv", "input,target\n", "holds no examples"),
        ("x.json", "[]", "holds no examples"),
        ("x.json", "{}", "neither a list of objects nor"),
        ("x.json", "[1]", "item 1: 1 is not an object"),
        ("x.json", '[\n{"input": 1,}]', "line 2: not JSON"),
        ("x.json", "[" * 100_000, "too deep"),
        ("x.jsonl", '{"input": "a", "target": "b"}\n\n{"input": "a"', "line 3: not JSON"),
        ("x.jsonl", '{"input": "a", "target": "b"}\n{"input": "a"}', "line 2: it has no 'target'"),
        ("x.jsonl", '{"input": "a", "target": "b"}\n{"input": "a", "target": null}', "line 2: it has no 'target'"),
        ("x.jsonl", '{"input": ["a"], "target": "b"}', r"line 1: 'input' holds \['a'\], which is not text"),
        ("x.jsonl", '{"input": 3, "target": "b"}', "line 1: 'input' holds 3, which is not text"),
        ("x.jsonl", '{"input": "a", "target": ["b"]}', r"line 1: 'target' holds \['b'\], which is neither"),
        ("x.jsonl", '{"input": "a", "target": NaN}', "line 1: 'target' holds nan, which is neither"),
        ("x.jsonl", '{"input": "\\ud800", "target": "b"}', "line 1: 'input' .* half a character"),
        ("x.jsonl", '{"input": " ", "target": "b"}', "line 1: 'input' is empty"),
        ("x.csv", "input,target\na,b\n\n,b\n", "line 4: 'input' is empty"),
        ("x.csv", 'input,target\n"a\nb",c\na,b,c\n', "line 4 has 3 cells, the header 2"),
        ("x.csv", 'input,target\na,"b\n', "line 2: not CSV"),
        ("x.csv", "input,input\na,b\n", "a different name for each column"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        own_file(write(tmp_path, name, text))


def test_text_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes("input,target\nGröße,b\n".encode("latin-1"))
    with pytest.raises(InvalidInput, match="line 2: not UTF-8 text"):
        own_file(tmp_path / "x.csv")


def test_a_path_is_a_short_form_of_file(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", "q,a\nb,c\n")
    short = load(str(path), input_column="q", target_column="a")
    assert short == load("file", data=path, input_column="q", target_column="a")
    with pytest.raises(InvalidInput, match="is given too"):
        load(str(path), data=path)
    with pytest.raises(InvalidInput, match="give it with data=FILE"):
        load("file")
    with pytest.raises(InvalidInput, match="there is no such file"):
        load(str(tmp_path / "y.csv"))
    with pytest.raises(InvalidInput, match="there is no such file"):
        load("file", data=tmp_path / "y.csv")
    with pytest.raises(InvalidInput, match="no kind of file ends"):
        load("file", data=tmp_path)
