# make lab    set everything up and open JupyterLab on lesson 1
# make test   set everything up and run the whole suite
# make lint   look at style only;  make format   fix it
# make bench  compare the speed of training loop and service with others', which takes a while
# make test-colab    run everything with the versions of Google Colab, in .venv-colab
# make test-browser  run every lesson in JupyterLab in a browser (needs chromium)
# make clean  remove what the others made

PYTHON ?= python3
COLAB_PYTHON ?= $(shell python3.13 --version >/dev/null 2>&1 && echo python3.13 || echo $(PYTHON))
BIN := .venv/bin

.PHONY: lab test test-colab test-browser lint format bench clean

lab: .venv/installed-lab
	$(BIN)/jupyter lab notebooks/01_environment.ipynb

test: .venv/installed-test lint
	$(BIN)/python -m pytest --nbval

test-colab: .venv-colab/installed
	.venv-colab/bin/python -m pytest --nbval-lax -m "not browser" --ignore tests/test_versions.py

test-browser: .venv/installed-test
	BROWSER=needed SCREENSHOTS=screenshots $(BIN)/python -m pytest -n 1 -m browser tests/test_jupyterlab.py

lint: .venv/installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check

format: .venv/installed-test
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: .venv/installed-test
	$(BIN)/python tests/benchmarks/compare_training.py
	$(BIN)/python tests/benchmarks/compare_serving.py

# A stamp is written last, so that an interrupted installation is taken up again.
.venv/installed-lab: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --constraint constraints.txt --editable ".[lab]"
	touch $@

.venv/installed-test: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --constraint constraints.txt --editable ".[lab,test]"
	touch .venv/installed-lab $@

.venv-colab/installed: pyproject.toml constraints-colab.txt
	$(COLAB_PYTHON) -m venv .venv-colab || { rm -rf .venv-colab; exit 1; }
	.venv-colab/bin/python -m pip install --constraint constraints-colab.txt --editable ".[lab,test]"
	touch $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "The course needs Python 3.11 or newer; found $$($(PYTHON) --version). Try: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }  # without pip it is of no use

clean:
	rm -rf .venv .venv-colab .pytest_cache .ruff_cache screenshots *.egg-info
