# Two commands on a fresh machine with Python >= 3.11: `make start` and `make test`.
PYTHON ?= python3
BIN := .venv/bin

# make start BUNDLE=FILE: install from what `grader bundle` wrote, without a network.
export BUNDLE

.PHONY: start test e2e lint types textlint site browser verify notebooks bench lock clean learner dev

start: learner  ## the course: embedded cluster, JupyterLab in Japanese, lesson 1
	@$(BIN)/grader lab

test: dev  ## everything that needs no Docker
	$(BIN)/pytest -n auto --dist worksteal  # a module stays with one worker, so what its tests share is made once

e2e: dev  ## what runs on a real kind cluster
	$(BIN)/pytest -m kind

verify: dev  ## every exercise on an embedded cluster of its own
	$(BIN)/grader --cluster verify-embedded cluster up --embedded
	$(BIN)/grader --cluster verify-embedded verify; status=$$?; $(BIN)/grader --cluster verify-embedded cluster down; exit $$status

lint: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: dev
	$(BIN)/mypy

textlint: dev  ## Japanese and Markdown (needs Node.js)
	npm ci --silent --no-fund --no-audit
	npm run --silent lint
	$(BIN)/python -m tools.catalogue_text build/text
	npm run --silent lint:catalogues

site: dev  ## the published site, into build/site
	site/build.sh $(BIN)/python

browser: site  ## the built site in Chromium and Firefox (needs Node.js)
	npm ci --silent --no-fund --no-audit
	$(BIN)/pytest -m browser

bench: dev
	$(BIN)/python -m benchmarks

lock:
	tools/lock

learner:
	@$(PYTHON) tools/install.py learner

dev:
	@$(PYTHON) tools/install.py dev

clean:
	rm -rf .venv build node_modules
