"""Checks a receipt (spec/40-consensus.md §1, §2) by running the module: verify.py FOLDER MODULE HEADER_HASH MODULE_SHA256.
Both hashes come from whom the reader trusts, such as a chain; nothing in FOLDER does."""
import hashlib
import pathlib
import sys

from Crypto.Hash import keccak
from wasmtime import Engine, Instance, Module, Store, Trap

HASHES = [lambda data: keccak.new(digest_bits=256, data=data).digest(), lambda data: hashlib.sha256(data).digest()]


def demand(holds, sentence):
    if not holds:
        sys.exit(f"refused: {sentence}")


def words(data):
    demand(len(data) % 32 == 0 and len(data) >= 192, "header or receipt is cut short")
    return [data[i : i + 32] for i in range(0, len(data), 32)]


def root(h, leaves):
    """Root of a tree, filled up with leaves of 32 zero bytes."""
    level = [h(b"\0" + leaf) for leaf in leaves]
    level += [bytes(32)] * ((1 << (max(len(level), 1) - 1).bit_length()) - len(level))
    while len(level) > 1:
        level = [h(b"\1" + level[i] + level[i + 1]) for i in range(0, len(level), 2)]
    return level[0]


def root_of_tensors(h, tensors):
    chunks = [[t[i : i + 32].ljust(32, b"\0") for i in range(0, len(t), 32)] for t in tensors]
    return root(h, [root(h, c) for c in chunks])


def run(wasm, read):
    """Outputs of the module on the inputs that `read` gives."""
    engine = Engine()
    store = Store(engine)
    exports = Instance(store, Module(engine, wasm), []).exports(store)
    memory = exports["memory"]

    def call(name, *args):
        return exports[name](store, *args)

    inputs = [read(f"input-{i}.bin") for i in range(call("input_count"))]
    for i, data in enumerate(inputs):
        demand(len(data) == call("input_len", i), f"input {i} is not as long as the model's")
        memory.write(store, data, call("input_ptr", i))
    demand(call("infer") == 0, "an input is outside its interval")
    places = [(call("output_ptr", i), call("output_len", i)) for i in range(call("output_count"))]
    return inputs, [bytes(memory.read(store, at, at + length)) for at, length in places]


def main():
    demand(len(sys.argv) == 5, "the arguments are FOLDER MODULE HEADER_HASH MODULE_SHA256")
    folder, module = sys.argv[1:3]
    header_hash, module_hash = (text.lower().removeprefix("0x") for text in sys.argv[3:])
    read = lambda name: (pathlib.Path(folder) / name).read_bytes()
    wasm, header, receipt = pathlib.Path(module).read_bytes(), read("header.bin"), words(read("receipt.bin"))
    demand(hashlib.sha256(wasm).hexdigest() == module_hash, "the module is another one")
    demand(words(header)[1][31] <= 1, "the header names no known hash")
    h = HASHES[header[63]]
    demand(h(b"\2" + header).hex() == header_hash, "the header is not the one that is trusted")
    demand(receipt[0] == bytes(31) + b"\1", "the receipt is of another version")
    demand(receipt[1].hex() == header_hash, "the receipt is of another model")
    inputs, outputs = run(wasm, read)
    demand(root_of_tensors(h, inputs) == receipt[2], "the inputs are not those of the receipt")
    demand(root_of_tensors(h, outputs) == receipt[3], "the model gives other outputs than the receipt claims")
    demand(all(o == read(f"output-{i}.bin") for i, o in enumerate(outputs)), "the files of outputs are others")
    for i, output in enumerate(outputs):
        print(f"output {i}: {output.hex()}")
    print("verified")


try:
    main()
except (OSError, ValueError, Trap) as e:
    sys.exit(f"refused: {e}")
