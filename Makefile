# Capstan. `make` lists the targets; CONTRIBUTING.md tells how we work.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.DEFAULT_GOAL := help
# Node 24 comes with the dependencies; npm itself runs on whatever Node the machine has.
export CLUSTER
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
# As in bin/capstan, for tests, which start hundreds of processes from the sources.
export NODE_COMPILE_CACHE ?= $(CURDIR)/node_modules/.cache/node
NODE := node --disable-warning=ExperimentalWarning
INSTALLED := node_modules/.package-lock.json
PRETTIER := prettier --config config/prettierrc.json
CLUSTER_TESTS := \.cluster\.test\.ts
REAL_TESTS := \.real\.test\.ts
JEST := $(NODE) --experimental-vm-modules node_modules/jest/bin/jest.js -c config/jest.config.mjs
# These wait as much as they work: on two cores three files at a time take a quarter less.
WAITING := --maxWorkers=3

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED) ## install what package-lock.json names

$(INSTALLED): package-lock.json package.json
	@# Not "npm ci": it refuses a lock file that lacks packages of platforms which a registry mirror does not carry.
	npm install --no-save --no-audit --no-fund --loglevel=error
	@touch $@

demo: $(INSTALLED) ## a wallet deposits and withdraws, end to end, on this machine (ONCE=1, NETWORK=testnet)
	@$(NODE) examples/demo/demo.ts $(if $(ONCE),--once) --network $(or $(NETWORK),local)

dev: $(INSTALLED) ## run the example anchor and restart it when the sources change
	@bin/capstan dev -f examples/anchors/demo.yaml --watch --watch-sources

test: $(INSTALLED) ## all checks, as CI runs them
	@$(NODE) scripts/test.ts

lint: $(INSTALLED) ## type-aware lint, import arrows, unused code
	oxlint -c config/oxlint.json --type-aware --deny-warnings
	depcruise -c config/dependency-cruiser.cjs --output-type err-long core server workers operator integration ledger cli examples | sed '/missing-tsc-transpiler/,$$d'
	knip -c config/knip.json

format-check: $(INSTALLED) ## is everything formatted?
	$(PRETTIER) --check --log-level warn .

format: $(INSTALLED) ## format everything
	$(PRETTIER) --write --log-level warn .

typecheck: $(INSTALLED) ## compile without output
	tsc -p .

unit: $(INSTALLED) ## the tests beside the sources (ONLY=core/spec runs those)
	$(JEST) $(WAITING) $(FLAGS) --testPathPatterns '$(or $(ONLY),.)' --testPathIgnorePatterns '/node_modules/' '$(CURDIR)/test/' '$(CLUSTER_TESTS)' '$(REAL_TESTS)'

process-test: $(INSTALLED) ## the tests that cross processes: a real wallet, kill -9, fuzzing, browsers (ONLY=wallet)
	$(JEST) $(FLAGS) --testPathPatterns '$(CURDIR)/test/.*$(ONLY)' --testPathIgnorePatterns '/node_modules/' '$(CLUSTER_TESTS)' '$(REAL_TESTS)'

cluster-binaries: $(INSTALLED) ## build the Kubernetes of the tests, once (about 5 minutes; needs Go)
	@$(NODE) test/cluster/build.ts

cluster-test: cluster-binaries ## the tests that need a real Kubernetes control plane (ONLY=operator/kube)
	$(JEST) $(WAITING) $(FLAGS) --testPathPatterns '$(ONLY).*$(CLUSTER_TESTS)'

simulate: $(INSTALLED) ## faults by a seed, then the books are compared (SEED=1,2 MINUTES=10, or MUTANTS=1)
	@$(NODE) test/faults/simulate.ts --seed '$(or $(SEED),1)' --minutes '$(or $(MINUTES),10)' $(if $(MUTANTS),--mutants '$(MUTANTS)')

