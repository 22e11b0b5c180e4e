# make serve: everything from a bare clone to the running service.
# make test:  everything from a bare clone to the passed tests.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)

.PHONY: serve test lint benchmark attack report notebooks screenshots clean

serve: $(VENV)/installed
	@$(BIN)/python -m itadaki serve || exit 1

test: $(VENV)/installed-dev lint
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports --no-cache --no-logo

benchmark: $(VENV)/installed-dev
	$(BIN)/python benchmarks/bank_build.py
	$(BIN)/python benchmarks/fine_tuning.py

# The service under attack: what it costs is measured where it is a matter of degree; what must not
# happen at all (damaged files, full disks, wrong keys, clocks, hosts, odd requests) is tested.
attack: $(VENV)/installed-dev
	$(BIN)/python benchmarks/attack.py
	$(BIN)/python benchmarks/attack_import.py
	$(BIN)/python -m pytest tests/test_transaction.py tests/test_full_disk.py tests/test_damaged_files.py \
		tests/test_access.py tests/test_hosts.py tests/test_load.py tests/test_http_protocol.py tests/test_fetch.py

# The documents' tables and figures, from stored measurements.
report: $(VENV)/installed-dev
	$(BIN)/python -m tools.report

# The same, and the four notebooks, run on the sample cookbook beside the stored measurements.
notebooks: $(VENV)/installed-dev
	$(BIN)/python -m tools.report --notebooks

# Those of the page's states, on the sample cookbook.
screenshots: $(VENV)/installed-dev
	$(BIN)/python tests/page_screenshots.py

clean:
	rm -rf $(VENV) *.egg-info .pytest_cache .ruff_cache .mypy_cache

$(VENV)/installed: pyproject.toml
	@echo "Installing what serving needs into $(VENV), once: 0.75 GB on disk, about a minute."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	@echo "Installing TensorFlow, notebooks and the development tools, too: 3.2 GB in all."
	$(BIN)/python -m pip install --disable-pip-version-check --editable ".[dev]"
	@touch $@
