"""Invalid files: what spec/10-ops.md refuses of conv2d and dense, at both sides of each edge."""

from invalid_kit import C, X, one, pair, segment
from sbm import blob, dim, held, sym, uint, uints

N = {"n": (2, 5)}


OUT8 = {"dtype": "i8", "zp": 0, "lo": -128, "hi": 127}


OUT16 = {"dtype": "i16", "zp": 0, "lo": -32768, "hi": 32767}


ST8 = {"l": 0, "m": [2**20], **OUT8}


def conv(xs=(1, 4, 4, 2), ws=(3, 2, 2, 2), bs=None, w=1, b=0, x="i8", zp=0, lo=None, hi=None, symbols=None, **attrs):
    o = ws[0]
    also = [X("i8", [sym(i) for i in range(len(symbols))])] if symbols else ()
    return one(
        "conv2d",
        X(x, list(xs), zp, lo, hi),
        C("i8", list(ws), w),
        C("i32", [o] if bs is None else bs, b),
        symbols=symbols,
        also=also,
        **attrs,
    )


def conv2d():
    pair("conv2d: rank 4 of x", "BadShape", lambda s: conv(s), [1, 4, 4, 2], [4, 4, 2], [1, 1, 4, 4, 2], [])
    pair("conv2d: rank 4 of w", "BadShape", lambda s: conv(ws=s), [3, 2, 2, 2], [3, 2, 2], [3, 2, 2, 2, 1])
    pair("conv2d: O >= 1", "BadShape", lambda o: conv(ws=(o, 1, 1, 2)), 1, 0)
    pair("conv2d: KH, KW >= 1", "BadShape", lambda h, w: conv(ws=(1, h, w, 2)), (1, 1), (0, 1), (1, 0))
    pair(
        "conv2d: KH, KW <= 2^20",
        "BadShape",
        lambda h, w: conv((1, h, w, 0), (1, h, w, 0)),
        (2**20, 1),
        (2**20 + 1, 1),
        (1, 2**20 + 1),
    )
    pair("conv2d: OH, OW >= 1", "BadShape", lambda h, w: conv((1, h, w, 2)), (2, 2), (1, 2), (2, 1), (0, 2))
    pair(
        "conv2d: OH >= 1 with dilation and padding",
        "BadShape",
        lambda d, p: conv((1, 3, 3, 2), pads=[p, 0, 0, 0], dilations=[d, 1]),
        (3, 1),
        (4, 1),
        (3, 0),
    )
    pair("conv2d: a stride needs no room", "BadShape", lambda h: conv((1, h, 4, 2), strides=[3, 1]), 2, 1)
    for axis in (1, 2):
        shape = lambda d: [1, 2, 2, 2][:axis] + [d] + [1, 2, 2, 2][axis + 1 :]
        pair("conv2d: OH, OW >= 1 for all values", "BadShape", lambda c: conv(shape(sym(0, c)), symbols=N), 0, -1)
        pair(
            "conv2d: a convolved axis with a stride is static",
            "BadShape",
            lambda s: conv(shape(sym(0)), symbols=N, strides=[s, 1] if axis == 1 else [1, s]),
            1,
            2,
        )
        padded = lambda n: conv(
            [0, 1, 1, 0][:axis] + [n] + [0, 1, 1, 0][axis + 1 :],
            (1, 1, 1, 0),
            pads=[1, 0, 1, 0] if axis == 1 else [0, 1, 0, 1],
        )
        pair("conv2d: a padded extent below 2^30", "Limit", padded, 2**30 - 3, 2**30 - 2)
    pair("conv2d: g divides O", "BadShape", lambda o: conv(ws=(o, 1, 1, 1), groups=2), 4, 3, 1)
    pair("conv2d: C = g * w.shape[3]", "BadShape", lambda c: conv((1, 4, 4, c), (4, 1, 1, 2), groups=2), 4, 2, 3, 5)
    pair(
        "conv2d: C is static", "BadShape", lambda c: conv((1, 4, 4, c), (1, 1, 1, 2), symbols={"n": (2, 2)}), 2, sym(0)
    )
    pair(
        "conv2d: groups in 1...2^24",
        "BadAttribute",
        lambda g: conv(ws=(2, 1, 1, 2 // max(g, 1)), groups=g),
        2,
        0,
        -1,
        2**24 + 1,
    )
    pair("conv2d: b has shape [O]", "BadShape", lambda s: conv(bs=s), [3], [4], [], [1, 3], [3, 1], [1])
    pair("conv2d: |b| < 2^30", "Overflow", lambda v: conv(b=v, lo=0, hi=0), 2**30 - 1, 2**30)
    pair("conv2d: |b| < 2^30", "Overflow", lambda v: conv(b=v, lo=0, hi=0), -(2**30) + 1, -(2**30), -(2**31))
    pair(
        "conv2d: strides, dilations in 1...2^20",
        "BadAttribute",
        lambda s, d: conv((1, 2, 2, 2), strides=s, dilations=d),
        ([2**20, 1], [1, 1]),
        ([2**20 + 1, 1], [1, 1]),
        ([0, 1], [1, 1]),
        ([1, 1], [0, 1]),
        ([1, 1], [1, 2**20 + 1]),
    )
    pair(
        "conv2d: pads in 0...2^20",
        "BadAttribute",
        lambda *p: conv((1, 1, 1, 2), (1, 1, 1, 2), pads=list(p), strides=[2**20, 2**20]),
        (2**20, 2**20, 2**20, 2**20),
        (2**20 + 1, 0, 0, 0),
        (0, 2**20 + 1, 0, 0),
        (0, 0, 2**20 + 1, 0),
        (0, 0, 0, 2**20 + 1),
        (-1, 0, 1, 0),
        (0, 0, 1, -1),
    )
    pair("conv2d: dtypes", "BadType", lambda x: conv(x=x, lo=0, hi=1), "i16", "i32", "bool")
    # the sum goes over all weights, wherever a window may lie
    pair("conv2d: A < 2^31", "Overflow", padded_edge, 0, 1)
    pair(
        "conv2d: m has one entry or one a channel",
        "BadStage",
        lambda m: conv(stage={**ST8, "m": m}),
        [1, 2, 3],
        [1, 2],
        [1, 2, 3, 4],
    )
    pair("conv2d: rule 7", "NotCanonical", lambda m: conv(stage={**ST8, "m": m}), [1, 1, 3], [1, 1, 1])
    # the second figure counts the real interval: acc in -128*... with and without the zero that padding adds
    fig = lambda p: conv(
        (1, 1, 1, 1), (1, 1, 1, 1), lo=100, hi=127, b=-(2**20), stage={**OUT8, "l": 11, "m": [2**30]}, pads=p
    )
    pair(
        "conv2d: |acc| * 2^l < 2^31, padding joins 0",
        "Overflow",
        fig,
        [0, 0, 0, 0],
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
    )
    heavy = lambda k: weights("conv2d", k)
    pair("conv2d: KH*KW*C/g <= 2^24", "BadShape", heavy, 2**24, 2**24 + 1)


def padded_edge(more):
    """A = 2^31 - 1 + more, reached by the weights alone but for a small bias."""
    k, w, x = 516, 127, 32768
    total = k * w * x  # 2147352576
    b = 2**31 - 1 - total + more
    return one(
        "conv2d",
        X("i16", [1, 1, 1, k // 4], 0, -32768, 0),
        C("i8", [1, 4, 1, k // 4], w),
        C("i32", [1], b),
        pads=[3, 0, 0, 0],
    )


def weights(op, k):
    """conv2d [1,1,1,k] or dense [1,k] with zero weights, as segments; x has k channels and the value 0."""
    conv_ = op == "conv2d"
    shape = [1, 1, 1, k] if conv_ else [1, k]
    x = (
        blob(1, b"x")
        + b"".join(held(3, dim(d)) for d in ([1, 1, 1, k] if conv_ else [k]))
        + held(5, b"")
        + held(6, b"")
    )
    node = uint(1, 1 if conv_ else 3) + uints(2, [1, 2, 3])
    head = uints(2, shape) + held(4, bytes(k))[:-k]
    w = held(7, head + bytes(k))[: -(len(head) + k)] + head
    rest = held(7, uint(1, 2) + uints(2, [1]) + blob(4, b"\5\0\0\0"))
    return [uint(1, 1) + held(3, x) + held(4, node) + held(5, blob(1, b"y") + uint(2, 3)) + w, segment(k, b"\0"), rest]


def dense_(xs=(2, 3), ws=(2, 3), bs=None, w=1, b=0, x="i8", lo=None, hi=None, symbols=None, **attrs):
    also = [X("i8", [sym(0)])] if symbols else ()
    return one(
        "dense",
        X(x, list(xs), 0, lo, hi),
        C("i8", list(ws), w),
        C("i32", [ws[0]] if bs is None else bs, b),
        symbols=symbols,
        also=also,
        **attrs,
    )


def dense():
    pair("dense: rank of x at least 1", "BadShape", lambda s: dense_(s), [3], [])
    pair("dense: rank 2 of w", "BadShape", lambda s: dense_(ws=s), [2, 3], [2, 3, 1], [3])
    pair("dense: O >= 1", "BadShape", lambda o: dense_(ws=(o, 3)), 1, 0)
    pair("dense: the last axis is K", "BadShape", lambda k: dense_((2, k)), 3, 2, 4, 0)
    pair("dense: K is static", "BadShape", lambda k: dense_((2, k), (1, 2), symbols={"n": (2, 2)}), 2, sym(0))
    pair("dense: K <= 2^24", "BadShape", lambda k: weights("dense", k), 2**24, 2**24 + 1)
    pair("dense: b has shape [O]", "BadShape", lambda s: dense_(bs=s), [2], [1], [3], [2, 1], [])
    pair("dense: |b| < 2^30", "Overflow", lambda v: dense_(b=v, lo=0, hi=0), 2**30 - 1, 2**30)
    pair("dense: |b| < 2^30", "Overflow", lambda v: dense_(b=v, lo=0, hi=0), 1 - 2**30, -(2**30))
    i4 = lambda block=16, us=(2, 2), u=5, uz=-128, dtype="i4", k=17, with_u=True, w=1, x=None, b=0: one(
        "dense",
        x or X("i8", [1, k]),
        C(dtype, [2, k], w),
        C("i32", [2], b),
        *([C("i8", list(us), u, uz)] if with_u else []),
        **({"block": block} if block else {}),
    )
    pair(
        "dense: block 16, 32, 64, 128 or 256",
        "BadAttribute",
        lambda v, n: i4(v, (2, n)),
        (16, 2),
        (17, 1),
        (8, 3),
        (1, 17),
        (255, 1),
    )
    pair("dense: block 16, 32, 64, 128 or 256", "BadAttribute", lambda v: i4(v, (2, 1)), 256, 257, -16)
    pair(
        "dense: i4, a block and u go together",
        "BadAttribute",
        lambda d, bl, u: i4(bl, dtype=d, with_u=u),
        ("i4", 16, True),
        ("i8", 16, True),
        ("i4", 0, True),
        ("i4", 16, False),
        ("i4", 0, False),
        ("i8", 16, False),
        ("i8", 0, True),
    )
    pair(
        "dense: u has shape [O, ceil(K/B)]",
        "BadShape",
        lambda s: i4(us=s),
        [2, 2],
        [2, 1],
        [2, 3],
        [1, 2],
        [4],
        [2, 2, 1],
    )
    pair("dense: u of a short block", "BadShape", lambda s, k: i4(us=s, k=k), ([2, 1], 16), ([2, 2], 16), ([2, 1], 17))
    pair("dense: u in 1...255", "BadConstant", lambda v: i4(u=v), [-127, 127, 5, 5], [-128, 127, 5, 5], [5, 5, 5, -128])
    pair("dense: u has zero point -128", "BadConstant", lambda z: i4(uz=z), -128, 0, -127)
    pair(
        "dense: dtypes of w",
        "BadType",
        lambda d: one("dense", X("i8", [3]), C(d, [2, 3], 1), C("i32", [2], 1)),
        "i8",
        "i16",
    )
    pair(
        "dense: dtype of b",
        "BadType",
        lambda d: one("dense", X("i8", [3]), C("i8", [2, 3], 1), C(d, [2], 1)),
        "i32",
        "i16",
    )
    # A: 127 * 17 * 32768 * ... = 2^31 - 1 with the bias that is left
    k, top = 516, 2**31 - 1 - 516 * 127 * 32768
    pair(
        "dense: A < 2^31",
        "Overflow",
        lambda b: one("dense", X("i16", [k]), C("i8", [1, k], 127), C("i32", [1], b)),
        top,
        top + 1,
    )
    pair(
        "dense: A < 2^31, negative bias",
        "Overflow",
        lambda b: one("dense", X("i16", [k]), C("i8", [1, k], -127), C("i32", [1], b)),
        -top,
        -top - 1,
    )
    pair(
        "dense: A < 2^31 in every channel",
        "Overflow",
        lambda b: one("dense", X("i16", [k]), C("i8", [2, k], [0] * k + [127] * k), C("i32", [2], [5, b])),
        top,
        top + 1,
    )
    total = 8 * 255 * 31 * 32768  # i4 weights -8 and block scales 255 on 31 terms
    pair(
        "dense: A < 2^31 with block scales",
        "Overflow",
        lambda b: i4(32, (2, 1), 127, x=X("i16", [31]), k=31, w=-8, b=b),
        2**31 - 1 - total,
        2**31 - total,
    )
    # second figure: acc in [b - 128, b + 127]
    fig = lambda b: dense_((1,), (1, 1), b=b, stage={"l": 10, "m": [2**30], **OUT8})
    pair("dense: |acc| * 2^l < 2^31", "Overflow", fig, 2**21 - 128, 2**21 - 127)
    pair("dense: |acc| * 2^l < 2^31, below", "Overflow", fig, 129 - 2**21, 128 - 2**21)


GROUP = (
    conv2d,
    dense,
)
