"""Invalid files: quotients, norms, running sums and logarithms, at both sides of each edge."""

from invalid_kit import C, X, one, pair
from sbm import sym

OUT8 = {"dtype": "i8", "zp": 0, "lo": -128, "hi": 127}
ST8 = {"l": 0, "m": [2**12], **OUT8}
N = {"n": (1, 4)}


def quotients():
    div = lambda p=1, q=1, a=(2,), b=(2,), d="i8", o=OUT8, **v: one("div", X("i8", list(a)), X(d, list(b), 0, 0, 1), p=p, q=q, output=o, **v)
    pair("div: p in 1...65535", "BadAttribute", div, 65535, 65536, 0, -1)
    pair("div: q in 1...65535", "BadAttribute", lambda q: div(q=q), 65535, 65536, 0, -1)
    pair("div: no common factor", "BadAttribute", div, (3, 2), (2, 2), (65535, 5))
    pair("div: operands broadcast", "BadShape", lambda s: div(a=[3, 1, 2], b=s), [4, 2], [3], [4, 3])
    pair("div: only the literal 1 broadcasts", "BadShape", lambda d: div(a=[sym(0)], b=[d], symbols={"n": (2, 2)}), 1, 2)
    pair("div: dtypes", "BadType", lambda d: div(d=d), "i16", "i32", "bool")
    pair("div: its output", "BadStage", lambda lo: div(o={**OUT8, "lo": lo}), 127, 128)
    run = lambda axis=0, x=None, **v: one("cumsum", x or X("i8", [1] * 8), axis=axis, **v)
    pair("cumsum: the axis", "BadAttribute", run, 7, 8, -1)
    pair("cumsum: the axis is below the rank", "BadAttribute", lambda a: run(a, X("i8", [2, 2])), 1, 2)
    pair("cumsum: A < 2^31", "Overflow", lambda n: run(x=X("i16", [n], 0, -32768, 0)), 65535, 65536)
    pair("cumsum: A < 2^31", "Overflow", lambda lo: run(x=X("i32", [1], 0, lo, 0), exclusive=True), 1 - 2**31, -(2**31))
    grow = lambda n: run(x=X("i32", [sym(0)], 0, 0, 2**29), symbols={"n": (1, n)})
    pair("cumsum: A at the greatest extent", "Overflow", grow, 3, 4)
    pair("cumsum: dtypes", "BadType", lambda d: run(x=X(d, [2])), "i16", "bool")


def rows():
    ls = lambda l=0, m=2**29, x=None, s=ST8, **v: one("log_softmax", x or X("i8", [2, 3]), l=l, m=m, stage=s, **v)
    wide = lambda hi: ls(17, 2**30, X("i16", [2], 0, 0, hi))
    pair("log_softmax: (hi - lo) * 2^l < 2^31", "Overflow", wide, 16383, 16384)
    pair("log_softmax: K >= 1", "BadShape", lambda s: ls(x=X("i8", s)), [1], [0], [], [3, 0])
    pair("log_softmax: least l", "BadStage", lambda m: ls(1, m), 2**30, 2**30 - 1)
    pair("log_softmax: l in 0...24", "BadAttribute", lambda l: ls(l, 2**30, X("i8", [2], 0, 0, 1)), 24, 25, -1)
    pair("log_softmax: m in 0...2^31-1", "BadAttribute", lambda m: ls(0, m), 0, -1)
    pair("log_softmax: |acc| * 2^l < 2^31", "Overflow", lambda l: ls(m=0, s={**ST8, "m": [2**30], "l": l}), 9, 10)
    pair("log_softmax: m of its stage has one entry", "BadAttribute", lambda m: ls(s={**ST8, "m": m}), [5], [5, 6, 7])
    pair("log_softmax: dtypes", "BadType", lambda d: ls(x=X(d, [2], 0, 0, 1)), "i16", "i32")
    for op, lead in (("rms_norm", []), ("group_norm", [1, 1])):

        def norm(c=3, h=1, gs=None, bs=None, b=0, d="i8", groups=None, shape=None, symbols=None, **v):
            extra = {} if groups is None else {"groups": groups}
            x = X(d, [*lead, h, c] if shape is None else shape, 0, 0, 1)
            fill = [C("i32", gs or [c], 0x01010101), C("i32", bs or [c], b)]
            return one(op, x, *fill, symbols=symbols, **{"eps": 1, "output": OUT8, **extra, **v})

        pair(f"{op}: N in 1...65536", "BadShape", lambda c: norm(c), 65536, 65537)
        pair(f"{op}: gamma has one entry a channel", "BadShape", lambda s: norm(gs=s), [3], [2], [1, 3])
        pair(f"{op}: beta has one entry a channel", "BadShape", lambda s: norm(bs=s), [3], [1], [4])
        pair(f"{op}: |beta| < 2^30", "Overflow", lambda b: norm(b=b), 2**30 - 1, 2**30, -(2**30))
        pair(f"{op}: g in 0...16", "BadAttribute", lambda g: norm(g=g), 16, 17, -1)
        pair(f"{op}: dtypes", "BadType", lambda d: norm(d=d), "i16", "i32")
        pair(f"{op}: its output", "BadStage", lambda lo: norm(output={**OUT8, "lo": lo}), 127, 128, -129)
        wrong = [3] if lead else []
        pair(f"{op}: the rank", "BadShape", lambda s: norm(shape=s), [*lead, 1, 3] if lead else [3], wrong)
    pair("rms_norm: N is static", "BadShape", lambda s: norm_of("rms_norm", s), [sym(0), 3], [3, sym(0)])
    for axis in (1, 2, 3):
        dims = lambda d: [1, *[3 if i != axis else d for i in (1, 2, 3)]]
        pair("group_norm: H, W and C are static", "BadShape", lambda d: norm_of("group_norm", dims(d)), 3, sym(0))
    groups = lambda g, c=6: one("group_norm", X("i8", [1, 1, 2, c], 0, 0, 1), C("i32", [c], 1), C("i32", [c], 2), eps=1, groups=g, output=OUT8)
    pair("group_norm: groups divide C", "BadShape", groups, 6, 4, 12)
    pair("group_norm: groups at least 1", "BadAttribute", groups, 2, 0, -1)
    pair("group_norm: N in 1...65536", "BadShape", lambda h: norm_of("group_norm", [1, h, 256, 3], groups=3), 256, 257, 0)


def norm_of(op, shape, **v):
    fill = [C("i32", [3], 1), C("i32", [3], 2)]
    return one(op, X("i8", shape, 0, 0, 1), *fill, symbols={"n": (3, 3)}, also=[X("i8", [sym(0)])], **{"eps": 1, "output": OUT8, **v})


GROUP = (quotients, rows)
