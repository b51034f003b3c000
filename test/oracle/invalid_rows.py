"""Invalid files: what spec/10-ops.md refuses of pools, argmax, softmax and layer_norm, at both sides of each edge."""

from invalid_kit import C, X, one, pair
from invalid_ops import OUT8, OUT16, N
from sbm import sym

Q15 = {**OUT16, "lo": 0}


def pools():
    mp = lambda xs=(1, 4, 4, 2), k=(2, 2), x="i8", symbols=None, **v: one(
        "max_pool2d",
        X(x, list(xs), 0, 0, 1),
        symbols=symbols,
        also=[X("i8", [sym(0)])] if symbols else (),
        kernel=list(k),
        **v,
    )
    ap = lambda xs=(1, 4, 4, 2), k=(2, 2), x=None, output=OUT8, m1=5, **v: one(
        "avg_pool2d", x or X("i8", list(xs)), kernel=list(k), m1=m1, output=output, **v
    )
    for op in (mp, ap):
        pair("pool: rank 4", "BadShape", lambda s: op(s), [1, 4, 4, 2], [4, 4, 2], [1, 1, 4, 4, 2], [])
        pair("pool: OH, OW >= 1", "BadShape", lambda h, w: op((1, h, w, 2)), (2, 2), (1, 2), (2, 1))
        pair(
            "pool: overhang below the stride",
            "BadAttribute",
            lambda o: op(strides=[2, 3], overhang=o),
            [1, 2],
            [2, 2],
            [1, 3],
        )
        pair(
            "pool: every window has a valid tap, first",
            "BadShape",
            lambda p: op(pads=p),
            [1, 1, 0, 0],
            [2, 0, 0, 0],
            [0, 2, 0, 0],
        )
        pair(
            "pool: every window has a valid tap, last",
            "BadShape",
            lambda p: op(pads=p),
            [0, 0, 1, 1],
            [0, 0, 2, 0],
            [0, 0, 0, 2],
        )
        pair(
            "pool: every window has a valid tap, overhang",
            "BadShape",
            lambda o: op((1, 4, 4, 2), (1, 1), strides=[1, 4], overhang=[0, o]),
            0,
            1,
            3,
        )
        pair(
            "pool: every window has a valid tap, dilated over the image",
            "BadShape",
            lambda d: op((1, 2, 2, 2), (2, 1), dilations=[d, 1], pads=[1, 0, 1, 0]),
            2,
            3,
        )
    for side in range(4):
        k = (2, 1) if side % 2 == 0 else (1, 2)
        far = lambda p, d: mp(
            (1, 1, 1, 1), k, dilations=[d, 1] if side % 2 == 0 else [1, d], pads=[p * (j == side) for j in range(4)]
        )
        top = 2**20
        pair(
            "pool: pads and dilations of at most 2^20",
            "BadAttribute",
            far,
            (top, top),
            (top + 1, top),
            (top, top + 1),
            (-1, 1),
        )
    pair(
        "pool: H and W are static",
        "BadShape",
        lambda h, w: mp((1, h, w, 2), symbols={"n": (4, 4)}),
        (4, 4),
        (sym(0), 4),
        (4, sym(0)),
    )
    pair(
        "pool: KH*KW <= 2^24",
        "BadShape",
        lambda a, b: mp((1, 2**12 + 1, 2**12, 1), (a, b)),
        (2**12, 2**12),
        (2**12 + 1, 2**12),
    )
    for axis in (1, 2):
        size = lambda n: mp(
            [0, 1, 1, 1][:axis] + [n] + [0, 1, 1, 1][axis + 1 :],
            (2, 1) if axis == 1 else (1, 2),
            pads=[1, 0, 0, 0] if axis == 1 else [0, 1, 0, 0],
            strides=[2, 2],
            overhang=[1, 0] if axis == 1 else [0, 1],
        )
        pair("pool: a padded extent below 2^30", "Limit", size, 2**30 - 3, 2**30 - 2)
    pair("pool: dtypes", "BadType", lambda d: mp(x=d), "i16", "i32", "bool")
    pair("avg_pool2d: least l", "BadStage", lambda m: ap(m1=m, l=1), 2**30, 2**30 - 1)
    pair("avg_pool2d: m1 in 0...2^31-1", "BadAttribute", lambda m: ap(m1=m), 0, -1)
    pair(
        "avg_pool2d: l in 0...24",
        "BadAttribute",
        lambda l: ap(x=X("i8", [1, 4, 4, 2], 0, 0, 1), m1=2**30, l=l),
        24,
        25,
        -1,
    )
    wide = lambda lo, k, **v: ap(x=X("i16", [0, 2**9, 2**9, 1], 0, lo, 0), k=(k, 2**8), **v)
    pair("avg_pool2d: A < 2^31", "Overflow", wide, (-32767, 2**8), (-32768, 2**8))
    fig = lambda lo, hi, zp, l: ap(x=X("i8", [1, 4, 4, 2], zp, lo, hi), m1=2**30, l=l)
    pair(
        "avg_pool2d: |acc| * 2^l < 2^31",
        "Overflow",
        fig,
        (-127, 0, 0, 22),
        (-128, 0, 0, 22),
        (-127, 0, 1, 22),
        (0, 127, -1, 22),
    )
    pair(
        "avg_pool2d: its output",
        "BadStage",
        lambda lo, hi: ap(output={**OUT8, "lo": lo, "hi": hi}),
        (-128, 127),
        (-129, 127),
        (-128, 128),
        (1, 0),
    )
    pair("avg_pool2d: its output", "BadType", lambda z: ap(output={**OUT16, "zp": z}), 0, 1)
    am = lambda s, axis=0, symbols=None, x="i8": one(
        "argmax", X(x, s, 0, 0, 1), symbols=symbols, **({"axis": axis} if axis else {})
    )
    pair(
        "argmax: the axis is below the rank",
        "BadAttribute",
        lambda s, a: am(s, a),
        ([2, 3], 1),
        ([2, 3], 2),
        ([2, 3], 7),
        ([2, 3], 8),
        ([2, 3], -1),
        ([], 0),
    )
    pair("argmax: the axis is not empty", "BadShape", lambda s, a: am(s, a), ([0, 3], 1), ([0, 3], 0))
    pair(
        "argmax: the axis is not empty for any value",
        "BadShape",
        lambda c: one("argmax", X("i8", [sym(0, c)]), symbols=N, also=[X("i8", [sym(0)])]),
        -1,
        -2,
    )
    pair("argmax: dtypes", "BadType", lambda d: am([2], x=d), "i32", "bool")


