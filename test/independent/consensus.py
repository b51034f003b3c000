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
from ops import exponent, interpolate, mulhr, clamp, dot, rows, rsh, indices, aligned, weight, round_div
from ops_lines import ordered
from proofs import check
from samebit import concrete, evaluate

HASHES = {"keccak256": keccak256, "sha256": lambda b: hashlib.sha256(b).digest()}
I64 = 5  # dtype code of an intermediate of 64 bits
CLASSES = "op byte mac_i8_i8 mac_i8_i4 mac_i16_i8 mac_i16_i4 mac_i16_i16 mac_depthwise move move_scatter select linear2 staged div"
CLASSES += " lut8 lut16 pool reduce softmax log_softmax norm bilinear rope cell cumsum arg order sample nms"
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


# ---------------------------------------------------------------- §4 steps: committed intermediates
def between(op, a, x, out):
    """Intermediates of a node: dtype code, symbolic shape is added by `shapes`; here their elements in order."""
    if op in ("softmax", "log_softmax"):
        return row_figures(op, a, *x)
    if op in ("layer_norm", "rms_norm", "group_norm"):
        return norm_figures(op, a, x[0])
    if op == "lstm":
        return cells(a, *x, h=out[0])
    return sample_figures(a, x[0]) if op == "sample" else []


def row_figures(op, a, x, mask=None, offset=None):
    k, e = x.shape[-1], bits(x.kmax)
    f, tops, sums = offset.data[0] if offset else a.get("offset", 0), [], []
    for r, index in enumerate(indices(x.shape[:-1])):
        row = x.data[r * k : r * k + k]
        keep = [j for j in range(k) if not a.get("causal") or j <= index[-1] + f]
        if mask:
            keep = [j for j in keep if mask.data[aligned(mask, index + (j,))] == 1]
        tops.append(max((row[j] for j in keep), default=-(2**31)))
        sums.append(sum(weight(exponent(tops[-1] - row[j], a["l"], a["m"]), e) for j in keep))
    return [tops, sums]


def norm_figures(op, a, x):
    f, sums, variances = fraction(x.dtype), [], []
    values = [v - x.zp for v in x.data]
    groups = rows(x, x.shape[-1])
    if op == "group_norm":
        (n, h, w, c), g = x.shape, a["groups"]
        channels = [range(i * c // g, (i + 1) * c // g) for i in range(g)]
        groups = [[x.data[(i * h * w + p) * c + j] for p in range(h * w) for j in js] for i in range(n) for js in channels]
    for row in groups:
        values = [v - x.zp for v in row]
        s1 = 0 if op == "rms_norm" else sum(values)
        centred = [(v << f) - round_div(s1 << f, len(row)) for v in values]
        rho = 0 if op == "rms_norm" else sum(centred)
        sums.append(s1)
        variances.append(sum(v * v for v in centred) - rho**2 // len(row) + a["eps"])
    return [variances] if op == "rms_norm" else [sums, variances]


def cells(a, x, wx, wh, b, h0, c0, sigmoid, tanh, tanh_c, h):
    (steps, n, d), u = x.shape, wh.shape[1]
    sat = lambda v: clamp(v, -32768, 32767)
    look = lambda t, v: interpolate(v, t.data, 7, 0, -32768, 32767)
    per = lambda m, r: m[r] if len(m) > 1 else m[0]
    ps, cs = [None] * steps, [None] * steps
    back = a["reverse"]
    for t in range(steps - 1, -1, -1) if back else range(steps):
        last = t + 1 if back else t - 1
        inside = 0 <= last < steps
        ps[t], cs[t] = [], []
        for i in range(n):
            hidden = h.data[(last * n + i) * u : (last * n + i + 1) * u] if inside else h0.data[i * u : i * u + u]
            cell = cs[last][i * u : i * u + u] if inside else c0.data[i * u : i * u + u]
            v = [q - x.zp for q in x.data[(t * n + i) * d : (t * n + i + 1) * d]]
            p = []
            for r in range(4 * u):
                ax = b.data[r] + dot(wx.data[r * d : r * d + d], v)
                ah = dot(wh.data[r * u : r * u + u], hidden)
                p.append(sat(mulhr(ax << a["lx"], per(a["mx"], r)) + mulhr(ah << a["lh"], per(a["mh"], r))))
            gi, gf = ([look(sigmoid, q) for q in p[j * u : j * u + u]] for j in (0, 1))
            gg = [look(tanh, q) for q in p[2 * u : 3 * u]]
            ps[t] += p
            cs[t] += [sat(rsh(gf[j] * cell[j] + rsh(gi[j] * gg[j], a["kc"]), 15)) for j in range(u)]
    return [sum(ps, []), sum(cs, [])]


def sample_figures(a, x):
    k, e, found = a["k"], bits(a["k"] or x.kmax), [[] for _ in range(5)]
    for row in rows(x, x.shape[-1]):
        order = ordered(row, False)[:k] if k else range(len(row))
        w = [weight(exponent(max(row) - row[i], a["l"], a["m"]), e) for i in order]
        n = next(n for n in range(1, len(w) + 1) if sum(w[:n]) << 16 >= a["p16"] * sum(w))
        for to, v in zip(found, [list(order) if k else [], [max(row)], [sum(w)], [n], [sum(w[:n])]]):
            to += v
    return found


def shapes(op, a, types):
    """Dtype code and shape of each intermediate, from the types of the operands."""
    x = types[0]["shape"] if types and types[0] else []
    if op in ("softmax", "log_softmax"):
        return [(2, x[:-1])] * 2
    if op in ("layer_norm", "rms_norm"):
        return [(2, x[:-1]), (I64, x[:-1])][op == "rms_norm" :]
    if op == "group_norm":
        return [(2, [x[0], a["groups"]]), (I64, [x[0], a["groups"]])]
    if op == "lstm":
        return [(2, [x[0], x[1], types[1]["shape"][0]]), (2, [x[0], x[1], types[2]["shape"][1]])]
    return [(2, x[:-1] + [a["k"]])] + [(2, x[:-1])] * 4 if op == "sample" else []


# ---------------------------------------------------------------- §3 leaves
def bits(kmax):
    return min(22, 31 - kmax.bit_length())


def fraction(dtype):
    return 6 if dtype == "i8" else 0


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
