#!/usr/bin/env bash
# victoria-logs. Its own repository is not served as a Go module everywhere, so it comes from the last VictoriaMetrics
# release that carried it, through a module of our own: that release's `replace` lines make `go install` refuse it.
set -euo pipefail
. "$(dirname "$0")/common.sh"
VERSION=v1.121.0
out=$CREW_PARTS/victoria-logs-$VERSION
[ -x "$out/victoria-logs" ] && exit 0
need go "install Go 1.26 or newer"
module=github.com/VictoriaMetrics/VictoriaMetrics
work_folder
cd "$WORK"
source=$(go mod download -json "$module@$VERSION" | python3 -c 'import json, sys; print(json.load(sys.stdin)["Dir"])')
{
  echo "module build-victoria-logs"
  grep -E '^go ' "$source/go.mod"
  echo "require $module $VERSION"
  # Newer releases of this library removed what v1.121.0 uses.
  echo "replace github.com/prometheus/common => github.com/prometheus/common v0.62.0"
  echo "tool $module/app/victoria-logs"
} >go.mod
install -m644 "$source/go.sum" go.sum
mkdir -p "$out"
CGO_ENABLED=0 go build -mod=mod -trimpath -ldflags "-s -w -X $module/lib/buildinfo.Version=victoria-logs-$VERSION" \
  -o "$out/victoria-logs" "$module/app/victoria-logs"
