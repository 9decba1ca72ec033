# The commands of the house; each is a line or two, what they do lives elsewhere.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
IMAGE ?= devops-info-service:latest
# A machine behind a TLS-inspecting proxy has its own CA bundle; builds in containers need it too.
CA := $(firstword $(wildcard $(PIP_CERT) $(SSL_CERT_FILE)))
DOCKER_BUILD = DOCKER_BUILDKIT=1 $$(.ci/find-docker) build $(if $(CA),--secret id=ca$(comma)src=$(CA))
comma := ,
# Neighbors share what a session builds: each process has a run of them, and takes more when it is done.
PYTEST = $(BIN)/pytest --numprocesses auto --dist worksteal

# Tests start a thousand processes of Python: each would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test test-all coverage check image sizes rebuild load cluster-test platforms hardening endurance compat cpython-tests inside vulnerabilities applications figures pictures bench train update-runtime clean

help: ## Say what there is
	@sed -n 's/^\([a-z-]*\):.*## /  make \1 - /p' $(MAKEFILE_LIST)

run: $(VENV)/.run ## Serve on http://127.0.0.1:8080 (HOST, PORT, ALLOWED_HOSTS)
	@HOST=$${HOST:-127.0.0.1} ALLOWED_HOSTS=$${ALLOWED_HOSTS-localhost,127.0.0.1,::1} PYTHONPATH=packages/service/src exec $(BIN)/python -m devops_info_service

test: $(VENV)/.dev ## Unit and integration tests: two minutes, no compiler, engine or browser
	@$(PYTEST)

test-all: $(VENV)/.dev ## Every test: toolchain, engine, browser, Prometheus, whole tables
	@$(PYTEST) -m ""

coverage: $(VENV)/.dev ## The tests of make test with their coverage, for make check (ALL=1: every test, of which these are measured)
	@rm -rf dist/coverage && mkdir -p dist/coverage
	@$(BIN)/coverage run -m $(PYTEST:$(BIN)/%=%) $(if $(ALL),-m "")
	@$(BIN)/coverage combine --quiet && $(BIN)/python .ci/coverage

check: $(VENV)/.dev ## Lint, types, directions of imports, words, readers of lines, coverage if it was measured
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy conftest.py packages/service/src packages/onebin/src packages/service/training packages/service/tests packages/onebin/tests tests bench
	@$(BIN)/lint-imports
	@$(BIN)/python .ci/words
	@$(BIN)/python .ci/line-reading
	@$(BIN)/python .ci/coverage
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(BIN)/zizmor --offline --no-progress --quiet .github

image: ## Build devops-info-service:latest with Docker; print its size and what is inside
	@.ci/find-docker >/dev/null
	@$(DOCKER_BUILD) --tag $(IMAGE) .
	@$(MAKE) --no-print-directory $(VENV)/.dev >/dev/null
	@mkdir -p dist && docker save --output dist/image.tar $(IMAGE) && $(BIN)/onebin inspect dist/image.tar

sizes: $(VENV)/.dev ## Ours, Go's and the usual Python image side by side
	@$(BIN)/python -m bench.size.sizes

rebuild: $(VENV)/.dev ## Seconds from a one-line change to a binary, ours and Go's
	@$(BIN)/python -m bench.rebuild.rebuild
	@$(BIN)/python -m bench.rebuild.waits

load: $(VENV)/.dev ## Requests per second, latency, CPU, memory, start: every contender in turns
	@$(BIN)/python -m bench.load.load

cluster-test: $(VENV)/.dev ## The manifests of deploy/ on a real Kubernetes: root on Debian, ten minutes
	@tests/cluster/up && $(BIN)/python -m tests.cluster; status=$$?; tests/cluster/down; exit $$status

platforms: $(VENV)/.dev ## Start real platforms, hold each report against the request: root on Debian, 20 minutes (NAMES=docker)
	@$(BIN)/python -m tests.platforms.platforms $(NAMES)

hardening: $(VENV)/.dev ## What each hardening measure costs
	@$(BIN)/python -m bench.hardening.hardening

endurance: $(VENV)/.dev ## Ten minutes of load, 10,000 connections, slow attacks, real clients
	@$(BIN)/python -m bench.endurance.endurance --gate

compat: $(VENV)/.dev ## Try the 100 most used packages with onebin; write docs/reference/compatibility.md
	@$(BIN)/python -m bench.compat.compat

cpython-tests: $(VENV)/.dev ## Run CPython's own tests in executables of onebin; write docs/reference/cpython-tests.md (an hour)
	@$(BIN)/python -m bench.suite.suite

inside: $(VENV)/.dev ## Measure what compressing the files inside an executable costs and saves
	@$(BIN)/python -m bench.inside.inside

vulnerabilities: $(VENV)/.dev ## Write docs/reference/vulnerabilities.md for the pinned versions (FROM=copies, if OSV's API is out of reach)
	@$(BIN)/python -m bench.vulnerabilities.vulnerabilities $(FROM:%=--from %)

applications: $(VENV)/.dev ## Build the applications of the tests with onebin, use each in an image FROM scratch
	@APPLICATIONS=1 $(BIN)/pytest tests/e2e/test_applications.py -m "" -rP

figures: $(VENV)/.dev ## Write docs/figures.md and the README's figures from the results
	@$(BIN)/python -m bench.figures.figures

pictures: $(VENV)/.dev ## Take the pictures of the page, after make image; needs Docker and Chromium
	@$(BIN)/python -m bench.pictures.pictures $(IMAGE)

bench: sizes rebuild load ## Everything measured here

train: $(VENV)/.dev ## Make the profile anew that the executable is compiled by (after new versions)
	@$(BIN)/onebin train packages/service -- $(abspath $(BIN))/python packages/service/training/workload.py

update-runtime: $(VENV)/.dev ## Move CPython and the C libraries to the newest releases of their series
	@$(BIN)/python .ci/update-runtime

clean: ## Remove what was built (the cache of onebin stays)
	rm -rf $(VENV) dist packages/*/dist

$(VENV)/bin/python:
	@$(PYTHON) -c "import ensurepip" 2>/dev/null || .ci/prepare-python
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/service.txt | $(VENV)/bin/python
	@echo "setting up $(VENV) for the service" >&2
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/.dev: requirements/dev.txt packages/service/pyproject.toml packages/onebin/pyproject.toml | $(VENV)/bin/python
	@echo "setting up $(VENV) with the tools (about a minute)" >&2
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e packages/onebin -e packages/service
	@touch $@
