"""lstm, gru, update and nms on typed tensors (spec/10-ops.md §7, §8). typed.py gathers them."""

import cells as C
import sampling as S
import tensor as N
import typed as T
from intervals import hull, mag


def lstm(p, a, i):
    x, wx, wh, b, h0, c0 = (i[k] for k in ("x", "wx", "wh", "b", "h0", "c0"))
    (t, n, d), h = x.shape, wh.shape[1]
    dt = "i8" if a["qh"] == 7 else "i16"
    p.need(a["qh"] in (7, 15) and 0 <= a["kc"] <= 8, "qh is 7 or 15, kc in 0...8")
    p.need(min(i["sigmoid"].data) >= 0, "sigmoid table >= 0")
    T.check_output(p, {"dtype": dt, "zp": 0, "lo": a["lo"], "hi": a["hi"]})
    ih = hull([h0.lo, h0.hi], [a["lo"], a["hi"]], [0, 0])
    for part, bias, w, taps, k in (("x", b.data, wx, x.centred, d), ("h", [0] * 4 * h, wh, ih, h)):
        T.check_words(p, a["m" + part], a["l" + part], 4 * h)
        mat = [w.data[r * k : (r + 1) * k] for r in range(4 * h)]
        bounds, accs = T.weighted(p, bias, mat, taps, mag(taps))
        for bound, acc in zip(bounds, accs):
            p.below("A", bound)
            p.below("acc*2^l", mag(acc) << a["l" + part])
    last = hull([a["lo"], a["hi"]], [h0.lo, h0.hi])
    types = [(dt, [t, n, h], [a["lo"], a["hi"]]), (dt, [n, h], last), ("i16", [n, h], list(T.RANGE["i16"]))]
    if x.data is None:
        return [T.Tensor(q, s, None, 0, *v) for q, s, v in types]
    nested = [T.nest(v.shape, v.data) if v.data else [] for v in (x, wx, wh)]
    state = [T.nest(v.shape, v.data) for v in (h0, c0)]
    tables = [i[k].data for k in ("sigmoid", "tanh", "tanh_c")]
    _, hs, lh, lc = C.lstm(*nested, b.data, *state, {**a, "zx": x.zp}, tables)
    return [T.Tensor(q, s, T.flat(v), 0, *w) for (q, s, w), v in zip(types, (hs, lh, lc))]


def gru(p, a, i):
    x, wx, wh, b, h0, bh = (i.get(k) for k in ("x", "wx", "wh", "b", "h0", "bh"))
    (t, n, d), h = x.shape, wh.shape[1]
    dt = "i8" if a["qh"] == 7 else "i16"
    p.need(a["qh"] in (7, 15), "qh is 7 or 15")
    p.need(min(i["sigmoid"].data) >= 0, "sigmoid table >= 0")
    T.check_output(p, {"dtype": dt, "zp": 0, "lo": a["lo"], "hi": a["hi"]})
    recurrent = [0] * (2 * h) + (bh.data if bh else [0] * h)
    last = hull([h0.lo, h0.hi], [a["lo"], a["hi"]])
    for part, bias, w, taps, k in (("x", b.data, wx, x.centred, d), ("h", recurrent, wh, hull(last, [0, 0]), h)):
        T.check_words(p, a["m" + part], a["l" + part], 3 * h)
        rows = [w.data[r * k : (r + 1) * k] for r in range(3 * h)]
        bounds, accs = T.weighted(p, bias, rows, taps, mag(taps))
        for bound, acc in zip(bounds, accs):
            p.below("A", bound)
            p.below("acc*2^l", mag(acc) << a["l" + part])
    types = [(dt, [t, n, h], [a["lo"], a["hi"]]), (dt, [n, h], last)]
    if x.data is None:
        return [T.Tensor(q, s, None, 0, *v) for q, s, v in types]
    nested = [T.nest(v.shape, v.data) if v.data else [] for v in (x, wx, wh)]
    attrs = {**a, "zx": x.zp, "reset_after": bh is not None, "reverse": a.get("reverse", False)}
    tables = [i[k].data for k in ("sigmoid", "tanh")]
    hs, lh = C.gru(*nested, b.data, bh and bh.data, T.nest(h0.shape, h0.data), attrs, tables)
    return [T.Tensor(q, s, T.flat(v), 0, *w) for (q, s, w), v in zip(types, (hs, lh))]


def update(p, a, i):
    x, rows, at, axis = i["x"], i["rows"], i["position"], a["axis"]
    p.need(axis < len(x.shape), "axis below the rank")
    p.need((x.dtype, x.zp) == (rows.dtype, rows.zp), "one type")
    other = lambda s: [d for k, d in enumerate(s) if k != axis]
    p.need(len(x.shape) == len(rows.shape) and other(x.shape) == other(rows.shape), "shapes differ on the axis only")
    p.need(at.shape == [1], "position has shape [1]")
    p.need(at.lo >= 0, "position >= 0", at.lo)
    p.need(at.hi + rows.shape[axis] <= x.shape[axis], "rows inside", at.hi)
    data = None if x.data is None else N.update(x.pair, rows.pair, at.data[0], axis)[1]
    return [T.Tensor(x.dtype, x.shape, data, x.zp, *hull([x.lo, x.hi], [rows.lo, rows.hi]))]


def nms(p, a, i):
    boxes, scores, limit = i["boxes"], i["scores"], a["limit"]
    ok = len(boxes.shape) == len(scores.shape) == 3 and boxes.shape == [scores.shape[0], scores.shape[2], 4]
    p.need(ok, "boxes [B,N,4] and scores [B,C,N]")
    (b, c, n) = scores.shape
    p.need(0 <= a["t15"] <= 32768 and limit >= 1, "t15 in 0...32768, limit at least 1")
    p.below("(hi-lo)^2", (boxes.hi - boxes.lo) ** 2)
    found = None
    if boxes.data is not None:
        corners = [[boxes.data[(k * n + j) * 4 : (k * n + j + 1) * 4] for j in range(n)] for k in range(b)]
        lines = [[scores.data[(k * c + j) * n : (k * c + j + 1) * n] for j in range(c)] for k in range(b)]
        found = S.nms_padded(corners, lines, a["t15"], a["threshold"], limit)
    data = lambda k: None if found is None else T.flat(found[k])
    first = T.Tensor("i32", [b, c, limit], data(0), 0, -1, n - 1)
    return [first, T.Tensor("i32", [b, c], data(1), 0, 0, min(n, limit))]


OPS = {f.__name__: f for f in (lstm, gru, update, nms)}
