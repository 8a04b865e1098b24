"""Suites: what a file says is what is run, and what is not legal is told with its line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt import InvalidInput
from llmopt.benchmarks.suite import check
from llmopt.benchmarks.suite_file import find, parse
from llmopt.registry import names

GOOD = """\
name = "mine"
description = "A test."

[[group]]
problem = "function"
settings = { name = ["sphere", "ackley"], dim = [2, 3] }
repeats = 2
seed = 7
instance = 1
solvers = ["random", "tpe:multivariate=false"]
budget = { evaluations_per_variable = 10 }

[[group]]
problem = "regression"
settings = [{ w_true = 15, b_true = 14 }, { w_true = 3, b_true = 5 }]
solvers = ["random"]
budget = { steps = 3, evaluations = 20 }

[[smoke]]
problem = "function"
settings = { name = "sphere" }
solvers = ["random"]
budget = { evaluations = 5 }
"""


def test_lists_of_settings_are_multiplied_out_and_tables_are_not() -> None:
    cells = list(parse(GOOD.replace("tpe:multivariate=false", "qmc")).cells())
    assert [(c.settings, c.solver, c.repeat, c.instance, c.seed) for c in cells[:4]] == [
        ({"name": "sphere", "dim": "2"}, solver, repeat, 1 + repeat, 7 + repeat)
        for repeat in range(2)
        for solver in ("random", "qmc")
    ]
    assert [c.budget.evaluations for c in cells[::4][:4]] == [20, 30, 20, 30]
    assert [c.settings for c in cells[16:]] == [{"w_true": "15", "b_true": "14"}, {"w_true": "3", "b_true": "5"}]


def test_the_small_size_is_another_group_of_the_same_file() -> None:
    text = GOOD.replace("tpe:multivariate=false", "qmc")
    [cell] = parse(text, smoke=True).cells()
    assert cell.name == "function name=sphere: random"
    assert parse(text, smoke=True).digest() != parse(text).digest()


def test_what_several_groups_have_is_run_once() -> None:
    suite = parse(GOOD.replace("tpe:multivariate=false", "qmc")).changed(solvers=["qmc", "random", "qmc"])
    names = [(cell.name, cell.repeat) for cell in suite.cells()]
    assert len(names) == len(set(names)) == 20


@given(repeats=st.integers(1, 5), evaluations=st.integers(1, 100))
def test_options_replace_what_the_file_says(repeats: int, evaluations: int) -> None:
    suite = parse(GOOD.replace("tpe:multivariate=false", "qmc"))
    changed = suite.changed(repeats=repeats, limits={"evaluations": evaluations})
    cells = list(changed.cells())
    assert {cell.repeat for cell in cells} == set(range(repeats))
    assert {cell.budget.evaluations for cell in cells} == {evaluations}
    assert {cell.budget.steps for cell in cells} == {None, 3}


@pytest.mark.parametrize("repeats", [0, -3])
def test_a_suite_is_not_changed_to_none_at_all(repeats: int) -> None:
    with pytest.raises(InvalidInput, match=f"the number of repeats must be at least 1, not {repeats}"):
        find("functions", smoke=True).changed(repeats=repeats)


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ('"tpe:multivariate=false"', '"tpf"', 10, "did you mean 'tpe'"),
        ('"tpe:multivariate=false"', '"tpe:sede=3"', 10, "unknown setting 'sede'"),
        ('"tpe:multivariate=false"', '"random"', 10, "given twice"),
        ("repeats = 2", "repeats = 0", 7, "repeats"),
        ("repeats = 2", "repeat = 2", 7, "no key of a group"),
        ('problem = "regression"', 'problem = "regresion"', 14, "did you mean 'regression'"),
        ("steps = 3", "step = 3", 17, "no budget"),
        ("steps = 3", "steps = -3", 17, "steps"),
        ("evaluations_per_variable = 10", "evaluations_per_variable = 0.5", 11, "whole number"),
        ("[{ w_true = 15, b_true = 14 }, { w_true = 3, b_true = 5 }]", "7", 15, "settings"),
        ('description = "A test."', 'about = "A test."', 2, "no key of a suite"),
        ("w_true = 3,", "w_true = 3, instance = 4,", 15, "instance"),
        ("dim = [2, 3]", "dim = []", 6, "dim is an empty list, which leaves nothing to run"),
        ('name = "mine"', "name = 3", 1, "name"),
    ],
)
def test_what_is_not_legal_is_told_with_its_line(old: str, new: str, line: int, said: str) -> None:
    text = GOOD if old.startswith('"tpe') else GOOD.replace("tpe:multivariate=false", "qmc")
    with pytest.raises(InvalidInput, match=rf"suite a\.toml, line {line}: .*{said}"):
        parse(text.replace(old, new, 1), "a.toml")


def test_a_text_that_is_no_toml_says_where() -> None:
    with pytest.raises(InvalidInput, match="line 1, column"):
        parse("name = = 3", "a.toml")


def test_a_suite_without_a_small_size_says_so() -> None:
    with pytest.raises(InvalidInput, match="no small size"):
        parse(GOOD[: GOOD.index("[[smoke]]")].replace("tpe:multivariate=false", "qmc"), smoke=True)


@pytest.mark.parametrize(
    ("problem", "solver", "said"),
    [
        ('problem = "function"\nsettings = { dimension = 3 }', "random", "unknown setting 'dimension'"),
        ('problem = "function"\nsettings = { name = "sphere" }', "exhaustive", "exhaustive"),
        ('problem = "tsp"\nsettings = { n = 5 }', "powell", "powell"),
    ],
)
def test_what_does_not_fit_together_is_told_before_anything_runs(problem: str, solver: str, said: str) -> None:
    text = f'name = "x"\n[[group]]\n{problem}\nsolvers = ["{solver}"]\nbudget = {{ evaluations = 9 }}\n'
    with pytest.raises(InvalidInput, match=f"line 2: .*{said}"):
        check(parse(text))


@pytest.mark.parametrize("other", ["instance = 5", "seed = 7"])
def test_groups_of_the_same_runs_with_other_instances_or_seeds_are_refused(other: str) -> None:
    group = (
        '[[group]]\nproblem = "regression"\nrepeats = 2\nsolvers = ["random", "{}"]\nbudget = {{ evaluations = 9 }}\n'
    )
    suite = parse(f'name = "x"\n{group.format("qmc")}{other}\n{group.format("gaussian")}', "a.toml")
    said = (
        r"suite a\.toml, line 8: regression: random is in the group of line 2 too, with instance \d and seed \d, here"
    )
    with pytest.raises(InvalidInput, match=said):
        check(suite)
    check(parse(f'name = "x"\n{group.format("qmc")}{group.format("gaussian").replace("9", "99")}'))


@pytest.mark.parametrize("name", names("llmopt.suites"))
def test_every_suite_of_this_package_can_be_run_with_one_solver(name: str) -> None:
    for smoke in (False, True):
        check(find(name, smoke=smoke).changed(solvers=["random"]))


def test_variables_are_needed_to_count_them() -> None:
    text = 'name = "x"\n[[group]]\nproblem = "tsp"\nsettings = { n = 5 }\nsolvers = ["random"]\n'
    with pytest.raises(InvalidInput, match="has none"):
        list(parse(text + "budget = { evaluations_per_variable = 9 }\n").cells())


def test_variables_are_not_counted_of_what_asks_a_model_since_that_is_not_open_yet() -> None:
    text = 'name = "x"\n[[group]]\nproblem = "prompt"\nsettings = { scorer = "nosuch:model" }\nsolvers = ["random"]\n'
    with pytest.raises(InvalidInput, match="line 2: evaluations_per_variable is for problems that ask no model"):
        check(parse(text + "budget = { evaluations_per_variable = 9 }\n"))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"gone\.toml: cannot be read"):
        find(str(tmp_path / "gone.toml"))
    with pytest.raises(InvalidInput, match="unknown suite 'bbbo'; did you mean 'bbob'"):
        find("bbbo")


@pytest.mark.parametrize("name", names("llmopt.suites"))
def test_every_suite_of_this_package_has_two_sizes_and_a_source(name: str) -> None:
    whole, small = find(name), find(name, smoke=True)
    assert whole.name == small.name == name
    assert whole.description
    assert len(list(whole.cells())) > len(list(small.cells())) > 0
    check(small)
