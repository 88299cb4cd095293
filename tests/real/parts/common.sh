# Sourced by each part's script: where built servers are kept, and how a missing tool is said.
# The cache lies outside the checkout and is keyed by version, so a second run builds nothing.
CREW_PARTS=${CREW_PARTS:-$HOME/.cache/crew-parts}
export GOTOOLCHAIN=local GOWORK=off

need() { # program what-to-do
  command -v "$1" >/dev/null || { echo "no $1 on this machine; $2"; exit 3; }
}

work_folder() { # a private folder for wrapper modules, removed at exit
  WORK=$(mktemp -d); trap 'rm -rf "$WORK"' EXIT
}
