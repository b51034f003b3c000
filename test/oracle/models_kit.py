"""What the golden models share: the seeded source, stages, activation tables, draws of inputs, and the expected figures."""

import base64
import hashlib
import random

import typed
from common import TAB
from sbm import CODES, OPS, RANGE, Builder, encode  # before the modules of test/independent, which it makes importable

from cost import gas, memory, vector  # isort: skip
from model import Model, at  # isort: skip
from proofs import check  # isort: skip
from samebit import digest, evaluate  # isort: skip

OUT_OF = {"i8": 127, "i16": 32767}
Q15 = {"dtype": "i16", "zp": 0, "lo": 0, "hi": 32767}
Q8 = {"dtype": "i8", "zp": -128, "lo": -128, "hi": 127}


def out(dtype="i8", zp=0, lo=None, hi=None):
    return {
        "dtype": dtype,
        "zp": zp,
        "lo": RANGE[dtype][0] if lo is None else lo,
        "hi": RANGE[dtype][1] if hi is None else hi,
    }


class Kit(Builder):
    """A builder with a seeded source, and stages whose outputs spread over the dtype."""

    def __init__(self, name, **symbols):
        super().__init__(**symbols)
        self.name, self.R = name, random.Random("samebit/models/" + name)

    def ints(self, lo, hi, n):
        return [self.R.randint(lo, hi) for _ in range(n)]

    def fill(self, dtype, shape, lo=None, hi=None, zp=0):
        n = 1
        for d in shape:
            n *= d
        lo, hi = RANGE[dtype][0] if lo is None else lo, RANGE[dtype][1] if hi is None else hi
        return self.const(dtype, shape, self.ints(lo, hi, n), zp)

    def table(self, name):
        return self.const("i16", [513], TAB[name])

    def multiplier(self, top, dtype, spread=6):
        """(l, m): about `spread` times the multiplier that takes the greatest accumulator to the end of the dtype."""
        num, den, l = OUT_OF[dtype] * spread, max(1, top), 0
        while num << 32 - l >= den << 31:
            l += 1
        if l and num << 32 - l < den << 30:
            l = 0
        return l, min((num << 32 - l) // den, 2**31 - 1)

    def staged(self, op, *handles, to="i8", zp=0, lo=None, hi=None, per=0, spread=6, **attrs):
        """The node behind a stage; per: number of channels with multipliers of their own."""
        raw = self.infer(op, handles, {**attrs, "stage": None})[0] if op != "rescale" else None
        t = raw or self.types[handles[0]]
        top = max(abs(t["lo"] - t["zp"]), abs(t["hi"] - t["zp"])) if isinstance(t["hi"], int) else 2**20
        l, m = self.multiplier(top, to, spread)
        while l and top << l >= 2**31:
            l, m = l - 1, m
        ms = [m] + [self.R.randint(m // 3, m) for _ in range(per - 1)] if per else [m]
        stage = {"l": l, "m": ms, **out(to, zp, lo, hi)}
        return self.op(op, *handles, **attrs, stage=stage)


# ---------------------------------------------------------------- runs
def draw(kit, d, dims, kind):
    """Elements of an input: both ends, each end, zero points, random."""
    shape, lo, hi = [at(e, dims) for e in d["shape"]], at(d["lo"], dims), at(d["hi"], dims)
    n = 1
    for v in shape:
        n *= v
    if kind in ("lo", "hi"):
        return [lo if kind == "lo" else hi] * n
    if kind == "zp":
        return [min(max(d["zp"], lo), hi)] * n
    return [kit.R.choice((lo, hi)) if kind == "ends" else kit.R.randint(lo, hi) for _ in range(n)]


def by_oracle(m, tensors):
    """Every node of a model without symbols by the element oracle; it must agree on values, intervals and row sums."""
    types = check(m)
    done = [
        typed.Tensor(t["dtype"], v.shape, v.data, t["zp"], t["lo"], t["hi"], t["data"] is not None)
        for t, v in zip(types[: len(m.inputs) + len(m.constants)], tensors)
    ]
    for node in m.nodes:
        names = OPS[CODES[node.op]][1]
        operands = [None if i < 0 else done[i] for i in node.inputs]
        given = {"x": operands} if node.op == "concat" else {k: v for k, v in zip(names, operands) if v is not None}
        attrs = {k: v for k, v in node.attrs.items() if v is not None}
        for t in typed.apply(node.op, attrs, given):
            mine, k = types[len(done)], len(done)
            assert t.data == tensors[k].data and t.shape == tensors[k].shape, (node.op, k)
            assert (t.lo, t.hi, t.row_sum) == (mine["lo"], mine["hi"], mine["row_sum"]), (
                node.op,
                k,
                t.lo,
                t.hi,
                t.row_sum,
                mine,
            )
            done.append(t)


def js(d):
    return d if isinstance(d, int) else {"c": d[0], "k": list(d[1])}


def runs_of(kit, m, dims_list, kinds):
    rows, state = [], {s["input"]: None for s in m.states}
    for dims in dims_list:
        for kind in kinds:
            given = [state[i] if i in state else draw(kit, d, dims, kind) for i, d in enumerate(m.inputs)]
            tensors = evaluate(m, given, dims)
            if not m.symbols:
                by_oracle(m, tensors)
            outputs = [tensors[o["tensor"]] for o in m.outputs]
            for s in m.states:
                state[s["input"]] = outputs[s["output"]].data
            figures = memory(m, dims)
            for t, v in zip(check(m), tensors):
                assert all(at(t["lo"], dims) <= q <= at(t["hi"], dims) for q in v.data), "outside its interval"
            row = {"dims": dims, "inputs": [None if i in state else v for i, v in enumerate(given)]}
            row |= {"outputs": [t.data for t in outputs], "digest": digest(m, outputs), "gas": gas(m, dims)}
            rows.append({**row, "memory": [figures["constants"], figures["peak"]]})
    return rows


KINDS = ("lo", "hi", "ends", "random", "random")


def expected(kit, dims_list=((),), kinds=KINDS):
    """The line of a golden model."""
    data = encode(kit.graph())
    m = Model(data)
    keys = ("dtype", "shape", "zp", "lo", "hi", "row_sum")
    tensors = []
    for t in check(m):
        v = {k: t[k] for k in keys}
        v |= {"shape": [js(d) for d in t["shape"]], "lo": js(t["lo"]), "hi": js(t["hi"])}
        row_sum = v.pop("row_sum")
        tensors.append({**v, **({"rowSum": row_sum} if row_sum is not None else {})})
    assert m.id == hashlib.sha256(b"samebit/model/1" + data).digest()
    cost = {k: [[list(e), str(c)] for e, c in sorted(v.terms.items())] for k, v in vector(m).items()}
    head = {"name": kit.name, "ops": [n.op for n in m.nodes], "sbm": base64.b64encode(data).decode(), "id": m.id.hex()}
    figures = {"tensors": tensors, "cost": cost, "runs": runs_of(kit, m, [list(d) for d in dims_list], kinds)}
    return {**head, **figures}
