# Everything a newcomer types. A Python from 3.11 to 3.13 is all that must be there beforehand.
#   make up      start everything and tell the addresses     make test    run all tests
#   make down    stop what runs in the background            make check   ruff, mypy, import-linter
#   make demo    the whole story against what runs           make fmt     format the code
#   make reset   remove local data, keys and logs            make doctor  what is missing, and the remedy
#   make faults, make bench   the proofs                     make lock    renew requirements.lock

SHELL := /bin/sh
MEDCAB := .venv/bin/medcab
READY := .venv/.installed
PIP := .venv/bin/python -m pip install --disable-pip-version-check --quiet
SUITABLE := import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
ARGS ?=
# Without compiled files every process of the tests compiles all of the code again.
unexport PYTHONDONTWRITEBYTECODE
# Tests wait a good part of their time: three processes are quicker than two on two cores. More of them
# only wait for the servers that they share.
PROCESSES ?= 3

.DEFAULT_GOAL := help
.PHONY: help install up down status doctor reset demo test check fmt bench faults corpus lock chromium

help:
	@sed -n '2,6s/^# *//p' Makefile

install: $(READY)

# A folder made by a Python that is gone or unsuitable is made anew. uv takes seconds where pip takes
# a minute; where it finds no packages, for it reads no settings of pip, pip does it.
$(READY): requirements.lock pyproject.toml
	@if ! .venv/bin/python -c '$(SUITABLE)' 2>/dev/null; then \
	  for python in $(PYTHON) python3.11 python3.12 python3.13 python3 python; do \
	    if "$$python" -c '$(SUITABLE)' 2>/dev/null; then found=$$python; break; fi; \
	  done; \
	  if [ -z "$${found:-}" ]; then \
	    echo "No Python from 3.11 to 3.13 with venv is here. Install one (Debian: apt install" \
	      "python3 python3-venv), or name it: make up PYTHON=/path/to/python3.13" >&2; exit 1; \
	  fi; \
	  echo "Making .venv with $$($$found --version)"; \
	  "$$found" -m venv --clear .venv; \
	fi
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.lock
	$(PIP) --require-hashes -r .venv/uv.lock
	.venv/bin/uv pip install --python .venv/bin/python --require-hashes -r requirements.lock \
	  || $(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $(READY)

up: $(READY)
	@$(MEDCAB) up $(ARGS)

down status doctor reset demo bench faults corpus: $(READY)
	@$(MEDCAB) $@ $(ARGS)

chromium: $(READY)
	@.venv/bin/python -m ops.install.chromium

test: $(READY)
	@.venv/bin/python -m ops.install.chromium || true
	@.venv/bin/python -m ops.install.openssl_gost || true
	@.venv/bin/python -m ops.install.servers
	.venv/bin/python -m pytest -n $(PROCESSES) --dist worksteal $(ARGS)

check: $(READY)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy .
	.venv/bin/lint-imports

fmt: $(READY)
	.venv/bin/ruff check --fix-only .
	.venv/bin/ruff format .

lock: $(READY)
	.venv/bin/uv pip compile pyproject.toml --extra local --extra dev --universal --generate-hashes \
	  --no-header --no-emit-index-url --python-version 3.11 -o requirements.lock -q
	.venv/bin/uv pip compile pyproject.toml --constraints requirements.lock --universal \
	  --generate-hashes --no-header --no-emit-index-url --no-annotate --python-version 3.11 \
	  -o docker/requirements.lock -q
