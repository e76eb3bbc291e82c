# The commands of this repository. `make demo` and `make test` are all a newcomer needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ONCE   ?=

.PHONY: demo test proof mutants lint format bench lock clean

$(VENV)/.runtime: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, found " + sys.version.split()[0] + "; try: make PYTHON=python3.12")'
	@echo "Installing the product into $(VENV), once; this takes a minute or two ..."
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "Installing what tests and checks need into $(VENV), once ..."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@

demo: $(VENV)/.runtime
	$(BIN)/gateway demo $(if $(ONCE),--once)

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadfile tests

# The long proofs, some hours: what the suite runs a share of, with other draws each time (docs/proofs.md).
proof: SEED := $(shell date +%s)
proof: $(VENV)/.dev
	NON_INTERFERENCE_EXAMPLES=100000 NON_INTERFERENCE_SEED=$(SEED) $(BIN)/python -m pytest -n 2 --timeout 14400 tests/flow/test_non_interference.py
	REVOCATION_RACE_PERSONS=1000 $(BIN)/python -m pytest --timeout 7200 tests/doors/test_revocation_race.py

# One room: make mutants ROOM=redaction; one file: make mutants ROOM=redaction.rebuild; one function: ROOM=redaction.rebuild.name
JUDGES := tests/rules/part2 tests/unit/consent tests/unit/labeling tests/unit/redaction
mutants: $(VENV)/.dev
	$(BIN)/python -m pytest -W ignore -p tests.mutants.plugin --change $(ROOM) $(JUDGES)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.runtime
	$(BIN)/gateway bench

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet pyproject.toml --group build --extra postgres -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet pyproject.toml --group dev --extra postgres -o requirements-dev.lock

clean:
	rm -rf $(VENV) build dist out .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage
