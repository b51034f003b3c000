"""Quotients, norms, running sums and logarithms of spec/10-ops.md §3 to §5 on plain integers."""

from itertools import accumulate
from math import isqrt, prod

from ops import Tensor, clamp, divq, exponent, finish, mulhr, round_div, rows, rsh, weight
from ops_more import pointwise


def div(a, x, y):
    o = a["output"]

    def quotient(u, v):
        n, d = (u - x.zp) * a["p"], (v - y.zp) * a["q"]
        if d == 0 and n != 0:
            return o["hi"] if n > 0 else o["lo"]
        return clamp(o["zp"] + (round_div(n, d) if d > 0 else round_div(-n, -d) if d else 0), o["lo"], o["hi"])

    return pointwise(quotient, o["dtype"], o["zp"], x, y)


def lines(x, axis):
    """Offsets of the elements of each line along an axis."""
    inner, n = prod(x.shape[axis + 1 :]), x.shape[axis]
    return [[(p * n + j) * inner + q for j in range(n)] for p in range(prod(x.shape[:axis])) for q in range(inner)]


def cumsum(a, x):
    out = [0] * len(x.data)
    for line in lines(x, a["axis"]):
        line = line[::-1] if a["reverse"] else line
        sums = list(accumulate((x.data[k] - x.zp for k in line), initial=0))
        for k, v in zip(line, sums if a["exclusive"] else sums[1:]):
            out[k] = v
    return [Tensor("i32", x.shape, 0, out)]


# 2^17 * log2(256 + i) rounded down is one less than the bits of (256 + i)^(2^17)
LOG2 = [(((256 + i) ** 2**17).bit_length() - 2**20) // 2 for i in range(257)]


def log2q(s):
    b = s.bit_length() - 1
    t = (s << (31 - b)) - 2**31
    i, f = t >> 23, (t >> 7) & 65535
    return (b << 16) + LOG2[i] + rsh((LOG2[i + 1] - LOG2[i]) * f, 16)


def log_softmax(a, x):
    k, out = x.shape[-1], []
    e = min(22, 31 - x.kmax.bit_length())
    for row in rows(x, k):
        t = [exponent(max(row) - v, a["l"], a["m"]) for v in row]
        total = log2q(sum(weight(v, e) for v in t))
        out += [(e << 16) - v - total for v in t]
    return finish(a["stage"], x.shape, out, 1)


# ---------------------------------------------------------------- norms
def normal(values, f, eps, mean):
    """The function of one centred value to n_i of a row; mean: whether it is taken off."""
    n, s1 = len(values), sum(values) if mean else 0
    middle = lambda k: round_div(s1 << k, n)
    c = [(v << f) - middle(f) for v in values]
    var = sum(v * v for v in c) + eps - (sum(c) ** 2 // n if mean else 0)
    k = (32 - var.bit_length()) // 2 * 2
    vn = var << k if k >= 0 else var >> -k
    root = isqrt(vn)
    scale = divq(2**30, (root << 15) + min((vn - root * root << 14) // root, 32767), 30)
    total = f + k // 2 + 13
    first = min(14, total)
    return lambda v: mulhr((v << first) - middle(first) << total - first, scale)


def ended(a, norm, gamma, beta):
    o = a["output"]
    return clamp(o["zp"] + rsh(mulhr(norm, gamma) + beta, a["g"]), o["lo"], o["hi"])


def rms_norm(a, x, gamma, beta):
    out, f = [], 6 if x.dtype == "i8" else 0
    for row in rows(x, x.shape[-1]):
        values = [v - x.zp for v in row]
        norm = normal(values, f, a["eps"], False)
        out += [ended(a, norm(v), g, b) for v, g, b in zip(values, gamma.data, beta.data)]
    return [Tensor(a["output"]["dtype"], x.shape, a["output"]["zp"], out)]


def group_norm(a, x, gamma, beta):
    (n, h, w, c), f = x.shape, 6 if x.dtype == "i8" else 0
    out, width = [0] * len(x.data), c // a["groups"]
    for image in range(n):
        for first in range(0, c, width):
            at = [(image * h * w + p) * c + j for p in range(h * w) for j in range(first, first + width)]
            norm = normal([x.data[k] - x.zp for k in at], f, a["eps"], True)
            for k in at:
                out[k] = ended(a, norm(x.data[k] - x.zp), gamma.data[k % c], beta.data[k % c])
    return [Tensor(a["output"]["dtype"], x.shape, a["output"]["zp"], out)]


OPS = {f.__name__: f for f in (div, cumsum, log_softmax, rms_norm, group_norm)}
