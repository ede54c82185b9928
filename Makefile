# The two commands: `make demo` serves a demonstration, `make test` runs every test.
# `make benchmarks` prints times and memory, `make figures` the coverage and error rates that docs/methods quotes and what docs/figures.md keeps of the record.
PYTHON ?= python3
VENV   ?= .venv
RUN     = $(VENV)/bin/
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: demo test check figures benchmarks lock clean

$(VENV)/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "examsvc needs Python 3.11 or newer: say which with make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(RUN)python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(RUN)python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(VENV)/ready
	$(RUN)examsvc demo

test: $(VENV)/ready check
	$(RUN)python -m pytest -n 2 --dist load

check: $(VENV)/ready
	$(RUN)ruff check .
	$(RUN)lint-imports
	$(RUN)mypy

benchmarks: $(VENV)/ready $(VENV)-girth/ready
	$(RUN)python benchmarks/irt.py --million --girth $(VENV)-girth/bin/python
	$(RUN)python benchmarks/assembly.py
	$(RUN)python benchmarks/banks.py

figures: $(VENV)/ready
	$(RUN)python benchmarks/irt_coverage.py
	$(RUN)python benchmarks/coverage_classical.py
	$(RUN)python benchmarks/screening.py
	$(RUN)python benchmarks/verification.py
	$(RUN)python benchmarks/ledger.py
	$(RUN)python benchmarks/sealing.py

# The package that ours is measured against, in an environment of its own: the locked one stays as it is.
$(VENV)-girth/ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)-girth
	$(VENV)-girth/bin/python -m pip install --quiet --disable-pip-version-check girth==0.8.0 "numpy>=2.2" "scipy>=1.16"
	@touch $@

lock:
	uv pip compile --universal --fork-strategy fewest --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra test pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) $(VENV)-girth demo-installation
