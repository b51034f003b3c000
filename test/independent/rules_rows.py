"""What softmax, layer_norm, the moves and lstm refuse and prove: spec/10-ops.md §5 to §8."""

from bounds import ACT, centred, check_m, check_output, hull, least, most, reach, weighted, whole, worst
from model import need, parts, plus
from rules_linear import is_shape, join, split


def softmax(a, t, box):
    x, mask, f = (list(t) + [None, None])[:3]
    o = a["output"]
    need(x["shape"] and least(x["shape"][-1], box) >= 1, "K at least 1")
    check_m([a["m"]], a["l"], 1)
    need(o["lo"] <= o["zp"] <= o["hi"], "lo <= zp <= hi")
    lo, hi = worst(x, box)
    need(hi - lo < 2**31, "the span of x")
    need(mask is None or join(x["shape"], mask["shape"]) == list(x["shape"]), "the mask broadcasts to x")
    need(a["causal"] or (f is None and a["offset"] == 0), "an offset needs causal")
    need(f is None or a["offset"] == 0, "one offset only")
    if f is not None:
        is_shape(f, [1])
    if a["causal"]:
        need(len(x["shape"]) >= 2, "causal needs rank 2")
        top = plus(plus(a["offset"] if f is None else f["hi"], x["shape"][-2]), -1)
        need(most(top, box) < 2**31, "offset + rows - 1")
    kmax = most(x["shape"][-1], box)
    row_sum = 2 ** a["o"] + -(-kmax // 2) if o["zp"] == 0 else None
    return [(o["zp"], min(o["hi"], o["zp"] + 2 ** a["o"]), row_sum)]


def layer_norm(a, t, box):
    x, gamma, beta = t
    need(len(x["shape"]) >= 1, "rank at least 1")
    n = whole(x["shape"][-1], "N")
    need(1 <= n <= 65536, "N in 1...65536")
    is_shape(gamma, [n])
    is_shape(beta, [n])
    need(all(abs(v) < 2**30 for v in beta["data"]), "|beta| below 2^30")
    return [(a["output"]["lo"], a["output"]["hi"], None)]


# ---------------------------------------------------------------- moves
def count(shape):
    """Elements as a polynomial in the symbols: exponents -> coefficient."""
    out = {(): 1}
    for d in shape:
        c, k = parts(d)
        terms = {(): c} | {(i,): v for i, v in enumerate(k)}
        new = {}
        for p, v in out.items():
            for q, w in terms.items():
                key = tuple(sorted(p + q))
                new[key] = new.get(key, 0) + v * w
        out = {key: v for key, v in new.items() if v}
    return out


def reshape(a, t, box):
    x = t[0]
    need(count(x["shape"]) == count(a["shape"]), "equal element counts")
    keeps = x["shape"] and a["shape"] and x["shape"][-1] == a["shape"][-1]
    return [(x["lo"], x["hi"], x["row_sum"] if keeps else None)]


def transpose(a, t, box):
    x, rank = t[0], len(t[0]["shape"])
    need(sorted(a["perm"]) == list(range(rank)), "a permutation")
    return [(x["lo"], x["hi"], x["row_sum"] if rank and a["perm"][-1] == rank - 1 else None)]


def concat(a, t, box):
    axis, first = a["axis"], t[0]
    need(axis < len(first["shape"]), "the axis")
    others = lambda x: [d for i, d in enumerate(x["shape"]) if i != axis]
    for x in t:
        need((x["dtype"], x["zp"]) == (first["dtype"], first["zp"]), "one type")
        need(len(x["shape"]) == len(first["shape"]) and others(x) == others(first), "equal other axes")
    sums = [x["row_sum"] for x in t]
    keeps = axis != len(first["shape"]) - 1 and None not in sums
    return [(*hull(*(worst(x, box) for x in t)), max(sums) if keeps else None)]


def slice_(a, t, box):
    x = t[0]
    need(len(a["start"]) == len(a["step"]) == len(a["size"]) == len(x["shape"]), "one entry an axis")
    for n, start, step, size in zip(x["shape"], a["start"], a["step"], a["size"]):
        need(step != 0 and (step == 1 or most(size, box) > 1) and least(size, box) >= 0, "step and size")
        end = plus(plus(start, size, step), -step)
        low, high = (start, end) if step > 0 else (end, start)
        need(least(low, box) >= 0 and least(plus(plus(n, -1), high, -1), box) >= 0, "indices in range")
    return [(x["lo"], x["hi"], x["row_sum"])]


def pad(a, t, box):
    x, value = (list(t) + [None])[:2]
    rank, mode = len(x["shape"]), a["mode"]
    need(len(a["before"]) == rank == len(a["after"]), "one entry an axis")
    need((mode == "constant") == (value is not None), "a value goes with mode constant")
    for d, p, q in zip(x["shape"], a["before"], a["after"]):
        need(least(d, box) >= {"constant": 0, "edge": 1, "reflect": max(p, q) + 1}[mode], "an axis long enough")
    if value is None:
        return [(x["lo"], x["hi"], None)]
    need((value["dtype"], value["zp"]) == (x["dtype"], x["zp"]), "a value of the type of x")
    last = plus(x["shape"][-1], a["before"][-1] + a["after"][-1]) if rank else None
    need(value["shape"] == [] or value["shape"] == [last], "a scalar or a vector along the last axis")
    return [(*hull(worst(x, box), worst(value, box)), None)]


def lstm(a, t, box):
    x, wx, wh, b, h0, c0, *tables = t
    need(len(x["shape"]) == 3 and len(wx["shape"]) == 2 and len(wh["shape"]) == 2, "ranks")
    h, d = wh["shape"][1], whole(x["shape"][2], "D")
    need(1 <= h <= 2**24 and d <= 2**24, "H and D")
    is_shape(wh, [4 * h, h])
    is_shape(wx, [4 * h, d])
    is_shape(b, [4 * h])
    is_shape(h0, [x["shape"][1], h])
    is_shape(c0, [x["shape"][1], h])
    for table in tables:
        is_shape(table, [513])
    need(min(tables[0]["data"]) >= 0, "sigmoid is not negative")
    need(a["qh"] in (7, 15), "qh")
    dtype = "i8" if a["qh"] == 7 else "i16"
    need((h0["dtype"], h0["zp"]) == (dtype, 0), "h0 has the type of h")
    check_output({"dtype": dtype, "zp": 0, "lo": a["lo"], "hi": a["hi"]}, ACT)
    limits = (a["lo"], a["hi"])
    hidden = hull(limits, worst(h0, box), (0, 0))
    zero = [0] * (4 * h)
    for m, l, bias, w, taps in (("mx", "lx", b["data"], wx, centred(x, box)), ("mh", "lh", zero, wh, hidden)):
        check_m(a[m], a[l], 4 * h)
        for acc in weighted(bias, split(w["data"], w["shape"][1]) or [[]] * 4 * h, taps):
            need(reach(acc) << a[l] < 2**31, "acc * 2^l below 2^31")
    return [(*limits, None), (*hull(limits, worst(h0, box)), None), (-32768, 32767, None)]
