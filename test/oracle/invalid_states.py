"""Invalid files: gru, update and nms, at both sides of each edge."""

from invalid_kit import C, X, one, pair, tables
from sbm import sym

N = {"n": (2, 2)}


def recurrent():
    def gru(t=1, n=1, d=2, h=1, b=0, bh=None, x=None, h0=None, ws=None, us=None, bs=None, table=None, symbols=None, **v):
        a = {"mx": [2**20], "mh": [2**20], "lo": -128, "hi": 127, **v}
        operands = [x or X("i8", [t, n, d]), C("i8", ws or [3 * h, d], 1), C("i8", us or [3 * h, h], -128)]
        operands += [C("i32", bs or [3 * h], b), h0 or X("i8", [n, h], 0, 0, 0), *(table or tables()[:2]), bh]
        return one("gru", *operands, symbols=symbols, also=[X("i8", [sym(0)])] if symbols else (), **a)

    pair("gru: wx is [3H,D]", "BadShape", lambda s: gru(ws=s), [3, 2], [4, 2], [3, 1], [3, 2, 1])
    pair("gru: wh is [3H,H]", "BadShape", lambda s: gru(us=s), [3, 1], [4, 1], [3, 2])
    pair("gru: b is [3H]", "BadShape", lambda s: gru(bs=s), [3], [4], [3, 1])
    pair("gru: x has rank 3", "BadShape", lambda s: gru(x=X("i8", s)), [1, 1, 2], [1, 2], [1, 1, 2, 1])
    pair("gru: D is static", "BadShape", lambda d: gru(x=X("i8", [1, 1, d]), symbols=N), 2, sym(0))
    pair("gru: h0 is [N,H]", "BadShape", lambda s: gru(h0=X("i8", s, 0, 0, 0)), [1, 1], [2, 1], [1, 2], [1])
    pair("gru: h0 has the type of h", "BadType", lambda d, z: gru(h0=X(d, [1, 1], z)), ("i8", 0), ("i16", 0), ("i8", 1))
    pair("gru: bh is [H]", "BadShape", lambda s: gru(bh=C("i32", s, 5)), [1], [2], [], [1, 1])
    pair("gru: bh is constant", "BadOperand", lambda v: gru(bh=v), C("i32", [1], 5), X("i32", [1]))
    pair("gru: |b| < 2^30", "Overflow", lambda b: gru(b=b), 2**30 - 1, 2**30, -(2**30))
    pair("gru: |bh| < 2^30", "Overflow", lambda b: gru(bh=C("i32", [1], b)), 1 - 2**30, -(2**30), 2**30)
    pair("gru: 513 nodes", "BadShape", lambda k: gru(table=[C("i16", [513], 9), C("i16", [k], 5)]), 513, 512, 514)
    pair("gru: sigmoid is not negative", "BadConstant", lambda v: gru(table=[C("i16", [513], v), C("i16", [513], 5)]), 0, -1)
    pair("gru: qh is 7 or 15", "BadAttribute", lambda q: gru(qh=q), 7, 8, 14)
    pair("gru: lo...hi in the dtype of h", "BadStage", lambda hi: gru(hi=hi), 127, 128, -129)
    pair("gru: mx has one entry, or 3H", "BadStage", lambda m: gru(mx=m), [1, 2, 3], [1, 2], [1, 2, 3, 4])
    pair("gru: equal entries of mh are one", "NotCanonical", lambda m: gru(mh=m), [5], [5, 5, 5])
    pair("gru: least lx", "BadStage", lambda m: gru(mx=[m], lx=1), 2**30, 2**30 - 1)
    pair("gru: |ah| * 2^lh < 2^31", "Overflow", lambda l: gru(mh=[2**30], lh=l), 16, 17)
    big = lambda b: gru(mh=[2**30], lh=16, bh=C("i32", [1], b))
    pair("gru: bh is part of ah", "Overflow", big, 16383, 16384)
    pair("gru: dtypes", "BadType", lambda d: gru(x=X(d, [1, 1, 2])), "i16", "i32")


def states():
    def put(rows=(2, 3), xs=(4, 3), lo=0, hi=2, d="i8", zp=0, axis=0, at=None, symbols=None):
        position = at or X("i32", [1], 0, lo, hi)
        return one("update", X("i8", list(xs)), X(d, list(rows), zp), position, symbols=symbols, axis=axis)

    pair("update: position >= 0", "IndexRange", lambda lo: put(lo=lo), 0, -1)
    pair("update: rows inside", "IndexRange", lambda hi: put(hi=hi), 2, 3)
    pair("update: rows inside for all values", "IndexRange", lambda c: put((sym(0), 3), hi=sym(0, c, -1), symbols={"n": (1, 3)}), 4, 5)
    pair("update: the axis is below the rank", "BadAttribute", lambda a: put((4, 3), hi=0, axis=a), 0, 2)
    pair("update: shapes differ on the axis only", "BadShape", lambda s: put(s), [2, 3], [2, 2], [2, 3, 1], [2])
    pair("update: one zero point", "BadType", lambda z: put(zp=z), 0, 1)
    pair("update: one dtype", "BadType", lambda d: put(d=d), "i8", "i16")
    pair("update: position has shape [1]", "BadShape", lambda s: put(at=X("i32", s, 0, 0, 0)), [1], [], [2])
    pair("update: position is i32", "BadType", lambda d: put(at=X(d, [1], 0, 0, 0)), "i32", "i16")

    def nms(boxes=(1, 3, 4), scores=(1, 2, 3), lo=0, hi=9, d="i32", s="i8", **v):
        return one("nms", X(d, list(boxes), 0, lo, hi), X(s, list(scores)), **{"limit": 2, **v})

    pair("nms: boxes are [B,N,4]", "BadShape", lambda b: nms(b), [1, 3, 4], [1, 3, 3], [2, 3, 4], [1, 2, 4], [3, 4])
    pair("nms: scores are [B,C,N]", "BadShape", lambda s: nms(scores=s), [1, 2, 3], [1, 3], [1, 1, 2, 3])
    pair("nms: areas below 2^31", "Overflow", lambda hi: nms(hi=hi), 46340, 46341)
    pair("nms: t15 in 0...32768", "BadAttribute", lambda t: nms(t15=t), 32768, 32769, -1)
    pair("nms: threshold in -32769...32767", "BadAttribute", lambda t: nms(threshold=t), 32767, 32768, -32770)
    pair("nms: limit at least 1", "BadAttribute", lambda n: nms(limit=n), 1, 0, -1)
    pair("nms: dtypes", "BadType", lambda d, s: nms(d=d, s=s), ("i16", "i16"), ("i8", "i8"), ("i16", "i32"))


GROUP = (recurrent, states)
