"""The graph of a model: spec/20-format.md §2 to §5 and the tables of spec/10-ops.md §11."""

import hashlib
import struct

from wire import Refused, decode

DTYPES = ("i8", "i16", "i32", "i4", "bool")
LEAST = {"i8": -128, "i16": -32768, "i32": -(2**31), "i4": -8, "bool": 0}
SIZE = {"i8": 1, "i16": 2, "i32": 4, "bool": 1}
REQUIRED = object()
WINDOW = {1: ("kernel", "ints", REQUIRED), 2: ("strides", "ints", [1, 1]), 3: ("dilations", "ints", [1, 1])}
WINDOW |= {4: ("pads", "ints", [0, 0, 0, 0]), 5: ("overhang", "ints", [0, 0])}

# code -> (name, operand names, attributes: tag -> (name, kind, default)); a raw stage is None
OPS = {
    1: (
        "conv2d",
        ["x", "w", "b"],
        {
            1: ("strides", "ints", [1, 1]),
            2: ("pads", "ints", [0, 0, 0, 0]),
            3: ("dilations", "ints", [1, 1]),
            4: ("groups", "int", 1),
            5: ("stage", "stage", None),
        },
    ),
    3: ("dense", ["x", "w", "b", "u"], {1: ("block", "int", 0), 2: ("stage", "stage", None)}),
    4: ("matmul", ["a", "b"], {1: ("tb", "bool", False), 2: ("stage", "stage", None)}),
    5: (
        "linear2",
        ["a", "b"],
        {1: ("ma", "int", 1), 2: ("mb", "int", 0), 3: ("s", "int", 0), 4: ("output", "output", REQUIRED)},
    ),
    10: ("rescale", ["x"], {1: ("stage", "stage", REQUIRED)}),
    11: ("lut8", ["x", "table"], {1: ("zp", "int", 0)}),
    12: ("lut16", ["x", "table"], {1: ("s", "int", 7), 2: ("output", "output", REQUIRED)}),
    16: ("max_pool2d", ["x"], WINDOW),
    17: (
        "avg_pool2d",
        ["x"],
        WINDOW
        | {
            6: ("include_pad", "bool", False),
            7: ("m1", "int", REQUIRED),
            8: ("l", "int", 0),
            9: ("output", "output", REQUIRED),
        },
    ),
    22: ("argmax", ["x"], {1: ("axis", "int", 0), 2: ("select_last", "bool", False)}),
    25: (
        "softmax",
        ["x", "mask", "offset"],
        {
            1: ("l", "int", 0),
            2: ("m", "int", REQUIRED),
            3: ("o", "int", 15),
            4: ("output", "output", REQUIRED),
            5: ("causal", "bool", False),
            6: ("offset", "dim", 0),
        },
    ),
    27: (
        "layer_norm",
        ["x", "gamma", "beta"],
        {1: ("eps", "u64", REQUIRED), 2: ("g", "int", 0), 3: ("output", "output", REQUIRED)},
    ),
    30: ("reshape", ["x"], {1: ("shape", "dims", REQUIRED)}),
    31: ("transpose", ["x"], {1: ("perm", "ints", REQUIRED)}),
    32: ("concat", ["x"], {1: ("axis", "int", 0)}),
    33: (
        "slice",
        ["x"],
        {1: ("start", "dims", REQUIRED), 2: ("step", "ints", REQUIRED), 3: ("size", "dims", REQUIRED)},
    ),
    34: (
        "pad",
        ["x", "value"],
        {1: ("before", "ints", REQUIRED), 2: ("after", "ints", REQUIRED), 3: ("mode", "mode", "constant")},
    ),
    42: (
        "lstm",
        ["x", "wx", "wh", "b", "h0", "c0", "sigmoid", "tanh", "tanh_c"],
        {
            1: ("mx", "words", REQUIRED),
            2: ("lx", "int", 0),
            3: ("mh", "words", REQUIRED),
            4: ("lh", "int", 0),
            5: ("kc", "int", 0),
            6: ("qh", "int", 7),
            7: ("lo", "int", REQUIRED),
            8: ("hi", "int", REQUIRED),
            9: ("reverse", "bool", False),
        },
    ),
}
STAGE = {1: ("stage", "stage", None)}
AXES = {1: ("axes", "ints", REQUIRED)}
POSITIONS = {1: ("axis_y", "ints", REQUIRED), 2: ("axis_x", "ints", REQUIRED), 3: ("out", "ints", REQUIRED)}
OPS |= {
    6: ("mul", ["a", "b"], STAGE),
    8: ("min", ["a", "b"], {}),
    9: ("max", ["a", "b"], {}),
    13: ("compare", ["a", "b"], {1: ("op", "relation", "lt"), 2: ("ma", "int", 1), 3: ("mb", "int", 1)}),
    14: ("logical", ["a", "b"], {1: ("op", "junction", "and")}),
    15: ("where", ["condition", "a", "b"], {}),
    18: ("reduce_sum", ["x"], AXES | {2: ("stage", "stage", None)}),
    19: (
        "reduce_mean",
        ["x"],
        AXES | {2: ("m1", "int", REQUIRED), 3: ("l", "int", 0), 4: ("output", "output", REQUIRED)},
    ),
    20: ("reduce_max", ["x"], AXES),
    21: ("reduce_min", ["x"], AXES),
    23: ("argmin", ["x"], {1: ("axis", "int", 0), 2: ("select_last", "bool", False)}),
    35: ("gather", ["x", "indices"], {1: ("axis", "int", 0)}),
    36: ("expand", ["x"], {1: ("shape", "dims", REQUIRED)}),
    37: ("tile", ["x"], {1: ("repeats", "ints", REQUIRED)}),
    38: ("depth_to_space", ["x"], {1: ("block", "int", REQUIRED), 2: ("mode", "order", "DCR")}),
    39: ("space_to_depth", ["x"], {1: ("block", "int", REQUIRED)}),
    40: ("resize_nearest", ["x"], POSITIONS),
    41: ("resize_bilinear", ["x"], POSITIONS | {4: ("stage", "stage", REQUIRED)}),
}
NORM = {1: ("eps", "u64", REQUIRED), 2: ("g", "int", 0), 3: ("output", "output", REQUIRED)}
OPS |= {
    7: ("div", ["a", "b"], {1: ("p", "int", 1), 2: ("q", "int", 1), 3: ("output", "output", REQUIRED)}),
    26: ("log_softmax", ["x"], {1: ("l", "int", 0), 2: ("m", "int", REQUIRED), 3: ("stage", "stage", REQUIRED)}),
    28: ("rms_norm", ["x", "gamma", "beta"], NORM),
    29: ("group_norm", ["x", "gamma", "beta"], NORM | {4: ("groups", "int", 1)}),
    45: ("cumsum", ["x"], {1: ("axis", "int", 0), 2: ("exclusive", "bool", False), 3: ("reverse", "bool", False)}),
}
OPS |= {
    2: ("conv_transpose2d", OPS[1][1], OPS[1][2] | {6: ("output_padding", "ints", [0, 0])}),
    24: ("topk", ["x"], {1: ("axis", "int", 0), 2: ("k", "int", REQUIRED), 3: ("smallest", "bool", False)}),
    44: (
        "rope",
        ["x", "position"],
        {
            1: ("step", "words", REQUIRED),
            2: ("interleaved", "bool", False),
            3: ("position", "int", 0),
            4: ("stage", "stage", REQUIRED),
        },
    ),
    46: (
        "sample",
        ["x", "seed", "step"],
        {1: ("l", "int", 0), 2: ("m", "int", REQUIRED), 3: ("k", "int", 0), 4: ("p16", "int", 65536)},
    ),
}
CELL = OPS[42][2]
OPS |= {
    43: (
        "gru",
        ["x", "wx", "wh", "b", "h0", "sigmoid", "tanh", "bh"],
        {t: CELL[t] for t in (1, 2, 3, 4)} | {t - 1: CELL[t] for t in (6, 7, 8, 9)},
    ),
    47: ("update", ["x", "rows", "position"], {1: ("axis", "int", 0)}),
    48: (
        "nms",
        ["boxes", "scores"],
        {1: ("t15", "int", 16384), 2: ("threshold", "int", -32769), 3: ("limit", "int", REQUIRED)},
    ),
}
# words of the enums: a file holds the index
WORDS = {
    "mode": ("constant", "edge", "reflect"),
    "order": ("DCR", "CRD"),
    "relation": ("lt", "le", "gt", "ge", "eq", "ne"),
    "junction": ("and", "or", "xor", "not"),
}


