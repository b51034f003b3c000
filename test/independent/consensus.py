"""Headers, roots and receipts of spec/40-consensus.md: `python3 consensus.py < requests.json`.

Requests as those of samebit.py, with "hash": "keccak256" or "sha256". Answers are {"header", "headerHash", "modelRoot", "leaves", "traceRoot",
"inputRoot", "outputRoot", "receipt"} in hexadecimal: words of the header, root over the op leaves, H of each leaf, roots of the
run, and H of its receipt.
"""

import base64
import hashlib
import json
import struct
import sys

from cost import memory, vector
from keccak import keccak256
from model import DTYPES, OPS, WORDS, Model, parts
from proofs import check
from steps import I64, between, bits, fraction, shapes
from samebit import concrete, evaluate

HASHES = {"keccak256": keccak256, "sha256": lambda b: hashlib.sha256(b).digest()}
CLASSES = "op byte mac_i8_i8 mac_i8_i4 mac_i16_i8 mac_i16_i4 mac_i16_i16 mac_depthwise move move_scatter select linear2 staged div"
CLASSES += " lut8 lut16 pool reduce softmax log_softmax norm bilinear rope cell cumsum arg order sample nms row io"
FORMAT = {0: "b", 1: "h", 2: "i", 4: "b", I64: "q"}


# ---------------------------------------------------------------- §1 trees
class Trees:
    def __init__(self, name):
        self.code, self.h = list(HASHES).index(name), HASHES[name]

    def tagged(self, tag, data):
        return self.h(bytes([tag]) + data)

    def over(self, leaves):
        """The root over hashes of leaves, filled up with 32 zero bytes."""
        depth = max(0, len(leaves) - 1).bit_length()
        row = leaves + [bytes(32)] * (2**depth - len(leaves))
        while len(row) > 1:
            row = [self.tagged(1, row[i] + row[i + 1]) for i in range(0, len(row), 2)]
        return row[0]

    def of(self, data):
        """The root of a tensor's bytes."""
        data += bytes(-len(data) % 32)
        return self.over([self.tagged(0, data[i : i + 32]) for i in range(0, len(data), 32)])


def pack(code, data):
    if code == 3:
        data = list(data) + [0] * (len(data) % 2)
        return bytes((data[i] & 15) | (data[i + 1] & 15) << 4 for i in range(0, len(data), 2))
    return struct.pack(f"<{len(data)}{FORMAT[code]}", *data)


# ---------------------------------------------------------------- §2 words
def words(*values):
    return b"".join(v if isinstance(v, bytes) else int(v).to_bytes(32, "big", signed=True) for v in values)


def text(s):
    return s.encode().ljust(32, b"\0")


def dim(d):
    c, k = parts(d)
    return (c & 2**64 - 1) | sum((v & 2**32 - 1) << 64 + 32 * i for i, v in enumerate(k))


def typed(t):
    return [t["zp"], dim(t["lo"]), dim(t["hi"]), len(t["shape"]), *map(dim, t["shape"])]


# ---------------------------------------------------------------- §3 leaves
def facts(op, a, types, most):
    if op in ("layer_norm", "rms_norm", "group_norm"):
        return {"fraction": fraction(types[0]["dtype"])}
    if op == "resize_bilinear":
        return dict(zip(("q", "s1"), (14, 13) if types[0]["dtype"] == "i16" else (10, 0)))
    if op in ("softmax", "log_softmax", "sample"):
        c, k = parts(types[0]["shape"][-1])
        return {"weightBits": bits(a.get("k") or c + sum(p * v for p, v in zip(k, most)))}
    return {}


def vector_words(trees, v):
    return [1, v[0]] if len(v) == 1 else [len(v), trees.of(pack(2, v))]


def attribute(trees, kind, v):
    output = lambda o: [DTYPES.index(o["dtype"]), o["zp"], o["lo"], o["hi"]]
    if kind == "stage":
        return [0] if v is None else [1, *output(v), v["l"], *vector_words(trees, v["m"])]
    if kind == "output":
        return output(v)
    if kind == "words":
        return vector_words(trees, v)
    if kind in ("ints", "dims"):
        return [len(v), *(map(dim, v) if kind == "dims" else v)]
    return [dim(v) if kind == "dim" else WORDS[kind].index(v) if kind in WORDS else int(v)]


