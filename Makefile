# The front door: `make run`, `make test`. Every target works on a fresh Debian 12 machine; only root gets packets.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
EXAMPLE := examples/three-tier.yaml
SIDE_BY_SIDE := --numprocesses 3 --dist loadfile
KERNEL := tests/nftables tests/peers tests/live tests/lab tests/logs  # in processes of their own
export PATH := $(PATH):/usr/sbin:/sbin  # where nft is; su without a dash leaves them out

.PHONY: help setup run down test lint soak bench clean
.DEFAULT_GOAL := help

help:  ## this text
	@awk -F':.*##' '/^[a-z]+:.*##/ { printf "%-6s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/ready  ## a .venv with pinned dependencies, and what is missing of Debian's packages

$(VENV)/ready: pyproject.toml constraints.txt setup.sh
	PYTHON=$(PYTHON) ./setup.sh $(VENV)
	@touch $@

run: setup  ## the service, with the three-tier example in the lab, until ctrl-C
	@if [ "$$(id -u)" = 0 ]; then $(BIN)/ringfence serve --demo $(EXAMPLE); else \
	  echo "not root: no namespaces and no packets here, so the model alone answers"; \
	  $(BIN)/ringfence check $(EXAMPLE); fi

down: setup  ## take away a lab that was left behind
	$(BIN)/ringfence down

test: setup  ## everything that is proved; with packets when root
	$(BIN)/pytest $(SIDE_BY_SIDE) $(KERNEL)  # most of the time is waiting for packets that must not come
	$(BIN)/pytest $(SIDE_BY_SIDE) tests $(addprefix --ignore=,$(KERNEL))

lint: setup  ## types, style, and the import contract
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

soak: setup  ## a large policy; random worlds against packets, histories and kills of the service, for MINUTES each (default 10)
	$(BIN)/python -m tests.nftables.large
	$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),10)
	$(BIN)/python -m tests.service.soak --minutes $(or $(MINUTES),10)

bench: setup  ## each named figure as a ratio measured in one run, with its target
	$(BIN)/python -m bench $(BENCH)

clean:  ## remove what set-up made
	rm -rf $(VENV)
