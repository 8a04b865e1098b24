"""Linear regression on a user's table, and what can be wrong with the table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmopt import Float, InvalidInput, Vector
from llmopt.problems.regression import regression
from llmopt.problems.table_regression import TableRegression
from llmopt.registry import create_problem

DATA = "size,age,price\n1,5,7.1\n2,3,8.2\n3,8,13.9\n4,1,10.1\n5,9,19.3\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "houses.csv"
    file.write_text(DATA)
    return file


def test_real_coefficients(path: Path) -> None:
    problem = TableRegression(path, "price")
    assert problem.space == Vector(size=Float(-50, 50), age=Float(-50, 50), intercept=Float(-50, 50))
    x = np.array([[1, 5, 1], [2, 3, 1], [3, 8, 1], [4, 1, 1], [5, 9, 1]])
    y = np.array([7.1, 8.2, 13.9, 10.1, 19.3])
    expected = np.linalg.lstsq(x, y)[0]
    optimum = problem.optimum
    assert optimum is not None
    np.testing.assert_allclose(list(optimum.solution.values()), expected, rtol=1e-9)
    np.testing.assert_allclose(optimum.score, np.sum((y - x @ expected) ** 2), rtol=1e-9)
    assert optimum.tolerance == pytest.approx(0.01 * optimum.score + 1e-6 * 5 * np.var(y))
    solution = {"size": 0.25, "age": -1.5, "intercept": 3.0}
    assert problem.evaluate(solution) == pytest.approx(np.sum((y - x @ [0.25, -1.5, 3.0]) ** 2), rel=1e-9)


def test_whole_coefficients_by_the_registry(path: Path) -> None:
    settings = {
        "data": str(path),
        "target": "price",
        "features": "age,size",
        "integer": "true",
        "low": "-9",
        "high": "9",
    }
    problem = create_problem("regression", settings)
    assert problem.space.size == 19**3
    (columns,) = problem.space.enumerate()
    losses = problem.evaluate_batch(columns)
    assert losses is not None
    assert problem.optimum is not None
    assert list(problem.optimum.solution) == ["age", "size", "intercept"]
    assert losses.min() == problem.optimum.score == problem.evaluate(problem.optimum.solution)


def test_bounds_that_bind(path: Path) -> None:
    problem = TableRegression(path, "price", "size", intercept=False, low=-2, high=0.5)
    assert problem.optimum is not None
    assert problem.optimum.solution == {"size": 0.5}


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10**6))
def test_a_loss_does_not_depend_on_its_batch(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    rng = np.random.default_rng(seed)
    file = tmp_path_factory.mktemp("table") / "t.csv"
    rows = [",".join(repr(float(v)) for v in row) for row in rng.normal(size=(20, 7))]
    file.write_text("\n".join(["a,b,c,d,e,f,y", *rows]))
    problem = TableRegression(file, "y")
    columns = problem.space.sample(37, rng)
    losses = problem.evaluate_batch(columns)
    assert [problem.evaluate(solution) for solution in problem.space.solutions(columns)] == losses.tolist()


def test_starts_belong_to_the_instance(path: Path) -> None:
    rng = np.random.default_rng(0)
    first, again, other = (TableRegression(path, "price", instance=i).starts(rng) for i in (1, 1, 2))
    assert first == again != other
    assert len(first) == 5


def test_names_become_legal_and_stay_different(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text(
        "living area,living_area,2nd,intercept,y\n1,2,4,1,1\n2,1,1,0,0\n3,5,0,4,7\n4,4,9,9,2\n5,0,1,3,8\n6,1,1,1,1\n"
    )
    assert list(TableRegression(file, "y").space.variables) == [
        "living_area",
        "living_area_2",
        "_2nd",
        "intercept",
        "intercept_2",
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_forms_of_a_table(tmp_path: Path, delimiter: str, end: str) -> None:
    file = tmp_path / "t.csv"
    text = "\ufeff" + DATA.replace("size", '"size"').replace("1,5", " 1 ,5").replace(",", delimiter) + "\n\n"
    file.write_bytes(text.replace("\n", end).encode())
    assert list(TableRegression(file, "price").space.variables) == ["size", "age", "intercept"]


def test_description(path: Path) -> None:
    problem = TableRegression(path, "price", low=-44, high=44)
    text = problem.describe()
    assert all(re.search(rf"\b{name}\b", text) for name in [*problem.space.variables, "price", "minimised"])
    assert not re.findall(r"\d", text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "there is no such file"),
        ("", "the file is empty"),
        ("\n \n", "the file is empty"),
        ("a,b,y\n", "no row below"),
        ("a,,y\n1,2,3\n", "one different name per column"),
        ("a,a,y\n1,2,3\n", "one different name per column"),
        ("a,b,y\n1,2,3\n1,2\n", "line 3 has 2 cells, the header 3"),
        ("a,b,y\n1,2,3\n\n1,two,3\n", "line 4, column 'b': 'two' is not a finite number"),
        ("a,b,y\n1,,3\n", "column 'b': '' is not a finite number"),
        ("a;b;y\n1;2,5;3\n", "'2,5' is not a finite number"),
        ("a,b,y\n1,nan,3\n", "'nan' is not a finite number"),
        ("a,b,y\n1,1e99,3\n", "'1e99' is not a finite number of at most 1e15"),
        ("a,b,z\n1,2,3\n", "did you mean|unknown column of .* 'y'"),
        ("y\n1\n2\n", "no column beside target=y"),
        ("a,b,y\n1,2,3\n4,5,7\n", "2 rows cannot settle 3 coefficients"),
        ("a,y\n1,2\n4,2\n9,2\n", "the target is 2 in every row"),
        ("a,b,y\n1,3,2\n4,3,5\n9,3,1\n", "the feature 'b' is 3 in every row"),
        ("a,b,y\n1,3,2\n4,9,5\n9,19,1\n2,5,1\n", "the feature 'b' is a combination"),
        ("a,y\n1,2\n\x00,3\n3,3\n", "not a finite number|is not CSV"),
    ],
)
def test_bad_tables_are_named(tmp_path: Path, text: str | None, words: str) -> None:
    file = tmp_path / "t.csv"
    if text is not None:
        file.write_text(text)
    with pytest.raises(InvalidInput, match=words) as caught:
        regression(data=file, target="y")
    assert "\n" not in str(caught.value)
    assert str(file) in str(caught.value) or "target=y" in str(caught.value)


def test_what_is_not_a_text_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read: Is a directory"):
        TableRegression(tmp_path, "y")
    (tmp_path / "t.csv").write_bytes(b"a,y\n\xff\xfe,3\n")
    with pytest.raises(InvalidInput, match="cannot be read: it is not UTF-8 text"):
        TableRegression(tmp_path / "t.csv", "y")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"target": None}, "target is missing; name a column .*: size, age, price"),
        ({"target": "prise"}, "did you mean 'price'"),
        ({"features": "size,aeg"}, "did you mean 'age'"),
        ({"features": "size,size"}, "'size' is there twice"),
        ({"features": "size,price"}, "'price' is the target"),
        ({"low": 2, "high": 1}, "low=2.0 is greater than high=1.0"),
        ({"low": 0.5, "integer": True}, "low=0.5 is not legal; give a whole number"),
        ({"high": float("nan")}, "high=nan is not legal"),
        ({"instance": 1.5}, "instance=1.5 is not legal"),
    ],
)
def test_bad_arguments_are_named(path: Path, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        TableRegression(path, **{"target": "price", **arguments})


def test_constant_columns_without_intercept(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("one,zero,y\n1,0,2\n1,0,4\n")
    problem = TableRegression(file, "y", ["one"], intercept=False)
    assert problem.optimum is not None
    assert problem.optimum.solution["one"] == pytest.approx(3)
    with pytest.raises(InvalidInput, match="'zero' is 0 in every row"):
        TableRegression(file, "y", intercept=False)
