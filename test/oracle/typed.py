"""Ops on typed tensors: the type rule, the proof, the output interval and every element of spec/10-ops.md.

`apply(op, attrs, inputs)` returns the outputs; it raises `Reject(rule, figure)` where a proof or a rule fails.
"""

import arith as A
import cells
import linear
import pool
import rows as R
import tensor as N
from intervals import hull, mag, minus, plus, times

RANGE = {"i8": (-128, 127), "i16": (-32768, 32767), "i32": (-(2**31), 2**31 - 1), "i4": (-8, 7), "bool": (0, 1)}
LIMIT = 2**31


class Reject(Exception):
    """A refused node: the rule and, where it compares one, the figure."""

    def __init__(self, rule, figure=None):
        super().__init__(rule, figure)
        self.rule, self.figure = rule, figure


class Tensor:
    """dtype, shape, zero point, interval and row-major elements; `const` marks a constant of the model."""

    def __init__(self, dtype, shape, data, zp=0, lo=None, hi=None, const=False, row_sum=None):
        self.dtype, self.shape, self.data, self.zp, self.const = dtype, list(shape), data, zp, const
        self.row_sum = row_sum  # a proved bound of the sum of |a| over the last axis
        if const:
            lo, hi = (min(data), max(data)) if data else (zp, zp)
        self.lo, self.hi = (RANGE[dtype][0] if lo is None else lo), (RANGE[dtype][1] if hi is None else hi)
        if data is not None:
            assert N.numel(self.shape) == len(data), (self.shape, len(data))
            assert all(self.lo <= v <= self.hi for v in data)

    @property
    def pair(self):
        return self.shape, self.data

    @property
    def centred(self):
        return minus([self.lo, self.hi], self.zp)

    @property
    def reach(self):
        return mag(self.centred)

    def json(self):
        out = {"dtype": self.dtype, "shape": self.shape}
        if self.const:
            return {**out, "const": True, **({"zp": self.zp} if self.zp else {}), "data": self.data}
        out |= {"zp": self.zp, "lo": self.lo, "hi": self.hi}
        if self.row_sum is not None:
            out["rowSum"] = self.row_sum
        return out if self.data is None else {**out, "data": self.data}


class Proof:
    """The checks of one node; `figures` keeps the greatest value that each rule compared."""

    def __init__(self):
        self.figures = {}

    def below(self, rule, figure, limit=LIMIT):
        """Refuses figure >= limit."""
        self.figures[rule] = max(figure, self.figures.get(rule, figure))
        if figure >= limit:
            raise Reject(rule, figure)

    def need(self, condition, rule, figure=None):
        if not condition:
            raise Reject(rule, figure)


def check_output(p, o):
    lo, hi = RANGE[o["dtype"]]
    p.need(o["zp"] == 0 or o["dtype"] == "i8", "zp of an i16 output is 0", o["zp"])
    p.need(lo <= o["lo"] <= o["hi"] <= hi, "lo <= hi within the dtype")


def check_words(p, m, l, channels):
    p.need(0 <= l <= 24, "l in 0...24", l)
    p.need(all(0 <= v < 2**31 for v in m), "m in 0...2^31-1")
    p.need(m and len(m) in (1, channels), "m has one entry, or one per channel", len(m))
    p.need(len(m) == 1 or len(set(m)) > 1, "m has one entry, or one per channel", len(m))
    p.need(l == 0 or max(m) >= 2**30, "least l", max(m))


def staged(p, s, bounds, accs, shape, data):
    """An output behind an optional stage: per-channel bound A and acc interval; data holds accumulators (channel last)."""
    channels = len(accs)
    for a in bounds:
        p.below("A", a)
    if s is None:
        return Tensor("i32", shape, data, 0, *hull(*accs))
    check_output(p, s)
    check_words(p, s["m"], s["l"], channels)
    for acc in accs:
        p.below("acc*2^l", mag(acc) << s["l"])
    at = lambda v, c: A.stage(v, cells.per(s["m"], c), s["l"], s["zp"], s["lo"], s["hi"])
    many = channels if channels > 1 else len(s["m"])
    ends = [[at(v, c) for v in accs[c if channels > 1 else 0]] for c in range(many)]
    y = None if data is None else [at(v, k % many) for k, v in enumerate(data)]
    return Tensor(s["dtype"], shape, y, s["zp"], *hull(*ends))


