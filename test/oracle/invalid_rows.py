"""Invalid files: what spec/10-ops.md refuses of pools, argmax, rows, moves and lstm, at both sides of each edge."""

from invalid_kit import C, Loose, X, one, pair, tables
from invalid_ops import N, OUT8, OUT16
from sbm import sym

Q15 = {**OUT16, "lo": 0}


def pools():
    mp = lambda xs=(1, 4, 4, 2), k=(2, 2), x="i8", symbols=None, **v: one("max_pool2d", X(x, list(xs), 0, 0, 1), symbols=symbols, also=[X("i8", [sym(0)])] if symbols else (), kernel=list(k), **v)
    ap = lambda xs=(1, 4, 4, 2), k=(2, 2), x=None, output=OUT8, m1=5, **v: one("avg_pool2d", x or X("i8", list(xs)), kernel=list(k), m1=m1, output=output, **v)
    for op in (mp, ap):
        pair("pool: rank 4", "BadShape", lambda s: op(s), [1, 4, 4, 2], [4, 4, 2], [1, 1, 4, 4, 2], [])
        pair("pool: OH, OW >= 1", "BadShape", lambda h, w: op((1, h, w, 2)), (2, 2), (1, 2), (2, 1))
        pair("pool: overhang below the stride", "BadAttribute", lambda o: op(strides=[2, 3], overhang=o), [1, 2], [2, 2], [1, 3])
        pair("pool: every window has a valid tap, first", "BadShape", lambda p: op(pads=p), [1, 1, 0, 0], [2, 0, 0, 0], [0, 2, 0, 0])
        pair("pool: every window has a valid tap, last", "BadShape", lambda p: op(pads=p), [0, 0, 1, 1], [0, 0, 2, 0], [0, 0, 0, 2])
        pair("pool: every window has a valid tap, overhang", "BadShape", lambda o: op((1, 4, 4, 2), (1, 1), strides=[1, 4], overhang=[0, o]), 0, 1, 3)
        pair("pool: every window has a valid tap, dilated over the image", "BadShape", lambda d: op((1, 2, 2, 2), (2, 1), dilations=[d, 1], pads=[1, 0, 1, 0]), 2, 3)
    pair("pool: H and W are static", "BadShape", lambda h, w: mp((1, h, w, 2), symbols={"n": (4, 4)}), (4, 4), (sym(0), 4), (4, sym(0)))
    pair("pool: KH*KW <= 2^24", "BadShape", lambda a, b: mp((1, 2**12 + 1, 2**12, 1), (a, b)), (2**12, 2**12), (2**12 + 1, 2**12))
    for axis in (1, 2):
        size = lambda n: mp([0, 1, 1, 1][:axis] + [n] + [0, 1, 1, 1][axis + 1 :], (2, 1) if axis == 1 else (1, 2), pads=[1, 0, 0, 0] if axis == 1 else [0, 1, 0, 0], strides=[2, 2], overhang=[1, 0] if axis == 1 else [0, 1])
        pair("pool: a padded extent below 2^30", "Limit", size, 2**30 - 3, 2**30 - 2)
    pair("pool: dtypes", "BadType", lambda d: mp(x=d), "i16", "i32", "bool")
    pair("avg_pool2d: least l", "BadStage", lambda m: ap(m1=m, l=1), 2**30, 2**30 - 1)
    pair("avg_pool2d: m1 in 0...2^31-1", "BadAttribute", lambda m: ap(m1=m), 0, -1)
    pair("avg_pool2d: l in 0...24", "BadAttribute", lambda l: ap(x=X("i8", [1, 4, 4, 2], 0, 0, 1), m1=2**30, l=l), 24, 25, -1)
    wide = lambda lo, k, **v: ap(x=X("i16", [0, 2**9, 2**9, 1], 0, lo, 0), k=(k, 2**8), **v)
    pair("avg_pool2d: A < 2^31", "Overflow", wide, (-32767, 2**8), (-32768, 2**8))
    fig = lambda lo, hi, zp, l: ap(x=X("i8", [1, 4, 4, 2], zp, lo, hi), m1=2**30, l=l)
    pair("avg_pool2d: |acc| * 2^l < 2^31", "Overflow", fig, (-127, 0, 0, 22), (-128, 0, 0, 22), (-127, 0, 1, 22), (0, 127, -1, 22))
    pair("avg_pool2d: its output", "BadStage", lambda lo, hi: ap(output={**OUT8, "lo": lo, "hi": hi}), (-128, 127), (-129, 127), (-128, 128), (1, 0))
    pair("avg_pool2d: its output", "BadType", lambda z: ap(output={**OUT16, "zp": z}), 0, 1)
    am = lambda s, axis=0, symbols=None, x="i8": one("argmax", X(x, s, 0, 0, 1), symbols=symbols, **({"axis": axis} if axis else {}))
    pair("argmax: the axis is below the rank", "BadAttribute", lambda s, a: am(s, a), ([2, 3], 1), ([2, 3], 2), ([2, 3], 7), ([2, 3], 8), ([2, 3], -1), ([], 0))
    pair("argmax: the axis is not empty", "BadShape", lambda s, a: am(s, a), ([0, 3], 1), ([0, 3], 0))
    pair("argmax: the axis is not empty for any value", "BadShape", lambda c: one("argmax", X("i8", [sym(0, c)]), symbols=N, also=[X("i8", [sym(0)])]), -1, -2)
    pair("argmax: dtypes", "BadType", lambda d: am([2], x=d), "i32", "bool")


