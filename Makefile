# `make run` and `make test` do all that is needed on a fresh Debian or Ubuntu machine with Python 3.11+.

PROFILE ?= auto
EXTRA := $(if $(filter gpu,$(PROFILE)),gpu,demo)
PORT ?= 7860
BIN := .venv/bin
INSTALL := tools/install.sh
PYTEST_ARGS ?=
SCREENSHOTS ?= /tmp/ultraandchat-screenshots

.PHONY: help run install dev test test-image test-models check bench screenshots docs clean
.DEFAULT_GOAL := help

help:
	@echo "make run [PROFILE=auto|gpu|demo|scripted] [PORT=7860]   install what is missing, then serve"
	@echo "make install   into .venv, to run        make dev     the same, with the tools of development"
	@echo "make test      all tests                 make check   format, lint, types, layers, documents"
	@echo "make test-models  Ultravox, Chatterbox and what they need, on the processor: random weights, torch in .venv-models"
	@echo "make test-image   the image and the start script of a pod, in fresh Debian roots; as root, minutes"
	@echo "make bench     the figures of docs/latency.md         make docs    write the generated files anew"
	@echo "make screenshots [SCREENSHOTS=/tmp/…]   every state of the page, in both sizes and themes"
	@echo "make clean     remove .venv, .venv-models and all that is made"

run: install
	@exec $(BIN)/ultraandchat serve --profile $(PROFILE) --port $(PORT)

install: .venv/.installed-$(EXTRA)
dev: .venv/.installed-dev

# A stamp is older than what it was made from: then pip looks again.
.venv/.installed-demo: pyproject.toml $(INSTALL)
	@$(INSTALL) demo

.venv/.installed-gpu: pyproject.toml constraints-gpu.txt chatterbox-requirements.txt $(INSTALL)
	@$(INSTALL) gpu

.venv/.installed-dev: pyproject.toml $(INSTALL)
	@$(INSTALL) dev

.venv/.browser: $(INSTALL) | .venv/.installed-dev
	@$(INSTALL) browser

test: dev .venv/.browser
	@tools/page/install.sh
	@tools/node.sh --test tests/web/*.test.js
	@$(BIN)/pytest $(PYTEST_ARGS)

# An environment of its own: the server's has no torch, and must do without.
.venv-models/.installed: pyproject.toml constraints-gpu.txt chatterbox-requirements.txt $(INSTALL)
	@$(INSTALL) models

# Not part of `test`: torch alone is as large as all the rest.
test-models: .venv-models/.installed .venv/.browser
	@.venv-models/bin/pytest --models tests/models $(PYTEST_ARGS)

# Not part of `test`: it makes Debian roots, and installs from the registries twice.
test-image: dev
	@$(INSTALL) roots
	@$(BIN)/pytest --image tests/image $(PYTEST_ARGS)

check: dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/shellcheck .ci/run deploy/*.sh deploy/runpod/*.sh tools/*.sh tools/page/*.sh
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
	$(BIN)/python -m bench.page_cost
	$(BIN)/python -m bench.connect
	$(BIN)/python -m bench.cuts

screenshots: dev .venv/.browser
	@$(BIN)/python -m tools.screenshots $(SCREENSHOTS)

docs: dev
	$(BIN)/python tools/generate.py

clean:
	rm -rf .venv .venv-models build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests bench examples tools -name __pycache__ -type d -prune -exec rm -rf {} +
