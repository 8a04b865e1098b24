"""The measurements of speed and memory count right; how fast things are is not asserted here."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt.benchmarks.perf import (
    exhaustive,
    llm_sampler,
    local_step,
    many_runs,
    meta_prompt,
    random_search,
    remote_calls,
    reply_cache,
    run_log,
    startup,
    tours,
)
from llmopt.benchmarks.perf.__main__ import NAMES, main
from llmopt.benchmarks.perf.measurements import FILE, HEADINGS, Measurements, cells
from llmopt.benchmarks.perf.row import Comparison, Row, alternate
from llmopt.errors import InvalidInput, MissingExtra


def test_exhaustive_search_holds_the_whole_grid() -> None:
    cost = exhaustive.measure(quick=True)
    assert cost.size == cost.recorded == 61 * 61
    assert cost.seconds > 0 and cost.peak_mb > 1
    assert len(cost.rows()) == 2


def test_random_search_records_every_evaluation() -> None:
    cost = random_search.measure(quick=True)
    assert cost.recorded == cost.many == 2_000
    assert min(cost.of_few, cost.of_many, cost.optuna) > 0
    assert [row.limit for row in cost.rows()] == [0.1, 1.5]


def test_meta_prompts_show_and_leave_out_what_they_should() -> None:
    cost = meta_prompt.measure(quick=True)
    assert cost.evaluations == 2_000
    assert len(cost.costs) == 12
    for each in cost.costs:
        assert each.shown == {"chat": 20, "continuation": 10, "moves": 5}[each.form]
        # The best and the latest overlap by chance.
        assert 64 <= each.excluded <= 384 if each.grammar else each.excluded == 0


def test_the_sampler_of_optuna_is_timed_without_its_model() -> None:
    cost = llm_sampler.measure(quick=True)
    assert cost.trials == 120 and cost.proposals == 8 * 15
    assert min(cost.mean, cost.last, cost.optuna) > 0
    assert [row.limit for row in cost.rows()] == [5.0, 5.0]


def test_calls_of_a_provider_are_timed_beside_the_bare_sdk() -> None:
    cost = remote_calls.measure(quick=True)
    assert cost.calls == remote_calls.AT_ONCE
    assert min(cost.ours, cost.bare) > remote_calls.LATENCY
    assert [row.limit for row in cost.rows()] == [1.1, 1.5]


@pytest.mark.slow
def test_many_runs_are_stored_and_shown() -> None:
    cost = many_runs.measure(quick=True)
    assert cost.many == 60 and cost.evaluations == 2_000
    assert min(cost.seconds_many, cost.read_seconds, cost.report_seconds) > 0
    assert min(cost.peak_few, cost.peak_many, cost.read_mb, cost.report_mb) > 1
    assert [row.limit for row in cost.rows()] == [2.0, None, None, None, None, 60.0, 20.0]


def test_every_reply_comes_from_the_cache() -> None:
    cost = reply_cache.measure(quick=True)
    assert cost.replies == 200 and cost.seconds > 0


def test_the_run_log_is_timed_beside_optunas_storages_and_a_large_one_read_whole() -> None:
    cost = run_log.measure(quick=True)
    assert cost.evaluations == 10_000
    assert min(cost.ours, cost.sqlite, cost.journal, cost.seconds_each, cost.peak_mb) > 0
    assert 0 < cost.bytes_each < 150
    assert [row.limit for row in cost.rows()] == [0.1, 1 / 3, 150.0, 5.0, 1_000.0]


def test_tours_are_timed_by_length_and_by_exact_method() -> None:
    cost = tours.measure(quick=True)
    assert cost.tours == 10_000
    assert min(cost.length, cost.small, cost.large, cost.cuts) > 0
    assert [row.limit for row in cost.rows()] == [0.25, 1.0, 15.0, 2.0]


def test_startup_has_one_row_for_the_import_and_one_for_the_help() -> None:
    assert [row.what for row in startup.measure(quick=True).rows()] == ["import llmopt", "llmopt --help"]


@pytest.mark.slow
@pytest.mark.model
def test_a_step_of_the_local_model_evaluates_its_samples() -> None:
    pytest.importorskip("xllamacpp")
    cost = local_step.measure(quick=True)
    assert cost.replies == local_step.SAMPLES
    assert len(cost.rows()) == 2


def test_the_table_has_a_line_for_every_row_and_names_the_machine(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--quick", "--only", "exhaustive", "--only", "random_search"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split() == list(HEADINGS)
    body = lines[4 : lines.index("", 4)]
    assert len(body) == 4
    assert all({"yes", "NO"} & set(line.split()) for line in body)
    assert "CPUs" in lines[-1] and "Python" in lines[-1]


def test_the_json_document_holds_the_same_rows(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--quick", "--json", "--only", "exhaustive"])
    document = json.loads(capsys.readouterr().out)
    assert [row["unit"] for row in document["rows"]] == ["s", "MB"]
    assert all(row["value"] == row["measured"] for row in document["rows"])


class Made:
    """Stands for a measurement that takes no time."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def rows(self) -> list[Row]:
        return [Row(name, 1.0, "s", limit=2.0) for name in self._names]


