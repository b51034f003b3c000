"""Invalid files: the attribute ranges of selections, reductions, copies and resizes, at both sides of each edge."""

from invalid_kit import C, X, one, pair

OUT8 = {"dtype": "i8", "zp": 0, "lo": -128, "hi": 127}
ST8 = {"l": 0, "m": [2**12], **OUT8}


def selections():
    eight = X("i8", [1] * 8)
    arg = lambda axis: one("argmin", X("i8", [1] * 8), axis=axis)
    pair("argmin: the axis", "BadAttribute", arg, 7, 8, -1)
    compare = lambda ma=1, mb=1: one("compare", X("i8", [2]), X("i8", [2], 0, 0, 1), ma=ma, mb=mb)
    pair("compare: ma in 1...32767", "BadAttribute", lambda v: compare(ma=v), 32767, 32768, 0, -1)
    pair("compare: |mb| <= 32767", "BadAttribute", lambda v: compare(mb=v), 32767, 32768)
    pair("compare: |mb| <= 32767", "BadAttribute", lambda v: compare(mb=v), -32767, -32768)
    pick = lambda axis: one("gather", eight, C("i32", [1], 0), axis=axis)
    pair("gather: the axis", "BadAttribute", pick, 7, 8, -1)


def reductions():
    for op in ("reduce_sum", "reduce_max", "reduce_min"):
        axes = lambda a: one(op, X("i8", [1] * 8), axes=a)
        pair(f"{op}: axes", "BadAttribute", axes, list(range(8)), [*range(8), 7], [8], [-1], [1, 0], [1, 1])
    mean = lambda axes=(0,), m1=2**30, l=0: one("reduce_mean", X("i8", [1] * 8), axes=list(axes), m1=m1, l=l, output=OUT8)
    pair("reduce_mean: axes", "BadAttribute", lambda a: mean(a), list(range(8)), [*range(8), 7], [8], [-1], [1, 0])
    pair("reduce_mean: m1 is a multiplier", "BadAttribute", lambda v: mean(m1=v), 0, -1)
    pair("reduce_mean: l in 0...24", "BadAttribute", lambda v: mean(l=v), 22, 25, -1)


def copies():
    tile = lambda r, n=1: one("tile", X("i8", [n, 0]), repeats=r)
    pair("tile: repeats", "BadAttribute", tile, [0, 1], [-1, 1])
    pair("tile: repeats", "BadAttribute", tile, [2**20, 1], [2**20 + 1, 1])
    pair("tile: one repeat an axis", "BadAttribute", tile, [1, 2], [1], [1, 2, 1])
    grow = lambda n: one("expand", X("i8", [1, 0]), shape=[n, 0])
    pair("expand: a dim of at most 2^30", "BadAttribute", grow, 2**30, 2**30 + 1, -1)
    block = lambda op, s: lambda n: one(op, X("i8", s), block=n)
    pair("depth_to_space: a block of at least 1", "BadAttribute", block("depth_to_space", [1, 1, 1, 4]), 2, 0, -2)
    pair("space_to_depth: a block of at least 1", "BadAttribute", block("space_to_depth", [1, 2, 2, 1]), 2, 0, -2)
    pair("depth_to_space: a block of at most 2^15", "BadAttribute", block("depth_to_space", [0, 1, 1, 2**30]), 2**15, 2**15 + 1)
    pair("space_to_depth: a block of at most 2^15", "BadAttribute", block("space_to_depth", [0, 2**15, 2**15, 1]), 2**15, 2**15 + 1)


def resizes():
    size = {"axis_y": [2, 0, 2], "axis_x": [2, 0, 2]}
    for op, extra in (("resize_nearest", {}), ("resize_bilinear", {"stage": ST8})):
        to = lambda n: one(op, X("i8", [1, 2, 2, 1]), **size, out=n, **extra)
        pair(f"{op}: an output of at least 1 by 1", "BadAttribute", to, [1, 1], [0, 1], [1, 0], [1], [1, 1, 1])


GROUP = (selections, reductions, copies, resizes)
