# make lab    set everything up and open JupyterLab on lesson 1
# make test   set everything up and run the whole suite
# make lint   look at style only;  make format   mend it
# make bench  compare the training loop's speed with others', which takes a while
# make clean  remove what the others made

PYTHON ?= python3
BIN := .venv/bin

.PHONY: lab test lint format bench clean

lab: .venv/installed-lab
	$(BIN)/jupyter lab notebooks/01_environment.ipynb

test: .venv/installed-test lint
	$(BIN)/python -m pytest --nbval

lint: .venv/installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check

format: .venv/installed-test
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: .venv/installed-test
	$(BIN)/python tests/benchmarks/compare_training.py

# A stamp is written last, so that an interrupted installation is taken up again.
.venv/installed-lab: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --constraint constraints.txt --editable ".[lab]"
	touch $@

.venv/installed-test: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --constraint constraints.txt --editable ".[lab,test]"
	touch .venv/installed-lab $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "The course needs Python 3.11 or newer; found $$($(PYTHON) --version). Try: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv .venv

clean:
	rm -rf .venv .pytest_cache .ruff_cache