def softmax():
    sm = lambda x=None, mask=None, f=None, symbols=None, output=Q15, l=0, m=5, also=(), **v: one(
        "softmax",
        x or X("i8", [2, 3, 4]),
        *([mask, f] if f else [mask] if mask else []),
        symbols=symbols,
        also=also,
        **({"l": l} if l else {}),
        m=m,
        output=output,
        **v,
    )
    pair("softmax: K >= 1", "BadShape", lambda s: sm(X("i8", s)), [1], [], [0], [3, 0])
    pair(
        "softmax: K >= 1 for all values",
        "BadShape",
        lambda c: sm(X("i8", [sym(0, c)]), symbols=N, also=[X("i8", [sym(0)])]),
        -1,
        -2,
    )
    pair("softmax: least l", "BadStage", lambda m: sm(l=1, m=m), 2**30, 2**30 - 1, 0)
    pair(
        "softmax: l, m, o in their ranges",
        "BadAttribute",
        lambda l, m, o: sm(l=l, m=m, o=o),
        (24, 2**31 - 1, 1),
        (25, 2**30, 1),
        (-1, 2**30, 1),
        (0, -1, 1),
        (0, 5, 0),
        (0, 5, 16),
    )
    pair(
        "softmax: lo <= zp <= hi",
        "BadStage",
        lambda lo, hi: sm(output={**OUT8, "zp": 3, "lo": lo, "hi": hi}),
        (3, 3),
        (4, 9),
        (-9, 2),
    )
    pair("softmax: its output", "BadType", lambda z: sm(output={**OUT16, "zp": z}), 0, 1)
    pair("softmax: its output", "BadAttribute", lambda d: sm(output={**OUT16, "dtype": d}), "i16", "i32")
    pair(
        "softmax: hi(x) - lo(x) < 2^31",
        "Overflow",
        lambda lo, hi: sm(X("i32", [2], 0, lo, hi)),
        (-(2**31), -1),
        (-(2**31), 0),
        (-1, 2**31 - 1),
    )
    mask = lambda s: sm(mask=X("bool", s))
    pair("softmax: the mask broadcasts to x", "BadShape", mask, [1, 3, 1], [2, 2, 4], [3, 3, 4], [1, 2, 3, 4], [5])
    pair(
        "softmax: the mask does not widen x",
        "BadShape",
        lambda s: sm(X("i8", [2, 1, 4]), X("bool", s)),
        [4],
        [2, 3, 4],
        [1, 2, 1, 4],
    )
    pair(
        "softmax: the mask broadcasts for all values",
        "BadShape",
        lambda d: sm(X("i8", [2, sym(0)]), X("bool", [d]), symbols={"n": (1, 1)}),
        sym(0),
        2,
        sym(0, 1),
    )
    pair("softmax: the mask is bool", "BadType", lambda d: sm(mask=X(d, [4], 0, 0, 1)), "bool", "i8")
    f = lambda s=(1,), lo=0, hi=5, d="i32", **v: sm(None, None, X(d, list(s), 0, lo, hi), **v)
    pair("softmax: offset has shape [1]", "BadShape", lambda s: f(s, causal=True), [1], [], [2], [1, 1])
    pair("softmax: offset is i32", "BadType", lambda d: f(d=d, causal=True), "i32", "i16")
    pair("softmax: the operand belongs to causal", "BadOperand", lambda c: f(**c), {"causal": True}, {})
    pair("softmax: the attribute belongs to causal", "BadAttribute", lambda c: sm(offset=1, **c), {"causal": True}, {})
    pair("softmax: one offset only", "BadAttribute", lambda c: f(causal=True, **c), {}, {"offset": 1})
    pair("softmax: causal needs rank 2", "BadShape", lambda s: sm(X("i8", s), causal=True), [1, 4], [4])
    pair("softmax: offset + rows - 1 < 2^31", "Overflow", lambda v: sm(causal=True, offset=v), 2**31 - 3, 2**31 - 2)
    pair("softmax: offset + rows - 1 < 2^31", "Overflow", lambda v: f(hi=v, causal=True), 2**31 - 3, 2**31 - 2)
    rows = lambda v: sm(X("i8", [sym(0), 4]), symbols=N, causal=True, offset=v)
    pair("softmax: offset + rows - 1 at its greatest", "Overflow", rows, 2**31 - 5, 2**31 - 4)
    pair("softmax: an affine offset + rows - 1", "Overflow", rows, (2**31 - 10, (1,)), (2**31 - 9, (1,)))
    low = lambda n: sm(X("i8", [sym(0), 2]), symbols={"n": (1, n)}, causal=True, offset=sym(0, 0, -(2**20)))
    pair("softmax: offset in -2^31...2^31-1 for all values", "BadAttribute", low, 2048, 2049, 4096)
    none = lambda c: sm(X("i8", [0, 4]), symbols=N, also=[X("i8", [sym(0)])], causal=True, offset=(c, (1,)))
    pair("softmax: offset in -2^31...2^31-1 without rows too", "BadAttribute", none, 2**31 - 6, 2**31 - 5)
    pair("softmax: dtypes", "BadType", lambda d: sm(X(d, [2], 0, 0, 1)), "i32", "bool")


