# Docket's commands. `make help` lists them.

SWIFT ?= swift
PYTHON ?= python3
# Some recipes change the folder before they run it.
override PYTHON := $(if $(findstring /,$(firstword $(PYTHON))),$(abspath $(firstword $(PYTHON))) $(wordlist 2,99,$(PYTHON)),$(PYTHON))
PREFIX ?= /usr/local
DATABASE ?= docket.db
# Recipes read it from their environment, where quotes in a name are a part of it.
export DATABASE
BINARY = .build/release/docket
# The Swift library goes into the binary, so that it runs without Swift. Accesses to memory are proven exclusive by the
# compiler, or checked at run time in debug builds, by the tests; the release binary does without the second.
RELEASE = -c release --static-swift-stdlib -Xswiftc -enforce-exclusivity=unchecked
SOURCES = Sources Tests Migrations Package.swift

.DEFAULT_GOAL := help
.PHONY: help run build test test-python test-http test-console screenshots bench microbench soak torture torture-faults torture-histories torture-load torture-sanitizers fuzz sanitize lint format install deb test-deb reset-db setup clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  DATABASE=$$DATABASE  PREFIX=$(PREFIX)  PYTHON=$(PYTHON)  ARGS='--port 12001' for make run"

setup: # installs SQLite's headers where they are missing
	@command -v $(firstword $(SWIFT)) >/dev/null || { \
	  echo "There is no $(firstword $(SWIFT)): install Swift 6.3 (https://www.swift.org/install/linux/), or name it: make $(MAKECMDGOALS) SWIFT=FILE" >&2; exit 1; }
	@pkg-config --exists sqlite3 2>/dev/null || { \
	  sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  echo "SQLite's headers are missing; running: $$sudo apt-get install -y libsqlite3-dev pkg-config sqlite3"; \
	  $$sudo apt-get install -y libsqlite3-dev pkg-config sqlite3 || \
	    { $$sudo apt-get update && $$sudo apt-get install -y libsqlite3-dev pkg-config sqlite3; }; }

build: setup ## build the release binary, .build/release/docket
	$(SWIFT) build $(RELEASE) --product docket

run: build ## build, and serve DATABASE on port 12000
	$(BINARY) serve --database "$$DATABASE" $(ARGS)

# So many tests at once; without it nearly all begin at the start, and have seven thousand files open.
test soak sanitize: export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH ?= 16

test: setup ## run all tests, on free ports
	$(SWIFT) test $(ARGS)

# A binary that is there already will do, so that this builds nothing.
DOCKET_BINARY ?= $(firstword $(wildcard .build/debug/docket $(BINARY)))

# A folder is executable as well.
need-docket = @[ -f "$(1)" ] && [ -x "$(1)" ] || { \
	  echo "There is no docket to try$(if $(1), at $(1)): run 'make build' or 'make test' first, or name one: make $@ DOCKET_BINARY=FILE" >&2; exit 1; }

test-python: ## test the client for Python against DOCKET_BINARY, or what `swift build` or `make build` has built
	$(call need-docket,$(DOCKET_BINARY))
	cd clients/python && DOCKET_BINARY="$(abspath $(DOCKET_BINARY))" $(PYTHON) -m unittest $(ARGS)

# Tests/HTTP/requirements.txt names what more of the HTTP port can be tried where PYTHON has it.
test-http: ## try the HTTP port from outside, against DOCKET_BINARY, or what `swift build` or `make build` has built
	$(call need-docket,$(DOCKET_BINARY))
	cd Tests/HTTP && DOCKET_BINARY="$(abspath $(DOCKET_BINARY))" $(PYTHON) -m unittest $(ARGS)

test-console: ## test the console in chromium against DOCKET_BINARY, or what `swift build` or `make build` has built
	$(call need-docket,$(DOCKET_BINARY))
	cd Tests/Console && DOCKET_BINARY="$(abspath $(DOCKET_BINARY))" $(PYTHON) -m unittest $(ARGS)

screenshots: ## make docs/images/ anew: the console's screens, by DOCKET_BINARY
	$(call need-docket,$(DOCKET_BINARY))
	DOCKET_BINARY="$(abspath $(DOCKET_BINARY))" $(PYTHON) Tests/Console/screenshots.py docs/images

bench: build ## measure it, beside Redis and SQLite where those are installed, and write docs/BENCHMARKS.md (fourteen minutes)
	$(PYTHON) Tests/Bench/bench.py --binary $(BINARY) $(ARGS)

microbench: setup ## measure the hot parts of the code one by one (half a minute, and the build)
	$(SWIFT) build $(RELEASE) --product MicroBench
	.build/release/MicroBench

soak: setup ## kill the server a thousand times while clients write, make backups meanwhile, and bring it 10,000 clients
	DOCKET_TEST_KILL_ROUNDS=$${DOCKET_TEST_KILL_ROUNDS:-1000} \
	DOCKET_TEST_CONNECTIONS=$${DOCKET_TEST_CONNECTIONS:-10000} \
	DOCKET_TEST_BACKUPS=$${DOCKET_TEST_BACKUPS:-1000} \
	DOCKET_TEST_BACKUP_KILL_ROUNDS=$${DOCKET_TEST_BACKUP_KILL_ROUNDS:-100} \
	$(SWIFT) test --filter 'KillTests|HostileClientTests|BackupLoadTests' $(ARGS)

