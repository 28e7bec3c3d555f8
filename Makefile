PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help test lint demo bench lock clean

help: ## show the targets
	@grep -hE '^[a-z.]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

.venv: .venv/.installed ## the environment, from the hash-pinned lock
.PHONY: .venv

.venv/.installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Morrow needs Python 3.11 or later")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

test: .venv/.installed ## every test
	$(BIN)/pytest

lint: .venv/.installed ## style, types, the house rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

demo: .venv/.installed ## a sample bakery from sales to forecast (DEMO_ARGS=--exit to end)
	$(BIN)/morrow demo $(DEMO_ARGS)

bench: .venv/.installed ## print the benchmarks as JSON
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

lock: ## resolve the lock anew (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --extra dev \
	  --quiet --output-file requirements.lock pyproject.toml

clean: ## remove the environment and every cache
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
