# The commands of the house; each is a line or two, what they do lives elsewhere.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
IMAGE ?= devops-info-service:latest
# A machine behind a TLS-inspecting proxy has its own CA bundle; builds in containers need it too.
CA := $(firstword $(wildcard $(PIP_CERT) $(SSL_CERT_FILE)))
DOCKER_BUILD = DOCKER_BUILDKIT=1 $$(.ci/find-docker) build $(if $(CA),--secret id=ca$(comma)src=$(CA))
comma := ,

.PHONY: help run test check image sizes rebuild load hardening endurance figures bench train clean

help: ## Say what there is
	@sed -n 's/^\([a-z]*\):.*## /  make \1 - /p' $(MAKEFILE_LIST)

run: $(VENV)/.run ## Serve on http://127.0.0.1:8080 (HOST, PORT, ALLOWED_HOSTS)
	@HOST=$${HOST:-127.0.0.1} ALLOWED_HOSTS=$${ALLOWED_HOSTS-localhost,127.0.0.1,::1} PYTHONPATH=packages/service/src exec $(BIN)/python -m devops_info_service

test: $(VENV)/.dev ## Run every test this machine can run
	@$(BIN)/pytest

check: $(VENV)/.dev ## Lint, types, directions of imports
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy packages/service/src packages/onebin/src packages/service/training packages/service/tests packages/onebin/tests tests bench
	@$(BIN)/lint-imports
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(BIN)/zizmor --offline --no-progress --quiet .github

image: ## Build devops-info-service:latest with Docker; print its size and what is inside
	@$(DOCKER_BUILD) --tag $(IMAGE) .
	@$(MAKE) --no-print-directory $(VENV)/.dev >/dev/null
	@mkdir -p dist && docker save --output dist/image.tar $(IMAGE) && $(BIN)/onebin inspect dist/image.tar

sizes: $(VENV)/.dev ## Ours, Go's and the usual Python image side by side
	@$(BIN)/python -m bench.size.sizes

rebuild: $(VENV)/.dev ## Seconds from a one-line change to a binary, ours and Go's
	@$(BIN)/python -m bench.rebuild.rebuild

load: $(VENV)/.dev ## Requests per second, latency, CPU, memory, start: every contender in turns
	@$(BIN)/python -m bench.load.load

hardening: $(VENV)/.dev ## What each hardening measure costs
	@$(BIN)/python -m bench.hardening.hardening

endurance: $(VENV)/.dev ## Ten minutes of load, 10,000 connections, slow attacks, real clients
	@$(BIN)/python -m bench.endurance.endurance --gate

figures: $(VENV)/.dev ## Write docs/figures.md and the README's figures from the results
	@$(BIN)/python -m bench.figures.figures

bench: sizes rebuild load ## Everything measured here

train: $(VENV)/.dev ## Make the profile anew that the executable is compiled by (after new versions)
	@$(BIN)/onebin train packages/service -- $(abspath $(BIN))/python packages/service/training/workload.py

clean: ## Remove what was built (the cache of onebin stays)
	rm -rf $(VENV) dist packages/*/dist

$(VENV)/bin/python:
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "make: no venv: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.run: requirements/service.txt | $(VENV)/bin/python
	@echo "setting up $(VENV) for the service" >&2
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/.dev: requirements/dev.txt packages/service/pyproject.toml packages/onebin/pyproject.toml | $(VENV)/bin/python
	@echo "setting up $(VENV) with the tools (about a minute)" >&2
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e packages/onebin -e packages/service
	@touch $@