def softmax():
    sm = lambda x=None, mask=None, f=None, symbols=None, output=Q15, l=0, m=5, also=(), **v: one("softmax", x or X("i8", [2, 3, 4]), *([mask, f] if f else [mask] if mask else []), symbols=symbols, also=also, **({"l": l} if l else {}), m=m, output=output, **v)
    pair("softmax: K >= 1", "BadShape", lambda s: sm(X("i8", s)), [1], [], [0], [3, 0])
    pair("softmax: K >= 1 for all values", "BadShape", lambda c: sm(X("i8", [sym(0, c)]), symbols=N, also=[X("i8", [sym(0)])]), -1, -2)
    pair("softmax: least l", "BadStage", lambda m: sm(l=1, m=m), 2**30, 2**30 - 1, 0)
    pair("softmax: l, m, o in their ranges", "BadAttribute", lambda l, m, o: sm(l=l, m=m, o=o), (24, 2**31 - 1, 1), (25, 2**30, 1), (-1, 2**30, 1), (0, -1, 1), (0, 5, 0), (0, 5, 16))
    pair("softmax: lo <= zp <= hi", "BadStage", lambda lo, hi: sm(output={**OUT8, "zp": 3, "lo": lo, "hi": hi}), (3, 3), (4, 9), (-9, 2))
    pair("softmax: its output", "BadType", lambda z: sm(output={**OUT16, "zp": z}), 0, 1)
    pair("softmax: its output", "BadAttribute", lambda d: sm(output={**OUT16, "dtype": d}), "i16", "i32")
    pair("softmax: hi(x) - lo(x) < 2^31", "Overflow", lambda lo, hi: sm(X("i32", [2], 0, lo, hi)), (-(2**31), -1), (-(2**31), 0), (-1, 2**31 - 1))
    mask = lambda s: sm(mask=X("bool", s))
    pair("softmax: the mask broadcasts to x", "BadShape", mask, [1, 3, 1], [2, 2, 4], [3, 3, 4], [1, 2, 3, 4], [5])
    pair("softmax: the mask does not widen x", "BadShape", lambda s: sm(X("i8", [2, 1, 4]), X("bool", s)), [4], [2, 3, 4], [1, 2, 1, 4])
    pair("softmax: the mask broadcasts for all values", "BadShape", lambda d: sm(X("i8", [2, sym(0)]), X("bool", [d]), symbols={"n": (1, 1)}), sym(0), 2, sym(0, 1))
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
    big = lambda k: sm(X("i8", [sym(0), 2]), symbols={"n": (1, 2048)}, causal=True, offset=sym(0, 0, k))
    low = lambda n: sm(X("i8", [sym(0), 2]), symbols={"n": (1, n)}, causal=True, offset=sym(0, 0, -(2**20)))
    pair("softmax: offset in -2^31...2^31-1 for all values", "BadAttribute", low, 2048, 2049, 4096)
    pair("softmax: dtypes", "BadType", lambda d: sm(X(d, [2], 0, 0, 1)), "i32", "bool")


