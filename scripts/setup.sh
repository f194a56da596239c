#!/bin/sh
# Installs what building (`demo`) or testing (`test`) sevm needs, with apt where that is allowed; otherwise names
# exactly what is missing and fails.
set -eu

what=${1:-demo}
missing=

# need COMMAND-OR-FILE PACKAGE: the package is missing if there is neither such a command nor such a file.
need() {
    case $1 in
    /*) for f in $1; do [ -e "$f" ] && return 0; done ;;
    *) command -v "$1" >/dev/null 2>&1 && return 0 ;;
    esac
    case " $missing " in *" $2 "*) ;; *) missing="$missing $2" ;; esac
}

if ! command -v cargo >/dev/null 2>&1; then
    echo "sevm: cargo is missing: install Rust 1.95 or newer (https://rustup.rs)" >&2
    exit 1
fi

need cc gcc
need c++ g++
need cmake cmake
need make make
# bindgen, which reads Unicorn's headers, loads it at build time.
need '/usr/lib/llvm-*/lib/libclang*.so*' libclang-dev
need dpkg-deb dpkg
if [ "$what" = test ]; then
    need aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
    need aarch64-linux-gnu-g++ g++-aarch64-linux-gnu
    need /usr/aarch64-linux-gnu/include/stdio.h libc6-dev-arm64-cross
    need musl-gcc musl-tools
    need qemu-aarch64 qemu-user
    need strace strace
    need /bin/busybox busybox-static
    need /bin/bash-static bash-static
    need /bin/zsh-static zsh-static
    need /bin/mksh-static mksh
    need /bin/sash sash
    need setsid util-linux
    need go golang-go
fi

[ -z "$missing" ] && exit 0

install="apt-get install -y --no-install-recommends$missing"
if ! command -v apt-get >/dev/null 2>&1; then
    echo "sevm: missing:$missing (names of Debian packages; there is no apt-get here)" >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    sudo=
elif sudo -n true 2>/dev/null; then
    sudo=sudo
else
    echo "sevm: missing:$missing" >&2
    echo "sevm: run as root: $install" >&2
    exit 1
fi
echo "sevm: installing:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
# shellcheck disable=SC2086
$sudo $install
