#!/usr/bin/env bash
# Two official MCP servers as the programs their makers publish: mcp-grafana inside its Python wheel,
# kubernetes-mcp-server inside its npm platform package. Nothing is compiled.
set -euo pipefail
. "$(dirname "$0")/common.sh"
GRAFANA=2.1.1 KUBERNETES=0.0.67
work_folder
out=$CREW_PARTS/mcp-grafana-$GRAFANA
if [ ! -x "$out/mcp-grafana" ]; then
  need python3 "install Python 3.11 or newer"
  python3 -m pip download --quiet --no-deps --dest "$WORK" "mcp-grafana==$GRAFANA"
  python3 -m zipfile -e "$WORK"/mcp_grafana-*.whl "$WORK/wheel"
  install -D -m755 "$WORK/wheel/mcp_grafana/bin/mcp-grafana" "$out/mcp-grafana"
fi
out=$CREW_PARTS/kubernetes-mcp-server-$KUBERNETES
if [ ! -x "$out/kubernetes-mcp-server" ]; then
  need npm "install Node.js 20 or newer"
  npm install --silent --no-save --prefix "$WORK/npm" "kubernetes-mcp-server@$KUBERNETES"
  install -D -m755 "$WORK"/npm/node_modules/kubernetes-mcp-server-linux-*/bin/kubernetes-mcp-server-linux-* \
    "$out/kubernetes-mcp-server"
fi
