# make demo: see it work. make test: the whole suite. Both set themselves up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# A PostgreSQL for each; one after the other: make test WORKERS=
WORKERS = -n logical --maxprocesses 4 --dist worksteal

.PHONY: setup demo demo-reset test lint bench clean
.DEFAULT_GOAL := help

.PHONY: help
help:
	@echo "make demo        the messengers, the bot and a village of 942 in your browser"
	@echo "make demo-reset  forget the demo's data and start over"
	@echo "make test        the whole test suite, on a PostgreSQL that it starts itself"
	@echo "make lint        ruff, mypy strict, import-linter"
	@echo "make bench       the benchmarks, as ratios against the named rival"

setup: $(READY)

$(READY): pyproject.toml constraints.txt tools/setup.sh
	@PYTHON="$(PYTHON)" sh tools/setup.sh "$(VENV)"
	@touch $@

demo: $(READY)
	@$(BIN)/python -m bot demo $(if $(PORT),--port $(PORT))

demo-reset: $(READY)
	@$(BIN)/python -m bot demo --reset $(if $(PORT),--port $(PORT))

test: $(READY)
	@$(BIN)/python -m pytest $(WORKERS) $(PYTEST_ARGS)

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(READY)
	@$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) build *.egg-info