def need(condition, what):
    if not condition:
        raise Refused(what)


# ---------------------------------------------------------------- dims: an int, or (c, (k0, k1, ...)) with a last k that is not 0
def affine(c, k):
    k = list(k)
    while k and k[-1] == 0:
        k.pop()
    return (c, tuple(k)) if k else c


def parts(d):
    return (d, ()) if isinstance(d, int) else d


def plus(a, b, f=1):
    """a + f*b"""
    (ca, ka), (cb, kb) = parts(a), parts(b)
    n = max(len(ka), len(kb))
    pad = lambda k: list(k) + [0] * (n - len(k))
    return affine(ca + f * cb, [p + f * q for p, q in zip(pad(ka), pad(kb))])


def at(d, values):
    c, k = parts(d)
    return c + sum(p * v for p, v in zip(k, values))


def read_dim(m, symbols):
    need(len(m["k"]) <= symbols and (not m["k"] or m["k"][-1] != 0), "a dim in normal form")
    return affine(m["c"], m["k"])


def words(blob):
    need(len(blob) % 4 == 0 and blob, "a vector of int32")
    return list(struct.unpack(f"<{len(blob) // 4}i", blob))


def read_output(v):
    need(len(v) == 4 and 0 <= v[0] < len(DTYPES), "an output record")
    return {"dtype": DTYPES[v[0]], "zp": v[1], "lo": v[2], "hi": v[3]}


