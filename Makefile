# Everything from a clean clone, with Python 3.11 or newer and make.
#
#   make setup               .venv with what the program and its tests need
#   make run [ARGS=...]      contactor run; without ARGS a virtual car with a week behind it
#   make test [ARGS=...]     the tests; ARGS="-k outbox" for some
#   make check               lint, format, types, import direction, spelling, docs, web app
#   make web                 the web app anew, if its sources changed
#   make bench [AREA=can]    ours against its peers: benchmarks/AREA.py [ARGS]
#   make fuzz [ARGS=...]     a million inputs made wrong, over every reader; ARGS="-n 20000"; then
#                            hostile commands at a car's agent for an hour; FUZZ_S=60 for a minute
#   make properties          the property tests, much longer
#   make truth [ARGS=...]    random fleets whose truth is known; ARGS="--cars 20" for few
#   make flow [ARGS=...]     the kill and cut tests, much longer: 100 processes killed -9
#   make wheel, make sizes   the wheel; what it weighs in each size
#   make cost                what `contactor run` with one live car costs
#   make pictures            the pictures of the documentation, by a real browser
#   make lock [ARGS=...]     requirements.txt anew; ARGS=--upgrade for newer versions
#   make clean               what the above made, .venv and .bench included

# The first of these that is new enough, unless you name one: make setup PYTHON=python3.12
PYTHON ?= $(firstword $(foreach python,python3 python3.13 python3.12 python3.11,$(shell \
	$(python) -c 'import sys; sys.version_info >= (3, 11) and print("$(python)")' 2>/dev/null)))
BIN    := .venv/bin
SYNC   := $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python
ARGS   ?=
FUZZ_S ?= 3600

# A slow mirror is no reason to fail.
export UV_HTTP_TIMEOUT ?= 180

.DEFAULT_GOAL := setup
.PHONY: setup run web test check bench fuzz properties truth flow wheel sizes cost pictures lock clean

# ── environment ──────────────────────────────────────────────────────────────────────────────────

setup: .venv/.setup

# The stamp is older than the lock after a change of dependencies: then, and only then, sync again.
.venv/.setup: requirements.txt pyproject.toml $(BIN)/uv
	$(SYNC) --require-hashes --requirement requirements.txt
	$(BIN)/python hatch_build.py
	$(SYNC) --no-deps --editable .
	$(BIN)/python -m contactor.can.kernels
	$(BIN)/python -m contactor.physics.fleet
	$(BIN)/python -m contactor.cloud.ingest.arrays
	$(BIN)/python -m contactor.history.kernels
	@touch $@

# uv itself comes from the lock, with its hashes. An environment that is there is kept.
$(BIN)/uv:
	@test -n "$(PYTHON)" || { echo "make: Python 3.11 or newer is needed; none found on PATH" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	sed -n '/^uv==/,/[^\\]$$/p' requirements.txt > .venv/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement .venv/uv.txt
	@touch $@

lock: $(BIN)/uv
	$(BIN)/uv pip compile pyproject.toml --quiet --all-extras --group test --group dev \
		--universal --python-version 3.11 --fork-strategy fewest \
		--generate-hashes --no-annotate --no-header --output-file requirements.txt $(ARGS)

clean:
	rm -rf frontend/node_modules src/contactor/faces/web/static
	rm -rf .venv .bench .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache dist site
	find src tests tools benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# ── the program ──────────────────────────────────────────────────────────────────────────────────

run: setup
	@exec $(BIN)/contactor run $(ARGS)

# The web app, built into the package by Node from its wheel; nothing where it is current.
web: setup
	$(BIN)/python hatch_build.py

# ── tests and checks ─────────────────────────────────────────────────────────────────────────────

test: setup
	$(BIN)/python -m pytest -n logical --dist loadfile $(ARGS)

fuzz: setup
	$(BIN)/python -m tools.fuzz $(ARGS)
	CONTACTOR_FUZZ_S=$(FUZZ_S) $(BIN)/python -m pytest -s -o faulthandler_timeout=0 \
		tests/car/agent/hostile -k no_hostile_command

properties: setup
	$(BIN)/python -m pytest -n logical --dist loadfile -m fuzz --hypothesis-profile fuzz $(ARGS)

truth: setup
	$(BIN)/python -m tools.truth $(ARGS)

flow: setup
	CONTACTOR_TEST_FLOW=whole $(BIN)/python -m pytest -n logical --dist loadfile -m flow $(ARGS)

check: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/codespell
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	$(BIN)/python hatch_build.py check

# ── benchmarks ───────────────────────────────────────────────────────────────────────────────────

# benchmarks/AREA.py measures; benchmarks/AREA.txt, where there is one, names the peers that it
# measures against, installed in .bench/AREA and never beside us.
AREAS := $(patsubst benchmarks/%.py,%,$(wildcard benchmarks/[a-z]*.py))

bench: setup
	@test -n "$(or $(AREA),$(AREAS))" || { echo "no benchmark yet; areas: none" >&2; exit 1; }
	@for area in $(or $(AREA),$(AREAS)); do \
		test -f benchmarks/$$area.py || { \
			echo "no benchmark for area $$area yet; areas: $(or $(AREAS),none)" >&2; exit 1; }; \
		if test -f benchmarks/$$area.txt; then \
			test -x .bench/$$area/bin/python || \
				$(BIN)/uv venv --quiet --python $(BIN)/python .bench/$$area || exit 1; \
			$(BIN)/uv pip install --quiet --python .bench/$$area/bin/python \
				--requirement benchmarks/$$area.txt || exit 1; \
		fi; \
		$(BIN)/python benchmarks/$$area.py $(ARGS) || exit 1; \
	done

# ── the wheel ────────────────────────────────────────────────────────────────────────────────────

wheel: web
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist

sizes: wheel
	$(BIN)/python tools/sizes.py --wheel dist/*.whl $(ARGS)

# ── figures and pictures of the README ───────────────────────────────────────────────────────────

cost: setup
	$(BIN)/python tools/cost.py $(ARGS)

pictures: setup
	$(BIN)/python tools/pictures.py
