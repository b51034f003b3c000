"""Typed vectors of quotients, norms, lines, transposed convolution and rotations."""

from maker import Maker
from typed import RANGE, Tensor


def output(dtype, zp=0, lo=None, hi=None):
    return {"dtype": dtype, "zp": zp, "lo": RANGE[dtype][0] if lo is None else lo, "hi": RANGE[dtype][1] if hi is None else hi}


def div():
    k = Maker("div")
    for sa, sb, da, db, za, zb, kind, p, q, o in (
        ((2, 9), (2, 9), "i8", "i8", -128, 127, "rnd", 1, 1, ("i8", 3)),
        ((2, 1, 3), (4, 1), "i8", "i16", 5, 0, "ends", 65535, 2, ("i16",)),
        ((17,), (17,), "i16", "i16", 0, 0, "ends", 1, 65535, ("i16", 0, -300, 32000)),
        ((3,), (), "i16", "i8", 0, -7, "lo", 65535, 65534, ("i8", -128, -128, 100)),
        ((0, 2), (1, 2), "i8", "i16", 0, 0, "rnd", 3, 5, ("i8",)),
        ((), (1, 19), "i16", "i16", 0, 0, "rnd", 9, 1, ("i16", 0, 5, 6)),
    ):
        a, b = k.x(da, sa, za, kind=kind), k.x(db, sb, zb, kind=kind)
        k.add({"p": p, "q": q, "output": output(*o)}, {"a": a, "b": b})
    # by 0 and by 1 on both sides of 0, quotients at ties of both signs, and 0/0 where the zero point is outside the limits
    n, d = Tensor("i8", [9], [-128, 127, 0, -1, 1, -3, 3, -5, 5], 0), Tensor("i8", [5, 1], [0, -1, 1, -2, 2], 0)
    for o in (("i8",), ("i16", 0, -5, 100), ("i8", 9, 20, 30), ("i8", 9, -30, -20)):
        k.add({"p": 1, "q": 1, "output": output(*o)}, {"a": n, "b": d})
    k.add({"p": 2, "q": 1, "output": output("i8")}, {"a": k.const("i16", (3,), -5, 5), "b": k.x("i8", (2, 3), 0, -1, 1)})
    k.done()


def cumsum():
    k = Maker("cumsum")
    for shape, axis, dtype, zp, lim, kind in (
        ((5,), 0, "i8", -128, (), "rnd"),
        ((2, 3, 4), 1, "i8", 127, (), "ends"),
        ((3, 17), 1, "i16", 0, (), "lo"),
        ((17, 9), 0, "i16", 0, (), "rnd"),
        ((2, 1, 3), 1, "i32", 0, (-(2**29), 2**29), "ends"),
        ((4, 2), 0, "i32", 0, (3, 2**29 - 1), "hi"),
        ((0, 3), 1, "i8", 5, (), "rnd"),
        ((3, 0), 1, "i8", 5, (), "rnd"),
        ((2, 8, 2), 1, "i8", 9, (-9, 5), "rnd"),
    ):
        x = k.x(dtype, shape, zp, *lim, kind=kind)
        for exclusive in (False, True):
            for reverse in (False, True):
                k.add({"axis": axis, "exclusive": exclusive, "reverse": reverse}, {"x": x})
    k.done()


def log_softmax():
    k = Maker("log_softmax")
    for shape, dtype, zp, lim, l, m, to, m2, l2, kind in (
        ((2, 5), "i8", -3, (), 11, 1640000000, ("i16",), 1488522236 >> 6, 0, "rnd"),
        ((2, 5), "i8", 0, (-20, 30), 10, 1640000000, ("i8", 127), 2**22, 0, "ends"),
        ((3, 7), "i16", 0, (), 14, 2**30 + 1, ("i16",), 2**20, 0, "rnd"),
        ((1, 70), "i16", 0, (-3000, 3000), 9, 2**30 + 9, ("i16", 0, -20000, -5), 2**19 + 77, 0, "rnd"),
        ((2, 2, 1), "i8", 9, (), 14, 2**30, ("i8", 5), 2**30, 0, "rnd"),
        ((4, 9), "i8", 0, (), 0, 1, ("i16",), 2**30, 1, "ends"),
        ((0, 3), "i8", 0, (), 15, 2**30, ("i16",), 2**20, 0, "rnd"),
        ((2, 16), "i16", 0, (7, 7), 16, 2**31 - 1, ("i8", 100), 2**30, 9, "rnd"),
    ):
        s = {"m": [m2], "l": l2, **output(*to)}
        k.add({"l": l, "m": m, "stage": s}, {"x": k.x(dtype, shape, zp, *lim, kind=kind)})
    k.done()


