# AI Ops Assistant. `make` alone prints this help.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DISTRIBUTIONS := proto chassis services/auth services/logs services/tickets services/changelog services/ai gateway cli
T ?= chassis services gateway cli tests
# A version may be given as its tag: v1.4.0 is 1.4.0.
ifneq ($(VERSION),)
override VERSION := $(patsubst v%,%,$(VERSION))
export VERSION
endif

.PHONY: help
help: ## Print what can be made.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  \033[1m%-15s\033[0m %s\n", $$1, $$2}'

$(VENV)/.installed: requirements.lock $(addsuffix /pyproject.toml,$(DISTRIBUTIONS)) dev/install.sh
	@PYTHON="$(PYTHON)" VENV="$(VENV)" dev/install.sh $(DISTRIBUTIONS)
	@touch $@

.PHONY: install
install: $(VENV)/.installed ## Make the virtual environment from the lock file.

.PHONY: up
up: install ## Start everything on this machine and print the addresses; Ctrl-C stops it. SPLIT=1 runs workers apart.
	@$(BIN)/python dev/stack.py up $(if $(SPLIT),--split) $(if $(DETACH),--detach)

.PHONY: dashboard
dashboard: install ## Build the dashboard, unless it is built already; `make up` does it by itself.
	@$(BIN)/python dev/dashboard.py

.PHONY: down
down: ## Stop what `make up` started; the data stays.
	@test -x $(BIN)/python || { echo "Nothing runs: there is no $(VENV) yet."; exit 0; }; $(BIN)/python dev/stack.py down

.PHONY: reset
reset: ## Stop, and delete all local data (.aiops/).
	@test -x $(BIN)/python || { rm -rf .aiops; exit 0; }; $(BIN)/python dev/stack.py reset

.PHONY: demo
demo: install ## Run the whole loop: break the stack a little, feed it its own logs (and FILE=path), ticket, changelog, one query.
	@$(BIN)/python dev/demo.py $(if $(FILE),--file "$(FILE)")

.PHONY: check
check: install ## Run the static checks: ruff, mypy, import-linter, buf, squawk, service shape.
	@BIN="$(BIN)" dev/check.sh

.PHONY: test
test: check dashboard ## Run all that CI runs; T=path runs only the tests there.
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder --reruns 1 $(T)

.PHONY: terraform-provider
terraform-provider: ## Fetch the provider of infra/terraform once, so that its tests need not be skipped.
	@dev/terraform_provider.sh

.PHONY: fault
fault: install ## Hurt a real installation in every way and check what must hold: up to 60 minutes, goes on where it was.
	@$(BIN)/python -m tests.fault $(if $(ONLY),--only "$(ONLY)")

.PHONY: attack
attack: install ## Attack a real installation in every way: up to 60 minutes, goes on where it was; ONLY=name, MINUTES=60.
	@$(BIN)/python -m tests.attack $(if $(ONLY),--only "$(ONLY)") $(if $(MINUTES),--minutes "$(MINUTES)")

.PHONY: bench
bench: install ## Measure speed as ratios against a peer in the same run; prints medians of 5.
	@$(BIN)/python -m tests.bench

.PHONY: charts
charts: install ## Render the charts for every supported values file and check them, and what deploys them.
	@$(BIN)/python -m pytest -q tests/charts tests/delivery

.PHONY: charts-package
charts-package: install ## Pack the chart that is installed into build/charts.
	@$(BIN)/python dev/release.py charts

.PHONY: release-notes
release-notes: install ## Print the notes of VERSION since the release before, by our own command.
	@$(BIN)/python dev/release.py notes

.PHONY: release
release: install ## Check that the tree is at VERSION, and put notes, chart and checksums into build/release.
	@$(BIN)/python dev/release.py pack

.PHONY: release-publish
release-publish: install ## Make a release of the pushed tag of VERSION out of build/release, with gh.
	@$(BIN)/python dev/release.py publish

.PHONY: images images-smoke images-archive images-push pages
images: install ## Build every image as VERSION and print their sizes; BASE=local makes the base image from Debian's packages.
	@PYTHONPATH=dev $(BIN)/python -m images.build $(if $(BASE),--base "$(BASE)")

images-smoke: install ## Run the whole system from its images, and check it.
	@PYTHONPATH=dev $(BIN)/python -m images.smoke

images-archive: ## Save the images of VERSION to build/images, to push them elsewhere as they are.
	@dev/publish.sh archive

images-push: ## Push the images of VERSION to REGISTRY, from build/images where they are saved.
	@dev/publish.sh images

pages: dashboard ## Put the built dashboard into the bucket PAGES_BUCKET; nothing where the cluster serves it.
	@dev/publish.sh pages

.PHONY: deploy deploy-status promote backfill contract rollback
deploy: ## Start VERSION as preview on the current kube context: ENVIRONMENT=kind|dev|prod (see dev/deploy.sh).
	@dev/deploy.sh deploy

deploy-status: ## Print of each rollout: name, generation wanted and seen, phase.
	@dev/deploy.sh status

promote: ## Hand the traffic to what `make deploy` started.
	@dev/deploy.sh promote

backfill: ## Fill what the promoted version added for rows of before; it gives way to the traffic.
	@dev/deploy.sh backfill

contract: ## Take away what no version needs any more, of SERVICE=names; for good, and refused while one does.
	@dev/deploy.sh contract

rollback: ## Go back to the release before, traffic included.
	@dev/deploy.sh rollback

.PHONY: smoke
smoke: install ## Check that the installation at URL does its main job, as AIOPS_SMOKE_EMAIL and AIOPS_SMOKE_PASSWORD.
	@$(BIN)/python dev/smoke.py --url "$${URL:-http://127.0.0.1:8080}"

.PHONY: proto
proto: install ## Regenerate proto/python from the protos.
	@$(BIN)/python dev/generate_proto.py

.PHONY: docs
docs: install ## Regenerate the pages of settings and policy, the charts' value schemas and the GraphQL schema.
	@$(BIN)/python dev/generate_configuration.py
	@$(BIN)/python dev/generate_policy.py
	@$(BIN)/python dev/generate_chart_schemas.py
	@$(BIN)/python dev/write_sdl.py
	@$(BIN)/python dev/generate_documents.py

.PHONY: lock
lock: install ## Pin the newest versions that requirements.in allows.
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-header --upgrade requirements.in --output-file requirements.lock