def layer_norm():
    ln = lambda xs=(2, 3), gs=None, bs=None, x="i8", b=0, symbols=None, output=OUT8, **v: one("layer_norm", X(x, list(xs), 0, 0, 1), C("i32", gs or [3], 1), C("i32", bs or [3], b), symbols=symbols, **{"eps": 1, **v}, output=output)
    pair("layer_norm: rank at least 1", "BadShape", lambda s: ln(s), [3], [])
    pair("layer_norm: N is static", "BadShape", lambda s: ln(s, symbols={"n": (3, 3)}), [sym(0), 3], [3, sym(0)])
    pair("layer_norm: N in 1...65536", "BadShape", lambda n: one("layer_norm", X("i8", [n], 0, 0, 1), C("i32", [n], 1), C("i32", [n], 2), eps=1, output=OUT8), 1, 0)
    pair("layer_norm: N in 1...65536", "BadShape", lambda n: one("layer_norm", X("i8", [n], 0, 0, 1), C("i32", [n], 0), C("i32", [n], 0), eps=1, output=OUT8), 65536, 65537)
    pair("layer_norm: gamma has shape [N]", "BadShape", lambda s: ln(gs=s), [3], [2], [4], [1, 3], [3, 1])
    pair("layer_norm: beta has shape [N]", "BadShape", lambda s: ln(bs=s), [3], [2], [4], [1, 3])
    pair("layer_norm: |beta| < 2^30", "Overflow", lambda b: ln(b=b), 2**30 - 1, 2**30)
    pair("layer_norm: |beta| < 2^30", "Overflow", lambda b: ln(b=b), 1 - 2**30, -(2**30))
    pair("layer_norm: g in 0...16", "BadAttribute", lambda g: ln(g=g), 16, 17, -1)
    pair("layer_norm: its output", "BadStage", lambda lo: ln(output={**OUT8, "lo": lo}), 127, 128, -129)
    pair("layer_norm: dtypes", "BadType", lambda d: ln(x=d), "i16", "i32")
    pair("layer_norm: gamma is constant", "BadOperand", lambda g: one("layer_norm", X("i8", [3]), g, C("i32", [3], 2), eps=1, output=OUT8), C("i32", [3], 1), X("i32", [3]))


