"""Golden models of selections, reductions, gathers, blocks and resizes, static and symbolic."""

from models_kit import Kit, Q15, expected, out
from sbm import sym

DTYPES = (("i8", -7), ("i16", 0), ("i32", 0), ("bool", 0))


def selections():
    k = Kit("mul over dtypes and broadcasts")
    a, b, c = k.x("i8", [2, 1, 9], -128), k.x("i8", [4, 1], 127), k.x("i16", [9])
    k.out(k.op("mul", a, b), k.staged("mul", a, b, zp=5), k.staged("mul", a, c, to="i16"), k.op("mul", c, c), k.staged("mul", c, b, zp=-3, lo=-50))
    k.out(k.staged("mul", k.x("i8", []), k.x("i16", [0, 3])), k.op("mul", k.x("i8", [17], lo=-2, hi=1), k.fill("i8", [17])))
    yield expected(k)
    k = Kit("min and max of equal types")
    for dtype, zp in DTYPES[:3]:
        x, y, z = k.x(dtype, [2, 3, 17], zp), k.x(dtype, [3, 1], zp, -9, 90), k.fill(dtype, [17], -5, 5, zp)
        for op in ("min", "max"):
            k.out(k.op(op, x, y), k.op(op, z, x), k.op(op, y, y))
    k.out(k.op("min", k.x("i8", []), k.x("i8", [0, 2])))
    yield expected(k)
    k = Kit("compare in every way")
    x, y, z = k.x("i8", [3, 1], 4, 0, 9), k.x("i16", [17], lo=-9, hi=9), k.x("i32", [2, 3, 17], lo=-65535, hi=65535)
    for op in ("lt", "le", "gt", "ge", "eq", "ne"):
        k.out(k.op("compare", x, y, op=op), k.op("compare", z, x, op=op, ma=2, mb=-3), k.op("compare", y, y, op=op, ma=32767, mb=32766))
    k.out(k.op("compare", z, k.const("i32", [], [0]), op="ge", ma=32767))
    yield expected(k)
    k = Kit("logical and where")
    p, q, one = k.x("bool", [2, 17]), k.x("bool", [17]), k.x("bool", [2, 1])
    for op in ("and", "or", "xor"):
        k.out(k.op("logical", p, q, op=op), k.op("logical", one, q, op=op))
    k.out(k.op("logical", p, op="not"), k.op("logical", k.x("bool", []), op="not"))
    for dtype, zp in DTYPES:
        x, y = k.x(dtype, [2, 17], zp), k.x(dtype, [2, 1], zp, *((-5, 60) if dtype != "bool" else ()))
        k.out(k.op("where", p, x, y), k.op("where", one, y, x), k.op("where", q, x, k.fill(dtype, [], 0, 1, zp)))
    yield expected(k)


def reductions():
    k = Kit("reduce_sum and reduce_mean over axes")
    for dtype, zp in (("i8", -128), ("i8", 100), ("i16", 0)):
        x = k.x(dtype, [2, 3, 4, 9], zp)
        for axes in ([1, 2], [3], [0, 2], [0, 1, 2, 3], []):
            k.out(k.op("reduce_sum", x, axes=axes), k.staged("reduce_sum", x, axes=axes, to="i8", zp=9))
            k.out(k.op("reduce_mean", x, axes=axes, m1=2**30 + 5, l=2 if dtype == "i8" else 0, output=out(dtype, zp if dtype == "i8" else 0)))
    k.out(k.op("reduce_sum", k.x("bool", [19, 2]), axes=[0]), k.op("reduce_sum", k.x("i8", [2, 0], 3), axes=[1]), k.op("reduce_sum", k.x("i8", [0, 2]), axes=[1]))
    yield expected(k, kinds=("lo", "hi", "random"))
    k = Kit("reduce_max, reduce_min and argmin")
    for dtype, zp in DTYPES:
        x = k.x(dtype, [2, 3, 17], zp)
        for axes in ([0], [1], [2], [0, 2], [0, 1, 2], []):
            k.out(k.op("reduce_max", x, axes=axes), k.op("reduce_min", x, axes=axes))
    for dtype, shape, axis, lim in (("i8", [2, 3], 1, {"lo": -1, "hi": 1}), ("i16", [3, 2, 4], 1, {"lo": -2, "hi": 2}), ("i32", [4, 2], 0, {}), ("i8", [0, 3], 1, {})):
        x = k.x(dtype, shape, **lim)
        k.out(k.op("argmin", x, axis=axis), k.op("argmin", x, axis=axis, select_last=True))
    yield expected(k, kinds=("lo", "ends", "random"))
    k = Kit("reductions over eight axes")
    x = k.x("i8", [1, 2, 1, 2, 1, 3, 1, 2], -3)
    for axes in (list(range(8)), [7], [0, 2, 4, 6]):
        k.out(k.op("reduce_sum", x, axes=axes), k.op("reduce_max", x, axes=axes))
    yield expected(k, kinds=("lo", "random"))


