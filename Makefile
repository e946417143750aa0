# WebNet Trainer. `make run` and `make test` set up what they need; `make run PORT=8001 HOST=0.0.0.0` are its options.
PYTHON ?= $(shell command -v python3 || command -v python3.13 || command -v python3.12 || command -v python3.11 || echo python3)
PORT ?= 8000
HOST ?= 127.0.0.1
export PORT HOST

.DEFAULT_GOAL := help
.PHONY: help run test lint types clean

help:  ## list what make can do here
	@sed -n 's/^\([a-z]*\):.*## /  make \1  -- /p' Makefile

run:  ## set up what is missing, then serve until Ctrl-C
	@$(PYTHON) -m webnet.bootstrap run

test:  ## set up what is missing, then run every test (ARGS="-k word" chooses)
	@$(PYTHON) -m webnet.bootstrap test
ifdef ARGS
	.venv/bin/python -m pytest $(ARGS)
else
	.venv/bin/python -m pytest -n 2 -m "not slow" $(if $(REPORTS),--junit-xml=$(REPORTS)/quick.xml)
	.venv/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m slow $(if $(REPORTS),--junit-xml=$(REPORTS)/slow.xml)
endif
	PATH="$$PATH:$(CURDIR)/.venv/bin" node --test $(wildcard tests/js/*.test.js tests/js/*.test.mjs)

lint:  ## style (ruff), import contracts, missing migrations
	.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/lint-imports

types:  ## static types
	.venv/bin/mypy

clean:  ## remove what was installed; the data in var/ stay
	rm -rf .venv node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