torture: torture-faults torture-histories torture-load torture-sanitizers ## break the machine under it: power, kills, calls that fail, disks, load (hours, as root; ARGS=--short: minutes)

# With DOCKET_BINARY nothing is built.
torture-faults torture-histories torture-load: $(if $(filter file,$(origin DOCKET_BINARY)),build)

torture-faults:
	$(call need-docket,$(TORTURED))
	cd Tests/Torture && DOCKET_BINARY="$(abspath $(TORTURED))" $(PYTHON) -m unittest
	$(PYTHON) Tests/Torture/torture.py --binary "$(TORTURED)" $(ARGS)

torture-histories:
	$(call need-docket,$(TORTURED))
	cd Tests/Torture/histories && $(PYTHON) -m unittest
	$(PYTHON) Tests/Torture/histories/run.py --binary "$(TORTURED)" $(ARGS)

torture-load:
	$(call need-docket,$(TORTURED))
	$(PYTHON) Tests/Torture/load/run.py --binary "$(TORTURED)" $(ARGS)

torture-sanitizers:
	@case "$(ARGS)" in \
	*--short*) echo "torture: no sanitizers in the short form";; \
	*) $(MAKE) sanitize SANITIZER=thread ARGS= && $(MAKE) sanitize SANITIZER=address ARGS=;; \
	esac

TORTURED = $(if $(filter file,$(origin DOCKET_BINARY)),$(BINARY),$(DOCKET_BINARY))

sanitize: setup ## run all tests under a sanitizer (SANITIZER=thread or address; an hour)
	@case "$(SANITIZER)" in thread|address) ;; *) echo "SANITIZER is thread or address, not '$(SANITIZER)'." >&2; exit 2;; esac
	rm -rf "$(REPORTS)" && mkdir -p "$(REPORTS)"
	@export TSAN_OPTIONS="log_path='$(REPORTS)/thread' suppressions='$(CURDIR)/Tests/thread.suppressions'"; \
	export ASAN_OPTIONS="log_path='$(REPORTS)/address' detect_leaks=0" DOCKET_TEST_SANITIZER=$(SANITIZER); \
	status=0; $(SWIFT) test --sanitize=$(SANITIZER) --scratch-path .build-$(SANITIZER) $(ARGS) || status=1; \
	if [ -n "$$(ls "$(REPORTS)")" ]; then cat "$(REPORTS)"/*; echo "What the sanitizer found is in $(REPORTS)" >&2; status=1; fi; \
	exit $$status

SANITIZER ?= thread
# Of the tests and of all servers that they start.
REPORTS = $(CURDIR)/.build-$(SANITIZER)/reports

# Without SECONDS each target makes RUNS runs, which of those that ask a store takes hours.
fuzz: setup ## fuzz it: RUNS=10000000 or SECONDS=60 a target, TARGETS="frames paths", ARGS=--prove to see that each finds a planted fault
	SWIFT="$(SWIFT)" $(PYTHON) Tests/Fuzz/fuzz.py $(if $(SECONDS),--seconds $(SECONDS)) $(if $(RUNS),--runs $(RUNS)) $(if $(TARGETS),--targets "$(TARGETS)") $(ARGS)

lint: ## check the format of the code
	$(SWIFT) format lint --strict --recursive $(SOURCES)

format: ## format the code
	$(SWIFT) format --in-place --recursive $(SOURCES)

install: build ## install docket into PREFIX/bin; it runs without Swift
	install -d "$(DESTDIR)$(PREFIX)/bin"
	install -m 755 $(BINARY) "$(DESTDIR)$(PREFIX)/bin/docket"

deb: build ## make a Debian package of it, .build/docket_VERSION_ARCH.deb
	@for tool in dpkg-deb dpkg-shlibdeps strip $(firstword $(PYTHON)); do command -v $$tool >/dev/null || missing=1; done; \
	[ -z "$$missing" ] || { \
	  sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  echo "Debian's tools are missing; running: $$sudo apt-get install -y dpkg-dev binutils python3"; \
	  $$sudo apt-get install -y --no-install-recommends dpkg-dev binutils python3 || \
	    { $$sudo apt-get update && $$sudo apt-get install -y --no-install-recommends dpkg-dev binutils python3; }; }
	PYTHON="$(PYTHON)" packaging/build_deb.sh $(BINARY)

test-deb: build ## install, upgrade, remove and purge the package in a root of its own (as root; five minutes)
	PYTHON="$(PYTHON)" Tests/Package/test_deb.sh $(BINARY)

reset-db: ## empty DATABASE but for its access tokens (ARGS=--tokens: those too); refused while a server has it open
	@[ -x $(BINARY) ] || $(MAKE) --no-print-directory build
	$(BINARY) reset --database "$$DATABASE" $(ARGS)

clean: ## remove what was built, not the data
	rm -rf .build .build-fuzz .build-fuzz-unguarded .build-thread .build-address
