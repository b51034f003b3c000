"""What transposed convolution, orders, draws and rotations refuse and prove: spec/10-ops.md §2, §4, §7, §8."""

from bounds import centred, check_m, hull, least, reach, staged, weighted, whole
from model import need, plus
from rules_linear import is_shape, split


def conv_transpose2d(a, t, box):
    x, w, b = t
    need(len(x["shape"]) == 4 and len(w["shape"]) == 4, "rank 4")
    o, kh, kw, cg = w["shape"]
    need(min(o, kh, kw) >= 1 and max(kh, kw) <= 2**20 and kh * kw * cg <= 2**24, "extents of the weights")
    need(o % a["groups"] == 0 and whole(x["shape"][3], "C") == cg * a["groups"], "groups")
    is_shape(b, [o])
    for i, k in ((0, kh), (1, kw)):
        n, s, d, more = whole(x["shape"][1 + i], "H and W"), a["strides"][i], a["dilations"][i], a["output_padding"][i]
        full = (n - 1) * s + (k - 1) * d + 1 + more
        need(n >= 1 and more < max(s, d) and full < 2**30, "an axis of the image")
        need(full - a["pads"][i] - a["pads"][i + 2] >= 1, "an output extent of at least 1")
    size = kh * kw * cg
    accs = weighted(b["data"], split(w["data"], size) or [[]] * o, hull(centred(x, box), (0, 0)))
    if a["stage"]:
        check_m(a["stage"]["m"], a["stage"]["l"], o)
    return [(*staged(a["stage"], accs), None)]


def topk(a, t, box):
    x, axis = t[0], a["axis"]
    need(axis < len(x["shape"]), "the axis")
    need(least(x["shape"][axis], box) >= a["k"], "k elements")
    return [(x["lo"], x["hi"], None), (0, plus(x["shape"][axis], -1), None)]


def sample(a, t, box):
    x, seed, step = t
    check_m([a["m"]], a["l"], 1)
    need(x["shape"] and least(x["shape"][-1], box) >= max(a["k"], 1), "k elements, and one")
    need(a["k"] > 0 or a["p16"] == 65536, "p16 goes with k")
    is_shape(seed, [2])
    is_shape(step, [1])
    return [(0, plus(x["shape"][-1], -1), None)]


def rope(a, t, box):
    x, position = (list(t) + [None])[:2]
    need(len(x["shape"]) >= 2, "rank at least 2")
    need(1 <= len(a["step"]) and 2 * len(a["step"]) <= whole(x["shape"][-1], "D"), "the pairs")
    if position is not None:
        is_shape(position, [1])
        need(a["position"] == 0, "one position only")
    check_m(a["stage"]["m"], a["stage"]["l"], 1)
    bound = 23171 * reach(centred(x, box))
    need(bound < 2**31, "A below 2^31")
    return [(*staged(a["stage"], [(-bound, bound)]), None)]


RULES = {f.__name__: f for f in (conv_transpose2d, topk, sample, rope)}
