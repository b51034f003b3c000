"""Typed vectors of selections, reductions, gathers, blocks and resizes."""

import typed
from maker import Maker
from typed import Tensor

ANY = ("i8", "i16", "i32", "bool")


def mul():
    k = Maker("mul")
    for sa, sb, da, db, za, zb, kind, stages in (
        ((2, 3), (2, 3), "i8", "i8", -128, 127, "rnd", (("i8", 3, None, None, False), ("i16", 0, -300, 32000, False))),
        ((2, 1, 3), (4, 1), "i8", "i16", 5, 0, "ends", (("i16", 0, None, None, False),)),
        ((3,), (), "i16", "i16", 0, 0, "lo", (("i16", 0, None, None, False),)),
        ((17,), (17,), "i8", "i8", 127, 127, "lo", (("i8", -128, -128, 100, False),)),
        ((0, 2), (1, 2), "i8", "i16", 0, 0, "rnd", (("i8", 0, None, None, False),)),
        ((), (1, 4), "i16", "i8", 0, -7, "hi", (("i8", 9, None, None, False),)),
    ):
        k.both({}, {"a": k.x(da, sa, za, kind=kind), "b": k.x(db, sb, zb, kind=kind)}, *stages)
    few = {"a": k.x("i8", (2, 3), 0, -1, 2), "b": k.const("i8", (3,), -2, 1)}
    k.both({}, few, ("i16", 0, None, None, False), ("i8", 1, None, None, False))
    k.done()


def extrema():
    for op in ("min", "max"):
        k = Maker(op)
        for sa, sb, dtype, zp, la, lb, kind in (
            ((2, 3), (2, 3), "i8", -7, (), (), "rnd"),
            ((2, 1, 3), (4, 1), "i16", 0, (), (), "ends"),
            ((3,), (), "i32", 0, (), (-5, 2**31 - 1), "ends"),
            ((19,), (1,), "i8", 127, (-20, 30), (0, 90), "rnd"),
            ((0, 2), (1, 2), "i8", 0, (), (), "rnd"),
        ):
            k.add({}, {"a": k.x(dtype, sa, zp, *la, kind=kind), "b": k.x(dtype, sb, zp, *lb, kind=kind)})
        k.add({}, {"a": k.x("i8", (2, 2), 3), "b": k.const("i8", (2,), -5, 5, zp=3)})
        k.done()


def compare():
    k = Maker("compare")
    for op in ("lt", "le", "gt", "ge", "eq", "ne"):
        for sa, sb, da, db, za, zb, la, lb, ma, mb in (
            ((2, 5), (2, 5), "i8", "i8", 0, 0, (-2, 2), (-2, 2), 1, 1),
            ((3, 1), (4,), "i8", "i16", -128, 0, (-128, -100), (0, 60), 3, 2),
            ((9,), (), "i32", "i8", 0, 127, (-65535, 65535), (), 32767, -1),
            ((6,), (6,), "i16", "i32", 0, 0, (), (-(2**31) + 1, 2**31 - 1), 32767, 1),
        ):
            a, b = k.x(da, sa, za, *la), k.x(db, sb, zb, *lb, kind="ends" if db == "i32" else "rnd")
            k.add({"op": op, "ma": ma, "mb": mb}, {"a": a, "b": b})
    k.add({"op": "eq", "ma": 2, "mb": -1}, {"a": k.x("i8", (0, 3)), "b": k.x("i8", (3,))})
    k.done()


def logical():
    k = Maker("logical")
    for sa, sb in (((2, 9), (2, 9)), ((2, 1, 3), (4, 1)), ((), (5,)), ((0, 2), (1, 2))):
        a, b = k.x("bool", sa), k.x("bool", sb)
        for op in ("and", "or", "xor"):
            k.add({"op": op}, {"a": a, "b": b})
        k.add({"op": "not"}, {"a": a})
    k.done()


def where():
    k = Maker("where")
    for sc, sa, sb, dtype, zp, la, lb in (
        ((2, 3), (2, 3), (2, 3), "i8", -7, (), ()),
        ((3, 1), (1, 4), (), "i16", 0, (-9, 5), (0, 70)),
        ((1,), (2, 2), (2, 1), "i32", 0, (), (4, 2**31 - 1)),
        ((4, 5), (), (5,), "bool", 0, (), ()),
        ((2, 1), (0,), (1, 1), "i8", 5, (), ()),
    ):
        c = k.x("bool", sc)
        k.add({}, {"condition": c, "a": k.x(dtype, sa, zp, *la), "b": k.x(dtype, sb, zp, *lb)})
    k.add({}, {"condition": k.const("bool", (3,)), "a": k.x("i8", (2, 3)), "b": k.const("i8", (1,), -128, -128)})
    k.done()


