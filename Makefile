# The two commands a newcomer needs: make demo, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test lint format bench screenshots install clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    run the pipeline on the samples"
	@echo "make test    run every test"
	@echo "make lint    check style and types"
	@echo "make bench   measure, and print the table"
	@echo "make screenshots  make the pictures in the documentation"
	@echo "make clean   remove what the demo and the tools made"

$(STAMP): pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		(echo "Python 3.11 or later is needed; for example: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	$(BIN)/uv sync --quiet --locked --compile-bytecode --python $(BIN)/python
	@touch $(STAMP)

install: $(STAMP)

demo: $(STAMP)
	$(BIN)/casework demo

test: $(STAMP)
	$(BIN)/python -m pytest --numprocesses 3 --dist loadscope

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)
	$(BIN)/uv sync --quiet --locked --compile-bytecode --python $(BIN)/python --group bench
	$(BIN)/python -m benchmarks

screenshots: $(STAMP)
	$(BIN)/python -m docs.screenshots

clean:
	rm -rf .casework .pytest_cache .mypy_cache .ruff_cache .hypothesis
