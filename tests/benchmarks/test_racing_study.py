"""The study of racing."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from llmopt.benchmarks.studies.racing import (
    SETTINGS,
    Setting,
    full,
    halving,
    hoeffding,
    main,
    measure,
    raced,
    recorded,
    shuffled,
    simulated,
)
from llmopt.racing import Race

RECORDED = Path(__file__).parents[2] / "benchmarks" / "studies" / "recorded"
SETTING = Setting(100, 0.35, 0.85)


def test_simulated_candidates_have_the_accuracies_that_are_stated_and_agree_on_what_is_hard() -> None:
    matrix = simulated(Setting(4000, 0.35, 0.85), seed=0, candidates=60)
    means = matrix.mean(axis=1)
    assert set(np.unique(matrix)) == {0.0, 1.0}
    assert 0.3 < means.min() < 0.45 and 0.75 < means.max() < 0.9
    assert np.corrcoef(matrix[:30].mean(axis=0), matrix[30:].mean(axis=0))[0, 1] > 0.8
    assert (simulated(SETTING, 3) == simulated(SETTING, 3)).all()
    assert (simulated(SETTING, 3) != simulated(SETTING, 4)).any()


def test_full_evaluation_loses_nothing_and_saves_nothing() -> None:
    figures = measure(full, partial(simulated, SETTING), 5)
    assert (figures.calls, figures.lost, figures.lost_points) == (1.0, 0.0, 0.0)


def test_a_race_saves_calls_and_keeps_its_level_and_beats_halving_with_as_many_calls() -> None:
    draw = partial(simulated, SETTING)
    race = measure(partial(raced, race=Race()), draw, 100)
    assert race.calls < 1 / 3 and race.lost <= Race().level and race.lost_points <= 0.05
    strict = measure(partial(raced, race=Race(level=0.05)), draw, 100)
    assert race.calls < strict.calls < 0.4 and strict.lost <= 0.05
    rungs = measure(partial(halving, share=race.calls), draw, 100)
    assert rungs.calls == pytest.approx(race.calls, abs=0.02)
    assert rungs.lost > race.lost
    old = measure(partial(hoeffding, level=0.05), draw, 100)
    assert race.calls < old.calls < 1


def test_every_method_chooses_a_candidate_that_stands_out() -> None:
    matrix = np.zeros((20, 60))
    matrix[:, :20] = 1
    matrix[13] = 1
    for seed in range(10):
        scores = shuffled(matrix, seed)
        row = int(np.argmax(scores.sum(axis=1)))
        for chosen in (
            full(scores),
            raced(scores, Race()),
            raced(scores, Race(), predict=False),
            halving(scores, 0.3),
            hoeffding(scores, 0.05),
        ):
            assert chosen.row == row and chosen.calls <= scores.size


def test_a_race_of_one_block_is_full_evaluation() -> None:
    scores = simulated(Setting(5, 0.35, 0.85), seed=0)
    assert raced(scores, Race()) == full(scores)
    assert hoeffding(scores, 0.05) == full(scores)


def test_recorded_matrices_are_replayed_in_other_orders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savetxt(tmp_path / "recorded.csv", simulated(Setting(60, 0.2, 0.8), 0, candidates=24), delimiter=",", fmt="%g")
    main(["--matrices", str(tmp_path), "--seeds", "5"])
    printed = capsys.readouterr().out
    assert "| 24 | 60 | recorded: 0." in printed
    main(["--matrices", str(tmp_path), "--seeds", "5"])
    assert capsys.readouterr().out == printed


def test_a_race_keeps_its_level_on_what_was_recorded_and_beats_halving_with_as_many_calls() -> None:
    for matrix in recorded(RECORDED).values():
        assert set(np.unique(matrix)) == {0.0, 1.0} and matrix.shape[1] == 100
        draw = partial(shuffled, matrix)
        race = measure(partial(raced, race=Race()), draw, 100)
        assert race.calls < 0.55 and race.lost <= Race().level
        assert measure(partial(halving, share=race.calls), draw, 100).lost > race.lost


def test_simulations_print_a_line_for_every_setting_and_method(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--seeds", "1"])
    lines = capsys.readouterr().out.splitlines()
    assert len({line for line in lines if "| race, level 0.05 |" in line}) == len(SETTINGS)
    assert len({line for line in lines if "| full evaluation | 1.000 | 0.000 | 0.000 |" in line}) == len(SETTINGS)
