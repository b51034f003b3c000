"""Validation of a decoded model: spec/20-format.md §4, with every type, proof and interval inferred again.

`check(model)` returns the types of all tensors by id, or raises Refused. A type is a dict {dtype, shape, zp, lo, hi, row_sum,
data}; dims and endpoints are integers or affine (see model.py). All sums are integers of any size.
"""

from math import prod

import rules_cells as C
import rules_linear as R
import rules_lines as L
import rules_more as S
import rules_rest as V
import rules_rows as Q
from bounds import OPERANDS, RANGE, check_attrs, least, most
from cost import memory, outputs_of, price
from model import need, parts, plus

RULES = {f.__name__: f for f in (R.conv2d, R.dense, R.matmul, R.linear2, R.rescale, R.lut8, R.lut16, R.max_pool2d)}
RULES |= {f.__name__.rstrip("_"): f for f in (R.avg_pool2d, R.argmax, Q.softmax, Q.layer_norm, Q.reshape, Q.transpose)}
RULES |= {f.__name__.rstrip("_"): f for f in (Q.concat, Q.slice_, Q.pad, Q.lstm)}
RULES |= S.RULES | V.RULES | L.RULES | C.RULES | {"argmin": R.argmax}


# ---------------------------------------------------------------- nodes
def zero_points(op, a, t):
    if op in ("lut8", "argmax", "argmin", "compare", "logical", "lstm", "cumsum", "topk", "sample", "gru", "nms"):
        return {"lut8": [a.get("zp")], "lstm": [0, 0, 0], "topk": [t[0]["zp"], 0], "gru": [0, 0], "nms": [0, 0]}.get(op, [0])
    if op == "where":
        return [t[1]["zp"]]
    for key in ("stage", "output"):
        if key in a:
            return [a[key]["zp"] if a[key] else 0]
    return [t[0]["zp"]]


def infer(op, a, t, box):
    """Types of the outputs of a node, behind the checks of its operands."""
    marks = OPERANDS[op]
    need(len(t) <= (64 if "v" in marks[-1][2] else len(marks)), "number of operands")
    for i in range(max(len(t), len(marks))):
        name, dtypes, mark = marks[min(i, len(marks) - 1)]
        x = t[i] if i < len(t) else None
        if x is None:
            need("o" in mark, f"operand {name}")
            continue
        need(x["dtype"] in dtypes, f"the dtype of {name}")
        need("c" not in mark or x["data"] is not None, f"{name} is constant")
        need("s" not in mark or x["zp"] == 0, f"{name} is symmetric")
    check_attrs(op, a, box)
    bounds = RULES[op](a, t, box)
    types = outputs_of(op, a, [None if x is None else (x["dtype"], list(x["shape"])) for x in t])
    return [
        {"dtype": d, "shape": list(s), "zp": zp, "lo": lo, "hi": hi, "row_sum": row, "data": None}
        for (d, s), zp, (lo, hi, row) in zip(types, zero_points(op, a, t), bounds)
    ]


# ---------------------------------------------------------------- the model
def check_names(names):
    need(all(1 <= len(n.encode()) <= 256 for n in names), "a name of 1 to 256 bytes")
    need(len(set(names)) == len(names), "unique names")


def check_shape(shape, box):
    need(len(shape) <= 8, "rank")
    need(all(abs(k) <= 2**20 for d in shape for k in parts(d)[1]), "a coefficient of a dim")
    need(all(least(d, box) >= 0 and most(d, box) <= 2**30 for d in shape), "dims")
    need(prod(most(d, box) for d in shape) <= 2**30, "elements")


def check_zp(dtype, zp):
    need(-128 <= zp <= 127 if dtype == "i8" else zp == 0, "the zero point")


def check_scale(s):
    if s is not None:
        m = int.from_bytes(s["mantissa"], "little")
        need(len(s["mantissa"]) == 8 and m % 2 == 1 and m < 2**53 and abs(s["exponent"]) <= 2000, "a scale")


