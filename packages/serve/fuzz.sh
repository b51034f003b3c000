#!/usr/bin/env bash
# Fuzzes a running server by its own OpenAPI document with schemathesis: no request may be answered by a 5xx, and every answer has
# to be one that the document describes. Installs schemathesis into a virtual environment. EXAMPLES: cases an operation; SEED.
#
#     npm run serve:fuzz
set -euo pipefail

version=4.32.5
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$here/../..
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
venv=${SCHEMATHESIS_VENV:-$work/venv}
if [ ! -x "$venv/bin/schemathesis" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" -q --disable-pip-version-check install "schemathesis==$version"
fi
(cd "$root" && npm run -s build && npm run -s build -w samebit-serve)

mkdir "$work/models"
cp "$root/examples/face-api/recogniser.sbm" "$root/examples/antifake/model.sbm" "$work/models/"
openssl genpkey -algorithm ed25519 -out "$work/key.pem" 2>/dev/null
node "$here/dist/main.js" "$work/models" --port 0 --json --key "$work/key.pem" --log warn >"$work/out" 2>"$work/log" &
server=$!
for _ in $(seq 100); do [ -s "$work/out" ] && break || sleep 0.1; done
url=$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1], "utf8")).url' "$work/out")
id=$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1], "utf8")).models[0]' "$work/out")

# Half of the paths have to meet a model: its id is put in by hand.
cat >"$work/hooks.py" <<PY
import schemathesis

@schemathesis.hook
def map_path_parameters(context, path_parameters):
    if path_parameters and "id" in path_parameters and len(str(path_parameters["id"])) == 64 and str(path_parameters["id"])[0] < "a":
        path_parameters["id"] = "$id"
    return path_parameters
PY
SCHEMATHESIS_HOOKS="$work/hooks.py" "$venv/bin/schemathesis" run "$url/openapi.json" \
  --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
  --max-examples "${EXAMPLES:-200}" --seed "${SEED:-1}" --phases coverage,fuzzing --no-color
kill "$server"
wait "$server"
server=
if grep -q '"level":50' "$work/log"; then
  cat "$work/log"
  exit 1
fi
echo "fuzz: no 5xx, nothing in the log of the server"
