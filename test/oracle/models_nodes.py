"""Golden models of linear ops, elementwise ops, pools, rows and cells with static shapes."""

from common import TAB
from models_kit import Q8, Q15, Kit, expected, out

CONV = {"strides": [1, 1], "pads": [0, 0, 0, 0], "dilations": [1, 1], "groups": 1}


def conv(name, dtype, xs, ws, zp=0, lo=None, hi=None, stages=(), **attrs):
    """One conv2d per stage over shared operands; None is raw."""
    k = Kit(name)
    x = k.x(dtype, xs, zp, lo, hi)
    w, b = k.fill("i8", ws), k.fill("i32", [ws[0]], -3000, 3000)
    for s in stages:
        a = {**CONV, **attrs}
        k.out(k.op("conv2d", x, w, b, **a) if s is None else k.staged("conv2d", x, w, b, **a, **s))
    return expected(k)


def convolutions():
    yield conv(
        "conv2d 3x3, padded, per channel",
        "i8",
        [1, 5, 4, 3],
        [9, 3, 3, 3],
        7,
        stages=(None, {"per": 9, "zp": -4}),
        pads=[1, 1, 1, 1],
    )
    yield conv("conv2d 1x1, one channel in and out", "i8", [2, 3, 3, 4], [1, 1, 1, 4], stages=(None, {"to": "i16"}))
    yield conv(
        "conv2d of i16",
        "i16",
        [1, 4, 4, 2],
        [8, 2, 2, 2],
        lo=-3000,
        hi=2999,
        stages=(None, {"to": "i16", "per": 8}, {"hi": 0}),
    )
    yield conv(
        "conv2d in groups, dilated",
        "i8",
        [1, 5, 6, 6],
        [4, 2, 2, 3],
        -128,
        stages=(None, {"zp": 5, "lo": -100}),
        groups=2,
        dilations=[2, 3],
    )
    yield conv(
        "conv2d strided, uneven padding",
        "i8",
        [1, 6, 5, 1],
        [2, 3, 2, 1],
        127,
        0,
        100,
        (None, {"per": 2}),
        strides=[2, 3],
        pads=[2, 0, 1, 1],
    )
    yield conv(
        "conv2d with two outputs a channel", "i8", [1, 3, 3, 3], [6, 2, 2, 1], 3, stages=(None, {"per": 6}), groups=3
    )
    yield conv(
        "conv2d in one dimension",
        "i8",
        [2, 1, 9, 2],
        [3, 1, 3, 2],
        stages=(None, {}),
        strides=[1, 2],
        pads=[0, 1, 0, 1],
    )
    yield conv("conv2d of no channels", "i8", [1, 2, 2, 0], [3, 1, 1, 0], 5, stages=(None, {"to": "i16"}))
    yield conv("conv2d of no images", "i8", [0, 3, 3, 2], [2, 2, 2, 2], stages=(None, {}))
    for c in (15, 16, 17):
        yield conv(
            f"conv2d depthwise over {c} channels",
            "i8",
            [1, 4, 4, c],
            [c, 3, 3, 1],
            -9,
            stages=(None, {"per": c, "zp": 1}),
            groups=c,
            pads=[1, 0, 1, 2],
        )
    yield conv(
        "conv2d depthwise of i16, dilated and strided",
        "i16",
        [1, 7, 6, 3],
        [3, 2, 3, 1],
        lo=-2000,
        hi=2000,
        stages=(None, {"to": "i16"}),
        groups=3,
        strides=[2, 1],
        dilations=[2, 2],
    )
    yield conv("conv2d of one channel in one group is depthwise", "i8", [1, 3, 3, 1], [1, 2, 2, 1], stages=(None, {}))


