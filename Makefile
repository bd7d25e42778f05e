# Every target sets up what it needs. Nothing outside this checkout is touched but pip's own cache.
PYTHON ?= python3
VENV := .venv
AWSCLI := .venv-awscli
CFN_LINT := .venv-cfn-lint
BIN := $(VENV)/bin
WORKERS ?= auto
LAMBDA_PLATFORMS := $(foreach tag,2_34 2_28 2_27 2_17 2014,--platform manylinux$(if $(filter 2014,$(tag)),,_)$(tag)_x86_64)

.PHONY: help demo test test-full test-fleet test-kubernetes skopeo lint format bench generate lambda lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/ready ## run the main job against the built-in registry stand-in
	@$(BIN)/aws-ecr-gc demo

test: $(VENV)/ready $(AWSCLI)/ready $(CFN_LINT)/ready ## pass the tests (bounded stress runs)
	$(BIN)/pytest -n $(WORKERS) $(ARGS)

test-full: $(VENV)/ready $(AWSCLI)/ready $(CFN_LINT)/ready ## the tests with the unbounded stress runs: thousands of fault runs, hours
	AWS_ECR_GC_FULL=1 $(BIN)/pytest -n $(WORKERS) $(ARGS)

test-fleet: $(VENV)/ready ## the state machine over 2,000 accounts and regions, with failures and kills, long
	AWS_ECR_GC_PAIRS=2000 $(BIN)/pytest -n 0 tests/machines/test_state_machine.py $(ARGS)

test-kubernetes: $(VENV)/ready ## what is read of Kubernetes, against a real API server (built once, minutes)
	$(BIN)/python -m tools.kubernetes_api_server $(BIN)/pytest tests/discovery/kubernetes/test_real_api_server.py $(ARGS)

skopeo: ## what the tests want from Debian, if it is not there
	@command -v skopeo > /dev/null || $(if $(filter 0,$(shell id -u)),,sudo) sh -c \
	  "apt-get update -qq && apt-get install -y -qq --no-install-recommends skopeo"

lint: $(VENV)/ready ## ruff, mypy strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/ready ## let ruff format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/ready ## measure against a plain boto3 script, side by side
	$(BIN)/python -m benchmarks $(ARGS)

generate: $(VENV)/ready ## write the schemas and docs/reference.md again
	$(BIN)/python -m tools.generate

lambda: ## build/lambda: the program and what it needs, as AWS Lambda runs it; deploy/fleet.yaml takes it from there
	rm -rf build/lambda
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --target build/lambda --require-hashes --no-deps \
	  --only-binary :all: --implementation cp --python-version 3.13 $(LAMBDA_PLATFORMS) -r requirements/runtime.txt
	cp -r src/aws_ecr_gc build/lambda/
	find build/lambda -name __pycache__ -prune -exec rm -rf {} +

lock: ## resolve requirements/*.in again, with hashes (needs uv)
	cd requirements && for name in runtime dev awscli cfn-lint; do \
	  uv pip compile -q --universal --python-version 3.11 --generate-hashes --upgrade \
	    --no-emit-index-url --no-emit-find-links --no-header -o $$name.txt $$name.in || exit 1; done

clean: ## remove the virtual environments and caches
	rm -rf $(VENV) $(AWSCLI) $(CFN_LINT) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist

$(VENV)/locked: requirements/dev.txt
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/dev.txt
	@touch $@

$(VENV)/ready: $(VENV)/locked pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(AWSCLI)/ready: requirements/awscli.txt
	$(PYTHON) -m venv --clear $(AWSCLI)
	$(AWSCLI)/bin/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/awscli.txt
	@touch $@

$(CFN_LINT)/ready: requirements/cfn-lint.txt
	$(PYTHON) -m venv --clear $(CFN_LINT)
	$(CFN_LINT)/bin/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/cfn-lint.txt
	@touch $@
