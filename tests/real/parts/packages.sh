#!/usr/bin/env bash
# Debian packages: etcd, PostgreSQL, and two header-only libraries that Ollama's build needs.
set -euo pipefail
wanted=(etcd-server postgresql nlohmann-json3-dev libstb-dev)
command -v dpkg >/dev/null || { echo "not a Debian machine: install ${wanted[*]} by hand"; exit 3; }
absent=()
for package in "${wanted[@]}"; do
  dpkg -s "$package" 2>/dev/null | grep -q '^Status: install ok installed' || absent+=("$package")
done
[ ${#absent[@]} -gt 0 ] || exit 0
[ "$(id -u)" = 0 ] || { echo "needs root once: apt-get install ${absent[*]}"; exit 3; }
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${absent[@]}"
