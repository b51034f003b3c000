"""Invalid files: transposed convolutions, orders, draws and rotations, at both sides of each edge."""

from invalid_kit import C, X, one, pair
from sbm import sym

OUT8 = {"dtype": "i8", "zp": 0, "lo": -128, "hi": 127}
ST8 = {"l": 0, "m": [2**12], **OUT8}
ST16 = {**ST8, "dtype": "i16"}


def transposed():
    def conv(xs=(1, 2, 2, 2), ws=(2, 2, 2, 2), b=0, x=None, bias=None, symbols=None, fill=1, **v):
        weights = C("i8", list(ws), fill)
        image = x or X("i8", list(xs), 0, 0, 1)
        also = [X("i8", [sym(0)])] if symbols else ()
        return one("conv_transpose2d", image, weights, bias or C("i32", [ws[0]], b), symbols=symbols, also=also, **v)

    pair("conv_transpose2d: rank 4", "BadShape", lambda s: conv(s), [1, 2, 2, 2], [2, 2, 2], [1, 1, 2, 2, 2])
    pair("conv_transpose2d: H and W are static", "BadShape", lambda h, w: conv((1, h, w, 2), symbols={"n": (2, 2)}), (2, 2), (sym(0), 2), (2, sym(0)))
    pair("conv_transpose2d: H and W at least 1", "BadShape", lambda h, w: conv((1, h, w, 2)), (1, 1), (0, 1), (1, 0))
    pair("conv_transpose2d: groups divide O and C", "BadShape", lambda g: conv(ws=(2, 1, 1, 1), groups=g), 2, 1, 4)
    pair("conv_transpose2d: b has shape [O]", "BadShape", lambda s: conv(bias=C("i32", s, 3)), [2], [1], [3], [1, 2])
    pair("conv_transpose2d: |b| < 2^30", "Overflow", lambda b: conv(b=b), 2**30 - 1, 2**30, -(2**30))
    pads = lambda p: conv(pads=p)
    pair("conv_transpose2d: OH, OW >= 1", "BadShape", pads, [1, 1, 1, 1], [2, 0, 1, 0], [0, 0, 0, 3])
    more = lambda e, **v: conv(strides=[2, 1], dilations=[1, 3], output_padding=e)
    pair("conv_transpose2d: output_padding below stride or dilation", "BadAttribute", more, [1, 2], [2, 0], [0, 3], [-1, 0], [1])
    far = lambda h: conv((0, h, 1, 2), (2, 1, 1, 2), strides=[2**20, 1], pads=[2**20, 0, 2**20, 0])
    pair("conv_transpose2d: an extent below 2^30", "Limit", far, 1024, 1025)
    pair("conv_transpose2d: strides of at most 2^20", "BadAttribute", lambda s: conv((1, 1, 1, 2), strides=[s, 1]), 2**20, 2**20 + 1, 0)
    big = lambda lo: conv(x=X("i16", [1, 1, 1, 2**9], 0, lo, 0), ws=(1, 1, 128, 2**9), fill=1)
    pair("conv_transpose2d: A < 2^31", "Overflow", big, -32767, -32768)
    # the least tap is 5, but an output may meet none: 0 is in the interval, and 128 * 2^24 = 2^31
    st = lambda l: conv(x=X("i8", [1, 2, 2, 4], 0, 5, 8), ws=(1, 2, 2, 4), stage={**ST8, "m": [2**30], "l": l})
    pair("conv_transpose2d: |acc| * 2^l < 2^31", "Overflow", st, 23, 24)
    pair("conv_transpose2d: dtypes", "BadType", lambda d: conv(x=X(d, [1, 2, 2, 2], 0, 0, 1)), "i16", "i32")


def orders():
    top = lambda k=1, axis=0, x=None, **v: one("topk", x or X("i8", [3] + [1] * 7), axis=axis, k=k, **v)
    pair("topk: k >= 1", "BadAttribute", top, 1, 0, -1)
    pair("topk: k elements", "BadShape", top, 3, 4)
    pair("topk: the axis", "BadAttribute", lambda a: top(axis=a), 7, 8, -1)
    pair("topk: the axis is below the rank", "BadAttribute", lambda a: top(axis=a, x=X("i8", [2, 2])), 1, 2)
    pair("topk: k elements for all values", "BadShape", lambda n: top(2, x=X("i8", [sym(0)]), symbols={"n": (n, 5)}), 2, 1)
    pair("topk: dtypes", "BadType", lambda d: top(x=X(d, [2])), "i32", "bool")

    def draw(x=None, seed=None, step=None, l=0, m=5, **v):
        return one("sample", x or X("i8", [2, 3]), seed or X("i32", [2]), step or X("i32", [1]), l=l, m=m, **v)

    pair("sample: V >= 1", "BadShape", lambda s: draw(X("i8", s)), [1], [0], [], [2, 0])
    pair("sample: k elements", "BadShape", lambda k: draw(k=k), 3, 4)
    pair("sample: k >= 0", "BadAttribute", lambda k: draw(k=k), 1, -1)
    pair("sample: p16 in 1...65536", "BadAttribute", lambda p: draw(k=1, p16=p), 1, 0, 65537)
    pair("sample: p16 goes with k", "BadAttribute", lambda v: draw(p16=5, **v), {"k": 1}, {})
    pair("sample: seed has shape [2]", "BadShape", lambda s: draw(seed=X("i32", s)), [2], [1], [], [2, 1])
    pair("sample: step has shape [1]", "BadShape", lambda s: draw(step=X("i32", s)), [1], [2], [])
    pair("sample: words are i32", "BadType", lambda d: draw(step=X(d, [1])), "i32", "i16")
    pair("sample: least l", "BadStage", lambda m: draw(l=1, m=m), 2**30, 2**30 - 1)
    pair("sample: l in 0...24", "BadAttribute", lambda l: draw(l=l, m=2**30), 24, 25, -1)
    pair("sample: dtypes", "BadType", lambda d: draw(X(d, [2])), "i16", "i32")


def rotations():
    def rope(n=1, x=None, at=None, s=ST16, **v):
        return one("rope", x or X("i8", [2, 5]), at, step=[7] * n, stage=s, **v)

    pair("rope: a step a pair of the columns", "BadAttribute", rope, 2, 3)
    pair("rope: rank at least 2", "BadShape", lambda s: rope(x=X("i8", s)), [1, 2], [2])
    pair("rope: D is static", "BadShape", lambda d: rope(x=X("i8", [sym(0), d]), symbols={"n": (2, 2)}), 2, sym(0))
    pair("rope: the zero point is 0", "BadType", lambda z: rope(x=X("i8", [1, 2], z)), 0, 1)
    pair("rope: position has shape [1]", "BadShape", lambda s: rope(at=X("i32", s)), [1], [], [2])
    pair("rope: one position only", "BadAttribute", lambda p: rope(at=X("i32", [1]), **p), {}, {"position": 1})
    wide = lambda lo, l=0: rope(x=X("i16", [1, 2], 0, lo, 0), s={**ST16, "m": [2**30], "l": l})
    pair("rope: |acc| * 2^l < 2^31", "Overflow", wide, (-32768, 1), (-32768, 2))
    pair("rope: m has one entry", "BadAttribute", lambda m: rope(s={**ST16, "m": m}), [5], [5, 6])
    pair("rope: dtypes", "BadType", lambda d: rope(x=X(d, [1, 2], 0, 0, 1)), "i16", "i32")


GROUP = (transposed, orders, rotations)
