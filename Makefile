# The whole project in one place; `make help` lists the commands.
#
#   VENV=path      the environment to use; one that exists keeps its torch (default .venv)
#   PYTHON=path    the Python to make it with (default: the first of 3.10 to 3.12 that runs)
#   ARGS=...       passed on to the program behind demo, report, test, test-slow, reduced, conformance,
#                  bench; ARGS=-n0 runs the tests in one process
#   REPORT=config  the report that `make report` writes (default: the demo's)

VENV ?= .venv
PYTHON ?=
ARGS ?=
REPORT ?= projects/demo/configs/report.py
BIN := $(VENV)/bin

# Tests run on up to four cores, all tests of a file on the same one: they share what it made. With
# that, pytest-xdist would wait for ever once it has replaced a process that crashed: it does not.
PYTEST = $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --max-worker-restart 0

# On a busy machine two threads of OpenMP can be many times slower than one.
export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help setup demo report test test-slow reduced conformance bench docs lint format clean

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | \
		while IFS='|' read -r name what; do printf '  make %-11s %s\n' "$$name" "$$what"; done

setup: ## make the environment, or see that nothing is to do
	@python=$$(sh tools/find_python.sh $(or $(PYTHON),$(wildcard $(BIN)/python))) && \
		"$$python" tools/setup_env --venv "$(VENV)"

demo: setup ## the main job in miniature: render, extract, train experts, distil, test, report
	$(BIN)/python -m projects.demo $(ARGS)

report: setup ## a page and tables over your own runs: REPORT=config; after `make demo` the demo's
	$(BIN)/python tools/analysis/report.py $(REPORT) $(ARGS)

test: setup ## the tests that CI runs on every change
	$(PYTEST) -m 'not slow' $(ARGS)

test-slow: setup ## the whole chain at a tiny size
	$(PYTEST) -m slow $(ARGS)

reduced: setup ## a reduced train and test of every config, on miniatures of the data sets
	$(BIN)/python -W ignore tests/miniatures/run_reduced.py $(ARGS)

conformance: setup ## every recognition config of MMAction2 as a student and as an expert
	$(BIN)/python -W ignore tests/conformance/run.py --write-docs $(ARGS)

bench: setup ## what a step, loading and memory cost; writes benchmarks/results.md
	$(BIN)/python -W ignore -m benchmarks.run --write $(ARGS)

docs: setup ## the site, into build/docs/index.html; a warning is an error
	$(BIN)/python -m sphinx -W --keep-going -q docs build/docs $(ARGS)

lint: setup ## style, formatting and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: setup ## mend what lint can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean: ## remove caches and builds; the environment, data and runs stay
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
