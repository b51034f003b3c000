"""Writes `.sbm` files (spec/20-format.md §2, §3), and builds the graphs that go into them.

The writer is its own: no library, and not the reader of test/independent. Only the table of ops and attributes and the type
rules come from there.
"""

import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "independent"))

from model import OPS, WORDS  # noqa: E402
from proofs import infer  # noqa: E402

DTYPES = ["i8", "i16", "i32", "i4", "bool"]
RANGE = {"i8": (-128, 127), "i16": (-32768, 32767), "i32": (-(2**31), 2**31 - 1), "i4": (-8, 7), "bool": (0, 1)}
CODES = {name: code for code, (name, _, _) in OPS.items()}


# ---------------------------------------------------------------- wire
def varint(v):
    return bytes([v]) if v < 128 else bytes([v % 128 + 128]) + varint(v // 128)


def zigzag(v):
    return 2 * v if v >= 0 else -2 * v - 1


def uint(number, v):
    """A varint field, absent where it is 0."""
    return varint(number * 8) + varint(v) if v else b""


def sint(number, v):
    return uint(number, zigzag(v))


def held(number, data):
    """A length-delimited field, present also where it is empty."""
    return varint(number * 8 + 2) + varint(len(data)) + data


def blob(number, data):
    return held(number, data) if data else b""


def uints(number, values):
    return blob(number, b"".join(varint(v) for v in values))


def sints(number, values):
    return blob(number, b"".join(varint(zigzag(v)) for v in values))


# ---------------------------------------------------------------- messages
def dim(d):
    return sint(1, d) if isinstance(d, int) else sint(1, d[0]) + sints(2, d[1])


def scale(s):
    """(mantissa, exponent)"""
    return held(1, s[0].to_bytes(8, "little")) + sint(2, s[1])


def symbol(s):
    return blob(1, s["name"].encode()) + uint(2, s["min"]) + uint(3, s["max"])


def input_(d):
    out = (
        blob(1, d["name"].encode()) + uint(2, DTYPES.index(d["dtype"])) + b"".join(held(3, dim(e)) for e in d["shape"])
    )
    out += sint(4, d["zp"]) + held(5, dim(d["lo"])) + held(6, dim(d["hi"]))
    return out + (held(7, scale(d["scale"])) if d.get("scale") else b"") + uint(8, int(d.get("u8", False)))


def output(o):
    out = blob(1, o["name"].encode()) + uint(2, o["tensor"])
    return out + (held(3, scale(o["scale"])) if o.get("scale") else b"") + uint(4, int(o.get("u8", False)))


def attr(a):
    """{tag, ints, blob, dims}"""
    out = uint(1, a["tag"]) + sints(2, a.get("ints", [])) + blob(3, a.get("blob", b""))
    return out + b"".join(held(4, dim(d)) for d in a.get("dims", []))


def words(values):
    return struct.pack(f"<{len(values)}i", *values)


def record(o):
    return [DTYPES.index(o["dtype"]), o["zp"], o["lo"], o["hi"]]


def attr_fields(kind, v):
    """The fields of an attribute by its kind."""
    if kind == "words":
        return {"blob": words(v)}
    if kind == "u64":
        return {"blob": v.to_bytes(8, "little")}
    if kind in ("dim", "dims"):
        return {"dims": [v] if kind == "dim" else v}
    if kind == "output":
        return {"ints": record(v)}
    if kind == "stage":
        return {"ints": [v["l"], *record(v)], "blob": words(v["m"])}
    return {"ints": [WORDS[kind].index(v)] if kind in WORDS else {"int": [v], "bool": [1], "ints": v}[kind]}


def attrs_of(op, attrs):
    """The Attr records of a node: by tag, those equal to their default left out."""
    out = []
    for tag, (name, kind, default) in sorted(OPS[CODES[op]][2].items()):
        if name in attrs and attrs[name] != default:
            out.append({"tag": tag, **attr_fields(kind, attrs[name])})
    return out


def node(n):
    """{op, inputs: tensor ids or -1, attrs by name, or raw: Attr records, code: another op code}"""
    ids = [i + 1 for i in n["inputs"]]
    while ids and ids[-1] == 0:
        ids.pop()
    records = n["raw"] if "raw" in n else attrs_of(n["op"], n["attrs"])
    return uint(1, n.get("code", CODES.get(n["op"]))) + uints(2, ids) + b"".join(held(3, attr(a)) for a in records)


def stored(dtype, values):
    """Canonical bytes of elements."""
    if dtype == "i4":
        nibbles = [v & 15 for v in values] + [0] * (len(values) % 2)
        return bytes(lo | hi << 4 for lo, hi in zip(nibbles[::2], nibbles[1::2]))
    return struct.pack(f"<{len(values)}{ {'i16': 'h', 'i32': 'i'}.get(dtype, 'b') }", *values)


def constant(c):
    data = c["bytes"] if "bytes" in c else stored(c["dtype"], c["data"])
    return uint(1, DTYPES.index(c["dtype"])) + uints(2, c["shape"]) + sint(3, c["zp"]) + blob(4, data)


def fields(g):
    """The fields of Model as (number, bytes), in order."""
    out = [(1, uint(1, g.get("spec", 1)))]
    writers = (("symbols", symbol), ("inputs", input_), ("nodes", node), ("outputs", output), ("states", None))
    for number, (part, write) in enumerate(writers + (("constants", constant),), 2):
        for v in g[part]:
            out.append((number, held(number, write(v) if write else uint(1, v[0]) + uint(2, v[1]))))
    return out


def encode(g):
    return b"".join(data for _, data in fields(g))


# ---------------------------------------------------------------- graphs
def sym(i, c=0, k=1):
    """The dim c + k * symbol i."""
    return c, (0,) * i + (k,)


class Builder:
    """A graph under construction. Handles: ("in", i), ("const", i), ("node", i, output); types are inferred on the way."""

    def __init__(self, **symbols):
        self.symbols = [{"name": k, "min": v[0], "max": v[1]} for k, v in symbols.items()]
        self.box = list(symbols.values())
        self.inputs, self.constants, self.nodes, self.outputs, self.states, self.types = [], [], [], [], [], {}

    def x(self, dtype, shape, zp=0, lo=None, hi=None, name=None, **extra):
        lo, hi = RANGE[dtype][0] if lo is None else lo, RANGE[dtype][1] if hi is None else hi
        d = {"name": name or f"x{len(self.inputs)}", "dtype": dtype, "shape": list(shape), "zp": zp, "lo": lo, "hi": hi}
        self.inputs.append({**d, **extra})
        handle = ("in", len(self.inputs) - 1)
        self.types[handle] = {**d, "row_sum": None, "data": None}
        return handle

    def const(self, dtype, shape, data, zp=0):
        c = {"dtype": dtype, "shape": list(shape), "zp": zp, "data": list(data)}
        if c not in self.constants:
            self.constants.append(c)
        handle = ("const", self.constants.index(c))
        lo, hi = (min(data), max(data)) if data else (zp, zp)
        self.types[handle] = {**c, "lo": lo, "hi": hi, "row_sum": None}
        return handle

    def filled(self, op, attrs):
        """Attributes with the defaults of the op."""
        out = {name: default for name, _, default in OPS[CODES[op]][2].values() if not callable(default)}
        return {k: v for k, v in {**out, **attrs}.items() if type(v) is not object}

    def infer(self, op, handles, attrs):
        return infer(op, self.filled(op, attrs), [None if h is None else self.types[h] for h in handles], self.box)

    def op(self, op, /, *handles, **attrs):
        """Adds a node; its handle, or a list of handles where it has several outputs."""
        types = self.infer(op, handles, attrs)
        self.nodes.append({"op": op, "inputs": list(handles), "attrs": attrs})
        out = [("node", len(self.nodes) - 1, i) for i in range(len(types))]
        self.types |= dict(zip(out, types))
        return out if len(out) > 1 else out[0]

    def out(self, *handles, u8=False, name=None, **extra):
        for h in handles:
            d = {"name": name or f"y{len(self.outputs)}", "tensor": h}
            self.outputs.append({**d, **({"u8": True} if u8 else {}), **extra})

    def state(self, handle, position):
        self.states.append((handle[1], position))

    def graph(self):
        """Tensor ids filled in; constants in order of first use."""
        order = list(dict.fromkeys(h[1] for n in self.nodes for h in n["inputs"] if h and h[0] == "const"))
        first, ids, counts = len(self.inputs), {}, {}
        ids |= {("in", i): i for i in range(first)} | {("const", c): first + i for i, c in enumerate(order)}
        for h in self.types:
            if h[0] == "node":
                counts[h[1]] = max(counts.get(h[1], 0), h[2] + 1)
        at = first + len(order)
        for k in range(len(self.nodes)):
            ids |= {("node", k, i): at + i for i in range(counts[k])}
            at += counts[k]
        nodes = [{**n, "inputs": [-1 if h is None else ids[h] for h in n["inputs"]]} for n in self.nodes]
        outputs = [{**o, "tensor": ids[o["tensor"]]} for o in self.outputs]
        constants = [self.constants[c] for c in order]
        parts = {"symbols": self.symbols, "inputs": self.inputs, "nodes": nodes, "outputs": outputs}
        return {**parts, "states": sorted(self.states), "constants": constants}