REDUCED = (
    ((2, 3, 4), [1], "rnd"),
    ((2, 3, 4), [0, 2], "ends"),
    ((2, 3), [0, 1], "rnd"),
    ((1, 3, 3, 5), [1, 2], "ends"),
    ((3, 19), [1], "rnd"),
    ((2, 2), [], "rnd"),
    ((0, 3), [1], "rnd"),
    ((4,), [0], "lo"),
)


def reductions():
    k = Maker("reduce_sum")
    for j, (shape, axes, kind) in enumerate(REDUCED + (((2, 0, 3), [1], "rnd"), ((2, 0), [0, 1], "rnd"))):
        for dtype, zp in (("i8", (-128, 127, 5)[j % 3]), ("i16", 0)):
            to = ("i8", 3, None, None, False) if j % 2 else ("i16", 0, -30000, 20000, False)
            k.both({"axes": axes}, {"x": k.x(dtype, shape, zp, kind=kind)}, to)
    k.add({"axes": [0]}, {"x": k.x("bool", (9, 2))})
    same = Tensor("i8", [2, 3], [127] * 6, 127, 127, 127)
    k.add({"axes": [1]}, {"x": same})
    k.done()
    k = Maker("reduce_mean")
    for j, (shape, axes, kind) in enumerate(REDUCED):
        for dtype, zp, m1, l, o in (
            ("i8", (-128, 127, 5)[j % 3], 2**30, 2, ("i8", (-128, 127, 5)[j % 3], -128, 127)),
            ("i8", -9, 2**31 - 1 - j, 8, ("i16", 0, -32768, 32000)),
            ("i16", 0, 2**29 + j, 0, ("i16", 0, -32768, 32767)),
            ("i16", 0, 2**24 + 77, 0, ("i8", 4, -100, 127)),
        ):
            output = dict(zip(("dtype", "zp", "lo", "hi"), o))
            k.add({"axes": axes, "m1": m1, "l": l, "output": output}, {"x": k.x(dtype, shape, zp, kind=kind)})
    k.done()
    for op in ("reduce_max", "reduce_min"):
        k = Maker(op)
        for j, (shape, axes, kind) in enumerate(REDUCED):
            for dtype in (ANY[j % 4], ANY[(j + 1) % 4]):
                k.add({"axes": axes}, {"x": k.x(dtype, shape, -7 if dtype == "i8" else 0, kind=kind)})
        k.add({"axes": [0]}, {"x": k.x("i32", (9,), 0, -(2**31), -(2**31) + 3)})
        k.done()


def argmin():
    k = Maker("argmin")
    for shape, dtype, lim, axis in (
        ((2, 3), "i8", (), 1),
        ((3, 2, 4), "i16", (-2, 2), 1),
        ((4, 2), "i8", (-1, 0), 0),
        ((5,), "i32", (), 0),
        ((2, 1), "i8", (), 1),
        ((0, 3), "i8", (), 1),
        ((1, 4), "i8", (127, 127), 1),
    ):
        for last in (False, True):
            x = k.x(dtype, shape, 0, *lim, kind="ends" if dtype == "i32" else "rnd")
            k.add({"axis": axis, "select_last": last}, {"x": x})
    k.done()


