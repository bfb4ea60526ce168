# make study runs everything; make help lists the rest. Needed beforehand: Python 3.11 to 3.14, git, make.

VENV ?= .venv
PYTHON ?=
PIP_FLAGS ?=
PYTEST_FLAGS ?=
BENCH_FLAGS ?=
SITE ?= site

run := "$(VENV)/bin/python"
stamp := $(VENV)/.installed
docs_stamp := $(VENV)/.installed-docs
# DVC starts the stages by `python`: the environment's own.
export PATH := $(abspath $(VENV))/bin:$(PATH)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install study panel test lint ui bench reference docs

help:
	@echo "make study   environment, data, then the whole study: search, train, evaluate, law, report"
	@echo "make panel   environment, data, then the study of a panel of stocks, models beside baselines"
	@echo "make test    the fast tests (PYTEST_FLAGS='-m slow' for the slow ones)"
	@echo "make lint    ruff and mypy"
	@echo "make bench   throughput of the training engine beside a plain trainer (a quarter of an hour)"
	@echo "make ui      MLflow's page of the runs on 127.0.0.1"
	@echo "make docs    the documentation as web pages, in site/ (make reference: only its pages made from the code)"
	@echo "make install the environment alone, in $(VENV) (PYTHON=/path/to/python chooses the interpreter)"

install: $(stamp)

study: $(stamp)
	$(run) -m dvc pull data.dvc
	"$(VENV)/bin/tsladder" run

panel: $(stamp)
	$(run) -m dvc pull data.dvc
	"$(VENV)/bin/tsladder" --study panel run

# What is compiled once serves the hundreds of processes of the tests.
test: $(stamp)
	PYTHONDONTWRITEBYTECODE= $(run) -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST_FLAGS)

lint: $(stamp)
	$(run) -m ruff check .
	$(run) -m ruff format --check .
	$(run) -m mypy

reference: $(stamp)
	$(run) docs/mkdocs/reference.py

docs: $(docs_stamp) reference
	NO_MKDOCS_2_WARNING=1 $(run) -m mkdocs build --quiet --config-file docs/mkdocs/mkdocs.yml --site-dir "$(abspath $(SITE))"
	@echo "$(SITE)/index.html"

bench: $(stamp)
	$(run) benchmarks/engine.py $(BENCH_FLAGS)

ui: $(stamp)
	"$(VENV)/bin/tsladder" ui

# Said by make itself: it adds a line of its own to what a recipe says before it fails.
refusal = $(shell sh choose_python.sh "$(VENV)" "$(PYTHON)" 2>&1 >/dev/null)

$(stamp): requirements.lock pyproject.toml
	$(if $(refusal),$(error $(refusal)))
	@chosen=$$(sh choose_python.sh "$(VENV)" "$(PYTHON)") || exit; \
	[ -z "$$chosen" ] || { echo "Making $(VENV) with $$chosen"; "$$chosen" -m venv --clear "$(VENV)"; }
	@echo "Installing the packages of requirements.lock (minutes at the first time)"
	$(run) -m pip install --disable-pip-version-check $(PIP_FLAGS) -r requirements.lock
	$(run) -m pip install --disable-pip-version-check $(PIP_FLAGS) --no-deps --no-build-isolation -e .
	@touch "$(stamp)"

$(docs_stamp): docs/mkdocs/requirements.lock | $(stamp)
	$(run) -m pip install --disable-pip-version-check $(PIP_FLAGS) -c requirements.lock -r docs/mkdocs/requirements.lock
	@touch "$(docs_stamp)"
