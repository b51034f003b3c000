"""Symbolic shapes, gas and canonical memory: spec/10-ops.md §2 to §7, §9, spec/20-format.md §5."""

from bisect import insort
from math import prod

from bounds import RANGE
from model import SIZE, at, plus

BASE = 15000
WEIGHTS = {"op": 16000, "byte": 3, "mac_i8_i8": 3, "mac_i8_i4": 4, "mac_i16_i8": 4, "mac_i16_i4": 5, "mac_i16_i16": 5}
WEIGHTS |= {"mac_depthwise": 6, "move": 36, "move_scatter": 220, "select": 20, "linear2": 30, "staged": 52, "div": 112, "lut8": 32}
WEIGHTS |= {"lut16": 48, "pool": 7, "reduce": 28, "softmax": 120, "log_softmax": 140, "norm": 80, "bilinear": 60, "rope": 60}
WEIGHTS |= {"cell": 600, "cumsum": 36, "arg": 60, "order": 160, "sample": 680, "nms": 440, "row": 200, "io": 40}
NORMS = ("layer_norm", "rms_norm", "group_norm")
SELECT = ("min", "max", "compare", "logical", "where")
REDUCE = ("reduce_sum", "reduce_mean", "reduce_max", "reduce_min")
MOVE = ("transpose", "concat", "slice", "pad", "gather", "expand", "tile", "depth_to_space", "space_to_depth")


def extent(d, before, after, kernel, stride, dilation):
    room = plus(d, before + after - (kernel - 1) * dilation - 1)
    return plus(room, 1) if stride == 1 else room // stride + 1


def broadcast(a, b):
    n = max(len(a), len(b))
    a, b = [1] * (n - len(a)) + list(a), [1] * (n - len(b)) + list(b)
    return [q if p == 1 else p for p, q in zip(a, b)]


def image(x, a, kernel):
    (sh, sw), (pt, pl, pb, pr), (dh, dw) = a["strides"], a["pads"], a["dilations"]
    oh, ow = a.get("overhang", [0, 0])
    return [extent(x[1], pt, pb + oh, kernel[0], sh, dh), extent(x[2], pl, pr + ow, kernel[1], sw, dw)]


def scale(d, n):
    return plus(0, d, n)


