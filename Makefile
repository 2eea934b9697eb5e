# The commands a person types. Each prepares what it needs; the work is in tools/.
.PHONY: help demo test build check size theft conformance bench fuzz model setup clean
.DEFAULT_GOAL := help

help: ## print these lines
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | awk -F '\t' '{ printf "make %-11s %s\n", $$1, $$2 }'

demo: ## start the demo and print its address; Ctrl-C ends it
	@exec tools/demo

test: ## everything that CI runs: build, checks, sizes, and all tests in real browsers
	@tools/test

build: ## build the npm package into pkg/
	@tools/build

check: ## format, lints, types, documentation, contents of the package
	@tools/check

size: ## print what each part of the package costs to download, and fail above the budgets
	@tools/build && node tools/size.mjs

theft: ## what attack scripts can steal, compared with docs/theft-matrix.md; AUTHSAFE_BLESS=1 writes it anew
	@tools/theft

conformance: ## the rules of the OpenID certification, one test each, as a table; AUTHSAFE_BLESS=1 writes docs/conformance.md anew
	@tools/conformance

bench: ## measure against other clients in a real browser; BENCH_ONLY=a,e picks some, BENCH_RUNS=15 says how often
	@tools/bench

fuzz: ## fuzz what authsafe reads and its machine; FUZZ_SECONDS=600 says for how long altogether
	@tools/fuzz

model: ## visit every state of several tabs and a server, and print how many there are
	@tools/model

setup: ## prepare this machine for all of these; they call it themselves
	@tools/setup test

clean: ## remove what was built here; the cache that other clones share stays
	@rm -rf target pkg/wasm pkg/dist pkg/README.md pkg/LICENSE-* node_modules www/node_modules tests/bench/node_modules test-results playwright-report
