#!/usr/bin/env bash
# The same models converted under two JavaScript engines, V8 (Node) and JavaScriptCore (Bun), have the same bytes: both run
# one bundle of scripts/reproduce.ts. Exits 1 on a difference. Bun is no dependency: it is fetched into a temporary folder,
# at the version below; BUN=PATH takes one that is there. SAMEBIT_SHARED (default ../shared) holds further models.
# reproduce.sh --packages [TEXT]: the files of packages whose name holds TEXT, all by default, in their place.
set -euo pipefail

bun_version=1.4.5
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
shared=${SAMEBIT_SHARED:-$root/../shared}
args=("$root" "$shared")
[ "${1:-}" = --packages ] && args+=("${2:-}")
export SAMEBIT_ROOT=$root
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$root/node_modules/.bin/esbuild" "$root/scripts/reproduce.ts" --bundle --platform=node --format=esm --target=es2022 \
  --log-level=warning --outfile="$work/reproduce.mjs" \
  --banner:js="import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"
if [ -z "${BUN:-}" ]; then
  npm i --prefix "$work/bun" --no-save --no-audit --no-fund --ignore-scripts --loglevel=error "bun@$bun_version" >/dev/null
  BUN=$(find "$work/bun/node_modules" -type f -path '*/bin/bun*' -size +1000k | sort | head -n 1)
fi

node "$work/reproduce.mjs" "${args[@]}" >"$work/node.txt" 2>"$work/node.log" || { cat "$work/node.log" >&2; exit 1; }
"$BUN" "$work/reproduce.mjs" "${args[@]}" >"$work/bun.txt" 2>"$work/bun.log" || { cat "$work/bun.log" >&2; exit 1; }

echo "Node $(node --version), Bun $("$BUN" --version):"
if ! cmp -s "$work/node.txt" "$work/bun.txt"; then
  diff "$work/node.txt" "$work/bun.txt" || true
  exit 1
fi
cat "$work/node.txt"
echo "$(grep -vc ' refused ' "$work/node.txt") models, the same bytes under both"
