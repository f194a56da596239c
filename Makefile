# `make demo` and `make test` are all a new user needs. Each installs what is missing (Debian, Ubuntu) or names it.

SEVM_CACHE ?= $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/sevm
# Outside the clone, so that Unicorn's C code is compiled once, whatever happens to the clone.
CARGO_TARGET_DIR ?= $(SEVM_CACHE)/target
export SEVM_CACHE CARGO_TARGET_DIR

SEVM = $(CARGO_TARGET_DIR)/release/sevm

.PHONY: all build man completions demo test check bench soak docs install setup-demo setup-test

# Where `make install` puts manual pages and completions.
DATADIR ?= $(if $(XDG_DATA_HOME),$(XDG_DATA_HOME),$(HOME)/.local/share)

all: build man completions

build: setup-demo
	cargo build --release
	@echo "built $(SEVM)"

# Manual pages and completions, from the tables of the command line itself.
man: build
	$(SEVM) man $(CARGO_TARGET_DIR)/man

completions: build
	mkdir -p $(CARGO_TARGET_DIR)/completions
	$(SEVM) completions bash > $(CARGO_TARGET_DIR)/completions/sevm.bash
	$(SEVM) completions zsh > $(CARGO_TARGET_DIR)/completions/_sevm
	$(SEVM) completions fish > $(CARGO_TARGET_DIR)/completions/sevm.fish

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

# Real aarch64 programs on the translator and on Unicorn at once, for half an hour.
soak: build setup-test
	sh scripts/lockstep-soak.sh 1800

# Generated documents.
docs: build
	$(SEVM) syscalls --format md > docs/SYSCALLS.md

install: setup-demo man completions
	cargo install --path . --locked
	mkdir -p "$(DATADIR)/man/man1" "$(DATADIR)/bash-completion/completions" "$(DATADIR)/zsh/site-functions" \
		"$(DATADIR)/fish/vendor_completions.d"
	cp $(CARGO_TARGET_DIR)/man/*.1 "$(DATADIR)/man/man1/"
	cp $(CARGO_TARGET_DIR)/completions/sevm.bash "$(DATADIR)/bash-completion/completions/sevm"
	cp $(CARGO_TARGET_DIR)/completions/_sevm "$(DATADIR)/zsh/site-functions/"
	cp $(CARGO_TARGET_DIR)/completions/sevm.fish "$(DATADIR)/fish/vendor_completions.d/"

setup-demo:
	@sh scripts/setup.sh demo

setup-test:
	@sh scripts/setup.sh test
