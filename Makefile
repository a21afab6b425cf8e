# Everything starts here. A step looks first, and is quick and silent when there is nothing to do.

PORTICO_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/portico
CARGO_TARGET_DIR ?= $(PORTICO_CACHE)/target
export PORTICO_CACHE CARGO_TARGET_DIR

# What `portico serve` is started with, for example: make run SERVE_FLAGS=--no-workers
SERVE_FLAGS ?=
# Which of the faults, for example: make faults FAULTS='kills power' (none: all of them)
FAULTS ?=

help: ## Show this list
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/\1\t\2/p' Makefile | expand -t 16

run: setup-run build ## Build, load the demo merchant and serve the portal on http://localhost:3000
	@exec build/run.sh $(SERVE_FLAGS)

build: setup-build wasm site server ## Build the release: target/release/portico

test: ## Lint, and run every test on both databases, from the SDKs and in a browser
	@build/phase.sh setup build/setup.sh test
	@build/phase.sh lint $(MAKE) --no-print-directory lint
	@build/phase.sh rust $(MAKE) --no-print-directory test-rust
	@build/phase.sh build $(MAKE) --no-print-directory build
	@build/phase.sh end2end $(MAKE) --no-print-directory test-end2end
	@build/phase.sh faults $(MAKE) --no-print-directory test-faults

test-release: ## The same at the sizes of a release (long)
	@PORTICO_TEST_SCALE=release $(MAKE) --no-print-directory test

lint: setup-lint ## Formatting, clippy, TypeScript's types, the rules of the house
	@build/check-house.sh
	cargo fmt --all --check
	cargo clippy -q --workspace --all-targets -- -D warnings
	build/wasm.sh lint
	@cd end2end && node_modules/.bin/tsc

dev: setup-dev ## Serve a debug build, and build it again at each change
	@build/dev.sh $(SERVE_FLAGS)

faults: build test-faults ## Kill the built program, cut its power, fill its disk, and look whether its books are right

bench: setup-bench build ## Measure the built program
	node end2end/bench/run.mjs

clean: ## Remove what was built (the tools and the data stay)
	cargo clean --workspace
	rm -rf target

# --- The steps

setup-%:
	@build/setup.sh $*

wasm:
	@build/wasm.sh build

site:
	@node build/assets.mjs

# A program that runs cannot be written to, but it can be replaced.
server:
	@cargo build --release -p server
	@[ "$(abspath $(CARGO_TARGET_DIR))" = "$(abspath target)" ] || cmp -s "$(CARGO_TARGET_DIR)/release/portico" target/release/portico || \
		{ mkdir -p target/release && cp "$(CARGO_TARGET_DIR)/release/portico" target/release/portico.next && mv target/release/portico.next target/release/portico; }

# The Rust tests run on SQLite, and on PostgreSQL too where PORTICO_TEST_POSTGRES says where one is.
test-rust: setup-postgres
	@build/postgres.sh with -- cargo test --workspace --no-fail-fast

test-end2end: setup-chromium setup-node-tests setup-python
	@cd end2end && npm test --silent

test-faults: setup-faults
	@python3 end2end/faults/run.py $(FAULTS)

.NOTPARALLEL:
.PHONY: help run build test test-release lint dev faults bench clean wasm site server test-rust test-end2end test-faults
