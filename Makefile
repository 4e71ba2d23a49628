# `make run` and `make test` do all that is needed on a fresh Debian or Ubuntu machine with Python 3.11+.

PROFILE ?= demo
PORT ?= 7860
BIN := .venv/bin
INSTALL := tools/install.sh
PYTEST_ARGS ?=

.PHONY: help run install dev test check bench docs clean
.DEFAULT_GOAL := help

help:
	@echo "make run [PROFILE=demo|scripted] [PORT=7860]   install what is missing, then serve"
	@echo "make install   into .venv, to run        make dev     the same, with the tools of development"
	@echo "make test      all tests                 make check   format, lint, types, layers, documents"
	@echo "make bench     the figures of docs/latency.md         make docs    write the generated files anew"
	@echo "make clean     remove .venv and all that is made"

run: install
	@exec $(BIN)/ultraandchat serve --profile $(PROFILE) --port $(PORT)

install: .venv/.installed-demo
dev: .venv/.installed-dev

# A stamp is older than what it was made from: then pip looks again.
.venv/.installed-demo: pyproject.toml $(INSTALL)
	@$(INSTALL) demo

.venv/.installed-dev: pyproject.toml $(INSTALL)
	@$(INSTALL) dev

.venv/.browser: $(INSTALL) | .venv/.installed-dev
	@$(INSTALL) browser

test: dev .venv/.browser
	@tools/node.sh --test tests/web/*.test.js
	@$(BIN)/pytest $(PYTEST_ARGS)

check: dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/generate.py --check
	tools/page/check.sh

bench: dev
	$(BIN)/python -m bench.startup
	$(BIN)/python -m bench.latency --path websocket
	$(BIN)/python -m bench.latency --path webrtc --conversations 1 4 8 16 --pin
	$(BIN)/python -m bench.latency --path webrtc --conversations 8 --pin --silent
	$(BIN)/python -m bench.loss --loss 0 0.02 0.1 --jitter 0 50 --pin
	$(BIN)/python -m bench.idle
	$(BIN)/python -m bench.words
	$(BIN)/python -m bench.page

docs: dev
	$(BIN)/python tools/generate.py

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests bench examples tools -name __pycache__ -type d -prune -exec rm -rf {} +
