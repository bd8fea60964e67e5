# Practice Room. `make help` lists the targets. Everything runs from .venv, made from the pinned, hash-checked lock files.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help
.PHONY: help install install-dev run test check bench lock test-browser test-services test-llm clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: $(VENV)/.installed  ## make .venv from requirements.lock (quick when nothing changed)

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Practice Room needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Making $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: requirements.lock $(VENV)/.python
	@echo "Installing about 130 packages from requirements.lock; the first time takes a few minutes ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --progress-bar on -r requirements.lock
	@touch $@
	@echo "Installed."

install-dev: $(VENV)/.installed-dev  ## the same with what the tests and checks need

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@echo "Installing the tools for tests and checks from requirements-dev.lock ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --progress-bar on -r requirements-dev.lock
	@touch $@
	@echo "Installed."

run: install  ## open Practice Room in the browser
	@$(BIN)/python -m simulator serve

test: install-dev  ## the fast tests (under 3 minutes on 2 cores)
	@$(BIN)/python -m pytest -n 2 -q

check: install-dev  ## architecture, lint, types, content
	@$(BIN)/lint-imports
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m simulator check

bench: install-dev  ## what is measured: figures are printed, never asserted
	@$(BIN)/python -m benchmarks

test-browser: install-dev  ## the journeys in a real Chromium (Debian: apt-get install chromium)
	@$(BIN)/python -m pytest -q -m browser tests/browser

test-services: install-dev  ## reserved for databases, queues and index servers: none yet
	@echo "Nothing here needs a service yet."

test-llm: install-dev  ## reserved for runs against a small real model: none yet
	@echo "Not built yet."

lock: pyproject.toml  ## make both lock files anew from pyproject.toml
	@$(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install --quiet pip-tools
	@.venv-lock/bin/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options -o requirements.lock pyproject.toml
	@.venv-lock/bin/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml
	@rm -rf .venv-lock

clean:  ## remove .venv and caches (never your sessions)
	@rm -rf $(VENV) .venv-lock .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
