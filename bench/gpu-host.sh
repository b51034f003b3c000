#!/usr/bin/env bash
# gpu-host.sh: the webgpu backend on a machine with a GPU, through Dawn on Vulkan: the suite (a row of ENGINES.md), dense
# products in TOPS beside the peak of packed dots, ResNet-50 in images a second at batch 1 and 32.
#
#   bash bench/gpu-host.sh [--small] [--quick] [> FIGURES.json]   in this checkout, after npm ci
#   bash bench/gpu-host.sh pack FILE.tar.xz                       one file for a machine without a network; there:
#     tar xf FILE.tar.xz && bash samebit-gpu/bench/gpu-host.sh > FIGURES.json
#
# --small: small sizes, for a driver in software; --quick: a sample of the suite. A driver named in VK_DRIVER_FILES is taken;
# elsewhere that of NVIDIA is looked for where its ICD file is not in the usual folders.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# build FOLDER: the program and what the suite runs.
build() {
  local root="$here/.."
  mkdir -p "$1"
  "$root/node_modules/.bin/esbuild" "$here/gpu-host.ts" --bundle --platform=node --format=esm --target=node20 \
    --external:onnxruntime-node --external:webgpu --external:gpu.js --log-level=error --outfile="$1/bench/gpu-host.mjs" \
    --banner:js="import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);"
  mkdir -p "$1/src/onnx/proto" && cp "$root/src/onnx/proto/onnx.proto" "$1/src/onnx/proto/"
  "$root/node_modules/.bin/tsx" "$root/scripts/engines/task.ts" "$1/bench/task.json"
}

if [ "${1:-}" = pack ]; then
  [ $# -eq 2 ] || { echo "usage: gpu-host.sh pack FILE.tar.xz" >&2; exit 2; }
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  at="$work/samebit-gpu"
  build "$at"
  cp "$here/gpu-host.sh" "$at/bench/"
  cp "$(node -p process.execPath)" "$at/bench/node"
  cp "$here/../node_modules/webgpu/dist/linux-$(node -p process.arch)/dawn.node" "$at/bench/"
  cp -L "$(ldconfig -p | awk '/libvulkan\.so\.1 /{print $NF; exit}')" "$at/bench/libvulkan.so.1"
  strip "$at/bench/node" "$at/bench/dawn.node" 2>/dev/null || true
  XZ_OPT=-6T0 tar -C "$work" -cJf "$2" samebit-gpu
  ls -l "$2"
  exit 0
fi

if [ -f "$here/gpu-host.mjs" ]; then
  at=$here node="$here/node" dawn="$here/dawn.node"
  ldconfig -p 2>/dev/null | grep -q 'libvulkan\.so\.1 ' || export LD_LIBRARY_PATH="$here${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
else
  build "$here/../.gpu/host"
  at="$here/../.gpu/host/bench" node=node
  dawn="$(cd "$here/.." && pwd)/node_modules/webgpu/dist/linux-$(node -p process.arch)/dawn.node"
fi

if [ -z "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ] && ! ls /{etc,usr/share,usr/local/share}/vulkan/icd.d/nvidia*.json >/dev/null 2>&1; then
  for file in /usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json /usr/share/nvidia/nvidia_icd.json; do
    [ -f "$file" ] && export VK_DRIVER_FILES=$file VK_ICD_FILENAMES=$file && break
  done
fi
exec "$node" "$at/gpu-host.mjs" "$dawn" "$at/task.json" "$@"
