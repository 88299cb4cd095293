#!/usr/bin/env bash
# victoria-metrics (single node) and vmalert. The version is stamped in, or the programs could not name it.
set -euo pipefail
. "$(dirname "$0")/common.sh"
VERSION=v1.150.0
out=$CREW_PARTS/victoria-$VERSION
[ -x "$out/vmalert" ] && [ -x "$out/victoria-metrics" ] && exit 0
need go "install Go 1.26 or newer"
module=github.com/VictoriaMetrics/VictoriaMetrics
mkdir -p "$out"
for program in victoria-metrics vmalert; do
  CGO_ENABLED=0 GOBIN=$out go install -trimpath \
    -ldflags "-s -w -X $module/lib/buildinfo.Version=$program-$VERSION" "$module/app/$program@$VERSION"
done
