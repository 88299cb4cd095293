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

debian_packages() { # package...    installs what is absent, where that is allowed
  command -v dpkg >/dev/null || { echo "not a Debian machine: install $* by hand"; exit 3; }
  local absent=() package
  for package in "$@"; do
    dpkg -s "$package" 2>/dev/null | grep -q '^Status: install ok installed' || absent+=("$package")
  done
  [ ${#absent[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || { echo "needs root once: apt-get install ${absent[*]}"; exit 3; }
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${absent[@]}" ||
    { echo "these could not be installed: ${absent[*]}"; exit 3; }
}
