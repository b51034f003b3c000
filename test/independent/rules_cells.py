"""What gru, update and nms refuse and prove: spec/10-ops.md §7, §8."""

from bounds import ACT, centred, check_m, check_output, hull, least, most, reach, weighted, whole, worst
from model import need, plus
from rules_linear import is_shape, split


def gru(a, t, box):
    x, wx, wh, b, h0, sigmoid, tanh, bh = (list(t) + [None])[:8]
    need(len(x["shape"]) == 3 and len(wx["shape"]) == 2 and len(wh["shape"]) == 2, "ranks")
    h, d = wh["shape"][1], whole(x["shape"][2], "D")
    need(1 <= h <= 2**24 and d <= 2**24, "H and D")
    is_shape(wh, [3 * h, h])
    is_shape(wx, [3 * h, d])
    is_shape(b, [3 * h])
    is_shape(h0, [x["shape"][1], h])
    is_shape(sigmoid, [513])
    is_shape(tanh, [513])
    need(min(sigmoid["data"]) >= 0, "sigmoid is not negative")
    need(a["qh"] in (7, 15), "qh")
    dtype = "i8" if a["qh"] == 7 else "i16"
    need((h0["dtype"], h0["zp"]) == (dtype, 0), "h0 has the type of h")
    check_output({"dtype": dtype, "zp": 0, "lo": a["lo"], "hi": a["hi"]}, ACT)
    second = [0] * (3 * h)
    if bh is not None:
        is_shape(bh, [h])
        second = second[: 2 * h] + bh["data"]
    last = hull((a["lo"], a["hi"]), worst(h0, box))
    pairs = (("mx", "lx", b["data"], wx, centred(x, box)), ("mh", "lh", second, wh, hull(last, (0, 0))))
    for m, l, bias, w, taps in pairs:
        check_m(a[m], a[l], 3 * h)
        for acc in weighted(bias, split(w["data"], w["shape"][1]) or [[]] * 3 * h, taps):
            need(reach(acc) << a[l] < 2**31, "acc * 2^l below 2^31")
    return [(a["lo"], a["hi"], None), (*last, None)]


def update(a, t, box):
    x, new, at = t
    axis = a["axis"]
    need(axis < len(x["shape"]), "the axis")
    need((x["dtype"], x["zp"]) == (new["dtype"], new["zp"]), "one type")
    same = [i == axis or p == q for i, (p, q) in enumerate(zip(x["shape"], new["shape"]))]
    need(len(x["shape"]) == len(new["shape"]) and all(same), "shapes differ on the axis only")
    is_shape(at, [1])
    room = plus(plus(x["shape"][axis], new["shape"][axis], -1), at["hi"], -1)
    need(least(at["lo"], box) >= 0 and least(room, box) >= 0, "rows in range")
    return [(*hull(worst(x, box), worst(new, box)), None)]


def nms(a, t, box):
    boxes, scores = (v["shape"] for v in t)
    need(len(boxes) == len(scores) == 3 and list(boxes) == [scores[0], scores[2], 4], "boxes and scores")
    lo, hi = worst(t[0], box)
    need((hi - lo) ** 2 < 2**31, "the area of a box")
    return [(-1, plus(boxes[1], -1), None), (0, min(a["limit"], most(boxes[1], box)), None)]


RULES = {f.__name__: f for f in (gru, update, nms)}
