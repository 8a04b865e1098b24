# Every target stands alone on a machine with Python 3.11+ and git: it makes its own virtual environment.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# The local model takes both cores, so that its tests run by themselves.
AT_ONCE = -n 2 --dist worksteal
SOURCES := pyproject.toml $(shell find llmopt problems baselines benchmarks -name '*.py' -not -path '*/.*')
# An ordinary install, not an editable one: the folders problems/, baselines/ and benchmarks/ are installed as
# llmopt.problems and so on, and mypy sees that only in an ordinary install.
INSTALL = rm -rf build && $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test test-all lint types format docs bench bench-smoke clean

demo: $(VENV)/.installed
	$(BIN)/llmopt demo

test: $(VENV)/.installed-dev
	$(BIN)/pytest -m "not slow and model"
	$(BIN)/pytest $(AT_ONCE) -m "not slow and not model"

# With five times the examples of every property.
test-all: $(VENV)/.installed-dev
	$(BIN)/pytest --hypothesis-profile=thorough -m model
	$(BIN)/pytest --hypothesis-profile=thorough $(AT_ONCE) -m "not model"

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# From inside tests/, so that the installed package is found and not the folder beside it.
types: $(VENV)/.installed-dev
	cd tests && ../$(BIN)/mypy --config-file ../pyproject.toml -p llmopt
	cd tests && ../$(BIN)/mypy --config-file ../pyproject.toml .

# A warning is an error.
docs: $(VENV)/.installed-dev
	$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build

bench: $(VENV)/.installed-dev
	$(BIN)/python -P -m llmopt.benchmarks.perf

# Every suite small. Those of prompts need BIG-Bench Hard, from LLMOPT_DATA or from its public home.
bench-smoke: $(VENV)/.installed-dev
	rm -rf bench-smoke
	for suite in paper-regression fresh-regression paper-tsp paper-prompts paper-ablations functions bbob; do \
	  $(BIN)/llmopt bench $$suite --smoke --workers 2 --quiet --out bench-smoke/$$suite > /dev/null || exit 1; \
	  $(BIN)/llmopt report bench-smoke/$$suite || exit 1; \
	done

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis demo-report bench-smoke docs/_build

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "llmopt needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The dependencies are installed when pyproject.toml changes, the package itself when any source does.
$(VENV)/.dependencies: pyproject.toml | $(VENV)/bin/python
	$(INSTALL) '.[local]'
	touch $@

$(VENV)/.dependencies-dev: pyproject.toml | $(VENV)/bin/python
	$(INSTALL) '.[dev]'
	touch $@ $(VENV)/.dependencies

$(VENV)/.installed: $(VENV)/.dependencies $(SOURCES)
	$(INSTALL) --no-deps --force-reinstall .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.dependencies-dev $(SOURCES)
	$(INSTALL) --no-deps --force-reinstall .
	touch $@ $(VENV)/.installed
