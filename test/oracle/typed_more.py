"""More ops on typed tensors: selections, reductions, moves, resizes (spec/10-ops.md §3, §4, §6). typed.py gathers them."""

from math import gcd, prod

import linear
import pool
import resize as Z
import tensor as N
import typed as T
from intervals import hull, mag, times


def pairwise(x, y):
    """Shape of two operands that broadcast."""
    return N.broadcast_shape(x.shape, y.shape)


def one_type(p, x, y):
    p.need((x.dtype, x.zp) == (y.dtype, y.zp), "operands of one type")


def extremum(f, whole):
    def op(p, a, i):
        x, y = i["a"], i["b"]
        one_type(p, x, y)
        data = None if x.data is None else whole(x.pair, y.pair)[1]
        return [T.Tensor(x.dtype, pairwise(x, y), data, x.zp, f(x.lo, y.lo), f(x.hi, y.hi))]

    return op


def compare(p, a, i):
    x, y, ma, mb = i["a"], i["b"], a["ma"], a["mb"]
    p.need(1 <= ma <= 32767 and 1 <= abs(mb) <= 32767, "ma, mb in range")
    p.need(gcd(ma, abs(mb)) == 1, "ma and mb without a common factor", gcd(ma, abs(mb)))
    p.below("a*ma", x.reach * ma)
    p.below("b*mb", y.reach * abs(mb))
    f = lambda u, v: linear.compare(u, v, x.zp, y.zp, ma, mb, a["op"])
    data = None if x.data is None else N.elementwise(f, x.pair, y.pair)[1]
    return [T.Tensor("bool", pairwise(x, y), data, 0, 0, 1)]


def logical(p, a, i):
    x, y = i["a"], i.get("b")
    p.need((a["op"] == "not") == (y is None), "b goes with and, or, xor")
    shape = x.shape if y is None else pairwise(x, y)
    data = None if x.data is None else N.logical(a["op"], x.pair, y and y.pair)[1]
    return [T.Tensor("bool", shape, data, 0, 0, 1)]


def where(p, a, i):
    c, x, y = i["condition"], i["a"], i["b"]
    one_type(p, x, y)
    shape = N.broadcast_shape(c.shape, x.shape, y.shape)
    data = None if x.data is None else N.where(c.pair, x.pair, y.pair)[1]
    return [T.Tensor(x.dtype, shape, data, x.zp, *hull([x.lo, x.hi], [y.lo, y.hi]))]


# ---------------------------------------------------------------- reductions
def reduced(p, x, axes, filled):
    """The shape without the axes, and the number of elements that an output reduces."""
    p.need(axes == sorted(set(axes)) and all(d < len(x.shape) for d in axes), "axes ascend below the rank")
    p.need(not filled or all(x.shape[d] >= 1 for d in axes), "reduced axis is not empty")
    return [d for k, d in enumerate(x.shape) if k not in axes], prod(x.shape[d] for d in axes)


def reduce_sum(p, a, i):
    x = i["x"]
    shape, n = reduced(p, x, a["axes"], False)
    data = None if x.data is None else N.reduce_sum(x.pair, a["axes"], x.zp)[1]
    return [T.staged(p, a.get("stage"), [n * x.reach], [times(n, x.centred)], shape, data)]


def reduce_mean(p, a, i):
    x, o = i["x"], a["output"]
    shape, n = reduced(p, x, a["axes"], True)
    T.check_output(p, o)
    T.check_words(p, [a["m1"]], a["l"], 1)
    p.below("A", n * x.reach)
    p.below("acc*2^l", mag(times(n, x.centred)) << a["l"])
    args = (a["axes"], x.zp, a["m1"], a["l"], o["zp"], o["lo"], o["hi"])
    data = None if x.data is None else N.reduce_mean(x.pair, *args)[1]
    return [T.Tensor(o["dtype"], shape, data, o["zp"], o["lo"], o["hi"])]


def reduce_extremum(f):
    def op(p, a, i):
        x = i["x"]
        shape, _ = reduced(p, x, a["axes"], True)
        data = None if x.data is None else N.reduce(x.pair, a["axes"], f)[1]
        return [T.Tensor(x.dtype, shape, data, x.zp, x.lo, x.hi)]

    return op


def argmin(p, a, i):
    x, axis, last = i["x"], a["axis"], a.get("select_last", False)
    p.need(axis < len(x.shape), "axis below the rank")
    p.need(x.shape[axis] >= 1, "reduced axis is not empty")
    shape, data = N.reduce(x.pair, [axis], lambda v: pool.argmax([-q for q in v], last))
    return [T.Tensor("i32", shape, data, 0, 0, x.shape[axis] - 1)]


# ---------------------------------------------------------------- moves
def moved(x, shape, pair, row_sum=None):
    data = None if x.data is None else pair()[1]
    return [T.Tensor(x.dtype, shape, data, x.zp, x.lo, x.hi, False, row_sum)]


def gather(p, a, i):
    x, k, axis = i["x"], i["indices"], a["axis"]
    p.need(axis < len(x.shape), "axis below the rank")
    p.need(k.lo >= 0, "index >= 0", k.lo)
    p.need(k.hi < x.shape[axis], "index below the dim", k.hi)
    shape = x.shape[:axis] + k.shape + x.shape[axis + 1 :]
    keeps = axis != len(x.shape) - 1
    return moved(x, shape, lambda: N.gather(x.pair, k.pair, axis), x.row_sum if keeps else None)


def expand(p, a, i):
    x, shape = i["x"], a["shape"]
    pad = [1] * (len(shape) - len(x.shape)) + x.shape
    p.need(len(pad) == len(shape) and all(d in (1, e) for d, e in zip(pad, shape)), "x broadcasts to the shape")
    keeps = x.shape and x.shape[-1] == shape[-1]
    return moved(x, list(shape), lambda: N.expand(x.pair, shape), x.row_sum if keeps else None)


def tile(p, a, i):
    x, r = i["x"], a["repeats"]
    p.need(len(r) == len(x.shape), "one repeat an axis", len(r))
    keeps = r[-1:] == [1]
    return moved(x, [d * n for d, n in zip(x.shape, r)], lambda: N.tile(x.pair, r), x.row_sum if keeps else None)


def image(p, x):
    p.need(len(x.shape) == 4, "rank 4", len(x.shape))
    return x.shape


def depth_to_space(p, a, i):
    x, b, mode = i["x"], a["block"], a.get("mode", "DCR")
    n, h, w, c = image(p, x)
    p.need(c % (b * b) == 0, "b^2 divides C")
    return moved(x, [n, h * b, w * b, c // (b * b)], lambda: N.depth_to_space(x.pair, b, mode))


def space_to_depth(p, a, i):
    x, b = i["x"], a["block"]
    n, h, w, c = image(p, x)
    p.need(h % b == 0 and w % b == 0, "b divides H and W")
    return moved(x, [n, h // b, w // b, c * b * b], lambda: N.space_to_depth(x.pair, b))


# ---------------------------------------------------------------- resizes
def resized(p, a, x):
    n, h, w, c = image(p, x)
    p.need(h >= 1 and w >= 1, "H and W at least 1")
    for (f, g, d), o in zip((a["axis_y"], a["axis_x"]), a["out"]):
        p.need(d >= 1, "D >= 1", d)
        p.below("|A*o+B|", max(abs(g), abs(f * (o - 1) + g)))
    return [n, *a["out"], c]


def resize_nearest(p, a, i):
    x = i["x"]
    shape = resized(p, a, x)
    return moved(x, shape, lambda: N.resize_nearest(x.pair, a["axis_y"], a["axis_x"], a["out"]))


def resize_bilinear(p, a, i):
    x, s = i["x"], a["stage"]
    shape = resized(p, a, x)
    q, s1 = (14, 13) if x.dtype == "i16" else (10, 0)
    acc, data = times(2 ** (2 * q - s1), x.centred), None
    end = T.staged(p, s, [mag(acc)], [acc], shape, None)
    if x.data is not None:
        tail = (a["axis_y"], a["axis_x"], x.zp, q, s1, s["m"][0], s["l"], s["zp"], s["lo"], s["hi"])
        plane = lambda m, c: [[px[c] for px in row] for row in m]
        data = []
        for m in T.nest(x.shape, x.data):
            for y in range(shape[1]):
                for z in range(shape[2]):
                    data += [Z.resize_bilinear(plane(m, c), y, z, *tail) for c in range(shape[3])]
    return [T.Tensor(s["dtype"], shape, data, s["zp"], end.lo, end.hi)]


OPS = {f.__name__: f for f in (compare, logical, where, reduce_sum, reduce_mean, argmin, gather, expand, tile)}
OPS |= {f.__name__: f for f in (depth_to_space, space_to_depth, resize_nearest, resize_bilinear)}
OPS |= {"min": extremum(min, N.minimum), "max": extremum(max, N.maximum)}
OPS |= {"reduce_max": reduce_extremum(max), "reduce_min": reduce_extremum(min)}