crash-points: $(INSTALLED) ## kill -9 at every point between two effects, then compare the books (TIMES=1 SEED=1)
	@$(NODE) test/crash/run.ts --times '$(or $(TIMES),1)' --seed '$(or $(SEED),1)'

soak: $(INSTALLED) ## one long simulation with a seed of the day: an hour (MINUTES=60, SEED=…)
	@$(NODE) test/faults/simulate.ts --seed '$(or $(SEED),$(shell date +%Y%m%d))' --minutes '$(or $(MINUTES),60)'

screenshots: $(INSTALLED) ## every page of the gallery, phone and desktop, light, dark, high contrast, in .build/screenshots (ONLY=deposit)
	@$(NODE) scripts/screenshots.ts $(ONLY)

generate: $(INSTALLED) ## write the generated files anew: OpenAPI, CRD, spec reference, chart
	$(NODE) integration/write-openapi.ts
	$(NODE) scripts/write-reference.ts
	$(NODE) scripts/write-crd.ts
	$(NODE) scripts/write-chart.ts

condition-examples: cluster-binaries ## write docs/conditions-examples.md anew, from a run of real Anchors
	$(NODE) scripts/write-condition-examples.ts

bundle: $(INSTALLED) ## bundle the capstan command into .build/capstan, as images carry it
	@$(NODE) scripts/bundle.ts

e2e: $(INSTALLED) ## images, chart and Anchors on a real cluster, which comes and goes (root; ONLY=anchor PASS=alone WORKERS=2 CLUSTER=kind CAPSTAN_KEEP_CLUSTER=1)
	@$(NODE) test/cluster/real/suite.ts --only '$(ONLY)' --pass '$(PASS)' $(if $(WORKERS),--workers '$(WORKERS)') $(if $(REPORTS),--reports '$(REPORTS)') -- $(FLAGS)

image-test: $(INSTALLED) ## what the images have to be, on freshly built ones (root; buildah and runc)
	$(JEST) $(FLAGS) --testPathPatterns "$(CURDIR)/test/image/.*$(REAL_TESTS)"

image: $(INSTALLED) ## build the images of Capstan and of the example bank, by Docker or buildah (ENGINE=buildah)
	@$(NODE) scripts/image.ts

cluster-up: $(INSTALLED) ## start a Kubernetes of one real node on this machine (root, Go; about 8 minutes the first time; CLUSTER=kind)
	@$(NODE) test/cluster/real/main.ts up

cluster-load: $(INSTALLED) ## build the images and bring them, and cert-manager, to that cluster (CLUSTER=kind)
	@$(NODE) test/cluster/real/main.ts load

cluster-down: $(INSTALLED) ## take it away, with all that it left (CLUSTER=kind)
	@$(NODE) test/cluster/real/main.ts down

quickstart-kind: $(INSTALLED) ## run docs/quickstart-cluster.md, from "kind create cluster" to a paid deposit (Docker, kind)
	@$(NODE) scripts/quickstart.ts

bench: $(INSTALLED) ## measure payments, receipts, web, pages, cold start and memory (ONLY=web)
	@$(NODE) bench/main.ts $(ONLY)

bench-operator: cluster-binaries ## measure the operator on a real API server, about 15 minutes (ANCHORS=500 PARTS=edit,restart,lead,rest,secrets)
	@$(NODE) bench/operator.ts

bench-cluster: $(INSTALLED) ## measure an anchor on a real node, about 16 minutes (root; REST=600 LOAD=120 CUSTOMERS=20)
	@$(NODE) bench/cluster.ts

bench-smoke: $(INSTALLED) ## print the time to a first deposit, latencies and memory, with medians
	@$(NODE) bench/smoke.ts

clean: ## remove installed packages and local data
	rm -rf node_modules .capstan .build

.PHONY: help install demo dev test lint format-check format typecheck unit process-test cluster-binaries cluster-test crash-points screenshots generate condition-examples bundle image image-test cluster-up cluster-load cluster-down e2e quickstart-kind bench bench-operator bench-cluster bench-smoke clean
