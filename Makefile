# `make demo` and `make test` are all a new user needs. Each installs what is missing (Debian, Ubuntu) or names it.

SEVM_CACHE ?= $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/sevm
# Outside the clone, so that Unicorn's C code is compiled once, whatever happens to the clone.
CARGO_TARGET_DIR ?= $(SEVM_CACHE)/target
export SEVM_CACHE CARGO_TARGET_DIR

SEVM = $(CARGO_TARGET_DIR)/release/sevm

.PHONY: all build demo test check bench docs install setup-demo setup-test

all: build

build: setup-demo
	cargo build --release
	@echo "built $(SEVM)"

# A real aarch64 program that nobody here wrote, with its system calls.
demo: build
	@busybox=$$(sh scripts/fetch-arm64.sh busybox-static bin/busybox) && set -x && \
	$(SEVM) trace "$$busybox" uname -m

test: setup-test
	-@sh scripts/fetch-arm64.sh
	cargo test --release

# What a change must pass besides the tests.
check: setup-demo
	cargo fmt --check
	cargo clippy --release --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --release --no-deps --document-private-items
	cargo clippy --release --no-default-features -- -D warnings
	if command -v nix-instantiate >/dev/null; then nix-instantiate --parse flake.nix >/dev/null; fi
	if command -v cargo-deny >/dev/null; then cargo deny check licenses bans sources; fi

bench: setup-test
	cargo bench

# Generated documents.
docs: build
	$(SEVM) syscalls --format md > docs/SYSCALLS.md

install: setup-demo
	cargo install --path . --locked

setup-demo:
	@sh scripts/setup.sh demo

setup-test:
	@sh scripts/setup.sh test
