"""Golden models of quotients, norms, running sums and logarithms, static and symbolic."""

from models_kit import Kit, expected, out
from sbm import sym


def quotients():
    k = Kit("div over dtypes and broadcasts")
    a, b, c = k.x("i8", [2, 1, 9], -128), k.x("i8", [4, 1], 127), k.x("i16", [9])
    k.out(k.op("div", a, b, output=out()), k.op("div", c, a, p=65535, q=2, output=out("i16", 0, -30000, 9)))
    k.out(k.op("div", b, c, p=3, q=65534, output=out("i8", -3, -50)), k.op("div", c, c, q=9, output=out("i16")))
    k.out(k.op("div", k.x("i8", []), k.x("i16", [0, 3]), output=out()), k.op("div", k.fill("i16", [17]), k.x("i8", [3, 17], 0, -2, 2), p=5, output=out("i16")))
    yield expected(k)
    k = Kit("cumsum along each axis")
    for dtype, zp in (("i8", -128), ("i8", 100), ("i16", 0), ("i32", 0)):
        x = k.x(dtype, [2, 3, 9], zp, *((-(2**20), 2**20) if dtype == "i32" else ()))
        for axis in (0, 1, 2):
            k.out(k.op("cumsum", x, axis=axis), k.op("cumsum", x, axis=axis, exclusive=True, reverse=True))
        k.out(k.op("cumsum", x, axis=2, exclusive=True), k.op("cumsum", x, axis=1, reverse=True))
    k.out(k.op("cumsum", k.x("i8", [2, 0], 3), axis=1), k.op("cumsum", k.x("i8", [0, 2])))
    yield expected(k, kinds=("lo", "hi", "random"))


def rows():
    k = Kit("log_softmax to i8 and i16")
    for dtype, zp, n, l in (("i8", -7, 5, 11), ("i8", 0, 1, 12), ("i16", 0, 17, 9), ("i16", 0, 3, 15)):
        x = k.x(dtype, [2, 3, n], zp)
        for to, m2 in (("i8", 2**14 + 1), ("i16", 2**22)):
            k.out(k.op("log_softmax", x, l=l, m=2**30 + 5, stage={"l": 0, "m": [m2], **out(to, 127 if to == "i8" else 0)}))
    yield expected(k)
    k = Kit("rms_norm and group_norm")
    for dtype, zp in (("i8", -20), ("i16", 0)):
        x = k.x(dtype, [2, 3, 2, 12], zp)
        gamma, beta = k.fill("i32", [12], -(2**28), 2**28), k.fill("i32", [12], -(2**20), 2**20)
        k.out(k.op("rms_norm", x, gamma, beta, eps=5, g=9, output=out("i16")), k.op("rms_norm", x, gamma, beta, eps=2**40, g=16, output=out("i8", 3)))
        for groups in (1, 3, 12):
            k.out(k.op("group_norm", x, gamma, beta, eps=7, g=10, groups=groups, output=out(dtype, zp)))
    one = k.const("i32", [1], [2**31 - 1])
    k.out(k.op("rms_norm", k.x("i8", [4, 1], 5), one, k.const("i32", [1], [-9]), eps=1, output=out()))
    yield expected(k)


def symbolic():
    n = sym(0)
    k = Kit("rows of n", n=(1, 6))
    x = k.x("i8", [3, n], -4)
    k.out(k.op("log_softmax", x, l=10, m=2**30, stage={"l": 0, "m": [2**20], **out("i16")}), k.op("cumsum", x, axis=1), k.op("cumsum", x, axis=1, exclusive=True, reverse=True))
    k.out(k.op("div", x, k.x("i8", [1, n]), output=out("i16")))
    y = k.x("i8", [n, 1, 2, 8], 9)
    gamma, beta = k.fill("i32", [8], -(2**28), 2**28), k.fill("i32", [8], -99, 99)
    k.out(k.op("group_norm", y, gamma, beta, eps=3, g=8, groups=2, output=out()), k.op("rms_norm", y, gamma, beta, eps=3, g=8, output=out("i16")))
    yield expected(k, ([1], [6], [3]), ("ends", "random"))


GROUPS = {"rest": (quotients, rows, symbolic)}
