"""Invalid files: what spec/10-ops.md refuses of matmul and the elementwise ops, at both sides of each edge."""

from invalid_kit import C, Loose, X, one, pair
from invalid_ops import OUT8, OUT16, ST8
from sbm import sym


def matmul():
    mm = lambda a, b, tb=False, symbols=None, **v: one(
        "matmul", X("i8", a), X("i8", b), symbols=symbols, **({"tb": True} if tb else {}), **v
    )
    pair("matmul: ranks at least 2", "BadShape", mm, ([2, 3], [3, 2]), ([3], [3, 2]), ([2, 3], [3]))
    pair("matmul: inner extents", "BadShape", mm, ([2, 3], [3, 2]), ([2, 3], [2, 3]), ([2, 3], [4, 2]))
    pair("matmul: inner extents with tb", "BadShape", mm, ([2, 3], [2, 3], True), ([2, 3], [3, 2], True))
    pair(
        "matmul: batches broadcast",
        "BadShape",
        mm,
        ([3, 1, 2, 3], [5, 3, 2]),
        ([3, 2, 2, 3], [5, 3, 2]),
        ([0, 2, 3], [2, 3, 2]),
    )
    pair(
        "matmul: equal expressions only",
        "BadShape",
        lambda d: mm([2, sym(0)], [d, 2], symbols={"n": (3, 3)}),
        sym(0),
        3,
        sym(0, 1),
    )
    pair(
        "matmul: only the literal 1 broadcasts",
        "BadShape",
        lambda d: mm([sym(0), 2, 3], [d, 3, 2], symbols={"n": (1, 1)}),
        1,
        3,
        sym(0, 1),
    )
    pair("matmul: m has one entry", "BadAttribute", lambda m: mm([2, 3], [3, 2], stage={**ST8, "m": m}), [5], [5, 6])
    # K * 32768 * 32767: two terms reach 2^31 - 2^16
    big = lambda k, lo: one("matmul", X("i16", [1, k]), X("i16", [k, 1], 0, lo, 0))
    pair("matmul: A < 2^31", "Overflow", big, (2, -32767), (2, -32768), (3, -32767))
    pair(
        "matmul: K at its greatest value",
        "Overflow",
        lambda n: one("matmul", X("i16", [1, sym(0)]), X("i16", [sym(0), 1], 0, -32767, 0), symbols={"n": (1, n)}),
        2,
        3,
    )
    st = lambda hi: one(
        "matmul", X("i8", [1, 1], 0, 0, 1), X("i16", [1, 1], 0, 0, hi), stage={"l": 17, "m": [2**30], **OUT16}
    )
    pair("matmul: A * 2^l < 2^31", "Overflow", st, 2**14 - 1, 2**14)
    # the row sum of a softmax, 2^15 + ceil(K/2), is what bounds the product: K 6 gives 32771 * 65527 = 2^31 - 163531
    pair(
        "matmul: the row-sum fact of a softmax",
        "Overflow",
        row_sum,
        (2, "direct"),
        (2, "pad"),
        (2, "max_pool"),
        (2, "last"),
    )
    for way, other in (
        ("slice", "pad"),
        ("transpose", "transpose last"),
        ("reshape", "reshape last"),
        ("concat", "concat last"),
        ("concat", "concat other"),
    ):
        pair("matmul: the row-sum fact through moves", "Overflow", row_sum, (2, way), (2, other))
    pair("matmul: the row-sum fact counts ceil(Kmax/2)", "Overflow", exact_sum, 32767, 32768)


def row_sum(n, way):
    """softmax [n,2,8,2] of 8 columns times i16: 8 * 32767 * 32767 without the fact."""
    b = Loose()
    x = b.x("i8", [2, 2, 4, 8])
    p = b.op("softmax", x, l=10, m=1640000000, output={**OUT16, "lo": 0})
    shape = [2, 2, 4, 8]
    ident = {"start": [0] * 4, "step": [1] * 4}
    if way == "slice":
        p = b.op("slice", p, start=[0, 1, 3, 0], step=[1, -1, -1, 1], size=[2, 2, 2, 8])
    if way == "transpose":
        p = b.op("transpose", p, perm=[1, 0, 2, 3])
    if way == "transpose last":
        p = b.op("transpose", b.op("slice", p, **ident, size=[2, 2, 4, 8]), perm=[0, 1, 3, 2])
    if way == "reshape":
        p = b.op("reshape", p, shape=[1, 1, 16, 8])
    if way == "reshape last":
        p = b.op("reshape", p, shape=[2, 2, 2, 16])
    if way == "pad":
        p = b.op("pad", p, before=[0] * 4, after=[1, 0, 0, 0], mode="edge")
    if way == "max_pool":
        p = b.op("max_pool2d", p, kernel=[1, 1])
    if way == "concat":
        p = b.op("concat", p, p, axis=1)
    if way in ("concat last", "last"):
        p = b.op("concat", p, axis=3)
    if way == "concat other":
        p = b.op("concat", p, b.x("i16", shape, 0, 0, 9), axis=0)
    k = {"transpose last": 4, "reshape last": 16}.get(way, 8)
    b.nodes.append({"op": "matmul", "inputs": [p, b.x("i16", [k, 1], 0, -32767, 32767)], "attrs": {}})
    h = ("node", len(b.nodes) - 1, 0)
    b.types[h] = {}
    b.out(h)
    return b.graph()


