"""Affine bounds, attribute ranges, and the two figures of a stage: spec/10-ops.md §1, §11, spec/00-numerics.md §2.1, §4."""

from model import need, parts
from ops import clamp, mulhr

RANGE = {"i8": (-128, 127), "i16": (-32768, 32767), "i32": (-(2**31), 2**31 - 1), "i4": (-8, 7), "bool": (0, 1)}
ACT, WIDE, MOVED = ("i8", "i16"), ("i8", "i16", "i32"), ("i8", "i16", "i32", "bool")
# op -> (name, dtypes, marks): c constant, s symmetric, o optional, v variadic
OPERANDS = {
    "conv2d": [("x", ACT, ""), ("w", ("i8",), "cs"), ("b", ("i32",), "c")],
    "dense": [("x", ACT, ""), ("w", ("i8", "i4"), "cs"), ("b", ("i32",), "c"), ("u", ("i8",), "co")],
    "matmul": [("a", ACT, "s"), ("b", ACT, "s")],
    "linear2": [("a", WIDE, ""), ("b", WIDE, "o")],
    "rescale": [("x", WIDE, "")],
    "lut8": [("x", ("i8",), ""), ("table", ACT, "cs")],
    "lut16": [("x", ("i16",), ""), ("table", ("i16",), "c")],
    "max_pool2d": [("x", ACT, "")],
    "avg_pool2d": [("x", ACT, "")],
    "argmax": [("x", WIDE, "")],
    "softmax": [("x", WIDE, ""), ("mask", ("bool",), "o"), ("offset", ("i32",), "o")],
    "layer_norm": [("x", ACT, ""), ("gamma", ("i32",), "c"), ("beta", ("i32",), "c")],
    "reshape": [("x", MOVED, "")],
    "transpose": [("x", MOVED, "")],
    "concat": [("x", MOVED, "v")],
    "slice": [("x", MOVED, "")],
    "pad": [("x", MOVED, ""), ("value", MOVED, "co")],
    "lstm": [("x", ACT, ""), ("wx", ("i8",), "cs"), ("wh", ("i8",), "cs"), ("b", ("i32",), "c"), ("h0", ACT, "")]
    + [("c0", ("i16",), "")]
    + [(name, ("i16",), "c") for name in ("sigmoid", "tanh", "tanh_c")],
}
OPERANDS |= {
    "mul": [("a", ACT, ""), ("b", ACT, "")],
    "min": [("a", WIDE, ""), ("b", WIDE, "")],
    "max": [("a", WIDE, ""), ("b", WIDE, "")],
    "compare": [("a", WIDE, ""), ("b", WIDE, "")],
    "logical": [("a", ("bool",), ""), ("b", ("bool",), "o")],
    "where": [("condition", ("bool",), ""), ("a", MOVED, ""), ("b", MOVED, "")],
    "reduce_sum": [("x", ("i8", "i16", "bool"), "")],
    "reduce_mean": [("x", ACT, "")],
    "argmin": [("x", WIDE, "")],
    "gather": [("x", MOVED, ""), ("indices", ("i32",), "")],
    "resize_bilinear": [("x", ACT, "")],
} | {
    op: [("x", MOVED, "")]
    for op in ("reduce_max", "reduce_min", "expand", "tile", "depth_to_space", "space_to_depth", "resize_nearest")
}
OPERANDS |= {
    "div": OPERANDS["mul"],
    "log_softmax": [("x", ACT, "")],
    "rms_norm": OPERANDS["layer_norm"],
    "group_norm": OPERANDS["layer_norm"],
    "cumsum": [("x", WIDE, "")],
}
OPERANDS |= {
    "conv_transpose2d": OPERANDS["conv2d"],
    "topk": [("x", WIDE, "")],
    "rope": [("x", ACT, "s"), ("position", ("i32",), "o")],
    "sample": [("x", ACT, ""), ("seed", ("i32",), ""), ("step", ("i32",), "")],
}
OPERANDS |= {
    "gru": [v for v in OPERANDS["lstm"] if v[0] not in ("c0", "tanh_c")] + [("bh", ("i32",), "co")],
    "update": [("x", MOVED, ""), ("rows", MOVED, ""), ("position", ("i32",), "")],
    "nms": [("boxes", ("i16", "i32"), ""), ("scores", ACT, "")],
}
GEOMETRY = {"strides": (2, 1, 2**20), "pads": (4, 0, 2**20), "dilations": (2, 1, 2**20)}
WINDOW = GEOMETRY | {"kernel": (2, 1, 2**20), "overhang": (2, 0, 2**20 - 1)}
L, M = (0, 0, 24), (0, 0, 2**31 - 1)
# op -> attribute -> (entries: 0 one number, -1 at most eight or any number of words; least; greatest)
LIMITS = {
    "conv2d": GEOMETRY | {"groups": (0, 1, 2**24)},
    "dense": {"block": (0, 0, 256)},
    "linear2": {"ma": (0, -32767, 32767), "mb": (0, -32767, 32767), "s": (0, 0, 30)},
    "lut8": {"zp": (0, -128, 127)},
    "lut16": {"s": (0, 7, 22)},
    "max_pool2d": WINDOW,
    "avg_pool2d": WINDOW | {"m1": M, "l": L},
    "argmax": {"axis": (0, 0, 7)},
    "softmax": {"l": L, "m": M, "o": (0, 1, 15), "offset": (0, -(2**31), 2**31 - 1)},
    "layer_norm": {"eps": (0, 1, 2**48 - 1), "g": (0, 0, 16)},
    "reshape": {"shape": (-1, 0, 2**30)},
    "transpose": {"perm": (-1, 0, 7)},
    "concat": {"axis": (0, 0, 7)},
    "slice": {"start": (-1, -(2**30), 2**30), "step": (-1, -(2**20), 2**20), "size": (-1, 0, 2**30)},
    "pad": {"before": (-1, 0, 2**20), "after": (-1, 0, 2**20)},
    "lstm": {"lx": L, "lh": L, "kc": (0, 0, 8), "qh": (0, 7, 15), "lo": (0, -32768, 32767), "hi": (0, -32768, 32767)}
    | {"mx": (-2, 0, 2**31 - 1), "mh": (-2, 0, 2**31 - 1)},
}
REDUCED = {"axes": (-1, 0, 7)}
PLACES = {"axis_y": (3, -(2**31), 2**31 - 1), "axis_x": (3, -(2**31), 2**31 - 1), "out": (2, 1, 2**30)}
LIMITS |= {
    "compare": {"ma": (0, 1, 32767), "mb": (0, -32767, 32767)},
    "reduce_sum": REDUCED,
    "reduce_mean": REDUCED | {"m1": M, "l": L},
    "reduce_max": REDUCED,
    "reduce_min": REDUCED,
    "argmin": {"axis": (0, 0, 7)},
    "gather": {"axis": (0, 0, 7)},
    "expand": {"shape": (-1, 0, 2**30)},
    "tile": {"repeats": (-1, 0, 2**20)},
    "depth_to_space": {"block": (0, 1, 32768)},
    "space_to_depth": {"block": (0, 1, 32768)},
    "resize_nearest": PLACES,
    "resize_bilinear": PLACES,
}
LIMITS |= {
    "div": {"p": (0, 1, 65535), "q": (0, 1, 65535)},
    "log_softmax": {"l": L, "m": M},
    "rms_norm": LIMITS["layer_norm"],
    "group_norm": LIMITS["layer_norm"] | {"groups": (0, 1, 2**24)},
    "cumsum": {"axis": (0, 0, 7)},
}
LIMITS |= {
    "conv_transpose2d": LIMITS["conv2d"] | {"output_padding": (2, 0, 2**20)},
    "topk": {"axis": (0, 0, 7), "k": (0, 1, 2**30)},
    "rope": {"step": (-2, -(2**31), 2**31 - 1), "position": (0, -(2**31), 2**31 - 1)},
    "sample": {"l": L, "m": M, "k": (0, 0, 2**30), "p16": (0, 1, 65536)},
}
LIMITS |= {
    "gru": {k: v for k, v in LIMITS["lstm"].items() if k != "kc"},
    "update": {"axis": (0, 0, 7)},
    "nms": {"t15": (0, 0, 32768), "threshold": (0, -32769, 32767), "limit": (0, 1, 2**30)},
}
WIDE_OUTPUT = ("linear2",)


