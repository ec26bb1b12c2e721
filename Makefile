# Everything a newcomer types. Each target sets up what it needs first; `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup up console demo test end-to-end conformance chaos load simulate bench bench-quick costs scaling compose-test upgrade-test check check-page format docs schemas diagrams asyncapi requests lock lock-check sbom synth bootstrap deploy destroy clean \
	docker-given from-given place-given stage-given

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/full.installed ## fill .venv from the locks (the others do this first)

up: .venv/local.installed ## serve the whole system on this machine, without Docker, until Ctrl-C; AUTH=1 requires tokens, BREAK=1 lets the console break it
	@$(BIN)/python -m $(if $(filter-out 0 false no off,$(BREAK)),verification.fault_injection,local.up)

console: .venv/local.installed ## serve the console alone, for the system that AWS_REGION, AWS_PROFILE, … and SUBSCRIPTION_API_URL, … name
	@$(BIN)/python -m console

demo: .venv/local.installed ## follow one subscription there and back, and print its journey; OUT_OF_STOCK=1: one for which no razors are left
	@$(BIN)/python -m local.demo $(if $(filter-out 0 false no off,$(OUT_OF_STOCK)),--out-of-stock)

# Tests start hundreds of processes: where no bytecode may be kept, each would compile our modules.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 4 --dist worksteal

test: setup ## run every test against real engines; with COVERAGE=1 branch coverage too, at twice the time
ifeq ($(COVERAGE),1)
	@$(BIN)/python -m coverage erase
	@$(PYTEST) --cov --cov-report=term
	@$(BIN)/python -m tools.branch_coverage
else
	@$(PYTEST)
endif

WITH_TOKENS := $(if $(filter-out 0 false no off,$(AUTH)),--auth)

end-to-end: setup ## the end-to-end tests alone; with AUTH=1 all of them on a system that requires tokens
	@$(PYTEST) tests/e2e $(WITH_TOKENS)

# What is taken for true of AWS, and lifecycles, on one engine. LocalStack is installed first, into
# build/localstack, from a lock of its own.
CONFORMANCE := tests/integration/conformance tests/e2e/test_lifecycle.py \
	$(addprefix tests/e2e/test_audit.py::test_, \
		the_books_balance_after_three_lives_and_a_replay_changes_nothing \
		a_cancellation_and_an_erasure_balance_and_are_complete)

conformance: setup ## hold what we assume of AWS, and lifecycles, against an emulator: make conformance AWS=ministack|localstack, or an address
	@$(BIN)/python -m pytest -n 0 --aws=$(or $(AWS),ministack) $(CONFORMANCE)

# The schedule of faults is drawn from SEED; one is chosen, and printed, where none is given.
MINUTES ?= 10

chaos: setup ## the system under load, kill -9 and a failing AWS, then an audit: make chaos MINUTES=10 SEED=1; AUTH=1 requires tokens
	@$(BIN)/python -m verification.chaos --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

# What is given here reaches the run as its environment: ROWS, GOOD, POISON, CONNECTIONS, RATE, SECONDS.
load: setup ## backlog, poison, hostile clients, a watched bus, with numbers; or one of them: make load RUN=backlog ROWS=100000
	@$(BIN)/python -m verification.load $(RUN)

bench: setup ## measure everything beside its floors and peers, in some 25 minutes: docs/performance.md
	@$(BIN)/python -m verification.benchmarks

bench-quick: setup ## the rows of the goals alone, in about 3 minutes
	@$(BIN)/python -m verification.benchmarks --quick

costs: setup ## dollars for a million subscriptions and for an idle month: docs/costs.md
	@$(BIN)/python -m verification.benchmarks.costs

scaling: setup ## what limits each stage on AWS, and at which rate it is full: docs/scaling.md
	@$(BIN)/python -m verification.benchmarks.scaling

simulate: setup ## play SEEDS=20000 histories of the whole system under faults; SEED=123 plays one again
	@$(BIN)/python -m tests.simulation --processes 2 --seeds $(or $(SEEDS),20000) $(if $(SEED),--seed $(SEED)) $(if $(PLANT),--plant $(PLANT))

compose-test: docker-given setup ## build and start the containers, run the end-to-end tests on them, remove them
	@echo "building the image and starting the containers: some minutes the first time"
	@$(BIN)/python -m pytest tests/e2e --system=compose $(WITH_TOKENS) -n 0 -v

upgrade-test: from-given setup ## run an older commit's system, stop it at work, and go on with this one: make upgrade-test FROM=071a447
	@$(BIN)/python -m verification.upgrade $(FROM)

from-given:
	@test -n "$(FROM)" || { echo "say from which commit: make upgrade-test FROM=071a447" >&2; exit 2; }

docker-given:
	@docker compose version >/dev/null 2>&1 || { echo "make compose-test needs Docker with Compose v2: 'docker compose version' fails" >&2; exit 1; }
	@docker info >/dev/null 2>&1 || { echo "make compose-test needs a Docker engine that runs: 'docker info' fails" >&2; exit 1; }

check: setup ## lint, format, types and module boundaries
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

# Tools from the npm registry, each with a lock of its own in tools/npm: what a lock names is
# installed, none of it runs a script of its own while it is, and no lock says where it comes from.
NODE := PATH="$(CURDIR)/$(BIN):$$PATH"
NPM_QUIETLY := --ignore-scripts --no-audit --no-fund --loglevel error

build/npm/%/installed: tools/npm/%/package.json tools/npm/%/package-lock.json | setup
	@mkdir -p $(@D) && cp $^ $(@D)
	@$(NODE) npm ci --prefix $(@D) $(NPM_QUIETLY) >/dev/null
	@touch $@