def more_outputs(op, a, t):
    """The same for the ops of several operands of a shape, reductions, and moves that change extents."""
    (dx, x) = t[0]
    of = lambda key, shape: [(a[key]["dtype"] if a[key] else "i32", shape)]
    if op in SELECT or op == "mul":
        shape = []
        for v in t:
            shape = broadcast(shape, v[1]) if v else shape
        if op == "mul":
            return of("stage", shape)
        return [("bool" if op in ("compare", "logical") else t[-1][0], shape)]
    if op in REDUCE:
        shape = [d for i, d in enumerate(x) if i not in a["axes"]]
        return of("stage", shape) if op == "reduce_sum" else of("output", shape) if op == "reduce_mean" else [(dx, shape)]
    if op == "div":
        return of("output", broadcast(x, t[1][1]))
    if op == "update":
        return [(dx, x)]
    if op == "nms":
        b, c, _ = t[1][1]
        return [("i32", [b, c, a["limit"]]), ("i32", [b, c])]
    if op == "gru":
        cell, h = "i8" if a["qh"] == 7 else "i16", t[2][1][1]
        return [(cell, x[:2] + [h]), (cell, [x[1], h])]
    if op == "topk":
        shape = x[: a["axis"]] + [a["k"]] + x[a["axis"] + 1 :]
        return [(dx, shape), ("i32", shape)]
    if op == "sample":
        return [("i32", x[:-1])]
    if op == "conv_transpose2d":
        (n, h, w, _), (o, kh, kw, _) = x, t[1][1]
        (sh, sw), (pt, pl, pb, pr), (dh, dw), (eh, ew) = a["strides"], a["pads"], a["dilations"], a["output_padding"]
        rows, columns = (h - 1) * sh + (kh - 1) * dh + 1 + eh - pt - pb, (w - 1) * sw + (kw - 1) * dw + 1 + ew - pl - pr
        return of("stage", [n, rows, columns, o])
    if op == "cumsum":
        return [("i32", x)]
    if op == "gather":
        return [(dx, x[: a["axis"]] + t[1][1] + x[a["axis"] + 1 :])]
    if op == "expand":
        return [(dx, a["shape"])]
    if op == "tile":
        return [(dx, [scale(d, r) for d, r in zip(x, a["repeats"])])]
    if op in ("depth_to_space", "space_to_depth"):
        b, (n, h, w, c) = a["block"], x
        return [(dx, [n, h * b, w * b, c // (b * b)] if op == "depth_to_space" else [n, h // b, w // b, c * b * b])]
    if op in ("resize_nearest", "resize_bilinear"):
        shape = [x[0], *a["out"], x[3]]
        return of("stage", shape) if op == "resize_bilinear" else [(dx, shape)]
    return None


def outputs_of(op, a, t):
    """(dtype, shape) of every output from those of the operands; shapes may be affine."""
    (dx, x) = t[0]
    of = lambda key, shape: [(a[key]["dtype"] if a[key] else "i32", shape)]
    more = more_outputs(op, a, t)
    if more:
        return more
    if op == "conv2d":
        w = t[1][1]
        return of("stage", [x[0], *image(x, a, w[1:3]), w[0]])
    if op == "dense":
        return of("stage", x[:-1] + [t[1][1][0]])
    if op == "matmul":
        y = t[1][1]
        return of("stage", broadcast(x[:-2], y[:-2]) + [x[-2], y[-2] if a["tb"] else y[-1]])
    if op in ("rescale", "log_softmax", "rope"):
        return of("stage", x)
    if op == "linear2":
        return of("output", broadcast(x, t[1][1]) if len(t) > 1 and t[1] else x)
    if op in ("lut16", "softmax", *NORMS):
        return of("output", x)
    if op == "avg_pool2d":
        return of("output", [x[0], *image(x, a, a["kernel"]), x[3]])
    if op == "max_pool2d":
        return [(dx, [x[0], *image(x, a, a["kernel"]), x[3]])]
    if op == "lut8":
        return [(t[1][0], x)]
    if op in ("argmax", "argmin"):
        return [("i32", x[: a["axis"]] + x[a["axis"] + 1 :])]
    if op == "reshape":
        return [(dx, a["shape"])]
    if op == "transpose":
        return [(dx, [x[p] for p in a["perm"]])]
    if op == "concat":
        total = 0
        for _, s in t:
            total = plus(total, s[a["axis"]])
        return [(dx, x[: a["axis"]] + [total] + x[a["axis"] + 1 :])]
    if op == "slice":
        return [(dx, a["size"])]
    if op == "pad":
        return [(dx, [plus(d, b + c) for d, b, c in zip(x, a["before"], a["after"])])]
    h = t[2][1][1]
    cell = "i8" if a["qh"] == 7 else "i16"
    return [(cell, x[:2] + [h]), (cell, [x[1], h]), ("i16", [x[1], h])]


def shapes_of(m):
    """(dtype, shape) of every tensor by id."""
    out = [(d["dtype"], d["shape"]) for d in m.inputs] + [(c["dtype"], c["shape"]) for c in m.constants]
    for node in m.nodes:
        out += outputs_of(node.op, node.attrs, [None if i < 0 else out[i] for i in node.inputs])
    return out


def up(n, to):
    """A static extent rounded up; a symbolic one as it is."""
    return -(-n // to) * to if isinstance(n, int) else n


def mac(a, b):
    if b == "i4":
        return f"mac_{a}_i4"
    return f"mac_{a}_{b}" if a == b else "mac_i16_i8"


def run_of(op, a, t, out, least):
    """None where no axis changes, else the bytes of a run."""
    x, y = t[0][1], out[1]
    share = 1
    if op == "transpose":
        axes = [i for i, p in enumerate(a["perm"]) if p != i]
    elif op == "concat":
        axes = [a["axis"]]
        share = min(at(s[axes[0]], least) for _, s in t)
    elif op == "gather":
        axes = [a["axis"] + len(t[1][1]) - 1]
    elif op == "expand":
        new = len(y) - len(x)
        axes = [i for i in range(len(y)) if i < new or y[i] != x[i - new]]
    elif op == "tile":
        axes = [i for i, r in enumerate(a["repeats"]) if r != 1]
        share = at(x[axes[-1]], least) if axes else 1
    elif op in ("depth_to_space", "space_to_depth"):
        axes = [3] if a["block"] > 1 else []
        share = 1 if a.get("mode") == "CRD" else min(x[3], y[3])
    elif op == "resize_nearest":
        axes = [2]
    elif op == "pad":
        axes = [i for i, (p, q) in enumerate(zip(a["before"], a["after"])) if p + q > 0]
    else:
        axes = [i for i in range(len(y)) if a["step"][i] != 1 or a["start"][i] != 0 or y[i] != x[i]]
    if not axes:
        return None
    if op == "pad":
        share = at(x[axes[-1]], least)
    if op == "slice" and a["step"][axes[-1]] == 1:
        share = at(y[axes[-1]], least)
    return SIZE[out[0]] * share * prod(at(d, least) for d in y[axes[-1] + 1 :])


def counts(op, a, t, outs, dims, least, most):
    """(class, count) pairs of a node, without op and byte."""
    out = outs[0][1]
    n = lambda shape: prod(at(d, dims) for d in shape)
    (dx, x) = t[0]
    static = lambda v: v if isinstance(v, int) else None
    if op in ("conv2d", "conv_transpose2d"):
        met = n(out[:3] if op == "conv2d" else x[:3])
        o, kh, kw, cg = t[1][1]
        per, g = o // a["groups"], a["groups"]
        if cg == 1 and per == 1:
            macs = ("mac_depthwise", met * up(o, 16) * kh * kw)
            g = 1
        else:
            macs = (mac(dx, "i8"), met * g * up(per, 8) * up(kh * kw * cg, 4))
        once = 40 * kh * kw if op == "conv_transpose2d" else 0
        return [macs, ("staged", n(out)), ("row", n(out[:3]) * g * (kh * kw + 2)), ("row", once)]
    if op == "dense":
        o, k = t[1][1]
        return [(mac(dx, t[1][0]), n(x[:-1]) * up(o, 8) * up(k, 4)), ("staged", n(out)), ("row", n(x[:-1]) * 2)]
    if op == "matmul":
        macs = (mac(dx, t[1][0]), n(out[:-1] + [up(out[-1], 8), up(x[-1], 4)]))
        batch = n(out[:-2])
        packed = ("move_scatter", batch * n([x[-1], out[-1]]))
        return [macs, ("staged", n(out)), packed, ("row", batch * 15), ("row", n(out[:-1]) * 2)]
    if op in ("max_pool2d", "avg_pool2d"):
        c = out[3]
        taps = prod(a["kernel"]) * at(up(c, 16), dims) + 4 * at(c, dims)
        return [("pool", n(out[:3]) * taps), ("row", n(out[:3]) * 4)]
    if op == "resize_bilinear":
        return [("bilinear", n(out)), ("row", n(out[:3]) * 3)]
    if op in ("argmax", "argmin"):
        return [("arg", n(x)), ("row", n(out))]
    if op == "nms":
        longest, candidates = at(x[1], most), n(t[1][1])
        pairs = ("nms", candidates * min(longest, a["limit"]))
        order = ("order", candidates * 2 * longest.bit_length())
        return [order, pairs, ("move", n(out)), ("row", n(t[1][1][:2]) * 2)]
    if op == "update":
        new = t[1][1]
        run = SIZE[dx] * prod(at(d, least) for d in new[a["axis"] :])
        return [("move", n(x)), ("move" if run >= 16 else "move_scatter", n(new))]
    if op in ("topk", "sample"):
        axis = a.get("axis", len(x) - 1)
        each, k = n(x[:axis] + x[axis + 1 :]), a["k"]
        order = ("order", each * (at(x[axis], dims) + k) * k.bit_length())
        if op == "topk":
            return [order, ("row", each)]
        return [order, ("sample", each * (k or at(x[axis], dims))), ("row", each * 10)]
    if op == "cumsum":
        return [("cumsum", n(x)), ("row", n(x[:-1]))]
    if op == "rope":
        return [("rope", n(x)), ("row", n(x[:-1]) * 5), ("row", at(x[-2], dims) * len(a["step"]) * 2)]
    if op in REDUCE:
        return [("reduce", n(x)), ("row", n(x[:-1]) * 6)]
    if op in ("lstm", "gru"):
        rows, d, h = t[1][1][0], t[1][1][1], t[2][1][1]
        steps = n(x[:2])
        macs = [(mac(dx, "i8"), steps * up(rows, 8) * up(d, 4)), (mac(t[4][0], "i8"), steps * up(rows, 8) * up(h, 4))]
        return macs + [("cell", steps * rows), ("row", at(x[0], dims) * 14)]
    if op == "reshape":
        return [("move", n(out))]
    if op in MOVE + ("resize_nearest",):
        run = run_of(op, a, t, outs[0], least)
        moved = [("move" if run is None or run >= 16 else "move_scatter", n(out))]
        once = {"concat": 20 * len(t), "pad": 40 * len(x)}.get(op, 0)
        if op == "gather":
            once = n(out[: a["axis"] + len(t[1][1])]) * 2
        return moved + [("row", once)]
    if op == "group_norm":
        groups = a["groups"]
        return [("norm", n(out)), ("row", at(x[0], dims) * groups * 14), ("row", n(x[:3]) * ((groups + 7) // 8) * 4)]
    each = {"layer_norm": 14, "rms_norm": 14, "softmax": 9, "log_softmax": 6}
    if op in each:
        return [("norm" if op in NORMS else op, n(out)), ("row", n(x[:-1]) * each[op])]
    spread = op == "rescale" and len(a["stage"]["m"]) > 1
    if op in SELECT + ("mul", "div", "linear2"):
        own = [[1] * (len(out) - len(v[1])) + v[1] for v in t if v]
        spread = any(v != out and any(static(d) != 1 for d in v) for v in own)
    names = {"rescale": "staged", "mul": "staged"} | {k: "select" for k in SELECT}
    return [(names.get(op, op), n(out)), ("row", n(out[:-1]) * 5 if spread else 0)]


def bytes_of(t, dims):
    count = prod(at(d, dims) for d in t[1])
    return (count + 1) // 2 if t[0] == "i4" else count * SIZE[t[0]]


def io_units(t, dims, each):
    return 4 * prod(at(d, dims) for d in t[1]) if each else bytes_of(t, dims)


class Poly:
    """A polynomial in t = s - min(s): exponents, one a symbol -> coefficient."""

    def __init__(self, terms):
        self.terms = {k: v for k, v in terms.items() if v}

    @staticmethod
    def of(v, n):
        return v if isinstance(v, Poly) else Poly({(0,) * n: v})

    def __add__(self, other):
        n = len(next(iter(self.terms), ()))
        q = other.terms if isinstance(other, Poly) else {(0,) * n: other} if other else {}
        return Poly({k: self.terms.get(k, 0) + q.get(k, 0) for k in {**self.terms, **q}})

    def __mul__(self, other):
        if not isinstance(other, Poly):
            return Poly({k: v * other for k, v in self.terms.items()})
        out = {}
        for p, v in self.terms.items():
            for q, w in other.terms.items():
                key = tuple(a + b for a, b in zip(p, q))
                out[key] = out.get(key, 0) + v * w
        return Poly(out)

    __radd__, __rmul__ = __add__, __mul__

    def at(self, t):
        return sum(v * prod(a**e for a, e in zip(t, k)) for k, v in self.terms.items())

    def degree(self):
        return max((sum(k) for k in self.terms), default=0)


def vector(m):
    """The cost vector of a model: class -> polynomial; classes of which nothing is counted are absent."""
    n, least = len(m.symbols), [s["min"] for s in m.symbols]
    most = [s["max"] for s in m.symbols]
    unit = [tuple(int(i == j) for j in range(n)) for i in range(n)]
    dims = [Poly({(0,) * n: v, unit[i]: 1}) for i, v in enumerate(least)]
    shapes, total = shapes_of(m), {}
    for node in m.nodes:
        t = [None if i < 0 else shapes[i] for i in node.inputs]
        outs = outputs_of(node.op, node.attrs, t)
        moved = sum(bytes_of(v, dims) for v in t + outs if v)
        if node.op == "slice":
            moved = 2 * bytes_of(outs[0], dims)
        if node.op == "gather":
            moved = 2 * bytes_of(outs[0], dims) + bytes_of(t[1], dims)
        for k, v in [("op", 1), ("byte", moved)] + counts(node.op, node.attrs, t, outs, dims, least, most):
            part = total.setdefault(k, {})
            for key, w in Poly.of(v, n).terms.items():
                part[key] = part.get(key, 0) + w
    add = lambda count: [part.__setitem__(key, part.get(key, 0) + w) for key, w in Poly.of(count, n).terms.items()]
    part = total.setdefault("io", {})
    for i, d in enumerate(m.inputs):
        fits = d["dtype"] != "bool" and (d["lo"], d["hi"]) == RANGE[d["dtype"]]
        whole = fits or i in {s["input"] for s in m.states}
        add(1000), add(io_units((d["dtype"], d["shape"]), dims, not whole))
    for o in m.outputs:
        add(1000), add(io_units(shapes[o["tensor"]], dims, o.get("u8", False)))
    found = {k: Poly(v) for k, v in total.items()}
    return {k: v for k, v in found.items() if v.terms}


def price(m):
    """4 * (gas - base) under schedule 1."""
    total = {}
    for k, v in vector(m).items():
        for key, w in v.terms.items():
            total[key] = total.get(key, 0) + WEIGHTS[k] * w
    return Poly(total)


def gas(m, dims):
    return BASE - (-price(m).at([d - s["min"] for d, s in zip(dims, m.symbols)]) // 4)


def memory(m, dims):
    """Bytes of constants, and the peak of the first-fit allocator."""
    shapes = shapes_of(m)
    low, high = len(m.inputs), len(m.inputs) + len(m.constants)
    born, dies, at_id = [-1] * len(shapes), [-1] * len(shapes), high
    for k, node in enumerate(m.nodes):
        for i in node.inputs:
            if i >= 0:
                dies[i] = k
        for _ in outputs_of(node.op, node.attrs, [None if i < 0 else shapes[i] for i in node.inputs]):
            born[at_id] = dies[at_id] = k
            at_id += 1
    for o in m.outputs:
        dies[o["tensor"]] = len(m.nodes)
    placed, peak = [], 0  # (start, end, last node) in order of start
    for i, t in enumerate(shapes):
        size = -(-bytes_of(t, dims) // 64) * 64
        if low <= i < high or size == 0:
            continue
        placed = [p for p in placed if p[2] >= born[i]]  # ids ascend by birth, so a dead one stays dead
        start = 0
        for p, q, _ in placed:
            if start + size <= p:
                break
            start = max(start, q)
        insort(placed, (start, start + size, dies[i]))
        peak = max(peak, start + size)
    return {"constants": sum(c["bytes"] for c in m.constants), "peak": peak}
