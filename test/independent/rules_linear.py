"""What conv2d, dense, matmul, the elementwise ops, pools and argmax refuse and prove: spec/10-ops.md §2 to §4, §8.

Each takes attributes, operand types and the box of the symbols; it returns (lo, hi, row_sum) of every output.
"""

from math import prod

from bounds import centred, check_m, hull, least, most, reach, staged, times, weighted, whole, worst
from cost import broadcast, image
from model import need, plus
from ops import clamp, rsh


def split(data, n):
    return [data[i : i + n] for i in range(0, len(data), n)] if n else []


def is_shape(t, shape):
    need(list(t["shape"]) == list(shape), f"shape {shape}")


def conv2d(a, t, box):
    x, w, b = t
    need(len(x["shape"]) == 4 and len(w["shape"]) == 4, "rank 4")
    o, kh, kw, cg = w["shape"]
    need(min(o, kh, kw) >= 1 and max(kh, kw) <= 2**20 and kh * kw * cg <= 2**24, "extents of the weights")
    need(o % a["groups"] == 0 and whole(x["shape"][3], "C") == cg * a["groups"], "groups")
    is_shape(b, [o])
    for i in (0, 1):
        padded = plus(x["shape"][1 + i], a["pads"][i] + a["pads"][i + 2])
        need(most(padded, box) < 2**30, "a padded extent below 2^30")
        need(isinstance(padded, int) or a["strides"][i] == 1, "an axis with a stride is static")
    need(all(least(d, box) >= 1 for d in image(x["shape"], a, [kh, kw])), "an output extent of at least 1")
    taps = centred(x, box)
    if any(a["pads"]):
        taps = hull(taps, (0, 0))
    size = kh * kw * cg
    accs = weighted(b["data"], split(w["data"], size) or [[]] * o, taps)
    if a["stage"]:
        check_m(a["stage"]["m"], a["stage"]["l"], o)
    return [(*staged(a["stage"], accs), None)]


