#!/usr/bin/env bash
# Debian packages: etcd, PostgreSQL, two header-only libraries that Ollama's build needs, and strace, which
# tests/test_nothing_leaves.py watches system calls with.
set -euo pipefail
. ./common.sh
debian_packages etcd-server postgresql nlohmann-json3-dev libstb-dev strace