def denses():
    k = Kit("dense at the edges of the charged extents")
    for n in (3, 4, 5):
        x = k.x("i8", [2, n], -5)
        for o in (1, 8, 9):
            w, b = k.fill("i8", [o, n]), k.fill("i32", [o], -900, 900)
            k.out(k.op("dense", x, w, b, stage=None) if o == 8 else k.staged("dense", x, w, b, per=o))
    yield expected(k)
    k = Kit("dense of i16")
    x, w = k.x("i16", [2, 2, 6], lo=-4000, hi=4095), k.fill("i8", [3, 6])
    b = k.fill("i32", [3], -(2**30) + 1, 2**30 - 1)
    k.out(
        k.op("dense", x, w, b), k.staged("dense", x, w, b, to="i16", per=3), k.staged("dense", x, w, b, to="i8", zp=100)
    )
    yield expected(k)
    for dtype in ("i8", "i16"):
        k = Kit(f"dense of {dtype} with i4 weights")
        for block, n, o in ((16, 17, 3), (16, 16, 1), (32, 45, 2), (64, 3, 3), (128, 129, 1), (256, 260, 1)):
            x = k.x(dtype, [2, n], -3 if dtype == "i8" else 0, -7, 9)
            u = k.fill("i8", [o, -(-n // block)], -127, 127, zp=-128)
            w, b = k.fill("i4", [o, n]), k.fill("i32", [o], -900, 900)
            k.out(
                k.op("dense", x, w, b, u, block=block),
                k.staged("dense", x, w, b, u, block=block, per=o if o > 1 else 0),
            )
        yield expected(k, kinds=("lo", "ends", "random"))
    k = Kit("dense without terms, without rows, of a vector")
    for shape, n in (([2, 0], 0), ([0, 3], 3), ([3], 3)):
        x = k.x("i8", shape, 4)
        k.out(k.op("dense", x, k.fill("i8", [2, n]), k.fill("i32", [2], -50, 50)))
        if n == 0:
            u = k.const("i8", [2, 0], [], -128)
            k.out(k.op("dense", x, k.const("i4", [2, 0], []), k.fill("i32", [2], -50, 50), u, block=16))
    yield expected(k)


def matmuls():
    pairs = (("i8", "i8"), ("i8", "i16"), ("i16", "i8"), ("i16", "i16"))
    for da, db in pairs:
        k = Kit(f"matmul of {da} and {db}")
        for i, (m, n, kk) in enumerate(((1, 1, 3), (2, 8, 4), (3, 9, 5))):
            lim = {"lo": -500, "hi": 400}
            a = k.x(da, [m, kk], **(lim if da == "i16" else {}))
            b = k.x(db, [n, kk] if i == 1 else [kk, n], **(lim if db == "i16" else {}))
            tb = {"tb": True} if i == 1 else {}
            k.out(k.op("matmul", a, b, **tb), k.staged("matmul", a, b, **tb, to=("i8", "i16")[i % 2], spread=9))
        yield expected(k)
    k = Kit("matmul in batches that broadcast")
    a, b, c = k.x("i8", [2, 1, 2, 3]), k.x("i8", [3, 3, 2]), k.x("i8", [3, 4])
    k.out(
        k.op("matmul", a, b),
        k.staged("matmul", b, k.x("i8", [2, 5]), to="i8"),
        k.op("matmul", k.x("i8", [2, 0]), k.x("i8", [0, 3])),
    )
    k.out(k.op("matmul", k.x("i8", [0, 2, 3]), c))
    yield expected(k)
    k = Kit("matmul behind a softmax: the row sum is the proof")
    x, v = k.x("i8", [2, 3, 6]), k.x("i16", [2, 6, 2], lo=-32000, hi=32000)
    p = k.op("softmax", x, l=10, m=1640000000, output=Q15)
    q = k.op("slice", p, start=[0, 2, 0], step=[1, -1, 1], size=[2, 2, 6])
    t = k.op("transpose", p, perm=[1, 0, 2])
    r = k.op("reshape", k.op("concat", p, q, axis=1), shape=[1, 10, 6])
    k.out(
        k.staged("matmul", p, v, to="i16", spread=1),
        k.op("matmul", q, v),
        k.op("matmul", k.op("slice", t, start=[0, 0, 0], step=[1, 1, 1], size=[2, 2, 6]), v),
    )
    k.out(k.op("matmul", r, v))
    k.out(
        k.op(
            "matmul",
            k.op("reshape", p, shape=[3, 2, 6]),
            k.op("slice", v, start=[0, 0, 0], step=[1, 1, 1], size=[1, 6, 2]),
        )
    )
    yield expected(k)


def elementwise():
    k = Kit("linear2 over dtypes and broadcasts")
    a, b = k.x("i8", [2, 1, 3], -7), k.x("i8", [4, 1], 100)
    c, d = k.x("i16", [3]), k.x("i32", [2, 4, 3], lo=-(2**20), hi=2**20)
    k.out(
        k.op("linear2", a, b, ma=3, mb=-5, s=2, output=out("i8", 9)),
        k.op("linear2", a, c, ma=1, mb=1, s=0, output=out("i16")),
    )
    k.out(
        k.op("linear2", d, a, ma=-1, mb=32767, s=1, output=out("i32")),
        k.op("linear2", c, c, ma=32767, mb=-32767, s=0, output=out("i32")),
    )
    k.out(
        k.op("linear2", a, ma=-1, output=out("i8")),
        k.op("linear2", d, ma=1023, s=20, output=out("i8", -128, -128, 100)),
        k.op("linear2", d, s=30, output=out("i8", 1)),
    )
    k.out(k.op("linear2", k.x("i8", []), k.x("i8", [1, 0]), ma=2, mb=1, s=1, output=out("i16", 0, -20, 20)))
    yield expected(k)
    k = Kit("rescale over dtypes, per channel and for all")
    for dtype, shape, lim, zp, per, to in (
        ("i8", [2, 3], {}, -7, 3, "i8"),
        ("i16", [4], {}, 0, 0, "i8"),
        ("i32", [2, 5], {"lo": -(2**20), "hi": 2**20}, 0, 5, "i16"),
        ("i8", [], {}, 127, 0, "i16"),
        ("i32", [2], {"lo": -3, "hi": 3}, 0, 0, "i16"),
        ("i8", [3, 0], {}, 0, 0, "i8"),
    ):
        k.out(k.staged("rescale", k.x(dtype, shape, zp, **lim), to=to, per=per, zp=3 if to == "i8" else 0))
    k.out(k.op("rescale", k.x("i8", [2, 2]), stage={"l": 0, "m": [0], **out("i8", 5, 6, 7)}))
    yield expected(k)
    k = Kit("lut8 to both dtypes, over part of the range")
    x, y = k.x("i8", [2, 5], 11), k.x("i8", [3], 0, -3, 9)
    k.out(
        k.op("lut8", x, k.const("i8", [256], TAB["silu_i8"]), zp=-119),
        k.op("lut8", x, k.fill("i16", [256])),
        k.op("lut8", y, k.fill("i8", [256]), zp=4),
    )
    k.out(k.op("lut8", k.x("i8", [0], 0, 127, 127), k.fill("i8", [256])))
    yield expected(k)
    k = Kit("lut16 at several shifts, over part of the range")
    x = k.x("i16", [3, 5])
    k.out(
        k.op("lut16", x, k.table("sigmoid_q12_q15"), output=out("i16")),
        k.op("lut16", x, k.table("steps"), s=22, output=out("i8", 127)),
    )
    y = k.x("i16", [7], lo=-200, hi=127)
    k.out(
        k.op("lut16", y, k.table("gelu_to_i8_s13"), s=13, output=out("i8", -120, -128, 90)),
        k.op("lut16", k.x("i16", [4], lo=32640, hi=32767), k.table("saw"), s=15, output=out("i8", -128)),
    )
    yield expected(k)


WIN = {"strides": [1, 1], "dilations": [1, 1], "pads": [0, 0, 0, 0], "overhang": [0, 0]}


def pools():
    geometry = (
        ("2x2 by 2", [2, 4, 4, 3], {"kernel": [2, 2], "strides": [2, 2]}, "i8", -128),
        (
            "3x3 padded with an overhang, 17 channels",
            [1, 5, 6, 17],
            {"kernel": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1], "overhang": [0, 1]},
            "i8",
            12,
        ),
        ("16 channels", [1, 3, 3, 16], {"kernel": [2, 3]}, "i8", 0),
        (
            "15 channels, dilated, of i16",
            [1, 5, 5, 15],
            {"kernel": [2, 2], "dilations": [2, 3], "pads": [1, 2, 0, 1]},
            "i16",
            0,
        ),
        ("all of the image, larger than it", [1, 3, 3, 2], {"kernel": [5, 5], "pads": [2, 2, 2, 2]}, "i8", 127),
    )
    for name, shape, a, dtype, zp in geometry:
        k = Kit("pools, " + name)
        x, a = k.x(dtype, shape, zp), {**WIN, **a}
        k.out(k.op("max_pool2d", x, **a))
        k.out(k.op("avg_pool2d", x, **a, m1=2**30, l=2, output=out(dtype, zp)))
        k.out(k.op("avg_pool2d", x, **a, m1=2**31 - 3, l=1, include_pad=True, output=out("i8", -5, -100, 99)))
        k.out(k.op("avg_pool2d", x, **a, m1=2**29 + 1, output=out("i16")))
        yield expected(k)
    k = Kit("argmax, first and last of equals")
    for dtype, shape, axis, lim in (
        ("i8", [2, 3], 1, {"lo": -1, "hi": 1}),
        ("i16", [3, 2, 4], 1, {"lo": -2, "hi": 2}),
        ("i32", [4, 2], 0, {}),
        ("i8", [5], 0, {"lo": 7, "hi": 7}),
        ("i8", [0, 3], 1, {}),
    ):
        x = k.x(dtype, shape, **lim)
        k.out(k.op("argmax", x, axis=axis), k.op("argmax", x, axis=axis, select_last=True))
    yield expected(k)


def rows():
    odd = out("i8", 3, -20, 100)
    k = Kit("softmax over dtypes and outputs")
    for dtype, shape, lim, l, m, o, output in (
        ("i8", [2, 5], {}, 11, 1640000000, 15, Q15),
        ("i8", [3, 6], {"lo": -20, "hi": 30}, 10, 1640000000, 8, Q8),
        ("i16", [1, 70], {"lo": -3000, "hi": 3000}, 9, 2**30 + 9, 15, Q15),
        ("i32", [2, 3], {"lo": -(2**30), "hi": 2**30 - 1}, 0, 2**31 - 1, 15, Q15),
        ("i32", [2, 4], {"lo": -(2**31), "hi": -(2**31) + 90000}, 6, 2**30 + 3, 1, Q15),
        ("i8", [4, 1], {}, 24, 2**30, 7, odd),
        ("i8", [0, 3], {}, 0, 0, 15, Q15),
        ("i8", [6], {}, 0, 5, 14, Q15),
    ):
        k.out(k.op("softmax", k.x(dtype, shape, -3 if dtype == "i8" else 0, **lim), l=l, m=m, o=o, output=output))
    yield expected(k)
    k = Kit("softmax with masks and offsets")
    x = k.x("i8", [2, 3, 4], 9)
    a = {"l": 10, "m": 1200000000, "output": Q15}
    k.out(
        k.op("softmax", x, k.x("bool", [2, 1, 4]), **a),
        k.op("softmax", x, k.x("bool", [4]), **a, causal=True, offset=1),
    )
    k.out(k.op("softmax", x, None, k.x("i32", [1], lo=-3, hi=5), **a, causal=True))
    k.out(
        k.op(
            "softmax",
            x,
            k.const("bool", [3, 4], [1, 0, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0]),
            k.const("i32", [1], [2]),
            **{**a, "output": odd},
            causal=True,
        )
    )
    k.out(k.op("softmax", x, **a, causal=True, offset=-2), k.op("softmax", x, **a, causal=True))
    yield expected(k)
    k = Kit("layer_norm over dtypes and shifts")
    for dtype, zp, shape, eps, g, output, top in (
        ("i8", -37, [2, 5], 1, 6, out("i8", 4), 2**20),
        ("i8", 127, [2, 5], 2**33 + 1, 16, out("i16"), 2**31 - 1),
        ("i16", 0, [1, 2, 16], 7, 6, out("i16", 0, -300), 2**27),
        ("i16", 0, [3, 1], 2**48 - 1, 0, out("i8", -128), 2**20),
        ("i8", 0, [0, 4], 1, 3, out("i8"), 9),
    ):
        n = shape[-1]
        k.out(
            k.op(
                "layer_norm",
                k.x(dtype, shape, zp),
                k.fill("i32", [n], -top, top),
                k.fill("i32", [n], -(2**13), 2**13),
                eps=eps,
                g=g,
                output=output,
            )
        )
    yield expected(k)


def cells():
    for name, dtype, zp, t, n, d, h, qh, kc, per, extra in (
        ("i8, forward", "i8", -20, 3, 2, 3, 2, 7, 3, True, {}),
        ("i16, reversed, h of i16", "i16", 0, 3, 1, 2, 3, 15, 0, True, {"reverse": True}),
        (
            "limits of h, one multiplier",
            "i8",
            127,
            2,
            2,
            5,
            1,
            15,
            8,
            False,
            {"lo": -30000, "hi": 20000, "reverse": True},
        ),
        ("no steps", "i8", 0, 0, 1, 2, 2, 7, 3, False, {"lo": -100, "hi": 90}),
    ):
        k = Kit("lstm, " + name)
        lim = (-128, 127) if qh == 7 else (-32768, 32767)
        small = {"lo": -3000, "hi": 3000} if dtype == "i16" else {}
        x, h0, c0 = (
            k.x(dtype, [t, n, d], zp, **small),
            k.x("i8" if qh == 7 else "i16", [n, h], lo=-90, hi=100),
            k.x("i16", [n, h]),
        )
        wx, wh, b = k.fill("i8", [4 * h, d]), k.fill("i8", [4 * h, h]), k.fill("i32", [4 * h], -5000, 5000)
        top = 2**31 - 1 if qh == 7 else 2**27
        words = lambda: [top] + k.ints(2**20, top, 4 * h - 1) if per else [k.R.randint(top // 2 + 1, top)]
        a = {"mx": words(), "mh": words(), "lo": lim[0], "hi": lim[1], "kc": kc, "qh": qh, **extra}
        if qh == 7:
            a |= {"lx": 1, "lh": 2}
        tables = (
            k.table("sigmoid_q12_q15"),
            k.table("tanh_q12_q15"),
            k.table("tanh_c_kc0" if kc == 0 else "tanh_q12_q15"),
        )
        k.out(*k.op("lstm", x, wx, wh, b, h0, c0, *tables, **a))
        yield expected(k)


GROUPS = {"linear": (convolutions, denses, matmuls), "elements": (elementwise, pools, rows, cells)}
