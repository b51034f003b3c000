"""What quotients, norms, running sums and logarithms refuse and prove: spec/10-ops.md §3 to §5, §8."""

from math import gcd, prod

from bounds import centred, check_m, hull, least, most, reach, staged, times, whole, worst
from model import need
from ops import exponent
from rules_linear import is_shape, join


def div(a, t, box):
    join(t[0]["shape"], t[1]["shape"])
    need(gcd(a["p"], a["q"]) == 1, "p and q")
    return [(a["output"]["lo"], a["output"]["hi"], None)]


def cumsum(a, t, box):
    x, taps = t[0], centred(t[0], box)
    need(a["axis"] < len(x["shape"]), "the axis")
    n = most(x["shape"][a["axis"]], box)
    need(n * reach(taps) < 2**31, "A below 2^31")
    counts = (range(n) if a["exclusive"] else range(1, n + 1)) or [0]
    return [(*hull(times(counts[0], taps), times(counts[-1], taps)), None)]


def log_softmax(a, t, box):
    x = t[0]
    need(x["shape"] and least(x["shape"][-1], box) >= 1, "K at least 1")
    check_m([a["m"]], a["l"], 1)
    check_m(a["stage"]["m"], a["stage"]["l"], 1)
    lo, hi = worst(x, box)
    need((hi - lo) << a["l"] < 2**31, "the span of x")
    return [(*staged(a["stage"], [(-exponent(hi - lo, a["l"], a["m"]) - 2**21, 0)]), None)]


def normed(a, t, axes, groups):
    x, gamma, beta = t
    dims = [whole(d, "N") for d in x["shape"][axes]]
    need(dims[-1] % groups == 0, "groups divide C")
    need(1 <= prod(dims) // groups <= 65536, "N in 1...65536")
    is_shape(gamma, dims[-1:])
    is_shape(beta, dims[-1:])
    need(all(abs(v) < 2**30 for v in beta["data"]), "|beta| below 2^30")
    return [(a["output"]["lo"], a["output"]["hi"], None)]


def rms_norm(a, t, box):
    need(len(t[0]["shape"]) >= 1, "rank at least 1")
    return normed(a, t, slice(-1, None), 1)


def group_norm(a, t, box):
    need(len(t[0]["shape"]) == 4, "rank 4")
    return normed(a, t, slice(1, None), a["groups"])


RULES = {f.__name__: f for f in (div, cumsum, log_softmax, rms_norm, group_norm)}
