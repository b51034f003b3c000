"""Golden models of gru, of update with a state, and of nms, static and symbolic."""

from models_kit import Kit, Q15, expected
from sbm import sym


def weights(k, d, h):
    return [k.fill("i8", [3 * h, d]), k.fill("i8", [3 * h, h]), k.fill("i32", [3 * h], -5000, 5000)]


def recurrent():
    k = Kit("gru with the reset behind and before the product")
    tables = [k.table("sigmoid_q12_q15"), k.table("tanh_q12_q15")]
    for dtype, zp, qh, d, h, n in (("i8", -9, 7, 3, 4, 1), ("i8", 5, 15, 3, 9, 2), ("i16", 0, 7, 2, 3, 2)):
        x, h0 = k.x(dtype, [3, n, d], zp), k.x("i8" if qh == 7 else "i16", [n, h])
        own, bh = weights(k, d, h), k.fill("i32", [h], -3000, 3000)
        a = {"mx": [2**24 + 5], "mh": k.ints(2**23, 2**24, 3 * h), "qh": qh, "lo": -128, "hi": 127 if qh == 7 else 32767}
        k.out(*k.op("gru", x, *own, h0, *tables, bh, **a), *k.op("gru", x, *own, h0, *tables, **a, reverse=True))
    yield expected(k)
    k = Kit("gru over t steps of a batch of n", t=(1, 4), n=(1, 3))
    tables = [k.table("sigmoid_q12_q15"), k.table("tanh_q12_q15")]
    x, h0 = k.x("i8", [sym(0), sym(1), 2], 3), k.x("i8", [sym(1), 3])
    a = {"mx": [2**25], "mh": [2**25], "lo": -128, "hi": 127}
    k.out(*k.op("gru", x, *weights(k, 2, 3), h0, *tables, **a))
    yield expected(k, ([1, 1], [4, 3], [2, 1]), ("ends", "random"))


def caches():
    k = Kit("update at a position that an input gives")
    for dtype, zp, shape, axis, n in (("i8", -7, [2, 5, 3], 1, 2), ("i16", 0, [4, 8], 0, 1), ("i32", 0, [3, 6], 1, 6), ("bool", 0, [9], 0, 3)):
        rows = list(shape)
        rows[axis] = n
        at = k.x("i32", [1], lo=0, hi=shape[axis] - n)
        k.out(k.op("update", k.x(dtype, shape, zp), k.x(dtype, rows, zp), at, axis=axis))
    yield expected(k)
    k = Kit("a cache of keys and values that grows by t rows a run", t=(1, 3))
    t, cap = sym(0), 8
    q, new_k, new_v = k.x("i8", [t, 4]), k.x("i8", [t, 4]), k.x("i8", [t, 4])
    keys, values = k.x("i8", [cap, 4], name="keys"), k.x("i8", [cap, 4], name="values")
    at = k.x("i32", [1], lo=0, hi=sym(0, cap, -1))
    held_k, held_v = k.op("update", keys, new_k, at), k.op("update", values, new_v, at)
    scores = k.staged("matmul", q, held_k, tb=True, to="i16")
    p = k.op("softmax", scores, None, at, l=7, m=2**30 + 3, causal=True, output=Q15)
    k.out(k.staged("matmul", p, held_v), held_k, held_v)
    k.state(keys, 1)
    k.state(values, 2)
    yield expected(k, ([1], [3], [2]), ("lo", "random"))


def boxes():
    k = Kit("nms of classes, limits and overlaps")
    for dtype, span, score, zp in (("i16", 30, "i8", -5), ("i32", 23170, "i16", 0)):
        b, s = k.x(dtype, [2, 12, 4], lo=-span, hi=span), k.x(score, [2, 3, 12], zp, lo=-9, hi=9)
        for a in ({"limit": 3}, {"t15": 0, "limit": 12, "threshold": 0}, {"t15": 32768, "limit": 20, "threshold": -3}):
            k.out(*k.op("nms", b, s, **a))
    k.out(*k.op("nms", k.x("i16", [1, 0, 4], lo=0, hi=9), k.x("i8", [1, 2, 0]), limit=2))
    yield expected(k, kinds=("lo", "ends", "random", "random"))
    k = Kit("nms of n boxes", n=(1, 6))
    k.out(*k.op("nms", k.x("i16", [1, sym(0), 4], lo=0, hi=20), k.x("i8", [1, 2, sym(0)]), limit=4))
    yield expected(k, ([1], [6], [3]), ("ends", "random"))


GROUPS = {"cells": (recurrent, caches, boxes)}
