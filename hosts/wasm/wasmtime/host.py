"""Runs the modules of corpus.json on wasmtime: python3 host.py FOLDER PROFILE. A JSON line a module: name, digest, fuel, ns."""
import hashlib
import json
import pathlib
import sys
import time

from wasmtime import Config, Engine, Instance, Module, Store

FUEL = 1 << 62


def run(engine, folder, entry):
    store = Store(engine)
    store.set_fuel(FUEL)
    module = Module(engine, (folder / entry["module"]).read_bytes())
    exports = Instance(store, module, []).exports(store)
    memory = exports["memory"]

    def areas(kind):
        place, length = exports[f"{kind}_ptr"], exports[f"{kind}_len"]
        return [(place(store, i), length(store, i)) for i in range(exports[f"{kind}_count"](store))]

    if "weights" in entry:
        rest = (folder / entry["weights"]).read_bytes()
        for i, (place, length) in enumerate(areas("chunk")):
            memory.write(store, rest[:length], place)
            rest = rest[length:]
            if exports["load_chunk"](store, i, length) != 0:
                raise SystemExit(f"{entry['name']}: chunk {i} is refused")
    given = (folder / entry["inputs"]).read_bytes()
    at = 0
    inputs, outputs = areas("input"), areas("output")
    digest, fuel, ns = hashlib.sha256(), 0, 0
    for _ in range(entry["runs"]):
        for place, length in inputs:
            memory.write(store, given[at : at + length], place)
            at += length
        before, start = store.get_fuel(), time.perf_counter_ns()
        status = exports["infer"](store)
        ns += time.perf_counter_ns() - start
        fuel += before - store.get_fuel()
        if status != 0:
            raise SystemExit(f"{entry['name']}: infer gives {status}")
        for place, length in outputs:
            digest.update(memory.read(store, place, place + length))
    return digest.hexdigest(), fuel / entry["runs"], ns / entry["runs"]


def main():
    folder, profile = pathlib.Path(sys.argv[1]), sys.argv[2]
    config = Config()
    config.consume_fuel = True
    engine = Engine(config)
    for entry in json.loads((folder / "corpus.json").read_text()):
        if entry["profile"] == profile:
            digest, fuel, ns = run(engine, folder, entry)
            print(json.dumps({"module": entry["module"], "digest": digest, "fuel": fuel, "ns": ns}), flush=True)


main()
