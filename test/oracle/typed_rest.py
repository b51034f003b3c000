"""Further ops on typed tensors: quotients, norms, lines, transposed convolution, rotations (spec/10-ops.md §2 to §7). typed.py gathers them."""

from math import gcd

import cells as C
import linear
import pool
import rows as R
import sampling as S
import tensor as N
import typed as T
from intervals import hull, times


def div(p, a, i):
    x, y, o = i["a"], i["b"], a["output"]
    T.check_output(p, o)
    p.need(1 <= a["p"] <= 65535 and 1 <= a["q"] <= 65535, "p, q in 1...65535")
    p.need(gcd(a["p"], a["q"]) == 1, "p and q without a common factor", gcd(a["p"], a["q"]))
    f = lambda u, v: linear.div(u, v, x.zp, y.zp, a["p"], a["q"], o["zp"], o["lo"], o["hi"])
    data = None if x.data is None else N.elementwise(f, x.pair, y.pair)[1]
    return [T.Tensor(o["dtype"], N.broadcast_shape(x.shape, y.shape), data, o["zp"], o["lo"], o["hi"])]


def along(x, axis, f):
    """f over every line of an axis: a list to a list."""
    shape, data = x
    out, inner, n = list(data), N.numel(shape[axis + 1 :]), shape[axis]
    for start in range(0, len(data), n * inner or 1):
        for k in range(inner):
            out[start + k : start + n * inner : inner] = f(data[start + k : start + n * inner : inner])
    return out


def cumsum(p, a, i):
    x, axis = i["x"], a["axis"]
    p.need(axis < len(x.shape), "axis below the rank")
    n, less = x.shape[axis], a.get("exclusive", False)
    p.below("A", n * x.reach)
    steps = range(int(not less), n + int(not less)) or [0]
    acc = hull(times(steps[0], x.centred), times(steps[-1], x.centred))
    f = lambda v: pool.cumsum(v, x.zp, less, a.get("reverse", False))
    return [T.Tensor("i32", x.shape, None if x.data is None else along(x.pair, axis, f), 0, *acc)]


def log_softmax(p, a, i):
    x, s = i["x"], a["stage"]
    k = x.shape[-1]
    p.need(k >= 1, "last axis is not empty")
    T.check_words(p, [a["m"]], a["l"], 1)
    p.below("(hi-lo)*2^l", (x.hi - x.lo) << a["l"])
    reach = R.exponent(x.hi - x.lo, a["l"], a["m"]) + 2**21
    end = T.staged(p, s, [reach], [[-reach, 0]], x.shape, None)
    data = None
    if x.data is not None:
        tail = (a["l"], a["m"], k, s["m"][0], s["l"], s["zp"], s["lo"], s["hi"])
        data = [v for r in range(0, len(x.data), k) for v in R.log_softmax(x.data[r : r + k], *tail)]
    return [T.Tensor(s["dtype"], x.shape, data, s["zp"], end.lo, end.hi)]


# ---------------------------------------------------------------- norms
def checked(p, a, i, n):
    """Checks what the norms share; f, and the arguments behind eps."""
    x, gamma, beta, o = i["x"], i["gamma"], i["beta"], a["output"]
    T.check_output(p, o)
    p.need(1 <= n <= 65536, "N in 1...65536", n)
    p.need(1 <= a["eps"] < 2**48, "eps in 1...2^48-1", a["eps"])
    p.need(0 <= a["g"] <= 16, "g in 0...16", a["g"])
    p.need(gamma.shape == beta.shape == x.shape[-1:], "one entry a channel")
    for v in beta.data:
        p.below("|beta|", abs(v), 2**30)
    return 6 if x.dtype == "i8" else 0, (a["eps"], gamma.data, beta.data, a["g"], o["zp"], o["lo"], o["hi"])


def normed(x, o, data):
    return [T.Tensor(o["dtype"], x.shape, data, o["zp"], o["lo"], o["hi"])]


def rms_norm(p, a, i):
    x = i["x"]
    n = x.shape[-1]
    f, tail = checked(p, a, i, n)
    data = None
    if x.data is not None:
        rows = [x.data[k : k + n] for k in range(0, len(x.data), n)]
        data = [v for row in rows for v in R.layer_norm(row, x.zp, f, *tail, rms=True)]
    return normed(x, a["output"], data)


