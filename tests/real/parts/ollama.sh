#!/usr/bin/env bash
# A CPU-only Ollama from its Go module with cgo alone. v0.24.0 is the last release whose module holds llama.cpp and
# ggml. A module never holds a folder named "vendor", so three headers are missing from it: two come from Debian
# packages, and miniaudio (sound as input, which nobody here uses) is replaced by one that always fails.
# Takes about eight minutes. MARCH="" builds for any x86-64; AVX2 reads prompts about nine times faster.
set -euo pipefail
. "$(dirname "$0")/common.sh"
VERSION=v0.24.0
out=$CREW_PARTS/ollama-$VERSION
[ -x "$out/ollama" ] && exit 0
need go "install Go 1.26 or newer"
need g++ "install a C++ compiler"
[ -e /usr/include/nlohmann/json.hpp ] || { echo "no nlohmann-json3-dev; see packages.sh"; exit 3; }
[ -e /usr/include/stb/stb_image.h ] || { echo "no libstb-dev; see packages.sh"; exit 3; }
module=github.com/ollama/ollama
work_folder
mkdir -p "$WORK/include/miniaudio" "$out"
cat >"$WORK/include/miniaudio/miniaudio.h" <<'H'
#pragma once
#include <cstddef>
#include <cstdint>
typedef int ma_result;
typedef uint64_t ma_uint64;
typedef uint32_t ma_uint32;
enum { MA_SUCCESS = 0, MA_NOT_IMPLEMENTED = -29 };
enum ma_format { ma_format_f32 = 5 };
struct ma_decoder_config { int unused; };
struct ma_decoder { int unused; };
static inline ma_decoder_config ma_decoder_config_init(ma_format, ma_uint32, ma_uint32) { return {0}; }
static inline ma_result ma_decoder_init_memory(const void *, size_t, const ma_decoder_config *, ma_decoder *) {
  return MA_NOT_IMPLEMENTED;
}
static inline ma_result ma_decoder_get_length_in_pcm_frames(ma_decoder *, ma_uint64 *) { return MA_NOT_IMPLEMENTED; }
static inline ma_result ma_decoder_read_pcm_frames(ma_decoder *, void *, ma_uint64, ma_uint64 *) {
  return MA_NOT_IMPLEMENTED;
}
static inline ma_result ma_decoder_uninit(ma_decoder *) { return MA_SUCCESS; }
H
cd "$WORK"
source=$(go mod download -json "$module@$VERSION" | python3 -c 'import json, sys; print(json.load(sys.stdin)["Dir"])')
{
  echo "module build-ollama"
  grep -E '^go ' "$source/go.mod"
  echo "require $module $VERSION"
  echo "tool $module"
} >go.mod
install -m644 "$source/go.sum" go.sum
flags="-O3 ${MARCH--march=x86-64-v3}"
CGO_ENABLED=1 CGO_CPPFLAGS="-I$WORK/include" CGO_CFLAGS="$flags" CGO_CXXFLAGS="$flags" \
  go build -mod=mod -trimpath -ldflags "-s -w -X=$module/version.Version=${VERSION#v}" -o "$out/ollama" "$module"