def layer_norm():
    ln = lambda xs=(2, 3), gs=None, bs=None, x="i8", b=0, symbols=None, output=OUT8, **v: one(
        "layer_norm",
        X(x, list(xs), 0, 0, 1),
        C("i32", gs or [3], 1),
        C("i32", bs or [3], b),
        symbols=symbols,
        **{"eps": 1, **v},
        output=output,
    )
    pair("layer_norm: rank at least 1", "BadShape", lambda s: ln(s), [3], [])
    pair("layer_norm: N is static", "BadShape", lambda s: ln(s, symbols={"n": (3, 3)}), [sym(0), 3], [3, sym(0)])
    pair(
        "layer_norm: N in 1...65536",
        "BadShape",
        lambda n: one("layer_norm", X("i8", [n], 0, 0, 1), C("i32", [n], 1), C("i32", [n], 2), eps=1, output=OUT8),
        1,
        0,
    )
    pair(
        "layer_norm: N in 1...65536",
        "BadShape",
        lambda n: one("layer_norm", X("i8", [n], 0, 0, 1), C("i32", [n], 0), C("i32", [n], 0), eps=1, output=OUT8),
        65536,
        65537,
    )
    pair("layer_norm: gamma has shape [N]", "BadShape", lambda s: ln(gs=s), [3], [2], [4], [1, 3], [3, 1])
    pair("layer_norm: beta has shape [N]", "BadShape", lambda s: ln(bs=s), [3], [2], [4], [1, 3])
    pair("layer_norm: |beta| < 2^30", "Overflow", lambda b: ln(b=b), 2**30 - 1, 2**30)
    pair("layer_norm: |beta| < 2^30", "Overflow", lambda b: ln(b=b), 1 - 2**30, -(2**30))
    pair("layer_norm: g in 0...16", "BadAttribute", lambda g: ln(g=g), 16, 17, -1)
    pair("layer_norm: its output", "BadStage", lambda lo: ln(output={**OUT8, "lo": lo}), 127, 128, -129)
    pair("layer_norm: dtypes", "BadType", lambda d: ln(x=d), "i16", "i32")
    pair(
        "layer_norm: gamma is constant",
        "BadOperand",
        lambda g: one("layer_norm", X("i8", [3]), g, C("i32", [3], 2), eps=1, output=OUT8),
        C("i32", [3], 1),
        X("i32", [3]),
    )


GROUP = (
    pools,
    softmax,
    layer_norm,
)
