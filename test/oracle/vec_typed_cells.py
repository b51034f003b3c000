"""Typed vectors of gru, update and nms."""

from common import I8, I16, TAB
from maker import Maker
from typed import Tensor


def gru():
    k = Maker("gru")
    for t, n, d, h, dtype, zp, reverse, one, qh, l, kind in (
        (3, 2, 3, 2, "i8", -20, False, False, 7, 1, "rnd"),
        (3, 1, 2, 3, "i16", 0, True, False, 15, 0, "rnd"),
        (2, 2, 3, 2, "i8", 127, True, False, 15, 0, "ends"),
        (1, 1, 1, 1, "i8", -128, False, True, 7, 4, "lo"),
        (4, 1, 2, 9, "i8", 0, False, True, 15, 0, "rnd"),
        (0, 1, 2, 2, "i8", 0, False, True, 7, 0, "rnd"),
    ):
        lim = I8 if qh == 7 else I16
        top = 2**31 - 1 if qh == 7 and dtype == "i8" else 2**24
        words = lambda: [k.R.randint(top // 2 + 1, top)] if one else [top] + k.ints(2**20, top, 3 * h - 1)
        for after in (False, True):
            a = {"mx": words(), "lx": l, "mh": words(), "lh": l, "qh": qh, "lo": lim[0], "hi": lim[1], "reverse": reverse}
            if kind == "ends":
                a |= {"lo": -30000, "hi": 20000}
            inputs = {"x": k.x(dtype, (t, n, d), zp, kind=kind), "wx": k.const("i8", (3 * h, d)), "wh": k.const("i8", (3 * h, h))}
            inputs |= {"b": k.const("i32", (3 * h,), -5000, 5000), "h0": k.x("i8" if qh == 7 else "i16", (n, h))}
            for key, name in (("sigmoid", "sigmoid_q12_q15"), ("tanh", "tanh_q12_q15")):
                inputs[key] = Tensor("i16", [513], TAB[name], const=True)
            k.add(a, inputs | {"bh": k.const("i32", (h,), -5000, 5000) if after else None})
    k.done()


def update():
    k = Maker("update")
    for shape, axis, n, dtype, zp, lim, at in (
        ((4, 2), 0, 1, "i8", -7, (), (0, 3)),
        ((2, 5, 3), 1, 2, "i16", 0, (-9, 5), (1, 3)),
        ((2, 17), 1, 17, "i32", 0, (), (0, 0)),
        ((3, 2), 1, 0, "i8", 5, (), (2, 2)),
        ((6,), 0, 4, "bool", 0, (), (0, 2)),
        ((0, 3), 1, 1, "i8", 0, (), (0, 2)),
    ):
        rows = list(shape)
        rows[axis] = n
        for v in at:
            position = Tensor("i32", [1], [v], 0, *at)
            k.add({"axis": axis}, {"x": k.x(dtype, shape, zp, *lim), "rows": k.x(dtype, rows, zp), "position": position})
    k.done()


def nms():
    k = Maker("nms")
    for b, c, n, dtype, lim, scores, t15, threshold, limit in (
        (2, 2, 9, "i16", (-20, 20), ("i8", -3, 3), 10000, -2, 4),
        (1, 1, 7, "i32", (-23170, 23170), ("i16", -32768, 32767), 16384, -32769, 7),
        (1, 3, 5, "i16", (0, 3), ("i8", -1, 1), 0, 0, 9),
        (1, 2, 12, "i16", (0, 40), ("i8", 0, 2), 32768, -1, 3),
        (1, 1, 0, "i16", (0, 1), ("i8", 0, 1), 5, 0, 2),
        (0, 2, 3, "i16", (0, 1), ("i8", 0, 1), 5, 0, 2),
        (1, 1, 4, "i32", (7, 7), ("i8", 5, 5), 0, 4, 4),
        (1, 1, 3, "i16", (0, 9), ("i8", -5, 5), 9, 32767, 2),
    ):
        x = {"boxes": k.x(dtype, (b, n, 4), 0, *lim), "scores": k.x(scores[0], (b, c, n), 0, *scores[1:])}
        k.add({"t15": t15, "threshold": threshold, "limit": limit}, x)
    k.done()


ALL = (gru, update, nms)