# ---------------------------------------------------------------- affine bounds
def least(d, box):
    c, k = parts(d)
    return c + sum(v * (box[i][0] if v >= 0 else box[i][1]) for i, v in enumerate(k))


def most(d, box):
    c, k = parts(d)
    return c + sum(v * (box[i][1] if v >= 0 else box[i][0]) for i, v in enumerate(k))


def whole(d, what):
    need(isinstance(d, int), f"{what} is static")
    return d


# ---------------------------------------------------------------- intervals of numbers
def hull(*ivs):
    return min(v[0] for v in ivs), max(v[1] for v in ivs)


def times(n, iv):
    return min(n * iv[0], n * iv[1]), max(n * iv[0], n * iv[1])


def reach(iv):
    return max(abs(iv[0]), abs(iv[1]))


def worst(t, box):
    return least(t["lo"], box), most(t["hi"], box)


def centred(t, box):
    lo, hi = worst(t, box)
    return lo - t["zp"], hi - t["zp"]


# ---------------------------------------------------------------- attributes and records
def check_attrs(op, a, box):
    for name, (entries, lo, hi) in LIMITS.get(op, {}).items():
        v = a[name] if entries else [a[name]]
        need(entries <= 0 or len(v) == entries, f"{name} has {entries} entries")
        need(entries != -1 or len(v) <= 8, f"{name} has at most 8 entries")
        need(all(lo <= least(e, box) and most(e, box) <= hi for e in v), f"{name} in {lo}...{hi}")
    for name in ("stage", "output"):
        if a.get(name) is not None:
            check_output(a[name], WIDE if op in WIDE_OUTPUT else ACT)
    if a.get("stage") is not None:
        need(0 <= a["stage"]["l"] <= 24 and all(0 <= v < 2**31 for v in a["stage"]["m"]), "l and m of a stage")


