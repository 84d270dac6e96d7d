# make demo   a small pair of languages through the whole pipeline, with the core alone
# make test   every check, with every extra
# make docs   the documentation as a site, in build/site
PYTHON ?= python3
VENV ?= .venv
# The tests take one known torch. Plain PyPI has the build for NVIDIA GPUs, several gigabytes; for the
# small one: make test TORCH='torch --index-url https://download.pytorch.org/whl/cpu'
TORCH ?= torch==2.13.0

.PHONY: demo test check docs clean

$(VENV)/bin/jointalign: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade pip
	$(VENV)/bin/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.test: pyproject.toml $(VENV)/bin/jointalign
	$(VENV)/bin/python -m pip install --quiet $(TORCH)
	$(VENV)/bin/python -m pip install --quiet --editable '.[all]' --group test --group reference
	$(VENV)/bin/python -m pip install --quiet --no-deps wechsel==0.0.4 deepfocus==1.0.1 entmax==1.3 fastdist==1.1.7 print-on-steroids==1.2.3
	touch $@

$(VENV)/.docs: pyproject.toml $(VENV)/bin/jointalign
	$(VENV)/bin/python -m pip install --quiet --group docs
	touch $@

demo: $(VENV)/bin/jointalign
	$(VENV)/bin/jointalign demo --out runs/demo

check: $(VENV)/.test
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/pyright --pythonpath $(VENV)/bin/python

test: check
	$(VENV)/bin/python -m pytest -n auto --dist worksteal --durations=15 -m 'not slow and not gpu'

docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict

clean:
	rm -rf $(VENV) runs/demo build
