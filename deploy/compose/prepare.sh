#!/bin/sh
# Writes what docker-compose.yml needs beside it: crew.yaml and the files of secrets. Never overwrites one that exists.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets

random() { head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
# The crew's account in the container has another number than yours, so the files are readable and the folder is not.
secret() {
  [ -e "secrets/$1" ] && return
  printf '%s' "$2" > "secrets/$1"
  chmod 644 "secrets/$1"
  echo "wrote deploy/compose/secrets/$1${3:+: $3}"
}

secret http_token "$(random)" "what callers of the crew show"
secret bitbucket_webhook_secret "$(random)" "enter it in Bitbucket's webhook"
secret alerts_webhook_token "$(random)" "what Alertmanager and Grafana show at our webhooks"
secret bitbucket_token "put-the-token-here" "replace its content by your token"
secret mcp_tokens "{}" "tokens of MCP servers as JSON, by name"
secret grafana_token "put-the-token-here" "replace its content, for the profile grafana"
secret kubeconfig "" "replace its content by a kubeconfig, for a cluster"
if [ ! -e crew.yaml ]; then
  cp crew.example.yaml crew.yaml
  chmod 644 crew.yaml
  echo "wrote deploy/compose/crew.yaml: edit the workspace and the systems"
fi
