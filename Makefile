# Two commands: `make demo` and `make test`.  Each sets up everything it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test fast setup lint types layers tests bench clean

demo: $(READY)  ## one real campaign, from training jobs to a report, in about a minute
	$(BIN)/python run_graph.py demo

test: lint types layers tests  ## everything that must hold

setup: $(READY)

$(READY): pyproject.toml constraints.txt constraints-studio.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[campaigns,dev]"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target $(VENV)/studio -r constraints-studio.txt
	$(BIN)/python -m memory.embeddings
	touch $(READY)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

layers: $(READY)
	$(BIN)/lint-imports

tests: $(READY)
	$(BIN)/pytest -n 2 --dist loadgroup

fast: $(READY)  ## the tests without real training jobs and long kills, for while working
	$(BIN)/pytest -n 2 --dist loadgroup -m "not slow"

bench: $(READY)  ## the figures of docs/benchmarks.md
	for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