def weighted(p, b, rows_, taps, reach):
    """Bound and acc interval of every weight row (block scales folded in)."""
    for v in b:
        p.below("|b|", abs(v), 2**30)
    bounds = [abs(v) + sum(map(abs, r)) * reach for v, r in zip(b, rows_)]
    accs = []
    for v, r in zip(b, rows_):
        acc = [v, v]
        for w in r:
            acc = plus(acc, times(w, taps))
        accs.append(acc)
    return bounds, accs


def nest(shape, data):
    """Row-major elements as nested lists."""
    if len(shape) <= 1:
        return list(data)
    size = N.numel(shape[1:])
    return [nest(shape[1:], data[k * size : (k + 1) * size]) for k in range(shape[0])]


def flat(v):
    return [q for e in v for q in flat(e)] if isinstance(v, list) else [v]


# ---------------------------------------------------------------- linear
def conv2d(p, a, i):
    x, w, b = i["x"], i["w"], i["b"]
    (n, h, wd, c), (o, kh, kw, cg) = x.shape, w.shape
    (sh, sw), (pt, pl, pb, pr), (dh, dw), g = a["strides"], a["pads"], a["dilations"], a["groups"]
    p.need(c == cg * g and o % g == 0, "groups")
    p.need(kh * kw * cg <= 2**24, "KH*KW*C/g <= 2^24")
    oh, ow = (h + pt + pb - (kh - 1) * dh - 1) // sh + 1, (wd + pl + pr - (kw - 1) * dw - 1) // sw + 1
    p.need(oh >= 1 and ow >= 1, "output extent >= 1", min(oh, ow))
    taps = hull(x.centred, [0, 0]) if any(a["pads"]) else x.centred
    size = kh * kw * cg
    bounds, accs = weighted(p, b.data, [w.data[k * size : (k + 1) * size] for k in range(o)], taps, x.reach)
    acc = None
    if x.data is not None:
        wn = nest(w.shape, w.data)
        args = (x.zp, a["strides"], a["pads"], a["dilations"], g)
        acc = flat([linear.conv2d(image, wn, b.data, *args) for image in nest(x.shape, x.data)])
    return [staged(p, a.get("stage"), bounds, accs, [n, oh, ow, o], acc)]