def exact_sum(top):
    """R = 2^15 + ceil(K/2) with K = 65537 is 65537; times 32767 below 2^31, times 32768 is 2^31 + 2^15."""
    b = Loose()
    p = b.op("softmax", b.x("i8", [1, 65535]), l=10, m=1640000000, output={**OUT16, "lo": 0})
    b.out(b.op("matmul", p, b.x("i16", [65535, 1], 0, -top, 0)))
    return b.graph()


def elementwise():
    lin = lambda a="i8", b=None, sa=(2,), sb=(2,), la=(None, None), lb=(None, None), output=OUT16, symbols=None, **v: (
        one(
            "linear2",
            X(a, list(sa), 0, *la),
            *([X(b, list(sb), 0, *lb)] if b else []),
            symbols=symbols,
            output=output,
            **v,
        )
    )
    pair("linear2: mb is 0 without b", "BadAttribute", lambda v: lin(**v), {}, {"mb": 1}, {"mb": -1})
    for v in ({"ma": 2, "mb": 4}, {"ma": 0, "mb": -2}, {"ma": 2}, {"ma": 0}):
        pair("linear2: no common factor 2", "NotCanonical", lambda s: lin(b="i8", s=s, **v), 0, 1, 30)
    pair("linear2: no common factor 2", "NotCanonical", lambda m: lin(b="i8", s=1, ma=m[0], mb=m[1]), [3, 2], [2, 2])
    pair(
        "linear2: no common factor 2", "NotCanonical", lambda m: lin(b="i8", s=1, ma=m[0], mb=m[1]), [-2, -1], [-2, -4]
    )
    pair(
        "linear2: broadcast", "BadShape", lambda s: lin(b="i8", sa=(2, 3), sb=s), [2, 1], [2], [3, 3], [2, 3, 2], [0, 3]
    )
    pair("linear2: 0 against 1", "BadShape", lambda s: lin(b="i8", sa=(0,), sb=s), [1], [2])
    pair(
        "linear2: equal expressions only",
        "BadShape",
        lambda d: lin(b="i8", sa=(sym(0),), sb=(d,), symbols={"n": (1, 1)}),
        sym(0),
        2,
        sym(0, 1),
        sym(0, 0, 2),
    )
    for key, ok, bad in (("ma", -32767, -32768), ("mb", 32767, 32768), ("s", 30, 31), ("s", 0, -1)):
        pair(
            f"linear2: {key} in its range",
            "BadAttribute",
            lambda v: lin(b="i8", output={**OUT16, "lo": 0}, **{"ma": 1, "mb": 3, key: v}),
            ok if ok else 1,
            bad,
        )
    # |ma| X(a) + |mb| X(b) + |zp| 2^s + half
    wide = lambda top, **v: lin(
        "i32", "i32", la=(-top, 0), lb=(0, 7), output={"dtype": "i32", "zp": 0, "lo": -(2**31), "hi": 2**31 - 1}, **v
    )
    pair("linear2: the sum < 2^31", "Overflow", lambda t: wide(t, mb=-1), 2**31 - 8, 2**31 - 7)
    pair(
        "linear2: the sum < 2^31, rounding counts",
        "Overflow",
        lambda t: wide(t, mb=1, s=5),
        2**31 - 8 - 16,
        2**31 - 7 - 16,
    )
    pair(
        "linear2: the sum < 2^31, factors count",
        "Overflow",
        lambda t: wide(t, ma=-3, mb=5),
        (2**31 - 1 - 35) // 3,
        (2**31 - 1 - 35) // 3 + 1,
    )
    for z in (-100, 100):
        zp = lambda t: lin("i32", la=(-t, t), output={**OUT8, "zp": z}, s=24)
        pair(
            "linear2: the sum < 2^31, the zero point counts",
            "Overflow",
            zp,
            2**31 - 1 - 100 * 2**24 - 2**23,
            2**31 - 100 * 2**24 - 2**23,
        )
    pair(
        "linear2: the zero point of an operand counts",
        "Overflow",
        lambda z: one("linear2", X("i8", [1], z, 0, 127), X("i32", [1], 0, 0, 2**31 - 1 - 127), mb=1, output=OUT16),
        0,
        -1,
    )
    pair("linear2: an i32 output", "BadType", lambda z: lin(output={"dtype": "i32", "zp": z, "lo": 0, "hi": 5}), 0, 1)
    pair("linear2: dtypes", "BadType", lambda d: lin(d, la=(0, 1)), "i32", "bool")
    res = lambda x, m, l=0, symbols=None, **o: one("rescale", x, symbols=symbols, stage={"l": l, "m": m, **OUT8, **o})
    pair("rescale: a stage is needed", "BadAttribute", lambda v: one("rescale", X("i8", [2]), **v), {"stage": ST8}, {})
    pair("rescale: m per channel", "BadStage", lambda m: res(X("i8", [2, 3]), m), [1, 2, 3], [1, 2], [1, 2, 3, 4])
    pair("rescale: m of a scalar has one entry", "BadStage", lambda m: res(X("i8", []), m), [1], [1, 2])
    pair(
        "rescale: m over a symbolic axis has one entry",
        "BadStage",
        lambda m: res(X("i8", [2, sym(0)]), m, symbols={"n": (2, 2)}),
        [1],
        [1, 2],
    )
    pair("rescale: A < 2^31", "Overflow", lambda lo: res(X("i32", [2], 0, lo, 0), [5]), 1 - 2**31, -(2**31))
    pair(
        "rescale: |acc| * 2^l < 2^31",
        "Overflow",
        lambda lo: res(X("i32", [2], 0, lo, 0), [2**30], 4),
        1 - 2**27,
        -(2**27),
    )
    pair("rescale: |acc| * 2^l < 2^31", "Overflow", lambda hi: res(X("i32", [2], 0, 0, hi), [2**30], 24), 127, 128)
    pair("rescale: the zero point counts", "Overflow", lambda z: res(X("i8", [2], z, 0, 127), [2**30], 24), 0, -1)
    pair(
        "rescale: an i8 or i16 output",
        "BadAttribute",
        lambda d: res(X("i8", [2]), [5], dtype=d, lo=0, hi=1),
        "i16",
        "i32",
    )
    t8 = lambda shape=(256,), dtype="i8", **v: one("lut8", X("i8", [2]), C(dtype, list(shape), 1), **v)
    pair("lut8: 256 entries", "BadShape", lambda s: t8(s), [256], [255], [257], [1, 256], [16, 16])
    pair("lut8: zp of i16 is 0", "BadType", lambda d: t8(dtype=d, zp=5), "i8", "i16")
    pair("lut8: zp in i8", "BadAttribute", lambda z: t8(zp=z), -128, -129, 128)
    pair("lut8: x is i8", "BadType", lambda d: one("lut8", X(d, [2], 0, 0, 1), C("i8", [256], 1)), "i8", "i16", "bool")
    pair("lut8: the table is symmetric", "BadType", lambda z: one("lut8", X("i8", [2]), C("i8", [256], 1, z)), 0, 1)
    pair(
        "lut8: the table is constant",
        "BadOperand",
        lambda t: one("lut8", X("i8", [2]), t),
        C("i8", [256], 1),
        X("i8", [256]),
    )
    t16 = lambda shape=(513,), s=7, **o: one(
        "lut16", X("i16", [2]), C("i16", list(shape), 1), **({"s": s} if s != 7 else {}), output={**OUT8, **o}
    )
    pair("lut16: 513 nodes", "BadShape", lambda s: t16(s), [513], [512], [514], [513, 1])
    pair("lut16: s in 7...22", "BadAttribute", lambda s: t16(s=s), 22, 6, 23)
    pair("lut16: its output", "BadType", lambda z: t16(zp=z), 127, 128, -129)
    pair(
        "lut16: x is i16",
        "BadType",
        lambda d: one("lut16", X(d, [2]), C("i16", [513], 1), output=OUT8),
        "i16",
        "i8",
        "i32",
    )


GROUP = (
    matmul,
    elementwise,
)
