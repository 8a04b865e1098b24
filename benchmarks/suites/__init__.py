"""The suites of this package, each the path of its file."""

from pathlib import Path

_HERE = Path(__file__).parent

PAPER_REGRESSION = _HERE / "paper-regression.toml"
FRESH_REGRESSION = _HERE / "fresh-regression.toml"
PAPER_TSP = _HERE / "paper-tsp.toml"
PAPER_PROMPTS = _HERE / "paper-prompts.toml"
PAPER_ABLATIONS = _HERE / "paper-ablations.toml"
FUNCTIONS = _HERE / "functions.toml"
BBOB = _HERE / "bbob.toml"
