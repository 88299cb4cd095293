#!/usr/bin/env bash
# kube-apiserver, scheduler, controller-manager and kubectl, from the Go module k8s.io/kubernetes.
#
# `go install` refuses that module because its go.mod replaces the staging modules by local folders. So a small wrapper
# module requires it and maps each staging module to its published twin (v1.34.4 -> k8s.io/api v0.34.4).
set -euo pipefail
. "$(dirname "$0")/common.sh"
VERSION=v1.34.4
PROGRAMS="kube-apiserver kube-scheduler kube-controller-manager kubectl"
out=$CREW_PARTS/kubernetes-$VERSION
complete=1
for program in $PROGRAMS; do [ -x "$out/$program" ] || complete=; done
[ -n "$complete" ] && exit 0
need go "install Go 1.26 or newer"
need python3 "install Python 3.11 or newer"
work_folder
mkdir -p "$out"
cd "$WORK"
folder=$(go mod download -json "k8s.io/kubernetes@$VERSION" |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["Dir"])')
staging=v0.${VERSION#v1.}
{
  echo "module kubernetes-wrapper"
  grep -E '^(go|godebug) ' "$folder/go.mod" || true
  echo "require k8s.io/kubernetes $VERSION"
  echo "replace ("
  sed -nE "s#^\s*(k8s\.io/\S+) => \./staging/.*#\t\1 => \1 $staging#p" "$folder/go.mod"
  echo ")"
  echo "tool ("
  for program in $PROGRAMS; do echo "	k8s.io/kubernetes/cmd/$program"; done
  echo ")"
} >go.mod
cp "$folder/go.sum" go.sum && chmod u+w go.sum
# Without these a program calls itself v0.0.0-master, and version checks misbehave.
package=k8s.io/component-base/version
minor=${VERSION#v1.} && minor=${minor%%.*}
flags="-s -w -X $package.gitVersion=$VERSION -X $package.gitMajor=1 -X $package.gitMinor=$minor"
for program in $PROGRAMS; do
  CGO_ENABLED=0 go build -mod=mod -trimpath -ldflags "$flags" -o "$out/$program" "k8s.io/kubernetes/cmd/$program"
done