def copies():
    k = Kit("gather with runs around 16 bytes, by inputs and constants")
    i = k.x("i32", [2, 3], lo=0, hi=3)
    for dtype, ns in (("i8", (15, 16, 17)), ("i16", (7, 8)), ("i32", (3, 4)), ("bool", (16,))):
        for n in ns:
            x = k.x(dtype, [2, 4, n], -5 if dtype == "i8" else 0)
            k.out(k.op("gather", x, i, axis=1), k.op("gather", x, k.const("i32", [], [1])))
    x = k.x("i8", [4])
    k.out(k.op("gather", x, i), k.op("gather", x, k.const("i32", [0], [])), k.op("gather", k.x("i16", [2, 5]), k.const("i32", [3], [4, 0, 4]), axis=1))
    yield expected(k, kinds=("lo", "random"))
    k = Kit("expand and tile with runs around 16 bytes")
    for n in (15, 16, 17):
        x = k.x("i8", [2, 1, n], 3)
        k.out(k.op("expand", x, shape=[2, 4, n]), k.op("expand", x, shape=[3, 2, 1, n]), k.op("tile", x, repeats=[2, 1, 1]), k.op("tile", x, repeats=[1, 1, 2]))
    y = k.x("i32", [3, 1])
    k.out(k.op("expand", y, shape=[3, 1]), k.op("expand", y, shape=[3, 5]), k.op("expand", y, shape=[3, 0]), k.op("tile", y, repeats=[1, 1]), k.op("tile", y, repeats=[2, 3]), k.op("tile", y, repeats=[0, 3]))
    k.out(k.op("expand", k.x("bool", []), shape=[2, 3]), k.op("tile", k.x("i16", []), repeats=[]))
    yield expected(k, kinds=("ends", "random"))
    k = Kit("tile and expand of a first axis, below and at a run of 16 bytes")
    for n in (5, 15, 16):
        x = k.x("i8", [n], 3)
        k.out(k.op("tile", x, repeats=[3]), k.op("expand", x, shape=[2, n]))
    k.out(k.op("expand", k.x("i8", [1]), shape=[5]), k.op("tile", k.x("i16", [8]), repeats=[2]))
    yield expected(k, kinds=("ends", "random"))
    k = Kit("blocks of pixels with runs around 16 bytes")
    for c in (15, 16):
        k.out(k.op("depth_to_space", k.x("i8", [1, 2, 1, 4 * c], 3), block=2), k.op("depth_to_space", k.x("i8", [1, 1, 2, 4 * c]), block=2, mode="CRD"), k.op("space_to_depth", k.x("i8", [2, 2, 4, c]), block=2))
    for dtype, zp in DTYPES:
        x = k.x(dtype, [1, 3, 3, 9], zp)
        k.out(k.op("depth_to_space", x, block=3), k.op("depth_to_space", x, block=3, mode="CRD"), k.op("space_to_depth", x, block=3), k.op("space_to_depth", x, block=1), k.op("depth_to_space", x, block=1))
    yield expected(k, kinds=("ends", "random"))
    for mode in ("DCR", "CRD"):
        k = Kit(f"blocks of 16 channels, {mode}")
        k.out(k.op("depth_to_space", k.x("i8", [1, 1, 2, 64]), block=2, mode=mode))
        yield expected(k, kinds=("ends",))
    k = Kit("row sums through gather, expand and tile")
    x = k.op("softmax", k.x("i8", [2, 1, 6]), l=10, m=1640000000, output=Q15)
    v = k.x("i16", [6, 2], lo=-32000, hi=32000)
    for p in (k.op("gather", x, k.const("i32", [3], [1, 0, 1])), k.op("expand", x, shape=[2, 3, 6]), k.op("tile", x, repeats=[1, 2, 1])):
        k.out(k.op("matmul", p, v))
    k.out(k.op("gather", x, k.const("i32", [2], [1, 4]), axis=2), k.op("tile", x, repeats=[1, 1, 2]))
    yield expected(k)