def dense(a, t, box):
    x, w, b, u = (list(t) + [None])[:4]
    need(len(x["shape"]) >= 1 and len(w["shape"]) == 2, "ranks")
    o, k = w["shape"]
    need(o >= 1 and k <= 2**24 and whole(x["shape"][-1], "K") == k, "O and K")
    is_shape(b, [o])
    block = a["block"]
    need((w["dtype"] == "i4") == (block > 0) == (u is not None), "i4, a block and its scales go together")
    rows = split(w["data"], k) or [[]] * o
    if block:
        need(block in (16, 32, 64, 128, 256), "the block")
        per = -(-k // block)
        is_shape(u, [o, per])
        need(u["zp"] == -128 and all(v > -128 for v in u["data"]), "block scales 1...255")
        scales = split(u["data"], per) or [[]] * o
        rows = [[v * (s[i // block] + 128) for i, v in enumerate(r)] for r, s in zip(rows, scales)]
    accs = weighted(b["data"], rows, centred(x, box))
    if a["stage"]:
        check_m(a["stage"]["m"], a["stage"]["l"], o)
    return [(*staged(a["stage"], accs), None)]


def join(x, y):
    """Refuses shapes that do not broadcast."""
    n = max(len(x), len(y))
    for p, q in zip([1] * (n - len(x)) + list(x), [1] * (n - len(y)) + list(y)):
        need(p == q or p == 1 or q == 1, "shapes broadcast")
    return broadcast(x, y)


def matmul(a, t, box):
    x, y = t
    need(len(x["shape"]) >= 2 and len(y["shape"]) >= 2, "rank at least 2")
    k = x["shape"][-1]
    need(k == (y["shape"][-1] if a["tb"] else y["shape"][-2]), "inner extents")
    join(x["shape"][:-2], y["shape"][:-2])
    rows = most(k, box) * reach(centred(x, box))
    if x["row_sum"] is not None:
        rows = min(rows, x["row_sum"])
    bound = rows * reach(centred(y, box))
    need(bound < 2**31, "A below 2^31")
    if a["stage"]:
        check_m(a["stage"]["m"], a["stage"]["l"], 1)
    return [(*staged(a["stage"], [(-bound, bound)]), None)]


def linear2(a, t, box):
    x, y = (list(t) + [None])[:2]
    o, s = a["output"], a["s"]
    need(y is not None or a["mb"] == 0, "mb is 0 without b")
    need(s == 0 or a["ma"] % 2 or a["mb"] % 2, "no common factor 2")
    acc = times(a["ma"], centred(x, box))
    total = abs(a["ma"]) * reach(centred(x, box))
    if y is not None:
        join(x["shape"], y["shape"])
        more = times(a["mb"], centred(y, box))
        acc, total = (acc[0] + more[0], acc[1] + more[1]), total + reach(more)
    need(total + (abs(o["zp"]) << s) + (1 << s >> 1) < 2**31, "the sum of linear2")
    return [(*(clamp(o["zp"] + rsh(v, s), o["lo"], o["hi"]) for v in acc), None)]


def rescale(a, t, box):
    shape, acc = t[0]["shape"], centred(t[0], box)
    check_m(a["stage"]["m"], a["stage"]["l"], shape[-1] if shape and isinstance(shape[-1], int) else 1)
    need(reach(acc) < 2**31, "A below 2^31")
    return [(*staged(a["stage"], [acc]), None)]


def lut8(a, t, box):
    x, table = t
    is_shape(table, [256])
    need(table["dtype"] == "i8" or a["zp"] == 0, "the zero point of i16")
    lo, hi = worst(x, box)
    part = table["data"][lo + 128 : hi + 129]
    return [(min(part), max(part), None)]


def lut16(a, t, box):
    x, table = t
    is_shape(table, [513])
    o, (lo, hi) = a["output"], worst(x, box)
    nodes = table["data"][(lo + 32768) // 128 : (hi + 32768) // 128 + 2]
    ends = [clamp(o["zp"] + rsh(128 * v, a["s"]), o["lo"], o["hi"]) for v in nodes]
    return [(min(ends), max(ends), None)]


def first_bad(n, size, kernel, stride, dilation, before):
    """True if one of n windows has no tap inside 0...size-1."""
    if (n - 1) * stride - before >= size:
        return True  # the last window starts behind the image
    for o in range(n):
        start = o * stride - before
        if start >= 0:
            return size < 1  # the rest starts inside
        j = -(start // dilation)  # the first tap at or behind 0
        if j >= kernel or start + j * dilation >= size:
            return True
    return False


def pooled(a, x):
    need(len(x["shape"]) == 4, "rank 4")
    need(prod(a["kernel"]) <= 2**24, "KH*KW at most 2^24")
    for i in (0, 1):
        d, over, stride = whole(x["shape"][1 + i], "a pooled axis"), a["overhang"][i], a["strides"][i]
        need(over < stride, "overhang below the stride")
        before, padded = a["pads"][i], d + a["pads"][i] + a["pads"][i + 2] + over
        need(padded < 2**30, "a padded extent below 2^30")
        n = (padded - (a["kernel"][i] - 1) * a["dilations"][i] - 1) // stride + 1
        need(n >= 1, "an output extent of at least 1")
        bad = first_bad(n, d, a["kernel"][i], stride, a["dilations"][i], before)
        need(not bad, "every window has a valid tap")


def max_pool2d(a, t, box):
    pooled(a, t[0])
    return [(t[0]["lo"], t[0]["hi"], None)]


def avg_pool2d(a, t, box):
    pooled(a, t[0])
    x, taps = centred(t[0], box), prod(a["kernel"])
    check_m([a["m1"]], a["l"], 1)
    need(taps * reach(x) < 2**31, "A below 2^31")
    need(reach(hull(x, times(taps, x))) << a["l"] < 2**31, "acc * 2^l below 2^31")
    return [(a["output"]["lo"], a["output"]["hi"], None)]


def argmax(a, t, box):
    shape = t[0]["shape"]
    need(a["axis"] < len(shape), "the axis")
    need(least(shape[a["axis"]], box) >= 1, "an axis that is not empty")
    return [(0, plus(shape[a["axis"]], -1), None)]