def norms():
    for op in ("rms_norm", "group_norm"):
        k = Maker(op)
        for shape, groups, dtype, zp, eps, g, out, kind, big in (
            ((2, 1, 1, 6), 2, "i8", -37, 1, 6, ("i8", 4), "rnd", False),
            ((2, 2, 3, 4), 4, "i8", 127, 2**33 + 1, 16, ("i16",), "ends", True),
            ((1, 3, 2, 18), 1, "i16", 0, 7, 6, ("i16", 0, -300, 32767), "rnd", False),
            ((3, 1, 1, 1), 1, "i16", 0, 1, 0, ("i8", -128), "rnd", False),
            ((1, 2, 2, 20), 5, "i16", 0, 2**48 - 1, 16, ("i16",), "ends", True),
            ((1, 1, 5, 17), 17, "i8", -128, 1, 6, ("i8",), "lo", False),
            ((1, 2, 1, 24), 3, "i16", 0, 1, 6, ("i8",), "hi", False),
            ((0, 1, 1, 4), 2, "i8", 0, 1, 6, ("i8",), "rnd", False),
            ((1, 2, 2, 33), 11, "i8", 5, 12345, 3, ("i16",), "rnd", False),
        ):
            n, top = shape[-1], 2**31 - 1 if big else 2**20 if out[0] == "i8" else 2**27
            end = 2**30 - 1 if big else 2**13
            gamma, beta = k.const("i32", (n,), -top, top), k.const("i32", (n,), -end, end, kind="ends" if big else "rnd")
            a = {"eps": eps, "g": g, "output": output(*out)} | ({"groups": groups} if op == "group_norm" else {})
            k.add(a, {"x": k.x(dtype, shape, zp, kind=kind), "gamma": gamma, "beta": beta})
        k.done()


def conv_transpose2d():
    k = Maker("conv_transpose2d")
    for xs, ws, strides, pads, dil, g, outpad, dtype, zp, kind in (
        ((2, 2, 3, 2), (3, 2, 2, 2), (2, 2), (0, 0, 0, 0), (1, 1), 1, (0, 0), "i8", -128, "rnd"),
        ((1, 3, 2, 4), (4, 3, 3, 4), (2, 2), (1, 1, 1, 1), (1, 1), 1, (1, 1), "i8", 5, "ends"),
        ((1, 2, 2, 4), (6, 3, 2, 2), (3, 1), (0, 1, 2, 0), (1, 2), 2, (2, 1), "i16", 0, "rnd"),
        ((1, 3, 3, 9), (9, 3, 3, 1), (2, 1), (1, 1, 0, 1), (1, 1), 9, (0, 0), "i8", 127, "rnd"),
        ((1, 4, 1, 1), (2, 1, 1, 1), (3, 2), (0, 0, 0, 0), (1, 1), 1, (2, 1), "i8", 0, "lo"),
        ((1, 2, 3, 8), (8, 2, 3, 8), (1, 1), (1, 0, 0, 2), (2, 3), 1, (0, 0), "i8", 0, "hi"),
        ((1, 3, 4, 2), (3, 2, 4, 2), (2, 3), (0, 1, 1, 0), (3, 2), 1, (2, 0), "i16", 0, "ends"),
        ((0, 2, 2, 1), (1, 2, 2, 1), (2, 2), (0, 0, 0, 0), (1, 1), 1, (0, 0), "i8", 0, "rnd"),
        ((1, 1, 1, 2), (17, 5, 5, 2), (9, 9), (0, 0, 0, 0), (1, 1), 1, (8, 0), "i8", -3, "rnd"),
    ):
        lim = (-3000, 2999) if dtype == "i16" else ()
        inputs = {"x": k.x(dtype, xs, zp, *lim, kind=kind), "w": k.const("i8", ws), "b": k.const("i32", ws[:1], -3000, 3000)}
        a = {"strides": strides, "pads": pads, "dilations": dil, "output_padding": outpad}
        a = {key: list(v) for key, v in a.items()} | {"groups": g}
        k.both(a, inputs, ("i8", -5, None, None, True), ("i16", 0, -30000, 20000, False))
    k.done()


