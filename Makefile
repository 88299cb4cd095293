# Everything a person types. Each target makes .venv by itself when it is missing or out of date.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help venv demo test test-real parts lint types contracts check bench numbers mutants lock clean

help:             ## show this list
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 14

venv:             ## make .venv from the lock file
	@PYTHON=$(PYTHON) bash deploy/bootstrap.sh

demo: venv        ## run the main job against a sandbox and show what it does
	@$(BIN)/crew demo

# Twice as many workers as cores: many tests wait for a process, a deadline or a lock. A worker keeps to whole modules as
# long as it can, since their worlds and the libraries that they import are made once for each worker.
# In random order, so that no test leans on another: `make test SEED=...` repeats the order that was printed.
test: venv        ## run the tests that need nothing but Python
	@seed=$${SEED:-$$(date +%s)}; echo "random order: SEED=$$seed"; \
	  $(BIN)/pytest -q -n 4 --dist worksteal --randomly-seed=$$seed -m "not real"

parts: venv       ## build the real servers that test-real talks to (Go, npm; about 20 minutes once)
	@bash tests/real/parts/build.sh

test-real: venv parts ## run the tests against real servers
	@$(BIN)/pytest -q -m real

lint: venv        ## style and format
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: venv       ## types, strict
	@$(BIN)/mypy

contracts: venv   ## the one-way imports between folders
	@$(BIN)/lint-imports

check: lint types contracts ## all three

bench: venv       ## measure against the targets and write docs/BENCHMARKS.md
	@$(BIN)/python -m bench

numbers: venv     ## write docs/NUMBERS.md from the catalogue of measures
	@$(BIN)/python -c "from opscrew.measures.page import numbers_page as page; print(page(), end='')" > docs/NUMBERS.md

mutants: venv     ## change the code in small ways and see whether tests notice (MODULE=path SEED=1 COUNT=15)
	@nice -n 10 $(BIN)/python -m bench.mutants --module "$(MODULE)" --seed $(or $(SEED),1) --count $(or $(COUNT),15)

lock: venv        ## resolve the dependencies anew (needs uv)
	uv pip compile pyproject.toml embedding-weights.in --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --no-header --upgrade --quiet --output-file requirements.lock

clean:            ## remove .venv and caches
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache *.egg-info
