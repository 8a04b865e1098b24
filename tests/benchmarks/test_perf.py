"""The measurements of speed and memory count right; how fast things are is not asserted here."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from llmopt.benchmarks.perf import (
    exhaustive,
    local_step,
    meta_prompt,
    random_search,
    remote_calls,
    reply_cache,
    run_log,
    startup,
    tours,
)
from llmopt.benchmarks.perf.__main__ import HEADINGS, NAMES, main
from llmopt.benchmarks.perf.row import Row, alternate


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
    assert len(cost.costs) == 8
    for each in cost.costs:
        assert each.shown == (20 if each.form == "chat" else 10)
        # The best and the latest overlap by chance.
        assert 64 <= each.excluded <= 384 if each.grammar else each.excluded == 0


def test_calls_of_a_provider_are_timed_beside_the_bare_sdk() -> None:
    cost = remote_calls.measure(quick=True)
    assert cost.calls == remote_calls.AT_ONCE
    assert min(cost.ours, cost.bare) > remote_calls.LATENCY
    assert [row.limit for row in cost.rows()] == [1.1, 1.5]


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
    assert all(line.split()[-1] in ("yes", "NO") for line in body)
    assert "CPUs" in lines[-1] and "Python" in lines[-1]


def test_the_json_document_holds_the_same_rows(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--quick", "--json", "--only", "exhaustive"])
    document = json.loads(capsys.readouterr().out)
    assert [row["unit"] for row in document["rows"]] == ["s", "MB"]
    assert all(row["value"] == row["measured"] for row in document["rows"])


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