def dense(p, a, i):
    x, w, b, u = i["x"], i["w"], i["b"], i.get("u")
    k, o, block = x.shape[-1], w.shape[0], a.get("block", 0)
    wn = [w.data[r * k : (r + 1) * k] for r in range(o)]
    un = None
    if block:
        scales = [v - u.zp for v in u.data]
        p.need(u.zp == -128 and min(scales, default=1) >= 1, "u in 1...255, held as i8 with zero point -128")
        per = -(-k // block)
        un = [scales[r * per : (r + 1) * per] for r in range(o)]
    folded = [[v * un[r][j // block] for j, v in enumerate(wn[r])] for r in range(o)] if block else wn
    bounds, accs = weighted(p, b.data, folded, x.centred, x.reach)
    acc = None
    if x.data is not None:
        lead = N.numel(x.shape[:-1])
        acc = [
            linear.dense(x.data[r * k : (r + 1) * k], wn[c], b.data[c], x.zp, un and un[c], block or None)
            for r in range(lead)
            for c in range(o)
        ]
    return [staged(p, a.get("stage"), bounds, accs, x.shape[:-1] + [o], acc)]


def matmul(p, a, i):
    x, y, tb = i["a"], i["b"], a.get("tb", False)
    p.need(x.zp == 0 and y.zp == 0, "zero points of matmul are 0")
    k, n = x.shape[-1], y.shape[-2] if tb else y.shape[-1]
    terms = k * x.reach if x.row_sum is None else min(k * x.reach, x.row_sum)
    bound = terms * y.reach
    shape = N.broadcast_shape(x.shape[:-2], y.shape[:-2]) + [x.shape[-2], n]
    acc = None if x.data is None else N.matmul(x.pair, y.pair, tb)[1]
    return [staged(p, a.get("stage"), [bound], [[-bound, bound]], shape, acc)]


# ---------------------------------------------------------------- elementwise
def linear2(p, a, i):
    x, y, o = i["a"], i.get("b"), a["output"]
    ma, mb, s = a["ma"], a.get("mb", 0), a["s"]
    check_output(p, o)
    p.need(0 <= s <= 30 and abs(ma) <= 32767 and abs(mb) <= 32767, "ma, mb, s in range")
    p.need(s == 0 or ma % 2 == 1 or mb % 2 == 1, "s = 0, or ma or mb odd")
    acc = times(ma, x.centred)
    total = abs(ma) * x.reach
    if y is not None:
        acc, total = plus(acc, times(mb, y.centred)), total + abs(mb) * y.reach
    p.below("linear2", total + (abs(o["zp"]) << s) + ((1 << s) >> 1))
    at = lambda v: A.clamp(o["zp"] + A.rsh(v, s), o["lo"], o["hi"])
    args = (ma, mb, s, o["zp"], o["lo"], o["hi"])
    if y is None:
        shape, f, operands = x.shape, lambda v: linear.linear2(v, 0, x.zp, 0, *args), [x]
    else:
        shape, f = N.broadcast_shape(x.shape, y.shape), lambda v, q: linear.linear2(v, q, x.zp, y.zp, *args)
        operands = [x, y]
    data = None if x.data is None else N.elementwise(f, *[t.pair for t in operands])[1]
    return [Tensor(o["dtype"], shape, data, o["zp"], at(acc[0]), at(acc[1]))]


def mul(p, a, i):
    x, y = i["a"], i["b"]
    acc = hull(*[[u * v] * 2 for u in x.centred for v in y.centred])
    shape = N.broadcast_shape(x.shape, y.shape)
    data = None if x.data is None else N.elementwise(lambda u, v: (u - x.zp) * (v - y.zp), x.pair, y.pair)[1]
    return [staged(p, a.get("stage"), [x.reach * y.reach], [acc], shape, data)]


def rescale(p, a, i):
    x, s = i["x"], a["stage"]
    channels = x.shape[-1] if len(s["m"]) > 1 else 1
    data = None if x.data is None else [v - x.zp for v in x.data]
    return [staged(p, s, [x.reach], [x.centred] * channels, x.shape, data)]


def lut8(p, a, i):
    x, t = i["x"], i["table"]
    p.need(len(t.data) == 256, "256 entries")
    part = t.data[x.lo + 128 : x.hi + 129]
    data = None if x.data is None else [linear.lut8(v, t.data) for v in x.data]
    return [Tensor(t.dtype, x.shape, data, a.get("zp", 0), min(part), max(part))]


def lut16(p, a, i):
    x, t, o = i["x"], i["table"], a["output"]
    check_output(p, o)
    p.need(len(t.data) == 513 and 7 <= a["s"] <= 22, "513 nodes, s in 7...22")
    at = lambda k: A.clamp(o["zp"] + A.rsh(128 * t.data[k], a["s"]), o["lo"], o["hi"])
    ends = [at(k) for k in range((x.lo + 32768) // 128, (x.hi + 32768) // 128 + 2)]
    args = (t.data, a["s"], o["zp"], o["lo"], o["hi"])
    data = None if x.data is None else [linear.lut16(v, *args) for v in x.data]
    return [Tensor(o["dtype"], x.shape, data, o["zp"], min(ends), max(ends))]


# ---------------------------------------------------------------- pool, reduce, order
def geometry(p, a, x):
    over, pads = a.get("overhang", [0, 0]), a["pads"]
    p.need(all(o < s for o, s in zip(over, a["strides"])), "overhang below the stride")
    try:
        grid = pool.windows(x.shape[1], x.shape[2], a["kernel"], a["strides"], a["dilations"], pads, over)
    except AssertionError:
        raise Reject("every window has a valid tap") from None
    p.need(len(grid) >= 1 and len(grid[0]) >= 1, "output extent >= 1")
    return [x.shape[0], len(grid), len(grid[0]), x.shape[3]], (a["kernel"], a["strides"], a["dilations"], pads, over)


def max_pool2d(p, a, i):
    x = i["x"]
    shape, geo = geometry(p, a, x)
    data = None if x.data is None else flat([pool.max_pool2d(m, *geo) for m in nest(x.shape, x.data)])
    return [Tensor(x.dtype, shape, data, x.zp, x.lo, x.hi)]


def avg_pool2d(p, a, i):
    x, o, taps = i["x"], a["output"], a["kernel"][0] * a["kernel"][1]
    shape, geo = geometry(p, a, x)
    check_output(p, o)
    check_words(p, [a["m1"]], a["l"], 1)
    p.below("A", taps * x.reach)
    p.below("acc*2^l", mag(hull(x.centred, times(taps, x.centred))) << a["l"])
    args = (a.get("include_pad", False), x.zp, a["m1"], a["l"], o["zp"], o["lo"], o["hi"])
    data = None if x.data is None else flat([pool.avg_pool2d(m, *geo, *args) for m in nest(x.shape, x.data)])
    return [Tensor(o["dtype"], shape, data, o["zp"], o["lo"], o["hi"])]


def argmax(p, a, i):
    x, axis, last = i["x"], a["axis"], a.get("select_last", False)
    p.need(x.shape[axis] >= 1, "reduced axis is not empty")
    shape, data = N.reduce(x.pair, [axis], lambda v: pool.argmax(v, last))
    return [Tensor("i32", shape, data, 0, 0, x.shape[axis] - 1)]


# ---------------------------------------------------------------- normalise
def softmax(p, a, i):
    x, mask, f, o = i["x"], i.get("mask"), i.get("offset"), a["output"]
    causal, cols = a.get("causal", False), x.shape[-1]
    check_output(p, o)
    p.need(cols >= 1, "last axis is not empty")
    p.need(mask is None or N.broadcast_shape(mask.shape, x.shape) == x.shape, "mask broadcasts to the shape of x")
    p.need(o["lo"] <= o["zp"] <= o["hi"], "lo <= zp <= hi")
    p.need(1 <= a["o"] <= 15, "o in 1...15")
    check_words(p, [a["m"]], a["l"], 1)
    p.below("hi-lo", x.hi - x.lo)
    shift = 0
    if causal:
        p.need(len(x.shape) >= 2, "causal needs rank 2")
        top = f.hi if f else a.get("offset", 0)
        p.below("offset+rows-1", top + x.shape[-2] - 1)
        shift = f.data[0] if f and f.data is not None else a.get("offset", 0)
    y_hi = min(o["hi"], o["zp"] + 2 ** a["o"])
    row_sum = 2 ** a["o"] + (cols + 1) // 2 if o["zp"] == 0 else None
    if x.data is None:
        return [Tensor(o["dtype"], x.shape, None, o["zp"], o["zp"], y_hi, False, row_sum)]
    data = []
    for r, idx in enumerate(N.indices(x.shape[:-1])):
        keep = [1] * cols
        if causal:
            keep = [int(j <= idx[-1] + shift) for j in range(cols)]
        if mask:
            kept = [N.at(mask.pair, N.broadcast_index(idx + (j,), mask.shape)) for j in range(cols)]
            keep = [q & v for q, v in zip(keep, kept)]
        row = x.data[r * cols : (r + 1) * cols]
        data += R.softmax(row, keep, a["l"], a["m"], cols, a["o"], o["zp"], o["lo"], o["hi"])
    return [Tensor(o["dtype"], x.shape, data, o["zp"], o["zp"], y_hi, False, row_sum)]


def layer_norm(p, a, i):
    x, gamma, beta, o = i["x"], i["gamma"], i["beta"], a["output"]
    n = x.shape[-1]
    check_output(p, o)
    p.need(1 <= n <= 65536, "N in 1...65536", n)
    p.need(1 <= a["eps"] < 2**48, "eps in 1...2^48-1", a["eps"])
    p.need(0 <= a["g"] <= 16, "g in 0...16", a["g"])
    for v in beta.data:
        p.below("|beta|", abs(v), 2**30)
    f = 6 if x.dtype == "i8" else 0
    tail = (a["eps"], gamma.data, beta.data, a["g"], o["zp"], o["lo"], o["hi"])
    data = None
    if x.data is not None:
        data = flat([R.layer_norm(x.data[k : k + n], x.zp, f, *tail) for k in range(0, len(x.data), n)])
    return [Tensor(o["dtype"], x.shape, data, o["zp"], o["lo"], o["hi"])]


# ---------------------------------------------------------------- moves
def like(x, pair, *others, row_sum=None):
    """Out type = in type, over the hull of all parts."""
    lo, hi = hull([x.lo, x.hi], *others)
    return [Tensor(x.dtype, pair[0], pair[1], x.zp, lo, hi, False, row_sum)]


def reshape(p, a, i):
    x = i["x"]
    p.need(N.numel(a["shape"]) == N.numel(x.shape), "element counts agree")
    keeps = x.shape[-1:] == a["shape"][-1:]
    return like(x, N.reshape(x.pair, a["shape"]), row_sum=x.row_sum if keeps else None)


def transpose(p, a, i):
    x, rank = i["x"], len(i["x"].shape)
    p.need(sorted(a["perm"]) == list(range(rank)), "perm is a permutation")
    keeps = a["perm"][-1:] == [rank - 1]
    return like(x, N.transpose(x.pair, a["perm"]), row_sum=x.row_sum if keeps else None)


def concat(p, a, i):
    xs = i["x"]
    p.need(len({(x.dtype, x.zp) for x in xs}) == 1, "inputs of one type")
    sums = [x.row_sum for x in xs]
    keeps = a["axis"] != len(xs[0].shape) - 1 and None not in sums
    pair = N.concat([x.pair for x in xs], a["axis"])
    return like(xs[0], pair, *[[x.lo, x.hi] for x in xs], row_sum=max(sums) if keeps else None)


def slice_(p, a, i):
    x = i["x"]
    for s, t, z, d in zip(a["start"], a["step"], a["size"], x.shape):
        p.need(t != 0 and (z > 1 or t == 1), "step: not 0, and 1 where size <= 1")
        if z:
            p.need(0 <= s < d and 0 <= s + t * (z - 1) < d, "slice in range")
        else:
            p.need(0 <= s <= d, "slice in range")
    return like(x, N.slice_(x.pair, a["start"], a["step"], a["size"]), row_sum=x.row_sum)


def pad(p, a, i):
    x, v, mode = i["x"], i.get("value"), a["mode"]
    for d, q, r in zip(x.shape, a["before"], a["after"]):
        p.need(mode == "constant" or (d >= 1 and (mode == "edge" or max(q, r) < d)), "pad below the dim")
    value = 0
    if v:
        value = v.data if v.shape else v.data[0]
    extra = [[v.lo, v.hi]] if mode == "constant" else []
    return like(x, N.pad(x.pair, a["before"], a["after"], mode, value), *extra)


OPS = {f.__name__.rstrip("_"): f for f in (conv2d, dense, matmul, linear2, mul, rescale, lut8, lut16, max_pool2d)}
REST = (avg_pool2d, argmax, softmax, layer_norm, reshape, transpose, concat, slice_, pad)
OPS |= {f.__name__.rstrip("_"): f for f in REST}
import typed_cells, typed_more, typed_rest  # noqa: E401, E402  (they build on the names above)

OPS |= typed_more.OPS | typed_rest.OPS | typed_cells.OPS
OUTPUTS = {"lstm": ("h", "last_h", "last_c"), "topk": ("values", "indices"), "gru": ("h", "last_h"), "nms": ("indices", "count")}


def apply(op, attrs, inputs, proof=None):
    """Outputs of a node, by position."""
    return OPS[op](proof or Proof(), attrs, inputs)
