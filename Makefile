# Every target does its own set-up: a fresh clone needs python3.11+ with venv, make, g++ and the
# Python headers, nothing else.
PYTHON ?= python3
VENV ?= .venv
# Where CPU wheels of torch come from elsewhere, for example
#   make setup TORCH="torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu"
TORCH ?= torch==2.13.0
OUT ?= out
BIN := $(VENV)/bin
SLOW := slow or shared or chromium or gpu
READY := $(VENV)/.ready

.PHONY: setup demo test test-full lint bench studies clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	# First and pinned: what asks for torch later would fetch gigabytes of CUDA libraries.
	$(BIN)/pip install --quiet $(TORCH)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -m pipelines.warm
	touch $@

demo: setup
	$(BIN)/tilth demo --out $(OUT)/demo

test: setup
	$(BIN)/pytest -q -n auto --dist loadgroup -m "not ($(SLOW))"

test-full: test
	$(BIN)/pytest -q -n auto --dist loadgroup -m "$(SLOW)"

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: setup
	$(BIN)/python -m tests.benchmarks

studies: setup
	$(BIN)/python -m pipelines.studies --out $(OUT)/studies

clean:
	rm -rf $(VENV) $(OUT)