def resizes():
    for op in ("resize_nearest", "resize_bilinear"):
        k = Kit(f"{op} in the usual modes and others")
        for dtype, zp in DTYPES[:2] if op == "resize_bilinear" else DTYPES:
            for shape, to in (([2, 2, 3, 3], [4, 6]), ([1, 5, 4, 17], [3, 2]), ([1, 1, 1, 1], [2, 3])):
                x, (_, h, w, _) = k.x(dtype, shape, zp), shape
                ways = (
                    lambda n, o: [2 * n, n - o, 2 * o],
                    lambda n, o: [n - 1, 0, max(1, o - 1)],
                    lambda n, o: [-3, 7, 2],
                )
                for way in ways:
                    a = {"axis_y": way(h, to[0]), "axis_x": way(w, to[1]), "out": to}
                    if op == "resize_nearest":
                        k.out(k.op(op, x, **a))
                        continue
                    m = 2**12 if dtype == "i8" else 2**17
                    k.out(k.op(op, x, **a, stage={"l": 0, "m": [m], **out(dtype, zp)}), k.op(op, x, **a, stage={"l": 0, "m": [m // 2 + 1], **out("i8", 9, -100, 99)}))
        yield expected(k, kinds=("hi", "random"))


def symbolic():
    n, m = sym(0), sym(1)
    k = Kit("selections, reductions and moves over n and m", n=(2, 5), m=(1, 4))
    x, y = k.x("i8", [n, m, 3], -4), k.x("i8", [n, 1, 3], -4)
    k.out(k.op("min", x, y), k.op("compare", y, x, op="ge"), k.staged("mul", x, y), k.op("where", k.x("bool", [m, 1]), x, y))
    for axes in ([0], [1], [0, 1], [2]):
        k.out(k.op("reduce_sum", x, axes=axes), k.op("reduce_mean", x, axes=axes, m1=2**30, l=2, output=out("i8", -4)), k.op("reduce_max", x, axes=axes))
    first = k.op("argmin", x)
    k.out(k.op("gather", x, k.op("reshape", first, shape=[sym(1, 0, 3)])), k.op("gather", x, k.x("i32", [2], lo=0, hi=sym(0, -2))))
    k.out(k.op("expand", y, shape=[n, m, 3]), k.op("expand", y, shape=[m, n, 1, 3]), k.op("tile", x, repeats=[2, 1, 3]), k.op("tile", x, repeats=[1, 3, 1]), k.op("tile", x, repeats=[0, 1, 1]))
    yield expected(k, ([2, 1], [5, 4], [3, 2]), ("lo", "ends", "random"))
    k = Kit("n images of static size", n=(1, 3))
    x = k.x("i8", [n, 2, 2, 4], 6)
    a = {"axis_y": [4, -2, 8], "axis_x": [4, -2, 8], "out": [4, 4]}
    k.out(k.op("depth_to_space", x, block=2), k.op("space_to_depth", x, block=2), k.op("resize_nearest", x, **a))
    k.out(k.op("resize_bilinear", x, **a, stage={"l": 0, "m": [2**12], **out("i8", 6)}), k.op("reduce_sum", x, axes=[1, 2]))
    yield expected(k, ([1], [3], [2]), ("ends", "random"))


GROUPS = {"more": (selections, reductions, copies, resizes, symbolic)}
