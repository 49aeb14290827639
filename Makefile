# Every task of the project; `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MANAGE := $(BIN)/python manage.py
DEBIAN_EXTRAS := chromium wrk prometheus nginx

.PHONY: help setup setup-dev setup-extras setup-load run demo test test-fast test-long lint types \
        contracts pytest pytest-sqlite format bench docs skill lock clean

help: ## List the tasks
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

setup: $(VENV)/.installed-embedded ## Prepare .venv with the platform and its embedded servers

setup-dev: $(VENV)/.installed-dev ## Prepare .venv with everything the tests need

setup-extras: ## Install the Debian packages that optional tests use (root)
	apt-get update && apt-get install --yes --no-install-recommends $(DEBIAN_EXTRAS)

setup-load: $(VENV)-load/.installed ## Prepare .venv-load with Locust, which load tests use

run: setup ## Serve at http://127.0.0.1:8000, and load the demo beside
	$(MANAGE) up --demo

demo: setup ## Do the main job and print its result, without staying up
	$(MANAGE) demo

test: setup-dev lint types contracts pytest pytest-sqlite ## Lint, types, contracts and all tests
	@echo "All checks passed."

test-fast: setup-dev ## The short tests that import what has changed since main
	$(BIN)/python -m pytest -m "not long and not slow" -n 2 --dist loadfile $$($(BIN)/python -m tests.support.changed)

test-long: setup-dev ## The suites that take minutes
	$(BIN)/python -m pytest -m long

lint: setup-dev ## Style and formatting
	@echo "== lint"
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup-dev ## Static types
	@echo "== types"
	$(BIN)/mypy .

contracts: setup-dev ## Direction of imports
	@echo "== import contracts"
	$(BIN)/lint-imports

pytest: setup-dev ## Every test, on PostgreSQL
	@echo "== tests on PostgreSQL, Valkey and ClickHouse"
	$(BIN)/python -m pytest -m "not long" -n 2 --dist loadfile

pytest-sqlite: setup-dev ## The short lane on SQLite
	@echo "== short lane on SQLite"
	TEST_DATABASE=sqlite $(BIN)/python -m pytest -m "databases and not long" -n 2 --dist loadfile

format: setup-dev ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup-dev ## Measure; the figures depend on the machine, the ratios should not
	$(MANAGE) benchmark --suite all

docs: setup ## Write docs/commands.md from the commands themselves
	$(MANAGE) document_commands > docs/commands.md.new
	mv docs/commands.md.new docs/commands.md

skill: setup ## Back-test on the frozen sets in $$RISKPLATFORM_DATA and write docs/skill.md
	OPENBLAS_NUM_THREADS=1 $(MANAGE) skill --write docs/skill.md

lock: setup-dev ## Pin every dependency anew
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml $(LOCK) -o requirements/base.txt
	$(BIN)/uv pip compile pyproject.toml $(LOCK) --extra embedded \
	    -c requirements/base.txt -o requirements/embedded.txt
	$(BIN)/uv pip compile pyproject.toml $(LOCK) --extra embedded --extra arrow --extra geo --extra dev \
	    -c requirements/embedded.txt -o requirements/dev.txt
	echo locust==2.47.0 | $(BIN)/uv pip compile - $(LOCK) -o requirements/load.txt

LOCK := --quiet --no-header --no-annotate --no-emit-index-url --python-version 3.11

clean: ## Remove .venv and caches; the data in var/ stays
	rm -rf $(VENV) $(VENV)-load .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)-load/.installed: requirements/load.txt
	@test -x $(VENV)-load/bin/python || $(PYTHON) -m venv $(VENV)-load
	$(VENV)-load/bin/python -m pip install --disable-pip-version-check --quiet --requirement $<
	@touch $@

$(VENV)/.installed-%: requirements/%.txt
	@echo "== preparing $(VENV) from $< (a few minutes the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --requirement $<
	@touch $@