def topk():
    k = Maker("topk")
    for shape, axis, n, dtype, zp, lim, kind in (
        ((5,), 0, 1, "i8", -7, (), "rnd"),
        ((2, 9), 1, 9, "i8", 0, (-2, 2), "rnd"),
        ((3, 4, 2), 1, 3, "i16", 0, (), "ends"),
        ((6, 3), 0, 4, "i32", 0, (), "ends"),
        ((2, 70), 1, 5, "i16", 0, (-9, 9), "rnd"),
        ((1, 1), 0, 1, "i32", 0, (), "lo"),
        ((0, 3), 1, 2, "i8", 5, (), "rnd"),
        ((2, 0, 3), 2, 1, "i8", 5, (), "rnd"),
        ((4, 17), 1, 16, "i8", 127, (), "hi"),
    ):
        x = k.x(dtype, shape, zp, *lim, kind=kind)
        for smallest in (False, True):
            k.add({"axis": axis, "k": n, "smallest": smallest}, {"x": x})
    k.done()


def sample():
    k = Maker("sample")
    for shape, dtype, lim, n, p16, l, m, kind in (
        ((3, 9), "i8", (), 0, 65536, 13, 1640000000, "rnd"),
        ((3, 9), "i8", (), 4, 40000, 13, 1640000000, "rnd"),
        ((2, 2, 33), "i16", (), 0, 65536, 5, 2**30 + 1, "rnd"),
        ((2, 2, 33), "i16", (-9, 9), 33, 65535, 9, 2**30 + 1, "rnd"),
        ((4, 1), "i8", (), 1, 1, 24, 2**30, "ends"),
        ((5,), "i16", (), 2, 65536, 0, 1, "ends"),
        ((0, 3), "i8", (), 0, 65536, 15, 2**30, "rnd"),
        ((1, 300), "i8", (-3, 3), 50, 60000, 14, 2**30 + 99, "rnd"),
    ):
        for seed, step in (([1, 2], 0), ([-1, 2**31 - 1], -5)):
            words = {"seed": Tensor("i32", [2], seed, 0), "step": Tensor("i32", [1], [step], 0)}
            k.add({"l": l, "m": m, "k": n, "p16": p16}, {"x": k.x(dtype, shape, 0, *lim, kind=kind), **words})
    k.done()


def rope():
    k = Maker("rope")
    for shape, pairs, dtype, lim, m, l, to, kind in (
        ((3, 4), 2, "i8", (), 2**18, 0, ("i16",), "rnd"),
        ((2, 3, 6), 2, "i8", (-127, 127), 2**30, 1, ("i8", 9), "ends"),
        ((2, 2, 3, 34), 17, "i16", (), 2**30 + 1, 1, ("i16",), "rnd"),
        ((5, 9), 1, "i16", (), 2**17, 0, ("i8", -128, -100, 90), "ends"),
        ((1, 16), 8, "i16", (-9, 5), 2**31 - 1, 10, ("i16", 0, -30000, 9), "rnd"),
        ((0, 3, 4), 2, "i8", (), 2**18, 0, ("i16",), "rnd"),
        ((2, 0, 4), 1, "i8", (), 2**18, 0, ("i16",), "rnd"),
    ):
        for mixed, first in ((False, 0), (True, -7), (False, None), (True, None)):
            s = {"m": [m], "l": l, **output(*to)}
            steps = k.ints(-(2**31), 2**31 - 1, pairs)
            a = {"step": steps, "interleaved": mixed, "position": first or 0, "stage": s}
            at = None if first is not None else Tensor("i32", [1], [k.R.randint(-(2**31), 2**31 - 1)], 0)
            k.add(a, {"x": k.x(dtype, shape, 0, *lim, kind=kind), "position": at})
    k.done()


ALL = (div, cumsum, log_softmax, norms, conv_transpose2d, topk, sample, rope)
