"""Further ops on typed tensors: quotients, norms, running sums (spec/10-ops.md §3 to §5). typed.py gathers them."""

from math import gcd

import linear
import pool
import rows as R
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


OPS = {f.__name__: f for f in (div, cumsum, log_softmax, rms_norm, group_norm)}
