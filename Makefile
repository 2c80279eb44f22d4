# One command for each thing a developer does here; `make` alone lists them.
# Needs git, make and Python 3.11 or newer; everything else goes into .venv/.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# The tests wait for disks, locks and each other, so one more of them goes at once than this suits: two cores.
WORKERS ?= 3
# What they write lies in memory, where there is a place for it. Parsed modules of theirs are kept, whatever the shell says.
SCRATCH = TMPDIR="$${TMPDIR:-$$(tests/scratch.sh)}"
unexport PYTHONDONTWRITEBYTECODE
# A plugin that only the web's tests need takes two seconds of every start.
PYTEST = $(BIN)/python -m pytest -p no:schemathesis $(AGAIN)
# What CI gives a test that hung or failed on a busy machine: one more try, which its report names (tests/conftest.py).
AGAIN ?=

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help venv tools packages chromium released demo serve test test-slow slow-list test-clients test-clients-all test-web soak power alarms lint same dist man rest plugins pictures bench clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(INSTALLED) ## make .venv with gitchat and the tools to develop it

# Debian's python3 comes without ensurepip; its pip can fill the environment all the same.
$(INSTALLED): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: $(PYTHON) cannot be started, or is older than Python 3.11"; \
	  echo "hint: make venv PYTHON=python3.11 (or newer)"; exit 1; } >&2
	@$(BIN)/python -m pip --version >/dev/null 2>&1 \
	|| { $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null && $(PYTHON) -m venv --clear $(VENV); } \
	|| { $(PYTHON) -m venv --clear --without-pip $(VENV) && $(PYTHON) -m pip --python $(BIN)/python install pip; } \
	|| { echo "error: $(PYTHON) cannot make a virtual environment"; \
	  echo "hint: apt-get install python3-venv, or what your system calls the modules venv and ensurepip"; exit 1; } >&2
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --group dev --editable '.[serve,nats]'
	@touch $@

tools: ## put a git that knows reftable, busybox, and MCP clients in TypeScript, into .tools/, for the tests
	@tests/fetch-newer-git.sh
	@tests/fetch-shells.sh
	@tests/server/fetch-clients.sh

packages: ## install the programs that tests drive, by apt-get, as root; otherwise print the command
	@tests/fetch-packages.sh

chromium: ## install Debian's chromium, and what drives it into .tools/, for the tests of the page
	@tests/serve/fetch-chromium.sh

released: $(INSTALLED) ## build the wheel of version 0.1.0 from its commit, and install it into .tools/, for the tests
	@tests/fetch-released.sh $(BIN)/python

demo: $(INSTALLED) ## show the main job in a scratch repository
	@PATH="$(CURDIR)/$(BIN):$$PATH" docs/demo.sh

serve: $(INSTALLED) ## fill a scratch repository with a lively room, serve it, and open a browser on it
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python examples/lively_room.py --open-browser

test: $(INSTALLED) ## all tests that take no more than a few seconds each
	@tests/fetch-newer-git.sh >/dev/null || echo "(tests that need the newer git are skipped, or fail under CI)"
	$(SCRATCH) $(PYTEST) -n $(WORKERS) -m "not slow and not soak"

test-slow: $(INSTALLED) ## the other tests
	$(SCRATCH) $(PYTEST) -n $(WORKERS) -m slow

slow-list: $(INSTALLED) ## measure all tests, on a quiet machine, and write tests/slow.txt: what make test leaves to test-slow
	$(SCRATCH) $(PYTEST) -n 2 -m "not soak and not clients" --junitxml .pytest_cache/times.xml
	$(BIN)/python -m checks.slow_tests .pytest_cache/times.xml

test-clients: $(INSTALLED) ## fetch Claude Code and Codex, and run them against a stand-in for their models; Linux, tmux
	@tests/clients/fetch.sh
	$(PYTEST) -n 2 --dist loadfile -m "clients and not others"

test-web: $(INSTALLED) ## what needs a browser or generated requests: the page, REST, live delivery
	$(BIN)/python -m pytest $(AGAIN) -n 2 --dist loadfile -m "web and not soak"

test-clients-all: $(INSTALLED) ## the same, and Gemini CLI, opencode, an older Claude Code and the Inspector
	@tests/clients/fetch.sh others
	@tests/server/fetch-clients.sh
	$(PYTEST) -n 2 --dist loadfile -m clients

soak: $(INSTALLED) ## large rooms and long runs, some minutes
	$(BIN)/python -m pytest -m soak -s

power: $(INSTALLED) ## cut the power of a machine that writes, again and again (qemu; an hour; POWER="--cuts 10")
	tests/power/fetch.sh
	$(BIN)/python -m tests.power $(POWER)

alarms: $(INSTALLED) ## who would be told of a conflict, held against the merges that were made
	$(BIN)/python -m checks.alarms

lint: $(INSTALLED) ## style, types, which module may import which, what stands where, and sizes
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy bench checks docs/man docs/pictures plugins
	$(BIN)/mypy examples
	$(BIN)/lint-imports
	$(BIN)/python -m checks.places
	$(BIN)/python -m checks.sizes

same: $(INSTALLED) ## show that the working tree does all that BASE=REVISION does
	@test -n "$(BASE)" || { echo "error: what is it compared with?"; echo "hint: make same BASE=REVISION"; exit 1; } >&2
	@$(BIN)/python -m checks.compare_trees "$(BASE)"

dist: $(INSTALLED) ## build dist/*.tar.gz and dist/*.whl
	rm -rf dist
	$(BIN)/python -m build --outdir dist

man: $(INSTALLED) ## write the manual page of each command from its help
	$(BIN)/python docs/man/make_pages.py

rest: $(INSTALLED) ## write the tables of docs/rest.md from the contract
	$(BIN)/python docs/make_rest.py

plugins: $(INSTALLED) ## write the plugins for agents' clients from what setup writes
	$(BIN)/python plugins/make_plugins.py

pictures: $(INSTALLED) ## draw docs/pictures/ from the real program; needs tmux, and what make chromium fetches
	$(BIN)/python docs/pictures/make_log_picture.py
	$(BIN)/python docs/pictures/make_watch_pictures.py
	$(BIN)/python docs/pictures/make_page_pictures.py

bench: $(INSTALLED) ## measure an installed wheel, and write docs/performance.md (ONLY="wake.py": this section)
	$(BIN)/python bench/report.py $(ONLY)

clean: ## remove what the other targets made, but for the pictures and figures
	rm -rf $(VENV) .tools build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
