# Everything here runs from a clean clone. `make help` lists it.
SHELL := /bin/bash
export GOTOOLCHAIN := local

ARGS    ?=
MINUTES ?= 5
BENCH   ?=
ONLY    ?=
MESSAGES ?= 10000
SEED    ?=

# the unit tests: everything that has tests of its own, but not the slow
# end-to-end ones, nor the checkers that `make check` runs
UNIT = $$(go list ./... | grep -v -e '^mirsal/e2e' -e '^mirsal/spec$$' -e '^mirsal/changelog$$' -e '/archtest$$')

# test's parts run one after the other, whatever -j says
.NOTPARALLEL:
.PHONY: help build wasm web run test check unit e2e deps generate bench fuzz mutants

help: ## list the targets
	@sed -n 's/^\([a-z0-9]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

build: ## bin/mirsal, without cgo; with the screen for browsers if Node is there
	scripts/web.sh maybe
	CGO_ENABLED=0 go build -trimpath -o bin/mirsal ./cmd/mirsal

wasm: ## bin/wasm: the engine for browsers with its scripts, packed, and how large it is
	scripts/wasm.sh

web: ## web/dist: the screen for browsers with its engine, and how large it is (Node 20.19)
	scripts/web.sh

run: build ## build and start a server; data in ./mirsal-data (ARGS='--data DIR …')
	@exec bin/mirsal serve $(ARGS)

test: deps check unit e2e ## everything CI runs: programs the tests need, check, unit tests, end-to-end tests

check: ## formatting, vet, staticcheck, modules, the lists that are kept true by tests
	scripts/check.sh
	scripts/web.sh check

unit: ## the packages' own tests, under the race detector, shuffled
	go test -race -shuffle=on $(UNIT)

e2e: build wasm ## conversations, foreign clients, a browser, crashes; once
	scripts/e2e.sh

deps: ## install the foreign programs that tests drive (Debian, as root; npm)
	scripts/install-test-deps.sh

generate: ## rewrite docs/dependencies.txt and the screen's types of the port
	go run ./scripts/porttypes >web/src/port/types.new && mv web/src/port/types.new web/src/port/types.ts
	go run ./scripts/dependencies >docs/dependencies.new
	mv docs/dependencies.new docs/dependencies.txt

bench: ## benchmarks of the hot path; BENCH=DIR adds the load against peers by bench/run.sh
	go test -run '^$$' -bench . -benchmem ./internal/...
	if [ -n "$(BENCH)" ]; then BENCH="$(BENCH)" bench/run.sh; fi

soak: build ## 10,000 messages between devices that are killed and cut off (MESSAGES=n SEED=n)
	MIRSAL_REQUIRE=all MIRSAL_SOAK=$(MESSAGES) MIRSAL_SEED=$(SEED) go test -count=1 -v -timeout 60m \
		-run 'WhateverHappens|AtAnyInstant|ThatWasAway' ./e2e/engine

fuzz: ## every fuzz target, sharing MINUTES=n
	scripts/fuzz.sh $(MINUTES)

mutants: ## take each defence out in turn, show that its test fails (ONLY=part of a name)
	go run ./scripts/mutants -only "$(ONLY)"
