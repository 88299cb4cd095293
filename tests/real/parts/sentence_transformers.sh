#!/usr/bin/env bash
# sentence-transformers in an environment of its own, over Debian's CPU build of torch: the registry's Linux wheel of
# torch brings several GB of CUDA. Versions are the newest that still work with torch 1.13, which is what Debian 12 has.
set -euo pipefail
. ./common.sh
VERSION=3.4.1
debian_packages python3-torch libopenblas0-pthread python3-venv
out=$CREW_PARTS/sentence-transformers-$VERSION
[ -e "$out/ready" ] && exit 0
rm -rf "$out"
/usr/bin/python3 -m venv --system-site-packages "$out"
install=("$out/bin/pip" install --quiet --disable-pip-version-check)
# --no-deps for what would pull another torch; the rest of its needs is small and named.
"${install[@]}" --no-deps "sentence-transformers==$VERSION"
"${install[@]}" "transformers==4.46.3" "numpy<2" pyyaml scikit-learn scipy tqdm pillow
touch "$out/ready"
