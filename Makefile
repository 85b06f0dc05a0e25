# The two commands: `make run` (the embedded demo, end to end) and `make test`. Each sets up .venv first.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do $$p -c '' 2>/dev/null && echo $$p && break; done)
CORES ?= all
VENV := .venv
BIN := $(VENV)/bin
# GPU=1 adds CUDA's libraries to the environment (Linux on x86-64, 3 GB more).
READY := $(VENV)/.ready$(if $(GPU),-gpu)
LOCKS := requirements.lock $(if $(GPU),requirements-gpu.lock)
# A machine-wide "write no byte code" makes every job start three times slower; the environment is compiled instead.
unexport PYTHONDONTWRITEBYTECODE
export PATH := $(CURDIR)/$(BIN):$(PATH)
export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: help setup run report test lint format docs lock perf test-faults test-quick test-network test-mutants test-slurm clean

help:  ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 14

setup: $(READY)  ## Make .venv from the lock file (a second call does nothing); GPU=1 for a machine with a GPU

WINOGRAD := setup.py $(wildcard workflow/scripts/l3net/inference/winograd*pp)
$(READY): $(LOCKS) pyproject.toml $(WINOGRAD)
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, found " + sys.version.split()[0] + "; set PYTHON=") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --require-hashes $(addprefix -r ,$(LOCKS))
	$(BIN)/python -m pip install --quiet --no-compile --no-deps --no-build-isolation --editable .
	@$(BIN)/python -c 'from l3net.inference import winograd; winograd.available_lanes() or print("winograd.cpp was not built (it needs g++ and a CPU with AVX2): embeddings are slower")'
	$(BIN)/python -m compileall -q -j 0 $(VENV)/lib workflow/scripts >/dev/null || true
	touch $(VENV)/.ready $@

# The run of `make run` and `make report`: the demo, or CONFIG=presets/x.yaml.
CONFIG ?= presets/demo.yaml
NAMED = @for file in $(CONFIG); do [ -f "$$file" ] || { echo "CONFIG=$$file: no such file" >&2; exit 1; }; done; \
	$(BIN)/python -c 'import sys; from l3net.configuration import fault_of_file as fault; sys.exit(next(filter(None, map(fault, sys.argv[1:])), 0))' $(CONFIG)
run: setup  ## Run the embedded demo (or CONFIG=presets/x.yaml) end to end and write its report
	$(NAMED)
	$(BIN)/snakemake --cores $(CORES) --configfile $(CONFIG)
	$(MAKE) --no-print-directory report

RUN = $(shell $(BIN)/python -c 'import sys, yaml; print(([""] + [found for found in (yaml.safe_load(open(path)).get("run") for path in sys.argv[1:]) if found])[-1])' $(wildcard $(CONFIG)) 2>/dev/null)
report: setup  ## Write results/<run>/report.html of a finished run: the demo's, or CONFIG="presets/x.yaml more.yaml"
	$(NAMED)
	@[ -d results/$(RUN) ] || { echo "results/$(RUN): no such folder; first: make run CONFIG=\"$(CONFIG)\"" >&2; exit 1; }
	$(BIN)/snakemake --cores 1 --report results/$(RUN)/report.html --configfile $(CONFIG)
	@echo "report:  results/$(RUN)/report.html"
	@if [ -d results/$(RUN)/tables ]; then echo "tables:  results/$(RUN)/tables/ (summary.md, downstream.csv, avc.csv, significance.csv)"; fi
	@echo "figures: results/$(RUN)/figures/"

# Two files of tests at a time; each process takes up to 3 GB.
test: setup  ## Run the tests
	$(BIN)/python -m pytest -q -n 2 --dist loadfile tests --ignore tests/slurm --ignore tests/perf -m "not network"

test-faults: setup  ## Kill every stage 20 times, starve it of disk, harm every kind of input 300 times; writes docs/reliability.md
	L3NET_FAULTS=full $(BIN)/python -m pytest -q tests/faults --timeout 14400; code=$$?; \
	$(BIN)/python -m tests.faults.results; exit $$code

QUICK = acquisition audioset configuration containers downloads files media report runtime samples test_rooms.py
test-quick: setup  ## Run the tests of the rooms without networks (a minute or so)
	$(BIN)/python -m pytest -q -n 2 --dist loadfile $(QUICK:%=tests/%) -m "not network and not slow and not simulation and not finished_demo and not real_data"

test-network: setup  ## Run the tests that fetch trained networks (YAMNet's need the extra onnx)
	$(BIN)/python -m pytest -q tests -m network

test-mutants: setup  ## Plant the next of 200 small faults and ask the nearest tests (goes on where it ended)
	$(BIN)/python -m tests.mutation

lint: setup  ## ruff, snakefmt, import-linter and snakemake --lint
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/lint-imports --no-logo
	$(BIN)/snakemake --lint

format: setup  ## Format the sources
	$(BIN)/ruff check --fix . && $(BIN)/ruff format . && $(BIN)/snakefmt Snakefile rules

docs: setup  ## Generate config.yaml, its schema and page, the drawing of the rooms, and the site (site/index.html)
	$(BIN)/python -m l3net.configuration.generate
	$(BIN)/python docs/draw_rooms.py
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs site

perf: setup  ## Measure speed as ratios, side by side; writes results/perf.json
	$(BIN)/python -m tests.perf

test-slurm: setup  ## Run the tests on a real SLURM of their own (Debian: installs it when root)
	tests/slurm/run.sh

UV = uv pip compile pyproject.toml --extra workflow --extra dev --extra docs --extra slurm --generate-hashes --universal --python-version 3.11
lock:  ## Resolve the pinned versions anew (needs uv)
	$(UV) --custom-compile-command "make lock" -o requirements.lock
	echo "# CUDA's libraries for TensorFlow, beside requirements.lock: make setup GPU=1 (\`make lock\` resolves both)" > requirements-gpu.lock
	$(UV) --extra gpu --constraints requirements.lock --no-header --no-annotate | awk '/^[^ ]/ {keep = /^nvidia-/} keep' >> requirements-gpu.lock

clean:  ## Remove the demo's results (never resources/, never .venv)
	rm -rf results/demo logs/demo benchmarks/demo
