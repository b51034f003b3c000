"""Whole nodes on typed tensors: ops/tensor_<op>.json, {op, attrs, inputs, expected: [outputs]}.

Attributes are as in the model file; an absent `stage` means the raw i32 accumulator. Every case is drawn from a source
seeded by the op's name, so a new op leaves the other files as they are.
"""

import typed
import vec_typed_rows as V
from common import TAB
from maker import Maker
from typed import Tensor

TO_I8, TO_I8_PER, TO_I16 = ("i8", -7, None, None, False), ("i8", 127, None, None, True), ("i16", 0, None, None, True)
RELU, RELU6 = ("i8", -128, -128, 127, True), ("i8", -100, -100, 19, True)


def conv2d():
    k = Maker("conv2d")
    geo = lambda s=(1, 1), p=(0, 0, 0, 0), d=(1, 1), g=1: {
        "strides": list(s),
        "pads": list(p),
        "dilations": list(d),
        "groups": g,
    }
    for shape, o, kh, kw, a, dtype, zp, kind, stages in (
        ((2, 4, 4, 3), 4, 3, 3, geo(p=(1, 1, 1, 1)), "i8", -128, "rnd", (TO_I8, RELU)),
        ((2, 5, 4, 2), 3, 3, 2, geo(s=(2, 1), p=(0, 1, 2, 0)), "i8", 127, "ends", (TO_I8_PER, TO_I16)),
        ((1, 4, 5, 4), 4, 3, 3, geo(p=(1, 1, 1, 1), g=4), "i8", 5, "rnd", (TO_I8_PER, RELU6)),
        ((1, 5, 5, 18), 18, 3, 3, geo(s=(2, 2), p=(0, 0, 1, 1), g=18), "i8", -3, "rnd", (TO_I8_PER,)),
        ((1, 3, 3, 2), 6, 2, 2, geo(g=2), "i8", 0, "lo", (TO_I8,)),
        ((1, 7, 6, 4), 2, 3, 2, geo(p=(2, 0, 1, 3), d=(2, 3), g=2), "i8", -128, "rnd", (TO_I16,)),
        ((2, 3, 3, 2), 2, 2, 2, geo(p=(1, 0, 0, 1)), "i16", 0, "ends", (TO_I8_PER, TO_I16)),
        ((1, 1, 6, 3), 5, 1, 3, geo(s=(1, 2), p=(0, 2, 0, 1)), "i8", 17, "rnd", (TO_I8,)),
        ((1, 2, 2, 8), 9, 1, 1, geo(), "i8", -128, "hi", (RELU,)),
        ((1, 1, 1, 1), 1, 5, 5, geo(p=(2, 2, 2, 2)), "i8", 127, "lo", (TO_I8,)),
        ((0, 3, 3, 2), 2, 2, 2, geo(), "i8", 0, "rnd", (TO_I8,)),
        ((1, 4, 4, 1), 1, 2, 2, geo(s=(3, 3), p=(0, 0, 1, 1)), "i16", 0, "rnd", (TO_I16,)),
    ):
        wkind = "ends" if kind == "ends" else "rnd"
        w = k.const("i8", (o, kh, kw, shape[3] // a["groups"]), kind=wkind)
        b = k.const("i32", (o,), -(2**14), 2**14)
        k.both(a, {"x": k.x(dtype, shape, zp, kind=kind), "w": w, "b": b}, *stages)
    few = {
        "x": k.x("i8", (1, 3, 3, 2), -1, -2, 0),
        "w": k.const("i8", (2, 2, 2, 2), -1, 1),
        "b": k.const("i32", (2,), -1, 1),
    }
    k.both(geo(), few, TO_I8_PER, TO_I16)  # few levels: a large l
    narrow = k.x("i8", (1, 3, 3, 2), -4, -4, 100)  # an interval below the dtype's
    w = k.const("i8", (2, 3, 3, 2))
    w.data[:18] = [0] * 18  # an all-zero row, a row of -128
    w.data[18:] = [-128] * 18
    b = Tensor("i32", [2], [2**30 - 1, -(2**30) + 1], const=True)
    k.both(geo(p=(1, 1, 1, 1)), {"x": narrow, "w": w, "b": b}, ("i16", 0, -5, 30000, True))
    k.done()


def dense():
    k = Maker("dense")
    for shape, o, dtype, zp, kind, stages in (
        ((2, 7), 5, "i8", -128, "rnd", (TO_I8, RELU)),
        ((2, 1, 3, 9), 4, "i8", 127, "ends", (TO_I8_PER, TO_I16)),
        ((5,), 3, "i16", 0, "ends", (TO_I16,)),
        ((1, 1), 1, "i8", 3, "lo", (TO_I8,)),
        ((2, 0), 3, "i8", 3, "rnd", (TO_I8,)),
        ((0, 4), 3, "i8", 3, "rnd", (TO_I8,)),
        ((1, 33), 17, "i8", -9, "rnd", (RELU6,)),
    ):
        w = k.const("i8", (o, shape[-1]), kind="ends" if kind == "ends" else "rnd")
        inputs = {"x": k.x(dtype, shape, zp, kind=kind), "w": w, "b": k.const("i32", (o,), -(2**12), 2**12)}
        k.both({"block": 0}, inputs, *stages)
    few = {"x": k.x("i8", (2, 3), -1, -2, 0), "w": k.const("i8", (3, 3), -1, 1), "b": k.const("i32", (3,), 0, 0)}
    k.both({"block": 0}, few, TO_I8_PER, TO_I16)
    for shape, o, block, dtype, zp, kind, stages in (
        ((2, 32), 3, 16, "i8", -128, "rnd", (TO_I8_PER,)),
        ((2, 2, 33), 3, 16, "i8", 127, "ends", (TO_I8, TO_I16)),
        ((1, 65), 2, 64, "i16", 0, "rnd", (TO_I16,)),
        ((3, 5), 3, 32, "i8", 4, "lo", (RELU,)),
        ((1, 257), 2, 256, "i8", 0, "rnd", (TO_I8,)),
        ((1, 129), 2, 128, "i8", -1, "rnd", (TO_I8,)),
    ):
        blocks = -(-shape[-1] // block)
        lim = (-8192, 8191) if dtype == "i16" else ()
        inputs = {"x": k.x(dtype, shape, zp, *lim, kind=kind), "w": k.const("i4", (o, shape[-1]))}
        inputs |= {"b": k.const("i32", (o,), -(2**12), 2**12), "u": k.const("i8", (o, blocks), -127, 127, zp=-128)}
        inputs["u"].data[0] = 127
        k.both({"block": block}, inputs, *stages)
    k.done()


def matmul():
    k = Maker("matmul")
    for sa, sb, tb, da, db, kind, stages in (
        ((2, 3), (3, 4), False, "i8", "i8", "rnd", (TO_I8,)),
        ((2, 1, 3, 5), (4, 2, 5), True, "i16", "i8", "rnd", (("i16", 0, None, None, False),)),
        ((3, 2, 4), (1, 4, 2), False, "i8", "i16", "ends", (TO_I8,)),
        ((2, 2), (3, 2, 5), False, "i8", "i8", "lo", (("i8", 127, -50, 127, False),)),
        ((1, 1), (1, 1), True, "i16", "i16", "lo", (("i16", 0, None, None, False),)),
        ((2, 0), (0, 3), False, "i8", "i8", "rnd", (("i8", 5, None, None, False),)),
        ((0, 2, 3), (3, 2), False, "i8", "i8", "rnd", ()),
        ((2, 1, 2, 3), (1, 3, 2, 3), True, "i8", "i8", "ends", (TO_I8,)),
    ):
        narrow = {"lo": -16384, "hi": 16383} if (da, db) == ("i16", "i16") else {}
        a, b = k.x(da, sa, kind=kind, **narrow), k.x(db, sb, kind=kind, **narrow)
        k.both({"tb": tb}, {"a": a, "b": b}, *stages)
    k.both({"tb": False}, {"a": k.x("i16", (3, 2), 0, -1, 1), "b": k.x("i8", (2, 2), 0, 0, 2)}, TO_I8)
    const = k.const("i8", (4, 3))
    k.both({"tb": True}, {"a": k.x("i8", (2, 3)), "b": const}, TO_I8)
    k.done()


def linear2():
    k = Maker("linear2")
    out = lambda dtype, zp=0, lo=None, hi=None: {
        "dtype": dtype,
        "zp": zp,
        "lo": typed.RANGE[dtype][0] if lo is None else lo,
        "hi": typed.RANGE[dtype][1] if hi is None else hi,
    }
    for sa, sb, da, db, za, zb, ma, mb, s, o, kind in (
        ((2, 3), (2, 3), "i8", "i8", -128, 127, 16384, 12345, 14, out("i8", 3), "rnd"),
        ((2, 3), (2, 3), "i8", "i8", -128, 127, 32767, -32767, 15, out("i8", -9, -9, 40), "ends"),
        ((2, 1, 3), (4, 1), "i8", "i16", 5, 0, 255, 1, 8, out("i16"), "ends"),
        ((3,), (), "i16", "i16", 0, 0, 1, 1, 0, out("i16"), "ends"),
        ((2, 2), (2,), "i16", "i8", 0, -128, 3, -5, 2, out("i8", 127), "rnd"),
        ((1, 4), (3, 1), "i8", "i8", 0, 0, 1, -1, 0, out("i32"), "rnd"),
        ((0, 2), (1, 2), "i8", "i8", 0, 0, 1, 1, 1, out("i8"), "rnd"),
        ((4,), (4,), "i16", "i16", 0, 0, 32767, 1, 15, out("i16"), "lo"),
        ((2, 4), (2, 4), "i8", "i8", 10, 10, 1, 1, 1, out("i8", -128, -128, 127), "rnd"),
    ):
        k.add(
            {"ma": ma, "mb": mb, "s": s, "output": o},
            {"a": k.x(da, sa, za, kind=kind), "b": k.x(db, sb, zb, kind=kind)},
        )
    for shape, dtype, za, ma, s, o, kind in (
        ((5,), "i8", -10, -1, 0, out("i8", 9), "rnd"),
        ((2, 2), "i16", 0, -1, 0, out("i16"), "lo"),
        ((2, 3), "i8", 127, 32767, 15, out("i8", 0, -20, 20), "ends"),
        ((), "i16", 0, 3, 1, out("i16"), "rnd"),
    ):
        k.add({"ma": ma, "mb": 0, "s": s, "output": o}, {"a": k.x(dtype, shape, za, kind=kind)})
    wide = k.x("i32", (4,), 0, -(2**30) + 3, 2**30 - 3, kind="ends")  # i32 in, i32 out
    k.add({"ma": 1, "mb": 0, "s": 1, "output": out("i32")}, {"a": wide})
    k.add(
        {"ma": 1, "mb": 1, "s": 0, "output": out("i16")},
        {"a": k.x("i32", (3,), 0, -(2**20), 2**20), "b": k.x("i8", (3,), 7)},
    )
    k.done()


def rescale():
    k = Maker("rescale")
    st = lambda m, l, dtype, zp, lo=None, hi=None: {
        "stage": {
            "m": m,
            "l": l,
            "dtype": dtype,
            "zp": zp,
            "lo": typed.RANGE[dtype][0] if lo is None else lo,
            "hi": typed.RANGE[dtype][1] if hi is None else hi,
        }
    }
    for shape, dtype, zp, lim, a, kind in (
        ((2, 3), "i8", -7, (), st([2**30 + 5, 2**31 - 1, 3], 1, "i8", 4), "ends"),
        ((2, 3), "i8", -128, (), st([2**30], 2, "i16", 0), "ends"),
        ((2, 2, 2), "i16", 0, (), st([2**23, 0], 0, "i8", -128), "ends"),
        ((4,), "i32", 0, (-(2**31) + 1, 2**31 - 1), st([2**31 - 1], 0, "i16", 0), "ends"),
        ((3, 2), "i32", 0, (-127, 127), st([2**31 - 1, 2**30], 24, "i16", 0, -300, 32767), "ends"),
        ((2, 2), "i8", 127, (), st([2**30 + 1], 2, "i8", 127, 0, 127), "rnd"),
        ((0, 3), "i8", 0, (), st([2**30], 0, "i8", 0), "rnd"),
        ((2, 5), "i32", 0, (-(2**20), 2**20), st([2**19 + v for v in range(5)], 0, "i8", 1), "rnd"),
    ):
        k.add(a, {"x": k.x(dtype, shape, zp, *lim, kind=kind)})
    k.done()


def luts():
    k = Maker("lut8")
    for shape, lim, dtype, zp in (
        ((2, 3), (), "i8", -119),
        ((7,), (-128, 127), "i16", 0),
        ((), (-3, 9), "i8", 5),
        ((0,), (), "i8", 0),
    ):
        data = TAB["silu_i8"] if zp == -119 else k.ints(*typed.RANGE[dtype], 256)
        k.add(
            {"zp": zp},
            {
                "x": k.x("i8", shape, 11, *lim, kind="ends" if lim else "rnd"),
                "table": Tensor(dtype, [256], data, const=True),
            },
        )
    every = Tensor("i8", [256], list(range(-128, 128)), 0, -128, 127)
    k.add({"zp": 0}, {"x": every, "table": k.const("i8", (256,))})
    k.done()
    k = Maker("lut16")
    for name, s, o, shape, lim in (
        ("sigmoid_q12_q15", 7, ("i16", 0, -32768, 32767), (3, 5), ()),
        ("gelu_i16", 7, ("i16", 0, -100, 30000), (2, 2, 3), (-9000, 9000)),
        ("gelu_to_i8_s13", 13, ("i8", -120, -128, 127), (9,), (-4000, 4000)),
        ("steps", 7, ("i16", 0, -32768, 32767), (16,), (32600, 32767)),
        ("steps", 22, ("i8", 127, -128, 127), (16,), (-32768, -32513)),
        ("saw", 15, ("i8", -128, -128, 127), (4,), (0, 0)),
    ):
        table = Tensor("i16", [513], TAB[name], const=True)
        output = dict(zip(("dtype", "zp", "lo", "hi"), o))
        k.add({"s": s, "output": output}, {"x": k.x("i16", shape, 0, *lim), "table": table})
    k.done()


ALL = (conv2d, dense, matmul, linear2, rescale, luts) + V.ALL