def moves():
    rs = lambda x, y, symbols=None: one("reshape", X("i8", x), symbols=symbols, also=[X("i8", [sym(i) for i in range(len(symbols))])] if symbols else (), shape=y)
    pair("reshape: equal element counts", "BadShape", rs, ([2, 3], [6]), ([2, 3], [5]), ([2, 3], []), ([0, 3], [1]), ([2, 3], [2, 3, 0]))
    two = {"n": (2, 2), "m": (2, 2)}
    pair("reshape: counts are equal as polynomials", "BadShape", rs, ([sym(0), 2], [sym(0, 0, 2)], two), ([sym(0), 2], [sym(1), 2], two), ([sym(0)], [2], two), ([sym(0), sym(0)], [sym(0), sym(1)], two))
    pair("reshape: counts are equal as polynomials", "BadShape", rs, ([sym(0, -1), sym(1)], [sym(1), sym(0, -1)], two), ([sym(0, -1), sym(1)], [sym(1), sym(0, 1)], two))
    tp = lambda s, p: one("transpose", X("i8", s), perm=p)
    pair("transpose: perm is a permutation", "BadAttribute", tp, ([2, 3, 4], [2, 0, 1]), ([2, 3, 4], [0, 1]), ([2, 3, 4], [0, 1, 1]), ([2, 3, 4], [0, 1, 3]), ([2, 3, 4], [0, 1, 2, 3]))
    cc = lambda *xs, axis=0, symbols=None: one("concat", *xs, symbols=symbols, **({"axis": axis} if axis else {}))
    pair("concat: the axis is below the rank", "BadAttribute", lambda a: cc(X("i8", [2, 3]), axis=a), 1, 2, 7, 8, -1)
    pair("concat: no axis of a scalar", "BadAttribute", lambda s: cc(X("i8", s)), [1], [])
    pair("concat: equal dtypes", "BadType", lambda d: cc(X("i8", [2]), X(d, [2], 0, 0, 1)), "i8", "bool", "i16")
    pair("concat: equal zero points", "BadType", lambda z: cc(X("i8", [2], 5), X("i8", [2], z)), 5, 4, 0)
    pair("concat: equal ranks", "BadShape", lambda s: cc(X("i8", [2, 3]), X("i8", s)), [0, 3], [3], [2, 3, 1])
    pair("concat: equal other axes", "BadShape", lambda s: cc(X("i8", [2, 3]), X("i8", s)), [9, 3], [2, 4], [2, 0])
    pair("concat: equal other axes, in the middle", "BadShape", lambda s: cc(X("i8", [2, 3, 4]), X("i8", s), axis=1), [2, 9, 4], [3, 3, 4], [2, 3, 5])
    pair("concat: equal expressions only", "BadShape", lambda d: cc(X("i8", [2, sym(0)]), X("i8", [2, d]), symbols={"n": (3, 3)}), sym(0), 3, sym(0, 1))
    sl = lambda x, start, step, size, symbols=None: one("slice", X("i8", x), symbols=symbols, also=[X("i8", [sym(i) for i in range(len(symbols))])] if symbols else (), start=start, step=step, size=size)
    pair("slice: one entry an axis", "BadAttribute", lambda a, b, c: sl([5, 5], a, b, c), ([0, 0], [1, 1], [2, 2]), ([0], [1, 1], [2, 2]), ([0, 0], [1], [2, 2]), ([0, 0], [1, 1], [2]), ([0, 0, 0], [1, 1, 1], [2, 2, 1]), ([], [], []))
    pair("slice: step is not 0", "BadAttribute", lambda t: sl([5], [1], [t], [2]), 1, 0)
    pair("slice: step in its range", "BadAttribute", lambda n, t: sl([n], [0], [t], [2]), (2**20 + 2, 2**20), (2**20 + 2, 2**20 + 1))
    for size in (0, 1):
        pair("slice: step 1 where the size is at most 1", "NotCanonical", lambda t: sl([5], [2], [t], [size]), 1, 2, -1)
    pair("slice: step 1 where the greatest size is at most 1", "NotCanonical", lambda t: sl([5, 5], [2, 2], [1, t], [2, sym(0, -1)], {"n": (1, 2)}), 1, 2)
    pair("slice: size is not negative", "BadAttribute", lambda z: sl([5], [0], [1], [z]), 0, -1)
    pair("slice: size is not negative for any value", "BadShape", lambda c: sl([sym(0)], [0], [1], [sym(0, c)], N), -2, -3)
    sl1 = lambda a, t, z: sl([5], [a], [t], [z])
    pair("slice: inside the axis", "IndexRange", sl1, (1, 1, 4), (2, 1, 4), (1, 1, 5), (-1, 1, 4))
    pair("slice: inside the axis, stepped", "IndexRange", sl1, (0, 2, 3), (1, 2, 3), (0, 2, 4))
    pair("slice: inside the axis, reversed", "IndexRange", sl1, (4, -2, 3), (3, -2, 3), (5, -2, 3), (4, -2, 4))
    pair("slice: start of an empty slice", "IndexRange", sl1, (5, 1, 0), (6, 1, 0), (-1, 1, 0))
    pair("slice: inside for all values", "IndexRange", lambda a, z: sl([sym(0)], [a], [1], [z], N), (sym(0, -2), 2), (sym(0, -2), 3), (sym(0, -3), 2), (0, 3), (sym(0, 1), 0))
    pair("slice: inside for all values, reversed", "IndexRange", lambda a, z: sl([sym(0)], [a], [-1], [z], N), (sym(0, -1), sym(0)), (sym(0), sym(0)), (sym(0, -1), sym(0, 1)), (sym(0, -2), sym(0)))
    pair("slice: the reversed empty case counts at size 0", "IndexRange", lambda c: sl([sym(0)], [sym(0, -1)], [-1], [sym(0, c)], {"n": (1, 3)}), 0, 1)
    # the last index is 125535 + more, behind two terms of 2^66 that cancel
    m = 2**30 - 1
    far = lambda more: one("slice", X("i8", [125536]), symbols={"a": (m, m), "b": (m, m)}, also=[X("i8", [sym(0), sym(1), 0])], start=[60000 + more], step=[65535], size=[(2, (2**20, -(2**20)))])
    pair("slice: indices are exact integers of any size", "IndexRange", far, 0, 1, 2000, 4000)
    pd = lambda xs=(2, 3), before=(1, 0), after=(0, 1), vs=(), x="i8", zp=0, vd=None, vz=None, mode=None, value=True, symbols=None: one("pad", X(x, list(xs), zp, 0, 1), *([C(vd or x, list(vs), 1, zp if vz is None else vz)] if value else []), symbols=symbols, also=[X("i8", [sym(0)])] if symbols else (), before=list(before), after=list(after), **({"mode": mode} if mode else {}))
    pair("pad: one entry an axis", "BadAttribute", lambda b, a: pd(before=b, after=a), ([1, 0], [0, 1]), ([1], [0, 1]), ([1, 0], [0]), ([1, 0, 0], [0, 1, 0]))
    pair("pad: before, after in 0...2^20", "BadAttribute", lambda b, a: pd(before=[b, 0], after=[a, 1]), (2**20, 0), (2**20 + 1, 0), (-1, 0), (0, -1), (0, 2**20 + 1))
    pair("pad: a value goes with constant", "BadOperand", lambda v: pd(value=v), True, False)
    for mode in ("edge", "reflect"):
        pair("pad: a value goes with constant", "BadOperand", lambda v: pd((2, 3), mode=mode, value=v), False, True)
    pair("pad: the value has the dtype of x", "BadType", lambda d: pd(x="i8", vd=d), "i8", "i16", "bool")
    pair("pad: the value has the zero point of x", "BadType", lambda z: pd(zp=7, vz=z), 7, 0, -7)
    pair("pad: the value is a scalar or [last dim of y]", "BadShape", lambda s: pd(vs=s), [4], [3], [2], [1], [1, 4], [4, 1])
    pair("pad: the value of a scalar is a scalar", "BadShape", lambda s: pd((), (), (), s), [], [1])
    pair("pad: the value is constant", "BadOperand", lambda v: one("pad", X("i8", [2], 0, 0, 1), v, before=[1], after=[0]), C("i8", [], 1), X("i8", []))
    pair("pad: edge needs a dim of 1", "BadShape", lambda n: pd((n, 3), mode="edge", value=False), 1, 0)
    pair("pad: reflect needs a dim above the border", "BadShape", lambda n, b, a: pd((2, n), (0, b), (0, a), mode="reflect", value=False), (4, 3, 2), (4, 4, 0), (4, 0, 4), (3, 3, 0))
    pair("pad: edge for all values", "BadShape", lambda c: pd((sym(0, c), 3), mode="edge", value=False, symbols=N), -1, -2)
    pair("pad: reflect for all values", "BadShape", lambda c: pd((sym(0, c), 3), (2, 0), (0, 0), mode="reflect", value=False, symbols=N), 1, 0)


