#!/bin/sh
# Fetches packages built for arm64 from the distribution's archive, for programs to run and a C library to link with:
#
#   scripts/fetch-arm64.sh [PACKAGE|PATH...]     without arguments: busybox-static bash-static zsh-static
#                                                         mksh sash musl-dev
#   scripts/fetch-arm64.sh --tree NAME PACKAGE...
#
# With --tree, the packages and all that they depend on are unpacked into one directory, a root for `sevm run --root`,
# and its path is printed: ${SEVM_CACHE:-~/.cache/sevm}/arm64/trees/NAME.
#
# They are unpacked below ${SEVM_CACHE:-~/.cache/sevm}/arm64/root, with a link to every program in arm64/bin. For an
# argument with a slash (bin/busybox), the full path of that file is printed.
# Nothing is installed and the system's package database is not touched: apt works on its own state in the cache
# directory, so no privilege is needed. apt checks signatures and hashes. What is already there is not fetched again.
#
#   SEVM_CACHE        where to keep everything
#   SEVM_DEB_MIRROR   another mirror of the archive
#   SEVM_DEB_SUITE    another release of it
set -eu

cache=${SEVM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sevm}/arm64
tree=
if [ "${1:-}" = --tree ]; then
    [ $# -ge 3 ] || { echo "fetch-arm64: --tree takes a name and packages" >&2 && exit 1; }
    tree=$2
    shift 2
fi
[ $# -gt 0 ] || set -- busybox-static bash-static zsh-static mksh sash musl-dev

fail() {
    echo "fetch-arm64: $*" >&2
    exit 1
}

missing=
mkdir -p "$cache/bin" "$cache/root" "$cache/have" "$cache/trees"
# A whole tree has a stamp that tells which packages it was made of.
if [ -n "$tree" ]; then
    root=$cache/trees/$tree
    wanted="1 $*"
    if [ "$(cat "$cache/have/tree-$tree" 2>/dev/null)" = "$wanted" ]; then
        echo "$root"
        exit 0
    fi
    missing=" $*"
    set -- --tree "$tree" "$@"
fi
[ -n "$tree" ] || for argument in "$@"; do
    case $argument in
        */*) ;;
        *) [ -e "$cache/have/$argument" ] || missing="$missing $argument" ;;
    esac
done

# Prints the paths that were asked for.
finish() {
    for argument in "$@"; do
        case $argument in
            */*)
                [ -e "$cache/$argument" ] || fail "no $argument in the packages fetched"
                readlink -f "$cache/$argument"
                ;;
        esac
    done
    exit 0
}
[ -n "$missing" ] || finish "$@"

for tool in apt-get dpkg-deb; do
    command -v $tool >/dev/null || fail "needs $tool, of Debian or Ubuntu; missing packages:$missing"
done

ID= VERSION_CODENAME= ID_LIKE=
# shellcheck disable=SC1091
[ ! -r /etc/os-release ] || . /etc/os-release
case "$ID $ID_LIKE" in
    *ubuntu*)
        mirror=http://ports.ubuntu.com/ubuntu-ports
        parts="main universe"
        keyring=/usr/share/keyrings/ubuntu-archive-keyring.gpg
        suite=${UBUNTU_CODENAME:-$VERSION_CODENAME}
        ;;
    *)
        mirror=http://deb.debian.org/debian
        parts=main
        keyring=/usr/share/keyrings/debian-archive-keyring.gpg
        suite=${VERSION_CODENAME:-stable}
        ;;
esac
mirror=${SEVM_DEB_MIRROR:-$mirror}
suite=${SEVM_DEB_SUITE:-$suite}
[ -r "$keyring" ] || fail "needs $keyring (package $(basename "$keyring" .gpg))"

# Only one at a time may work on apt's state.
if command -v flock >/dev/null && [ -z "${SEVM_FETCH_LOCKED:-}" ]; then
    SEVM_FETCH_LOCKED=1 exec flock "$cache/lock" sh "$0" "$@"
fi

apt=$cache/apt
mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" "$apt/debs"
: >"$apt/status"
echo "deb [signed-by=$keyring] $mirror $suite $parts" >"$apt/sources.list"
cat >"$apt/apt.conf" <<CONF
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "2";
Dir::State "$apt/state";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "-";
CONF
# The machine's own hooks are for its own packages.
echo '#clear APT::Update::Post-Invoke; #clear APT::Update::Post-Invoke-Success;' >>"$apt/apt.conf"
APT_CONFIG=$apt/apt.conf
export APT_CONFIG

log=$apt/log
if ! apt-get -q update >"$log" 2>&1 || grep -q '^[EW]: .*\(Failed\|unable\)' "$log"; then
    cat "$log" >&2
    fail "cannot reach $mirror; not fetched:$missing (set SEVM_DEB_MIRROR for another mirror)"
fi
if [ -n "$tree" ]; then
    debs=$apt/cache/archives
    rm -f "$debs"/*.deb
    # shellcheck disable=SC2086
    if ! apt-get -q -y --download-only -o Dir::Cache::archives="$debs" install $missing >"$log" 2>&1; then
        cat "$log" >&2
        fail "cannot download for arm64 from $mirror $suite:$missing"
    fi
    new=$root.new
    rm -rf "$new"
    mkdir -p "$new/usr" "$new/tmp" "$new/root" "$new/home" "$new/proc" "$new/sys" "$new/dev" "$new/run" "$new/etc"
    chmod 1777 "$new/tmp"
    # Packages still have files in both places; in an installed system they are one.
    for dir in bin sbin lib; do
        mkdir "$new/usr/$dir"
        ln -s "usr/$dir" "$new/$dir"
    done
    for deb in "$debs"/*.deb; do
        dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink --no-same-owner -C "$new" -f -
    done
    rm -f "$debs"/*.deb
    # What the packages' own scripts would have done at installation, as far as programs need it.
    printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n' >"$new/etc/passwd"
    printf 'root:x:0:\ntty:x:5:\nnogroup:x:65534:\n' >"$new/etc/group"
    printf '127.0.0.1 localhost\n::1 localhost\n' >"$new/etc/hosts"
    [ -e "$new/usr/bin/sh" ] || [ ! -e "$new/usr/bin/dash" ] || ln -s dash "$new/usr/bin/sh"
    [ -e "$new/etc/mtab" ] || ln -s ../proc/self/mounts "$new/etc/mtab"
    [ ! -e "$new/usr/bin/gawk" ] || [ -e "$new/usr/bin/awk" ] || {
        mkdir -p "$new/etc/alternatives"
        ln -s /usr/bin/gawk "$new/etc/alternatives/awk"
        ln -s /etc/alternatives/awk "$new/usr/bin/awk"
    }
    rm -rf "$root"
    mv "$new" "$root"
    echo "$wanted" >"$cache/have/tree-$tree"
    echo "$root"
    exit 0
fi
for package in $missing; do
    rm -f "$apt/debs/${package}"_*.deb
    if ! (cd "$apt/debs" && apt-get -q download "$package" >"$log" 2>&1); then
        cat "$log" >&2
        fail "cannot download $package for arm64 from $mirror $suite"
    fi
    dpkg-deb -x "$apt/debs/${package}"_*.deb "$cache/root"
    : >"$cache/have/$package"
done
for dir in bin usr/bin; do
    for program in "$cache/root/$dir"/*; do
        [ ! -f "$program" ] || ln -sf "../root/$dir/$(basename "$program")" "$cache/bin/"
    done
done
finish "$@"
