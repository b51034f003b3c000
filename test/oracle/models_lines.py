"""Golden models of transposed convolutions, orders, draws and rotations, static and symbolic."""

from models_kit import Kit, expected, out
from sbm import sym

CONV = {"strides": [2, 2], "pads": [0, 0, 0, 0], "dilations": [1, 1], "groups": 1}


def transposed():
    k = Kit("conv_transpose2d, strided, padded, in groups")
    for dtype, zp, lim, xs, ws, more in (
        ("i8", -128, (), [2, 3, 2, 4], [5, 2, 2, 4], {}),
        ("i8", 9, (), [1, 3, 4, 8], [8, 4, 4, 8], {"pads": [1, 1, 1, 1]}),
        ("i8", 127, (), [1, 2, 3, 4], [6, 3, 3, 2], {"groups": 2, "output_padding": [1, 0], "pads": [1, 0, 1, 2]}),
        ("i8", 0, (), [1, 3, 2, 17], [17, 3, 3, 1], {"groups": 17}),
        ("i16", 0, (-900, 900), [1, 2, 2, 3], [9, 3, 2, 3], {"strides": [1, 3], "dilations": [2, 1], "output_padding": [1, 2]}),
        ("i8", -5, (), [1, 2, 1, 2], [3, 1, 1, 2], {"strides": [3, 2], "output_padding": [2, 1]}),
        ("i8", 7, (), [1, 1, 1, 2], [2, 9, 9, 2], {"strides": [9, 9]}),
        ("i8", 0, (), [0, 2, 2, 1], [1, 2, 2, 1], {}),
    ):
        x, w, b = k.x(dtype, xs, zp, *lim), k.fill("i8", ws), k.fill("i32", ws[:1], -3000, 3000)
        a = {**CONV, **more}
        k.out(k.op("conv_transpose2d", x, w, b, **a), k.staged("conv_transpose2d", x, w, b, **a, per=ws[0] if ws[0] > 1 else 0, zp=-4))
        k.out(k.staged("conv_transpose2d", x, w, b, **a, to="i16"))
    yield expected(k)
    k = Kit("n images upsampled", n=(1, 3))
    x = k.x("i8", [sym(0), 2, 3, 4], 6)
    w, b = k.fill("i8", [3, 2, 2, 4]), k.fill("i32", [3], -99, 99)
    k.out(k.staged("conv_transpose2d", x, w, b, **CONV), k.op("conv_transpose2d", x, w, b, **CONV))
    yield expected(k, ([1], [3]), ("ends", "random"))


def lines():
    k = Kit("topk along each axis")
    for dtype, zp, lim in (("i8", -7, (-3, 3)), ("i16", 0, ()), ("i32", 0, ())):
        x = k.x(dtype, [3, 4, 17], zp, *lim)
        for axis, n in ((0, 3), (1, 2), (2, 1), (2, 17)):
            k.out(*k.op("topk", x, axis=axis, k=n), *k.op("topk", x, axis=axis, k=n, smallest=True))
    k.out(*k.op("topk", k.x("i8", [0, 3]), axis=1, k=2))
    yield expected(k, kinds=("lo", "ends", "random"))
    k = Kit("draws from all, from the first, and from a prefix")
    seed, step = k.x("i32", [2]), k.x("i32", [1])
    for dtype, l, v in (("i8", 13, 9), ("i16", 5, 70)):
        x = k.x(dtype, [2, 3, v])
        for a in ({}, {"k": 1}, {"k": 5, "p16": 50000}, {"k": v, "p16": 1}):
            k.out(k.op("sample", x, seed, step, l=l, m=2**30 + 77, **a))
    k.out(k.op("sample", k.x("i8", [4]), seed, step, l=11, m=2**30))
    yield expected(k, kinds=("ends", "random", "random"))
    k = Kit("rotations of pairs and of halves")
    first = k.x("i32", [1])
    for dtype, m, l in (("i8", 2**18, 0), ("i16", 2**30, 1)):
        x = k.x(dtype, [2, 3, 20])
        for n in (1, 9, 10):
            steps = k.ints(-(2**31), 2**31 - 1, n)
            for a in ({"interleaved": True}, {"position": 1000}):
                k.out(k.op("rope", x, step=steps, **a, stage={"l": l, "m": [m], **out("i16")}))
            k.out(k.op("rope", x, first, step=steps, stage={"l": l, "m": [m], **out("i8", 5, -90)}))
    yield expected(k)


def symbolic():
    n = sym(0)
    k = Kit("orders, draws and rotations over n", n=(2, 5))
    x = k.x("i8", [2, n, 6])
    k.out(*k.op("topk", x, axis=1, k=2), *k.op("topk", x, axis=2, k=3, smallest=True))
    k.out(k.op("rope", x, k.x("i32", [1], lo=0, hi=4000), step=[5, -(2**30)], stage={"l": 0, "m": [2**18], **out("i16")}))
    y = k.x("i16", [3, n])
    seed, step = k.x("i32", [2]), k.x("i32", [1])
    k.out(k.op("sample", y, seed, step, l=4, m=2**30), k.op("sample", y, seed, step, l=4, m=2**30, k=2, p16=60000))
    yield expected(k, ([2], [5], [3]), ("ends", "random"))


GROUPS = {"lines": (transposed, lines, symbolic)}