def read_attr(kind, m, symbols):
    holds = {"ints": bool(m["ints"]), "blob": bool(m["blob"]), "dims": bool(m["dims"])}
    fields = {"words": "blob", "u64": "blob", "dim": "dims", "dims": "dims", "stage": "ints blob"}.get(kind, "ints")
    need(all(f in fields.split() for f, held in holds.items() if held), f"the fields of kind {kind}")
    ints, blob, dims = m["ints"], m["blob"], [read_dim(d, symbols) for d in m["dims"]]
    if kind in ("ints", "dims"):
        return ints if kind == "ints" else dims
    if kind == "words":
        return words(blob)
    if kind == "u64":
        need(len(blob) == 8, "eight bytes")
        return int.from_bytes(blob, "little")
    if kind == "output":
        return read_output(ints)
    if kind == "stage":
        need(len(ints) == 5, "a stage")
        return {"l": ints[0], "m": words(blob), **read_output(ints[1:])}
    one = dims if kind == "dim" else ints
    need(len(one) == 1, "one number")
    if kind == "bool":
        need(one == [1], "a true flag is 1")
        return True
    if kind in WORDS:
        need(0 <= one[0] < len(WORDS[kind]), "a word")
        return WORDS[kind][one[0]]
    return one[0]


class Node:
    def __init__(self, m, symbols):
        need(m["op"] in OPS, f"op code {m['op']}")
        self.op, self.names, fields = OPS[m["op"]]
        need(not m["inputs"] or m["inputs"][-1] != 0, "trailing absent operands are left off")
        self.inputs = [i - 1 for i in m["inputs"]]
        tags = [a["tag"] for a in m["attrs"]]
        need(tags == sorted(set(tags)) and all(t in fields for t in tags), "attributes ascend by known tags")
        given = {a["tag"]: a for a in m["attrs"]}
        self.attrs = {}
        for tag, (name, kind, default) in fields.items():
            if tag not in given:
                need(default is not REQUIRED, f"attribute {name}")
                self.attrs[name] = default
                continue
            self.attrs[name] = read_attr(kind, given[tag], symbols)
            need(self.attrs[name] != default, f"attribute {name} equals its default")


def elements(dtype, shape, data):
    """The integers of a constant."""
    count = 1
    for d in shape:
        count *= d
    if dtype == "i4":
        need(len(data) == (count + 1) // 2, "bytes of a constant")
        nibbles = [n for b in data for n in (b & 15, b >> 4)]
        need(count % 2 == 0 or nibbles[-1] == 0, "the filler nibble is 0")
        return [n - 16 if n > 7 else n for n in nibbles[:count]]
    need(len(data) == count * SIZE[dtype], "bytes of a constant")
    return list(struct.unpack(f"<{count}{ {1: 'b', 2: 'h', 4: 'i'}[SIZE[dtype]] }", data))


class Model:
    """A decoded model. Tensors: inputs, constants, then the outputs of each node."""

    def __init__(self, data):
        m = decode(data)
        need(m["spec"] == 1, "spec version 1")
        self.id = hashlib.sha256(b"samebit/model/1" + bytes(data)).digest()
        self.symbols = m["symbols"]
        n = len(self.symbols)
        for d in m["inputs"]:
            need(d["lo"] is not None and d["hi"] is not None and d["dtype"] < len(DTYPES), "an input")
        self.inputs = [
            {
                **d,
                "dtype": DTYPES[d["dtype"]],
                "shape": [read_dim(e, n) for e in d["shape"]],
                "lo": read_dim(d["lo"], n),
                "hi": read_dim(d["hi"], n),
            }
            for d in m["inputs"]
        ]
        need(all(c["dtype"] < len(DTYPES) for c in m["constants"]), "the dtype of a constant")
        self.constants = [
            {
                "dtype": DTYPES[c["dtype"]],
                "shape": c["shape"],
                "zp": c["zp"],
                "data": elements(DTYPES[c["dtype"]], c["shape"], c["data"]),
                "bytes": len(c["data"]),
            }
            for c in m["constants"]
        ]
        self.nodes = [Node(v, n) for v in m["nodes"]]
        self.outputs = m["outputs"]
        self.states = m["states"]
        self.check_order(m["constants"])

    def check_order(self, raw):
        """Constants stand in order of first use, each used, none twice."""
        low, high = len(self.inputs), len(self.inputs) + len(self.constants)
        order = list(dict.fromkeys(i for v in self.nodes for i in v.inputs if low <= i < high))
        need(order == list(range(low, high)), "constants in order of first use")
        keys = [(c["dtype"], c["zp"], tuple(c["shape"]), c["data"]) for c in raw]
        need(len(set(keys)) == len(keys), "a constant twice")