.PRECIOUS: build/npm/%/installed # or make would remove what it has just installed

# The console's page is formatted by prettier; `make check` needs no network.
PRETTIER := $(NODE) build/npm/prettier/node_modules/.bin/prettier --print-width 100
PAGE := "console/page/**/*.{css,html,js}"

check-page: setup build/npm/prettier/installed ## the format of the console's page
	@$(PRETTIER) --check $(PAGE)

format: setup build/npm/prettier/installed ## let ruff and prettier fix what they can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(PRETTIER) --log-level warn --write $(PAGE)

schemas: setup ## write contracts/ from the code: the events' schemas, the AsyncAPI document, the OpenAPI documents
	@$(BIN)/python -m tools.event_schemas
	@$(BIN)/python -m tools.asyncapi
	@$(BIN)/python -m tools.openapi

diagrams: setup ## write the diagrams in docs/ from the topology
	@$(BIN)/python -m tools.diagrams

docs: setup ## write docs/reference from the code, and the lines that tie the pages of docs/ into a book
	@$(BIN)/python -m tools.reference
	@$(BIN)/python -m tools.book

lock: setup ## pin the newest versions that pyproject.toml allows, and what the Dockerfile fetches
	@$(BIN)/python -m tools.locks
	@for each in tools/npm/*; do (cd $$each && $(NODE) npm update --package-lock-only --omit-lockfile-registry-resolved $(NPM_QUIETLY)) || exit 1; done
	@$(BIN)/python -m tools.image_pins

lock-check: setup ## say what `make lock` would change, and change nothing
	@$(BIN)/python -m tools.locks --check
	@$(BIN)/python -m tools.image_pins --check

sbom: setup ## write build/sbom.cdx.json, the packages of the image in CycloneDX
	@$(BIN)/python -m tools.sbom

# Node is in .venv as a wheel; the CLI is an npm package.
CDK := $(NODE) build/npm/cdk/node_modules/.bin/cdk --no-notices --no-version-reporting

# AsyncAPI's own parser, and the runners of the two collections of requests, are npm packages too.
asyncapi: setup build/npm/asyncapi/installed ## check contracts/asyncapi.json with AsyncAPI's own parser
	@$(NODE) NODE_PATH=build/npm/asyncapi/node_modules node tools/asyncapi/validate.cjs contracts/asyncapi.json

requests: setup build/npm/requests/installed ## send the collections of requests to a system of their own, with the runners of both formats
	@$(NODE) $(BIN)/python -m tools.run_requests

# The stages of cdk.json.
STAGES = $(shell $(BIN)/python -c 'import json; print(*json.load(open("cdk.json"))["context"]["stages"])')

synth: setup build/npm/cdk/installed ## render the stages of cdk.json to CloudFormation, checked by cdk-nag and cfn-lint
	@rm -rf build/cdk
	@for stage in $(STAGES); do $(CDK) synth --quiet -c stage=$$stage -o build/cdk/$$stage || exit 1; done
	@$(BIN)/cfn-lint build/cdk/*/*.template.json
	@ls build/cdk/*/*.template.json

bootstrap: place-given setup build/npm/cdk/installed ## prepare an account for CDK, once: make bootstrap ACCOUNT=111111111111 REGION=eu-west-1
	@$(CDK) bootstrap aws://$(ACCOUNT)/$(REGION) $(if $(TRUST),--trust $(TRUST) --cloudformation-execution-policies arn:aws:iam::aws:policy/AdministratorAccess)

# CDK shows what widens permissions or opens ports, and asks: at a terminal alone, unless APPROVAL says so.
deploy: stage-given setup build/npm/cdk/installed ## bring a stage to AWS, or up to date: make deploy STAGE=dev
	@test -t 0 -a -t 1 && approval=broadening || approval=never; \
	$(CDK) deploy --all --require-approval $(or $(APPROVAL),$$approval) -c stage=$(STAGE) -o build/cdk/$(STAGE)

destroy: stage-given setup build/npm/cdk/installed ## take a stage down: make destroy STAGE=dev
	@$(CDK) destroy --all -c stage=$(STAGE) -o build/cdk/$(STAGE)

stage-given:
	@test -n "$(STAGE)" || { echo "say which stage of cdk.json: make $(firstword $(MAKECMDGOALS)) STAGE=dev" >&2; exit 2; }

place-given:
	@test -n "$(ACCOUNT)" -a -n "$(REGION)" || { echo "say where: make bootstrap ACCOUNT=111111111111 REGION=eu-west-1" >&2; exit 2; }

clean: ## remove what the other targets made, the system's state in .local too
	@rm -rf .venv .local build .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What running needs, and everything: both in .venv, which tools/setup fills from the locks. A newer
# interpreter than the stamp, a PYTHON that is named, or a lock that changed have it look again.
NAMED := $(filter command environment,$(firstword $(origin PYTHON)))

.venv/local.installed .venv/full.installed: .venv/%.installed: .venv/bin/python requirements-uv.lock $(if $(NAMED),always)
	@command -v $(PYTHON) >/dev/null || { echo "set-up: $(PYTHON) was not found: install Python 3.11 or newer, or name one with make PYTHON=/path/to/python3" >&2; exit 2; }
	@$(PYTHON) -m tools.setup $* --then "$(filter-out setup,$(MAKECMDGOALS))" $(if $(NAMED),--this-python)

.venv/local.installed: requirements-local.lock
.venv/full.installed: requirements-dev.lock
.venv/bin/python:
.PHONY: always
always:
