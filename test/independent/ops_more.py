"""Elementwise pairs, reductions, gathers, blocks and resizes of spec/10-ops.md §3, §4, §6 on plain integers."""

from itertools import product

from ops import Tensor, aligned, broadcast, clamp, finish, indices, moved, round_div, rsh, stage


def pointwise(f, dtype, zp, *operands):
    shape = []
    for t in operands:
        shape = broadcast(shape, t.shape)
    return [Tensor(dtype, shape, zp, [f(*(t.data[aligned(t, i)] for t in operands)) for i in indices(shape)])]


def mul(a, x, y):
    (acc,) = pointwise(lambda p, q: (p - x.zp) * (q - y.zp), "i32", 0, x, y)
    return finish(a["stage"], acc.shape, acc.data, 1)


def lesser(a, x, y):
    return pointwise(min, x.dtype, x.zp, x, y)


def greater(a, x, y):
    return pointwise(max, x.dtype, x.zp, x, y)


def compare(a, x, y):
    def truth(p, q):
        d = (p - x.zp) * a["ma"] - (q - y.zp) * a["mb"]
        return int({"lt": d < 0, "le": d <= 0, "gt": d > 0, "ge": d >= 0, "eq": d == 0, "ne": d != 0}[a["op"]])

    return pointwise(truth, "bool", 0, x, y)


def logical(a, x, y=None):
    if y is None:
        return pointwise(lambda p: 1 - p, "bool", 0, x)
    return pointwise(lambda p, q: {"and": p * q, "or": max(p, q), "xor": (p + q) % 2}[a["op"]], "bool", 0, x, y)


def where(a, c, x, y):
    return pointwise(lambda t, p, q: p if t == 1 else q, x.dtype, x.zp, c, x, y)


# ---------------------------------------------------------------- reductions
def groups(x, axes):
    """The shape without the axes, and the elements of each output."""
    kept = [d for d in range(len(x.shape)) if d not in axes]
    shape, s = [x.shape[d] for d in kept], x.strides()
    inner = [sum(p * s[d] for p, d in zip(i, axes)) for i in indices([x.shape[d] for d in axes])]
    starts = [sum(p * s[d] for p, d in zip(i, kept)) for i in indices(shape)]
    return shape, [[x.data[at + k] for k in inner] for at in starts]


def reduce_sum(a, x):
    shape, lists = groups(x, a["axes"])
    return finish(a["stage"], shape, [sum(v) - len(v) * x.zp for v in lists], 1)


def reduce_mean(a, x):
    (shape, lists), o = groups(x, a["axes"]), a["output"]
    s = lambda n: {**o, "l": a["l"], "m": [round_div(a["m1"], n)]}
    return [Tensor(o["dtype"], shape, o["zp"], [stage(sum(v) - len(v) * x.zp, s(len(v)), 0) for v in lists])]


def reduce_max(a, x):
    shape, lists = groups(x, a["axes"])
    return [Tensor(x.dtype, shape, x.zp, [max(v) for v in lists])]


def reduce_min(a, x):
    shape, lists = groups(x, a["axes"])
    return [Tensor(x.dtype, shape, x.zp, [min(v) for v in lists])]


def argmin(a, x):
    shape, lists = groups(x, [a["axis"]])
    last = lambda v: len(v) - 1 - v[::-1].index(min(v))
    return [Tensor("i32", shape, 0, [last(v) if a["select_last"] else v.index(min(v)) for v in lists])]


# ---------------------------------------------------------------- moves
def gather(a, x, k):
    axis, r = a["axis"], len(k.shape)
    pick = lambda i: k.data[sum(p * q for p, q in zip(i[axis : axis + r], k.strides()))]
    shape = x.shape[:axis] + k.shape + x.shape[axis + 1 :]
    return moved(x, shape, lambda i: i[:axis] + (pick(i),) + i[axis + r :])


def expand(a, x):
    return [Tensor(x.dtype, a["shape"], x.zp, [x.data[aligned(x, i)] for i in indices(a["shape"])])]


def tile(a, x):
    shape = [d * r for d, r in zip(x.shape, a["repeats"])]
    return moved(x, shape, lambda i: [p % d for p, d in zip(i, x.shape)])


def depth_to_space(a, x):
    (n, h, w, c), b = x.shape, a["block"]
    y = Tensor(x.dtype, [n, h * b, w * b, c // b // b], x.zp, [0] * len(x.data))
    s, k = y.strides(), 0
    for m, p, q, ch in product(range(n), range(h), range(w), range(c)):
        cell, out = divmod(ch, y.shape[3]) if a["mode"] == "DCR" else divmod(ch, b * b)[::-1]
        y.data[m * s[0] + (p * b + cell // b) * s[1] + (q * b + cell % b) * s[2] + out] = x.data[k]
        k += 1
    return [y]


def space_to_depth(a, x):
    (n, h, w, c), b = x.shape, a["block"]
    y = Tensor(x.dtype, [n, h // b, w // b, c * b * b], x.zp, [0] * len(x.data))
    s, k = y.strides(), 0
    for m, p, q, ch in product(range(n), range(h), range(w), range(c)):
        cell = p % b * b + q % b
        y.data[m * s[0] + p // b * s[1] + q // b * s[2] + cell * c + ch] = x.data[k]
        k += 1
    return [y]


def resize_nearest(a, x):
    n, h, w, c = x.shape
    place = lambda t, o, size: clamp((t[0] * o + t[1]) // t[2], 0, size - 1)
    at = lambda i: (i[0], place(a["axis_y"], i[1], h), place(a["axis_x"], i[2], w), i[3])
    return moved(x, [n, *a["out"], c], at)


def resize_bilinear(a, x):
    (n, h, w, c), s = x.shape, x.strides()
    q, s1 = (14, 13) if x.dtype == "i16" else (10, 0)

    def place(t, o, size):
        i, rest = divmod(t[0] * o + t[1], t[2])
        return clamp(i, 0, size - 1), clamp(i + 1, 0, size - 1), round_div(rest << q, t[2])

    rows = [place(a["axis_y"], o, h) for o in range(a["out"][0])]
    columns = [place(a["axis_x"], o, w) for o in range(a["out"][1])]
    accs = []
    for m, (y0, y1, wy), (x0, x1, wx), ch in product(range(n), rows, columns, range(c)):
        v = lambda p, r: x.data[m * s[0] + p * s[1] + r * s[2] + ch] - x.zp
        left, right = (rsh(v(y0, r) * (2**q - wy) + v(y1, r) * wy, s1) for r in (x0, x1))
        accs.append(left * (2**q - wx) + right * wx)
    return finish(a["stage"], [n, *a["out"], c], accs, 1)


OPS = {f.__name__: f for f in (mul, compare, logical, where, reduce_sum, reduce_mean, reduce_max, reduce_min, argmin)}
OPS |= {f.__name__: f for f in (gather, expand, tile, depth_to_space, space_to_depth, resize_nearest, resize_bilinear)}
OPS |= {"min": lesser, "max": greater}