def cells():
    def g(t=2, n=1, d=2, h=1, x="i8", zp=0, lo=-128, hi=127, wx=None, wh=None, b=None, h0=None, c0=None, w=1, wv=1, bv=0, xlo=None, xhi=None, hd="i8", hz=0, hlim=(None, None), cd="i16", symbols=None, tab=None, dim=None, **v):
        t3 = tables(**(tab or {}))
        a = {"mx": [2**30], "mh": [2**30], "lo": lo, "hi": hi, **v}
        also = [X("i8", [sym(0)])] if symbols else ()
        xs = [t, n, d if dim is None else dim]
        return one("lstm", X(x, xs, zp, xlo, xhi), C("i8", wx or [4 * h, d], w), C("i8", wh or [4 * h, h], wv), C("i32", b or [4 * h], bv), X(hd, h0 or [n, h], hz, *hlim), X(cd, c0 or [n, h], 0), *t3, symbols=symbols, also=also, **a)

    bad = lambda rule, code, key, good, *bads, **fixed: pair("lstm: " + rule, code, lambda v: g(**{key: v}, **fixed), good, *bads)
    bad("b has shape [4H]", "BadShape", "b", [4], [5], [3], [1, 4])
    bad("wx is [4H,D]", "BadShape", "wx", [4, 2], [5, 2], [4, 3], [8, 2], [4, 2, 1], [8])
    bad("wh is [4H,H]", "BadShape", "wh", [4, 1], [5, 1], [4, 2], [8, 2], [4, 1, 1], [4])
    bad("H >= 1", "BadShape", "h", 1, 0)
    bad("the last axis of x is D", "BadShape", "dim", 2, 1, 3)
    pair("lstm: D is static", "BadShape", lambda v: g(dim=v, symbols={"n": (2, 2)}), 2, sym(0))
    pair("lstm: rank 3 of x", "BadShape", lambda s: g() if s is None else {**(q := g()), "inputs": [{**q["inputs"][0], "shape": s}, *q["inputs"][1:]]}, None, [2, 1], [2, 1, 2, 1])
    bad("h0 has shape [N,H]", "BadShape", "h0", [1, 1], [2, 1], [1, 2], [1], [1, 1, 1])
    bad("c0 has shape [N,H]", "BadShape", "c0", [1, 1], [2, 1], [1, 2], [1])
    pair("lstm: N of h0 is that of x", "BadShape", lambda v: g(n=sym(0), h0=[v, 1], symbols={"n": (2, 2)}), sym(0), 2, sym(0, 1))
    pair("lstm: h0 has the dtype of h", "BadType", lambda d, q: g(hd=d, hlim=(-5, 5), qh=q), ("i8", 7), ("i16", 7), ("i8", 15))
    bad("h0 has zero point 0", "BadType", "hz", 0, 1)
    bad("c0 is i16", "BadType", "cd", "i16", "i8")
    bad("qh is 7 or 15", "BadAttribute", "qh", 7, 8, 14, 6, 16)
    bad("kc in 0...8", "BadAttribute", "kc", 8, 9, -1)
    bad("lx in 0...24", "BadAttribute", "lx", 2, 25, -1)
    bad("lh in 0...24", "BadAttribute", "lh", 2, 25, -1)
    for key in ("mx", "mh"):
        bad(f"{key} has one entry or one a row", "BadStage", key, [1, 2, 3, 4], [1, 2, 3], [1, 2, 3, 4, 5], [1, 2])
        bad(f"rule 7 for {key}", "NotCanonical", key, [1, 1, 1, 2], [3, 3, 3, 3])
        bad(f"{key} in 0...2^31-1", "BadAttribute", key, [0], [-1], [-(2**31), 1, 2, 3])
        bad(f"least l of {key}", "BadStage", key, [2**30, 1, 2, 3], [2**30 - 1, 1, 2, 3], [5], **{"l" + key[1]: 1})
    pair("lstm: lo <= hi in the dtype of h", "BadStage", lambda lo, hi: g(lo=lo, hi=hi), (-128, 127), (-129, 127), (-128, 128), (1, 0))
    pair("lstm: lo <= hi in the dtype of h", "BadStage", lambda lo, hi: g(lo=lo, hi=hi, qh=15, hd="i16"), (-32768, 32767), (5, 4))
    bad("|b| < 2^30", "Overflow", "bv", 2**30 - 1, 2**30, xlo=0, xhi=0)
    bad("|b| < 2^30", "Overflow", "bv", 1 - 2**30, -(2**30), xlo=0, xhi=0)
    table = lambda v, n=513: C("i16", [n], v)
    steps = [0] + [9] * 512
    bad("sigmoid is not negative", "BadConstant", "tab", {"sigmoid": C("i16", [513], steps)}, {"sigmoid": C("i16", [513], [-1] + [9] * 512)}, {"sigmoid": C("i16", [513], [9] * 512 + [-1])})
    for key in ("sigmoid", "tanh", "tanh_c"):
        bad(f"{key} has 513 nodes", "BadShape", "tab", {key: table(1)}, {key: table(1, 512)}, {key: table(1, 514)}, {key: C("i16", [513, 1], 1)})
    # ax: b + 2 * 127 * 1 ... ; the figure is |acc| * 2^lx
    pair("lstm: |ax| * 2^lx < 2^31", "Overflow", lambda b: g(bv=b, xlo=-1, xhi=127, lx=10), 2**21 - 255, 2**21 - 254)
    ah = lambda hlo, hhi, lo, hi: g(lo=lo, hi=hi, hlim=(hlo, hhi), lh=24)
    pair("lstm: |ah| * 2^lh < 2^31, by h0 and by the limits of h", "Overflow", ah, (-127, 127, -127, 127), (-128, 127, -127, 127), (-127, 127, -128, 127))
    top = 2**31 - 1 - 516 * 127 * 32768
    wide = lambda b: g(x="i16", d=516, w=127, bv=b)
    pair("lstm: A of ax < 2^31", "Overflow", wide, top, top + 1)
    hid = lambda h, lo: one_wide(h, lo)
    pair("lstm: A of ah < 2^31", "Overflow", hid, (512, -32767), (517, -32768))


def one_wide(h, lo):
    """Rows of wh of h weights 127 times h0 in lo...0: 517 * 127 * 32768 is above 2^31."""
    a = {"mx": [2**30], "mh": [2**30], "lo": 0, "hi": 5, "qh": 15}
    return one("lstm", X("i8", [0, 0, 0]), C("i8", [4 * h, 0], []), C("i8", [4 * h, h], 127), C("i32", [4 * h], 0), X("i16", [0, h], 0, lo, 0), X("i16", [0, h]), *tables(), **a)


GROUP = (pools, softmax, layer_norm, moves, cells)