def moves():
    k = Maker("gather")
    for shape, axis, dtype, zp, ix in (
        ((2, 3, 4), 1, "i8", -7, (2,)),
        ((5, 2), 0, "i16", 0, (2, 3)),
        ((3, 4), 1, "i32", 0, ()),
        ((2, 3), 0, "bool", 0, (0,)),
        ((4,), 0, "i8", 3, (1, 2, 2)),
        ((2, 3, 17), 1, "i8", 0, (4,)),
    ):
        n = shape[axis]
        k.add({"axis": axis}, {"x": k.x(dtype, shape, zp), "indices": k.x("i32", ix, 0, 0, n - 1)})
        k.add({"axis": axis}, {"x": k.x(dtype, shape, zp), "indices": k.const("i32", ix, n // 2, n - 1)})
    k.done()
    k = Maker("expand")
    for shape, to, dtype, zp in (
        ((2, 1, 3), [2, 4, 3], "i8", 5),
        ((3,), [2, 2, 3], "i16", 0),
        ((), [3, 2], "i32", 0),
        ((1, 1), [3, 5], "bool", 0),
        ((2, 3), [2, 3], "i8", 0),
        ((1, 2), [0, 2], "i8", 0),
        ((2, 1), [1, 1, 2, 1], "i16", 0),
    ):
        k.add({"shape": to}, {"x": k.x(dtype, shape, zp)})
    k.done()
    k = Maker("tile")
    for shape, repeats, dtype, zp in (
        ((2, 3), [2, 1], "i8", 5),
        ((2, 1, 3), [1, 3, 2], "i16", 0),
        ((), [], "i32", 0),
        ((2, 2), [2, 0], "bool", 0),
        ((3,), [1], "i8", 0),
        ((0, 2), [3, 2], "i8", 0),
    ):
        k.add({"repeats": repeats}, {"x": k.x(dtype, shape, zp)})
    k.done()
    k = Maker("depth_to_space")
    for shape, b, dtype in (((2, 1, 2, 8), 2, "i8"), ((1, 2, 1, 9), 3, "i16"), ((1, 2, 2, 3), 1, "i32"), ((1, 1, 2, 4), 2, "bool"), ((0, 1, 1, 4), 2, "i8")):
        for mode in ("DCR", "CRD"):
            k.add({"block": b, "mode": mode}, {"x": k.x(dtype, shape, -3 if dtype == "i8" else 0)})
    k.done()
    k = Maker("space_to_depth")
    for shape, b, dtype in (((2, 2, 4, 3), 2, "i8"), ((1, 6, 3, 1), 3, "i16"), ((1, 2, 2, 3), 1, "i32"), ((1, 2, 2, 2), 2, "bool"), ((0, 2, 2, 1), 2, "i8")):
        k.add({"block": b}, {"x": k.x(dtype, shape, -3 if dtype == "i8" else 0)})
    k.done()


def sums():
    """Which of these moves keep the proved sum of |a| over the last axis."""
    k = Maker("row_sum_more")
    x = Tensor("i16", [2, 1, 4], k.ints(0, 9, 8), 0, 0, 32767, False, 32770)

    def run(op, attrs, **inputs):
        k.op = op
        k.add(attrs, {"x": x, **inputs})

    ix = k.x("i32", (2,), 0, 0, 0)
    for axis in (0, 1, 2):
        run("gather", {"axis": axis}, indices=ix)
    for shape in ([2, 3, 4], [5, 2, 1, 4]):
        run("expand", {"shape": shape})
    for repeats in ([2, 1, 1], [1, 1, 2], [1, 3, 1]):
        run("tile", {"repeats": repeats})
    run("reduce_max", {"axes": [0]})
    k.op = "row_sum_more"
    k.done()


AXES = (
    lambda i, o: [2 * i, i - o, 2 * o],
    lambda i, o: [i, 0, o],
    lambda i, o: [i - 1, 0, o - 1] if o > 1 else [0, 0, 1],
    lambda i, o: [-3, 7, 2],
    lambda i, o: [2, -(2**31) + 9, 2**31 - 1],
)


def resizes():
    for op in ("resize_nearest", "resize_bilinear"):
        k = Maker(op)
        for j, (shape, to, zp) in enumerate(
            (((1, 2, 3, 2), [4, 5], -128), ((2, 3, 1, 1), [2, 3], 127), ((1, 4, 4, 3), [2, 2], 5), ((1, 1, 5, 9), [1, 7], 0), ((0, 2, 2, 1), [3, 3], 0))
        ):
            for t in range(2):
                f, g = AXES[(j + t) % 5], AXES[(j + 3 * t) % 5]
                a = {"axis_y": f(shape[1], to[0]), "axis_x": g(shape[2], to[1]), "out": to}
                for dtype in ("i8", "i16") if op == "resize_bilinear" else (ANY[(j + t) % 4],):
                    x = k.x(dtype, shape, zp if dtype == "i8" else 0, kind="ends" if j == 1 else "rnd")
                    if op == "resize_nearest":
                        k.add(a, {"x": x})
                        continue
                    one = 2**12 if dtype == "i8" else 2**17  # the real scale is kept
                    for m, out, oz in ((one, dtype, x.zp), (one // 100 if dtype == "i16" else one * 97, "i16" if dtype == "i8" else "i8", 0)):
                        lo, hi = typed.RANGE[out]
                        s = {"m": [m], "l": 0, "dtype": out, "zp": oz, "lo": lo + t, "hi": hi - 3 * t}
                        k.add({**a, "stage": s}, {"x": x})
        k.done()


ALL = (mul, extrema, compare, logical, where, reductions, argmin, moves, sums, resizes)
