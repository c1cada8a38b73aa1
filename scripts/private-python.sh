#!/usr/bin/env bash
# private-python.sh PREFIX: puts CPython 3.14 with its own C library under PREFIX, without touching the system.
#
# For Debian-family machines that have no Python 3.14 and cannot fetch a prebuilt one: the packages come from the
# machine's own Debian mirror (suite "testing"), are unpacked under PREFIX, and run on the C library unpacked
# beside them. Needs apt-get, dpkg and a working mirror; takes seconds and about 110 MB.
set -euo pipefail

prefix=$(mkdir -p "$1" && cd "$1" && pwd)
suite=${PARKSHARE_PYTHON_SUITE:-testing}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mirror=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -n 1)
[ -n "$mirror" ] || mirror=$(sed -n 's/^deb \(\[[^]]*\] \)\?\([^ ]*\).*/\2/p' /etc/apt/sources.list 2>/dev/null | head -n 1)
if [ -z "$mirror" ]; then
  echo "No Debian mirror is configured here. Install Python 3.14.2 or newer and put python3.14 on the PATH." >&2
  exit 1
fi
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
mkdir -p "$work"/lists/partial "$work"/cache/archives/partial
echo "deb [signed-by=$keyring] $mirror $suite main" >"$work/sources.list"
private_apt() {
  apt-get -qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root "$@"
}
private_apt update
cd "$work"
private_apt download python3.14 python3.14-minimal python3.14-dev python3.14-venv libpython3.14 libpython3.14-dev \
  libpython3.14-stdlib libpython3.14-minimal python3-pip-whl libc6 libgcc-s1 libstdc++6 libexpat1 zlib1g libssl3t64 \
  libsqlite3-0 libffi8 libbz2-1.0 liblzma5 libzstd1 libreadline8t64 libncursesw6 libtinfo6 libuuid1 \
  libdb5.3t64 libgdbm6t64
for deb in *.deb; do dpkg -x "$deb" "$prefix"; done
# patchelf comes from the machine's own suite (it must run on the machine's C library) and is not installed either.
if ! command -v patchelf >/dev/null 2>&1; then
  apt-cache show patchelf >/dev/null 2>&1 || apt-get -qq update
  mkdir patchelf && (cd patchelf && apt-get -qq -o APT::Sandbox::User=root download patchelf && dpkg -x ./*.deb .)
  PATH=$PATH:$work/patchelf/usr/bin
fi

multiarch=$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || echo "$(uname -m)-linux-gnu")
lib=$prefix/usr/lib/$multiarch
loader=$(ls "$lib"/ld-linux-*.so.*)
patchelf --set-interpreter "$loader" --force-rpath --set-rpath "$lib" "$prefix/usr/bin/python3.14"
# Debian's pyconfig.h includes its twin by a path relative to the include root.
ln -sfn "../$multiarch" "$prefix/usr/include/python3.14/$multiarch"
# ensurepip looks for its wheel in an absolute folder of the system; ours lies under the prefix.
sed -i "s|^_pkg_dir = .*|_pkg_dir = '$prefix/usr/share/python-wheels'|" "$prefix/usr/lib/python3.14/ensurepip/__init__.py"
"$prefix/usr/bin/python3.14" -c 'import ssl, sqlite3, lzma, bz2, zlib, ctypes, compression.zstd'
echo "$prefix/usr/bin/python3.14"