def check_output(o, dtypes):
    need(o["dtype"] in dtypes, "an output dtype that the op produces")
    lo, hi = RANGE[o["dtype"]]
    need((-128 <= o["zp"] <= 127) if o["dtype"] == "i8" else o["zp"] == 0, "a zero point of the output dtype")
    need(lo <= o["lo"] <= o["hi"] <= hi, "lo <= hi within the output dtype")


def check_m(m, l, channels):
    need(len(m) == 1 or (len(m) == channels and len(set(m)) > 1), "m has one entry, or one per channel that differ")
    need(l == 0 or max(m) >= 2**30, "least l")


def staged(s, accs):
    """Output interval behind an optional stage of per-channel accumulator intervals: figure 2."""
    if s is None:
        return hull(*accs)
    ends = []
    for c, acc in enumerate(accs):
        need(reach(acc) << s["l"] < 2**31, "acc * 2^l below 2^31")
        for m in [s["m"][c]] if len(s["m"]) == len(accs) else s["m"]:
            ends.append(tuple(clamp(s["zp"] + mulhr(v << s["l"], m), s["lo"], s["hi"]) for v in acc))
    return hull(*ends)


def weighted(bias, rows, taps):
    """Accumulator interval of each row of weights: figure 1."""
    accs, x = [], reach(taps)
    for b, row in zip(bias, rows):
        p, n = sum(w for w in row if w > 0), sum(w for w in row if w < 0)
        need(abs(b) < 2**30, "|b| below 2^30")
        need(abs(b) + (p - n) * x < 2**31, "A below 2^31")
        accs.append((b + p * taps[0] + n * taps[1], b + p * taps[1] + n * taps[0]))
    return accs