def check_input(d, box):
    check_shape(d["shape"], box)
    check_zp(d["dtype"], d["zp"])
    check_scale(d["scale"])
    need(d["dtype"] != "i4" and (d["dtype"] == "i8" or not d["u8"]), "the dtype of an input")
    lo, hi = RANGE[d["dtype"]]
    need(d["dtype"] == "i32" or isinstance(d["lo"], int) and isinstance(d["hi"], int), "a static interval")
    need(lo <= least(d["lo"], box) and most(d["hi"], box) <= hi, "an interval inside the dtype")
    need(least(plus(d["hi"], d["lo"], -1), box) >= 0, "lo <= hi")
    need(d["dtype"] != "bool" or (d["lo"], d["hi"]) == (0, 1), "the interval of bool")
    return {**{k: d[k] for k in ("dtype", "shape", "zp", "lo", "hi")}, "row_sum": None, "data": None}


def constant_type(c):
    check_shape(c["shape"], [])
    check_zp(c["dtype"], c["zp"])
    data = c["data"]
    need(c["dtype"] != "bool" or all(v in (0, 1) for v in data), "bool is 0 or 1")
    lo, hi = (min(data), max(data)) if data else (c["zp"], c["zp"])
    return {"dtype": c["dtype"], "shape": c["shape"], "zp": c["zp"], "lo": lo, "hi": hi, "row_sum": None, "data": data}


def check_states(m, types):
    taken, before = set(), -1
    for s in m.states:
        need(before < s["input"] < len(m.inputs), "inputs of states ascend")
        need(s["output"] < len(m.outputs) and s["output"] not in taken, "one state an output")
        before = s["input"]
        taken.add(s["output"])
        o = m.outputs[s["output"]]
        x, y = types[s["input"]], types[o["tensor"]]
        need(not m.inputs[s["input"]]["u8"] and not o["u8"], "no u8 view")
        need((x["dtype"], x["zp"], x["shape"]) == (y["dtype"], y["zp"], y["shape"]), "one type at both ends")
        need(all(isinstance(d, int) for d in x["shape"] + [x["lo"], x["hi"], y["lo"], y["hi"]]), "a static state")
        need(x["lo"] <= min(x["zp"], y["lo"]) and max(x["zp"], y["hi"]) <= x["hi"], "the interval of a state")


def check_dims(m, box):
    """|k| of every dim of the file at most 2^20."""

    def walk(v):
        if isinstance(v, tuple):
            need(all(abs(k) <= 2**20 for k in v[1]), "a coefficient")
        elif isinstance(v, (list, dict)):
            for e in v.values() if isinstance(v, dict) else v:
                walk(e)

    walk([[d["shape"], d["lo"], d["hi"]] for d in m.inputs])
    walk([list(n.attrs.values()) for n in m.nodes])


def check(m):
    need(len(m.symbols) <= 4 and len(m.inputs) <= 4096 and len(m.nodes) <= 65536, "counts")
    need(len(m.constants) <= 262144 and 1 <= len(m.outputs) <= 4096, "counts")
    box = [(s["min"], s["max"]) for s in m.symbols]
    for i, s in enumerate(m.symbols):
        need(1 <= s["min"] <= s["max"] <= 2**30, "min and max of a symbol")
        own = (0, (0,) * i + (1,))
        need(any(own in d["shape"] for d in m.inputs), "a symbol is a dim of an input")
    for part in (m.symbols, m.inputs, m.outputs):
        check_names([v["name"] for v in part])
    check_dims(m, box)
    types = [check_input(d, box) for d in m.inputs] + [constant_type(c) for c in m.constants]
    first, used = len(m.inputs), set()
    spans = []
    for node in m.nodes:
        need(all(i < len(types) for i in node.inputs), "operands are defined before the node")
        out = infer(node.op, node.attrs, [None if i < 0 else types[i] for i in node.inputs], box)
        for t in out:
            check_shape(t["shape"], box)
        spans.append(range(len(types), len(types) + len(out)))
        used |= set(node.inputs)
        types += out
    for o in m.outputs:
        check_scale(o["scale"])
        inside = o["tensor"] < len(types) and not first <= o["tensor"] < first + len(m.constants)
        need(inside and (not o["u8"] or types[o["tensor"]]["dtype"] == "i8"), "an output")
    used |= {o["tensor"] for o in m.outputs}
    need(all(any(i in used for i in span) for span in spans), "every node is of use")
    check_states(m, types)
    poly = price(m)
    need(poly.at([b - a for a, b in box]) < 2**53 and poly.degree() <= 6, "the price")
    figures = memory(m, [b for _, b in box])
    need(figures["constants"] + figures["peak"] < 2**31, "the memory")
    return types