def test_what_was_measured_before_the_end_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "a" / "b"
    seen = []

    def last(*, quick: bool) -> Made:
        seen.append(Measurements.read(folder))
        raise KeyboardInterrupt

    def not_installed(*, quick: bool) -> Made:
        raise MissingExtra("install it")

    monkeypatch.setattr(exhaustive, "measure", lambda *, quick: Made("a", "b"))
    monkeypatch.setattr(local_step, "measure", not_installed)
    monkeypatch.setattr(tours, "measure", last)
    only = ["--only", "exhaustive", "--only", "local_step", "--only", "tours"]
    with pytest.raises(KeyboardInterrupt):
        main(["--quick", *only, "--out", str(folder)])
    found = Measurements.read(folder)
    assert seen == [found]
    assert [row.what for row in found.rows] == ["a", "b"]
    assert (found.missing, found.pending) == ({"local_step": "install it"}, ["tours"])
    assert found.command == ["python", "-m", "llmopt.benchmarks.perf", "--quick", *only]
    assert [path.name for path in folder.iterdir()] == [FILE]


@pytest.mark.parametrize(
    ("out", "message"),
    [("there", "holds results already"), ("runs", "holds results already"), ("there/perf.json/x", "cannot be made")],
)
def test_a_folder_that_cannot_take_them_is_refused_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], out: str, message: str
) -> None:
    for name in ("there/perf.json", "runs/run.sqlite"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    monkeypatch.setattr(exhaustive, "measure", lambda *, quick: pytest.fail("it was measured"))
    with pytest.raises(SystemExit) as error:
        main(["--only", "exhaustive", "--out", str(tmp_path / out)])
    assert error.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


finite = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)
comparisons: st.SearchStrategy[Comparison] = st.sampled_from(("none", "ratio", "difference"))
made = st.builds(
    Row,
    what=st.text(),
    measured=finite,
    unit=st.text(),
    beside=st.none() | finite.filter(lambda value: value != 0),
    beside_what=st.text(),
    compared=comparisons,
    ratio=st.none() | finite,
    limit=st.none() | finite,
)


@given(st.lists(made, max_size=3), st.dictionaries(st.text(), st.text(), max_size=3), st.booleans())
def test_what_is_read_is_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], words: dict[str, str], quick: bool
) -> None:
    folder = tmp_path_factory.getbasetemp()
    found = Measurements(["python"], words, quick, rows, words, list(words))
    found.write(folder)
    assert Measurements.read(folder) == found
    assert all(len(cells(row)) == len(HEADINGS) for row in found.rows)


DOCUMENT = {
    "command": ["python"],
    "machine": {"CPUs": "2"},
    "quick": False,
    "rows": [{"what": "a", "measured": 1, "unit": "s", "beside_what": "", "compared": "none"}],
    "missing": {},
    "pending": [],
}
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", *DOCUMENT]), inner, max_size=2),
    max_leaves=4,
)


@given(st.sampled_from(sorted(DOCUMENT)), values)
def test_any_value_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, name: str, value: object) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / FILE).write_text(json.dumps({**DOCUMENT, name: value}))
    try:
        found = Measurements.read(folder)
    except InvalidInput as error:
        assert "is damaged, or not a file of 'python -m llmopt.benchmarks.perf': " in str(error)
    else:
        assert found.as_json()[name] == value


def row(**changes: object) -> bytes:
    return json.dumps({**DOCUMENT, "rows": [{**DOCUMENT["rows"][0], **changes}]}).encode()  # type: ignore[index]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "Expecting value"),
        (b'{"rows": [', "Expecting value"),
        (b"\xff\xfe{}", "can't decode byte"),
        (b"[" * 100_000, "recursion"),
        (b" " * 1_000_001, "it is larger than 1,000,000 bytes"),
        (b"[]", "it is not an object"),
        (b"{}", "'command' is not a list"),
        (json.dumps({**DOCUMENT, "rows": [1]}).encode(), "row 1: it is not an object"),
        (row(measured=None), "row 1: 'measured' is not a finite number"),
        (row(measured=True), "row 1: 'measured' is not a finite number"),
        (row(limit=float("nan")), "row 1: 'limit' is not a finite number"),
        (row(limit=10**400), "too large"),
        (row(compared="better"), "row 1: 'compared' is not one of none, ratio, difference"),
        (row(compared="ratio", beside=0), "row 1: 'beside' is zero, of which there is no ratio"),
        (row(what=["a"]), "row 1: 'what' is not a text"),
    ],
)
def test_a_damaged_or_foreign_file_is_told_in_one_line(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / FILE).write_bytes(data)
    with pytest.raises(InvalidInput) as error:
        Measurements.read(tmp_path)
    assert message in str(error.value) and "\n" not in str(error.value)


def test_a_folder_without_a_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"perf\.json cannot be read: No such file or directory"):
        Measurements.read(tmp_path)


def test_an_unknown_measurement_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as error:
        main(["--only", "nothing"])
    assert error.value.code == 2
    message = capsys.readouterr().err
    assert all(name in message for name in NAMES)


def test_a_target_limits_the_figure_its_ratio_or_its_difference() -> None:
    row = Row("x", 3.0, "s", beside=2.0, limit=1.2)
    assert row.value == 3.0 and row.holds is False
    assert replace(row, compared="ratio").value == 1.5
    assert replace(row, compared="ratio", ratio=1.2).holds is True
    assert replace(row, compared="difference").holds is True
    assert replace(row, limit=None).holds is None


def test_sides_are_measured_in_turn_and_none_always_first() -> None:
    order: list[str] = []

    def side(name: str, figure: float) -> float:
        order.append(name)
        return figure

    assert alternate([lambda: side("a", 1.0), lambda: side("b", 2.0)], 2) == [[1.0, 1.0], [2.0, 2.0]]
    assert order == ["a", "b", "b", "a"]
