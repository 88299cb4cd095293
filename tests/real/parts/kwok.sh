#!/usr/bin/env bash
# kwok: fake kubelets for a real API server, with the stages that ship in its own module (nodes become Ready, pods
# run, jobs complete, deletions finish). Without a stage file kwok stops at once.
set -euo pipefail
. "$(dirname "$0")/common.sh"
VERSION=v0.8.0
out=$CREW_PARTS/kwok-$VERSION
[ -x "$out/kwok" ] && [ -s "$out/kwok-stages.yaml" ] && exit 0
need go "install Go 1.26 or newer"
mkdir -p "$out"
CGO_ENABLED=0 GOBIN=$out go install "sigs.k8s.io/kwok/cmd/kwok@$VERSION"
stages=$(go mod download -json "sigs.k8s.io/kwok@$VERSION" |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["Dir"])')/kustomize/stage
for stage in node/fast/node-initialize node/heartbeat-with-lease/node-heartbeat-with-lease pod/fast/pod-ready \
  pod/fast/pod-complete pod/fast/pod-delete node/chaos/node-not-ready pod/chaos/pod-container-running-failed; do
  echo "---"
  cat "$stages/$stage.yaml"
done >"$out/kwok-stages.yaml"
