#!/usr/bin/env bash
# Prometheus Alertmanager.
set -euo pipefail
. "$(dirname "$0")/common.sh"
VERSION=v0.31.1
out=$CREW_PARTS/alertmanager-$VERSION
[ -x "$out/alertmanager" ] && exit 0
need go "install Go 1.26 or newer"
mkdir -p "$out"
CGO_ENABLED=0 GOBIN=$out go install -trimpath \
  -ldflags "-s -w -X github.com/prometheus/common/version.Version=${VERSION#v}" \
  "github.com/prometheus/alertmanager/cmd/alertmanager@$VERSION"
