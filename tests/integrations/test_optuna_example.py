"""The example that tunes a model of scikit-learn."""

import subprocess
import sys
from pathlib import Path

import optuna
import pytest

from llmopt.integrations.optuna import tally

EXAMPLE = Path(__file__).parents[2] / "examples" / "optuna_sklearn.py"


@pytest.mark.slow
@pytest.mark.model
def test_the_example_tunes_with_every_sampler_into_one_storage(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("xllamacpp")
    storage = f"sqlite:///{tmp_path / 'studies.db'}"
    command = [sys.executable, str(EXAMPLE), "--trials", "6", "--seeds", "1", "--storage", storage]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(out) == 5 and "scikit-learn" in out[-1]
    study = optuna.load_study(study_name="LLMSampler local, seed 0", storage=storage)
    assert tally(study).proposals > 0