def commitments(m, trees):
    """Root and leaves of the model, steps of each node as lists of (output + 1 or 0, tensor id), trace index by tensor id."""
    types, most = check(m), [s["max"] for s in m.symbols]
    low, high = len(m.inputs), len(m.inputs) + len(m.constants)
    place, steps, leaves, made, count = {i: i for i in range(low)}, [], [], high, low
    for node in m.nodes:
        operands = [None if i < 0 else types[i] for i in node.inputs]
        a = node.attrs
        inner = [(0, None, code, shape) for code, shape in shapes(node.op, a, operands)]
        outputs = outputs_of_node(m, types, node, made)
        own = inner + [(i + 1, made + i, DTYPES.index(types[made + i]["dtype"]), None) for i in outputs]
        body = []
        for i, t in zip(node.inputs, operands):
            if t is None:
                body += [0, 0, 0, 0, 0, 0, 0]
                continue
            constant = low <= i < high
            root = trees.of(pack(DTYPES.index(t["dtype"]), t["data"])) if constant else 0
            body += [1 if constant else 2 + place[i], root, DTYPES.index(t["dtype"]), *typed(t)]
        for k, (output, tensor, code, shape) in enumerate(own):
            t = {"zp": 0, "lo": 0, "hi": 0, "shape": shape} if tensor is None else types[tensor]
            body += [count + k, output, code, *typed(t)]
            if tensor is not None:
                place[tensor] = count + k
        fields = next(f for n, _, f in OPS.values() if n == node.op)
        attrs = [w for tag in sorted(fields) for w in attribute(trees, fields[tag][1], a[fields[tag][0]])]
        own_facts = sorted(facts(node.op, a, operands, most).items())
        body += attrs + [w for name, v in own_facts for w in (text(name), v)]
        code = next(c for c, v in OPS.items() if v[0] == node.op)
        leaves.append(words(code, len(node.inputs), len(own), len(attrs), len(own_facts), *body))
        steps.append([(None if tensor is None else tensor) for _, tensor, _, _ in own])
        count += len(own)
        made += len(outputs)
    root = trees.over([trees.tagged(0, leaf) for leaf in leaves])
    return types, root, leaves, steps, place, count


def outputs_of_node(m, types, node, made):
    """Outputs in the order of the steps."""
    from cost import outputs_of

    n = len(outputs_of(node.op, node.attrs, [None if i < 0 else (types[i]["dtype"], list(types[i]["shape"])) for i in node.inputs]))
    return [1, 0] if node.op == "topk" else list(range(n))


# ---------------------------------------------------------------- headers, runs
def answer(request):
    trees = Trees(request["hash"])
    m = Model(base64.b64decode(request["model"]))
    types, root, leaves, steps, place, count = commitments(m, trees)
    name = lambda n: trees.tagged(0, n.encode())
    state = {s["input"]: s["output"] + 1 for s in m.states}
    kind = lambda i: [DTYPES.index(types[i]["dtype"]), *typed(types[i])]
    signature = [words(name(d["name"]), i + 1, state.get(i, 0), d["u8"], *kind(i)) for i, d in enumerate(m.inputs)]
    signature += [words(name(o["name"]), place[o["tensor"]] + 1, 0, o["u8"], *kind(o["tensor"])) for o in m.outputs]
    figures, costs = memory(m, [s["max"] for s in m.symbols]), vector(m)
    head = [1, trees.code, m.id, root, trees.over([trees.tagged(0, w) for w in signature])]
    head += [len(m.nodes), count, len(m.inputs), len(m.outputs), figures["constants"], figures["peak"]]
    head += [len(m.symbols), *(v for s in m.symbols for v in (s["min"], s["max"]))]
    for c in CLASSES.split():
        terms = {sum(e << 8 * i for i, e in enumerate(k)): v for k, v in costs[c].terms.items()} if c in costs else {}
        head += [len(terms), *(w for k in sorted(terms) for w in (k, terms[k]))]
    header_hash = trees.tagged(2, words(*head))

    dims = [request["dims"][s["name"]] for s in m.symbols]
    tensors = evaluate(m, request["inputs"], dims)
    root_of = lambda t: trees.of(pack(DTYPES.index(t.dtype), t.data))
    trace = [root_of(t) for t in tensors[: len(m.inputs)]]
    for node, own in zip(m.nodes, steps):
        x = [None if i < 0 else tensors[i] for i in node.inputs]
        attrs = {k: concrete(v, dims) for k, v in node.attrs.items()}
        made = [tensors[i] for i in own if i is not None]
        inner = between(node.op, attrs, x, made)
        codes = [code for code, _ in shapes(node.op, node.attrs, [None if i < 0 else types[i] for i in node.inputs])]
        trace += [trees.of(pack(code, data)) for code, data in zip(codes, inner)] + [root_of(t) for t in made]
    over = lambda roots: trees.over([trees.tagged(0, r) for r in roots])
    inputs, outputs = over(trace[: len(m.inputs)]), over([trace[place[o["tensor"]]] for o in m.outputs])
    t = [d - s["min"] for d, s in zip(dims, m.symbols)]
    cost = [costs[c].at(t) if c in costs else 0 for c in CLASSES.split()]
    receipt = trees.tagged(3, words(1, header_hash, inputs, outputs, over(trace), len(dims), *dims, *cost))
    return {
        "header": words(*head).hex(),
        "headerHash": header_hash.hex(),
        "modelRoot": root.hex(),
        "leaves": [trees.tagged(0, leaf).hex() for leaf in leaves],
        "traceRoot": over(trace).hex(),
        "inputRoot": inputs.hex(),
        "outputRoot": outputs.hex(),
        "receipt": receipt.hex(),
    }


if __name__ == "__main__":
    json.dump([answer(r) for r in json.load(sys.stdin)], sys.stdout, separators=(",", ":"))
