#!/usr/bin/env bash
# Debian packages: etcd, PostgreSQL, and two header-only libraries that Ollama's build needs.
set -euo pipefail
. ./common.sh
debian_packages etcd-server postgresql nlohmann-json3-dev libstb-dev