def group_norm(p, a, i):
    x, groups = i["x"], a.get("groups", 1)
    p.need(len(x.shape) == 4, "rank 4", len(x.shape))
    n, h, w, c = x.shape
    p.need(c % groups == 0, "groups divide C")
    f, tail = checked(p, a, i, h * w * c // groups)
    data = None
    if x.data is not None:
        pixels = [x.data[k : k + c] for k in range(0, len(x.data), c)]
        images = [pixels[k * h * w : (k + 1) * h * w] for k in range(n)]
        data = [v for m in images for px in R.group_norm(m, groups, x.zp, f, *tail) for v in px]
    return normed(x, a["output"], data)


# ---------------------------------------------------------------- transposed convolution
def conv_transpose2d(p, a, i):
    x, w, b = i["x"], i["w"], i["b"]
    (n, h, wd, c), (o, kh, kw, cg) = x.shape, w.shape
    (sh, sw), (pt, pl, pb, pr), (dh, dw), g = a["strides"], a["pads"], a["dilations"], a["groups"]
    eh, ew = a.get("output_padding", [0, 0])
    p.need(c == cg * g and o % g == 0, "groups")
    p.need(kh * kw * cg <= 2**24, "KH*KW*C/g <= 2^24")
    p.need(h >= 1 and wd >= 1, "H and W at least 1")
    p.need(eh < max(sh, dh) and ew < max(sw, dw), "output padding below the stride or the dilation")
    full = [(h - 1) * sh + (kh - 1) * dh + 1 + eh, (wd - 1) * sw + (kw - 1) * dw + 1 + ew]
    p.below("transposed extent", max(full), 2**30)
    oh, ow = full[0] - pt - pb, full[1] - pl - pr
    p.need(oh >= 1 and ow >= 1, "output extent >= 1", min(oh, ow))
    size = kh * kw * cg
    taps = hull(x.centred, [0, 0])
    bounds, accs = T.weighted(p, b.data, [w.data[k * size : (k + 1) * size] for k in range(o)], taps, x.reach)
    acc = None
    if x.data is not None:
        args = (x.zp, a["strides"], a["pads"], a["dilations"], g, [eh, ew])
        wn = T.nest(w.shape, w.data)
        acc = T.flat([linear.conv_transpose2d(image, wn, b.data, *args) for image in T.nest(x.shape, x.data)])
    return [T.staged(p, a.get("stage"), bounds, accs, [n, oh, ow, o], acc)]


# ---------------------------------------------------------------- orders and draws
def topk(p, a, i):
    x, axis, k = i["x"], a["axis"], a["k"]
    p.need(axis < len(x.shape), "axis below the rank")
    p.need(1 <= k <= x.shape[axis], "k in 1...n", k)
    shape, n = list(x.shape), x.shape[axis]
    shape[axis] = k
    pairs = None
    if x.data is not None:
        inner, found = N.numel(shape[axis + 1 :]), []
        for start in range(0, len(x.data), n * inner or 1):
            lines = [pool.topk(x.data[start + q : start + n * inner : inner], k, not a.get("smallest", False)) for q in range(inner)]
            found += [(lines[q][0][j], lines[q][1][j]) for j in range(k) for q in range(inner)]
        pairs = list(zip(*found)) if found else ([], [])
    data = lambda j: None if pairs is None else list(pairs[j])
    return [T.Tensor(x.dtype, shape, data(0), x.zp, x.lo, x.hi), T.Tensor("i32", shape, data(1), 0, 0, n - 1)]


def sample(p, a, i):
    x, seed, step = i["x"], i["seed"], i["step"]
    v, k, p16 = x.shape[-1] if x.shape else 0, a.get("k", 0), a.get("p16", 65536)
    p.need(v >= max(k, 1), "V at least k, and at least 1", v)
    p.need(k > 0 or p16 == 65536, "p16 needs k")
    p.need(seed.shape == [2] and step.shape == [1], "seed [2] and step [1]")
    T.check_words(p, [a["m"]], a["l"], 1)
    data = None
    if x.data is not None:
        u32 = lambda t: [q & 0xFFFFFFFF for q in t.data]
        draw = lambda r: S.sample(x.data[r * v : (r + 1) * v], k, p16, a["l"], a["m"], u32(seed), u32(step)[0], r)
        data = [draw(r) for r in range(len(x.data) // v)]
    return [T.Tensor("i32", x.shape[:-1], data, 0, 0, v - 1)]


# ---------------------------------------------------------------- rotary embedding
def rope(p, a, i):
    x, at, s = i["x"], i.get("position"), a["stage"]
    p.need(len(x.shape) >= 2 and x.zp == 0, "rank at least 2, zero point 0")
    rows, d = x.shape[-2:]
    p.need(1 <= len(a["step"]) and 2 * len(a["step"]) <= d, "a step a pair of the columns", len(a["step"]))
    p.need(at is None or (at.shape == [1] and a.get("position", 0) == 0), "position is an attribute or an operand")
    bound = 23171 * x.reach
    end = T.staged(p, s, [bound], [[-bound, bound]], x.shape, None)
    data = None
    if x.data is not None:
        first = a.get("position", 0) if at is None else at.data[0]
        steps = [v & 0xFFFFFFFF for v in a["step"]]
        tail = (steps, first, a.get("interleaved", False), s["m"][0], s["l"], s["zp"], s["lo"], s["hi"])
        blocks = [x.data[k : k + rows * d] for k in range(0, len(x.data), rows * d or 1)]
        data = [v for b in blocks for row in C.rope([b[r * d : (r + 1) * d] for r in range(rows)], *tail) for v in row]
    return [T.Tensor(s["dtype"], x.shape, data, s["zp"], end.lo, end.hi)]


OPS = {f.__name__: f for f in (div, cumsum, log_softmax, rms_norm, group_norm, conv_transpose2d, topk, sample, rope)}
