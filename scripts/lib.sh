# shellcheck shell=bash
# Shared by the scripts beside it: where the toolchain lives and how it is found or made. Sourced, never run.

# One toolchain for all clones on a machine: it depends on nothing in the tree but the pinned versions.
TOOLCHAIN=${PARKSHARE_TOOLCHAIN:-${XDG_CACHE_HOME:-$HOME/.cache}/parkshare}

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }

python_is_new_enough() {
  "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 14, 2))' >/dev/null 2>&1
}

# Sets PYTHON to a Python >= 3.14.2 (Home Assistant needs it), making a private one where the machine has none.
ensure_python() {
  local candidate
  for candidate in "${PARKSHARE_PYTHON:-}" python3.14 python3 "$TOOLCHAIN/python-3.14/usr/bin/python3.14"; do
    if [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 && python_is_new_enough "$candidate"; then
      PYTHON=$(command -v "$candidate")
      return
    fi
  done
  say "no Python >= 3.14.2 here: unpacking a private one under $TOOLCHAIN (nothing is installed on the system)"
  PYTHON=$(scripts/private-python.sh "$TOOLCHAIN/python-3.14" | tail -n 1)
}

# Sets UV to the pinned uv, in an environment of its own.
ensure_uv() {
  UV=$TOOLCHAIN/uv/bin/uv
  local wanted
  wanted=$(sed -n 's/^uv==\([^ ]*\).*/\1/p' requirements/bootstrap.txt 2>/dev/null)
  if [ -x "$UV" ] && [ "$("$UV" --version | cut -d' ' -f2)" = "$wanted" ]; then return; fi
  ensure_python
  say "installing uv ${wanted:-(newest)}"
  rm -rf "$TOOLCHAIN/uv"
  "$PYTHON" -m venv "$TOOLCHAIN/uv"
  "$TOOLCHAIN/uv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
}

# Installs missing Debian packages where we may; says what to do where we may not. Arguments: command:package ...
ensure_debian() {
  local missing=() pair run=()
  for pair in "$@"; do
    local probe=${pair%%:*} package=${pair##*:}
    case $probe in
      # Not grep -q: it ends at the first match, and the pipe that breaks then would count as missing.
      lib*) PATH=$PATH:/usr/sbin:/sbin ldconfig -p 2>/dev/null | grep "$probe" >/dev/null || missing+=("$package") ;;
      # Debian keeps the server's programs out of the path, by version; 15 is the oldest that we run on.
      postgres) compgen -G '/usr/lib/postgresql/1[5-9]/bin/initdb' >/dev/null || compgen -G '/usr/lib/postgresql/[2-9][0-9]/bin/initdb' >/dev/null || missing+=("$package") ;;
      *) PATH=$PATH:/usr/sbin:/sbin command -v "$probe" >/dev/null 2>&1 || missing+=("$package") ;;
    esac
  done
  [ ${#missing[@]} -eq 0 ] && return
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "Missing on this machine: ${missing[*]} (Debian's names). Install them, then run this again." >&2
    exit 1
  fi
  if [ "$(id -u)" -ne 0 ]; then
    if sudo -n true 2>/dev/null; then run=(sudo -n); else
      echo "Missing Debian packages. Run: sudo apt-get install ${missing[*]}" >&2
      exit 1
    fi
  fi
  say "installing Debian packages: ${missing[*]}"
  "${run[@]}" apt-get -qq update
  # Packages that bring a service start it at once; ours start their own on their own ports.
  DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 "${run[@]}" apt-get -qq install --yes --no-install-recommends "${missing[@]}" >/dev/null
}
