"""What elementwise pairs, reductions, gathers, blocks and resizes refuse and prove: spec/10-ops.md §3, §4, §6, §8."""

from math import gcd, prod

from bounds import centred, check_m, hull, least, most, reach, staged, times, whole, worst
from model import need, plus
from rules_linear import join


def mul(a, t, box):
    x, y = (centred(v, box) for v in t)
    join(t[0]["shape"], t[1]["shape"])
    need(reach(x) * reach(y) < 2**31, "A below 2^31")
    if a["stage"]:
        check_m(a["stage"]["m"], a["stage"]["l"], 1)
    return [(*staged(a["stage"], [hull(times(x[0], y), times(x[1], y))]), None)]


def same_type(x, y):
    need((x["dtype"], x["zp"]) == (y["dtype"], y["zp"]), "one type")


def extremum(f):
    def rule(a, t, box):
        same_type(*t)
        join(t[0]["shape"], t[1]["shape"])
        (p, q), (r, s) = (worst(v, box) for v in t)
        return [(f(p, r), f(q, s), None)]

    return rule


def compare(a, t, box):
    join(t[0]["shape"], t[1]["shape"])
    need(a["mb"] != 0 and gcd(a["ma"], a["mb"]) == 1, "ma, mb")
    for v, m in zip(t, (a["ma"], a["mb"])):
        need(reach(centred(v, box)) * abs(m) < 2**31, "a product below 2^31")
    return [(0, 1, None)]


def logical(a, t, box):
    y = t[1] if len(t) > 1 else None
    need((a["op"] == "not") == (y is None), "b or not")
    if y is not None:
        join(t[0]["shape"], y["shape"])
    return [(0, 1, None)]


def where(a, t, box):
    c, x, y = t
    same_type(x, y)
    join(c["shape"], join(x["shape"], y["shape"]))
    return [(*hull(worst(x, box), worst(y, box)), None)]


# ---------------------------------------------------------------- reductions
def reduced(a, x, box, filled):
    """Least and greatest number of elements that an output reduces."""
    axes, shape = a["axes"], x["shape"]
    need(axes == sorted(set(axes)) and all(d < len(shape) for d in axes), "axes")
    need(not filled or all(least(shape[d], box) >= 1 for d in axes), "a reduced axis that is not empty")
    return prod(least(shape[d], box) for d in axes), prod(most(shape[d], box) for d in axes)


def total(a, x, box, filled):
    n, taps = reduced(a, x, box, filled), centred(x, box)
    need(n[1] * reach(taps) < 2**31, "A below 2^31")
    return hull(times(n[0], taps), times(n[1], taps))


def reduce_sum(a, t, box):
    acc = total(a, t[0], box, False)
    if a["stage"]:
        check_m(a["stage"]["m"], a["stage"]["l"], 1)
    return [(*staged(a["stage"], [acc]), None)]


def reduce_mean(a, t, box):
    acc = total(a, t[0], box, True)
    check_m([a["m1"]], a["l"], 1)
    need(reach(acc) << a["l"] < 2**31, "acc * 2^l below 2^31")
    return [(a["output"]["lo"], a["output"]["hi"], None)]


def reduce_extremum(a, t, box):
    reduced(a, t[0], box, True)
    return [(t[0]["lo"], t[0]["hi"], None)]


# ---------------------------------------------------------------- moves
def kept(x, row_sum=True):
    return [(x["lo"], x["hi"], x["row_sum"] if row_sum else None)]


def gather(a, t, box):
    x, k = t
    need(a["axis"] < len(x["shape"]), "the axis")
    room = plus(plus(x["shape"][a["axis"]], -1), k["hi"], -1)
    need(least(k["lo"], box) >= 0 and least(room, box) >= 0, "indices in range")
    return kept(x, a["axis"] != len(x["shape"]) - 1)


def expand(a, t, box):
    x = t[0]
    need(join(x["shape"], a["shape"]) == list(a["shape"]), "x broadcasts to the shape")
    return kept(x, x["shape"] and x["shape"][-1] == a["shape"][-1])


def tile(a, t, box):
    need(len(a["repeats"]) == len(t[0]["shape"]), "one repeat an axis")
    return kept(t[0], a["repeats"][-1:] == [1])


def image(x):
    need(len(x["shape"]) == 4, "rank 4")
    return [whole(d, "H, W and C") for d in x["shape"][1:]]


def depth_to_space(a, t, box):
    need(image(t[0])[2] % a["block"] ** 2 == 0, "b^2 divides C")
    return kept(t[0], False)


def space_to_depth(a, t, box):
    h, w, _ = image(t[0])
    need(h % a["block"] == 0 and w % a["block"] == 0, "b divides H and W")
    return kept(t[0], False)


def resized(a, x):
    h, w, _ = image(x)
    need(h >= 1 and w >= 1, "H and W")
    for (f, g, d), n in zip((a["axis_y"], a["axis_x"]), a["out"]):
        need(d >= 1 and abs(g) < 2**31 and abs(f * (n - 1) + g) < 2**31, "positions")


def resize_nearest(a, t, box):
    resized(a, t[0])
    return kept(t[0], False)


def resize_bilinear(a, t, box):
    resized(a, t[0])
    q, s1 = (14, 13) if t[0]["dtype"] == "i16" else (10, 0)
    acc = times(2 ** (2 * q - s1), centred(t[0], box))
    check_m(a["stage"]["m"], a["stage"]["l"], 1)
    need(reach(acc) < 2**31, "A below 2^31")
    return [(*staged(a["stage"], [acc]), None)]


RULES = {f.__name__: f for f in (mul, compare, logical, where, reduce_sum, reduce_mean, gather, expand, tile)}
RULES |= {f.__name__: f for f in (depth_to_space, space_to_depth, resize_nearest, resize_bilinear)}
RULES |= {"min": extremum(min), "max": extremum(max), "reduce_max": reduce_extremum, "reduce_min": reduce_extremum}
