# One command sets up and runs; CI runs the same ones.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test check docs format clean

# uv resolves and links packages in seconds where pip takes minutes. The stamp
# makes set-up run again when what the project needs has changed.
STAMP := $(VENV)/.ready
$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --editable . --group dev
	touch $@

demo: $(STAMP)  ## set up, fine-tune on the embedded digits, write a submission
	$(BIN)/kitbox demo

test: $(STAMP)  ## set up, run every test (real-data ones skip where the data is missing)
	$(BIN)/python -m pytest -n 2

check: $(STAMP)  ## format, lint and types, without changing anything
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

docs: $(STAMP)  ## build the documentation into build/docs
	$(BIN)/sphinx-build -q -W docs build/docs

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) build dist
