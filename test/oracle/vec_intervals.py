"""Cases of the interval rules, each with every output that it can reach.

A case: {op, attrs, inputs: name -> [lo, hi], expected: {acc?, y}, attained}. attained: every end of y occurs.
"""

import itertools

import oracle as O
from common import emit
from intervals import S8, S16, interval


# ---------------------------------------------------------------- cases, each with every output it can reach
def R(iv):
    return range(iv[0], iv[1] + 1)


def st(a, acc, c=0):
    s = a.get("stage")
    return O.stage(acc, O.per(s["m"], c), s["l"], s["zp"], s["lo"], s["hi"]) if s else acc


def stg(m, l, zp, lim):
    return {"m": m, "l": l, "zp": zp, "lo": lim[0], "hi": lim[1]}


def cases():
    P = itertools.product
    for v, z in (([3, -7, 5], 0), ([], 9), ([-128], -128)):
        yield "constant", {"values": v, "zp": z}, {}, True, lambda v=v, z=z: v or [z]
    for ma, mb, s, za, zb, zp, ia, ib, lim in (
        (3, -5, 2, 1, -2, 4, [-6, 7], [-3, 9], S8),
        (-1, 0, 0, -10, 0, 9, [-128, 127], [0, 0], S8),
        (1, 1, 0, 0, 0, 0, [-4, 5], [-4, 5], S16),
        (32767, -32767, 15, -128, 127, 3, [-20, 20], [100, 127], (-9, 40)),
        (7, 7, 3, 0, 0, 0, [5, 9], [-2, -2], S16),
    ):
        a = {"ma": ma, "mb": mb, "s": s, "za": za, "zb": zb, "zp": zp, "lo": lim[0], "hi": lim[1]}
        yield (
            "linear2",
            a,
            {"a": ia, "b": ib},
            True,
            lambda ia=ia, ib=ib, q=(za, zb, ma, mb, s, zp, *lim): [O.linear2(x, y, *q) for x, y in P(R(ia), R(ib))],
        )
    for za, zb, ia, ib, s in (
        (0, 0, [-5, 3], [-2, 7], None),
        (2, -3, [-5, 3], [-9, -4], None),
        (-128, 0, [-128, -120], [-6, 6], stg([2**30 + 7], 1, -5, S8)),
        (0, 0, [1, 6], [-9, -2], stg([2**29], 0, 0, (-20, 5))),
    ):
        a = {"za": za, "zb": zb, "stage": s}
        yield (
            "mul",
            a,
            {"a": ia, "b": ib},
            True,
            lambda a=a, ia=ia, ib=ib: [st(a, (x - a["za"]) * (y - a["zb"])) for x, y in P(R(ia), R(ib))],
        )
    for K, Rf, ia, ib, s in (
        (2, None, [-3, 2], [-4, 5], None),
        (2, None, [0, 3], [0, 4], stg([2**30], 2, 0, S16)),
        (3, 4, [0, 3], [-2, 2], None),
        (0, None, [-5, 5], [-5, 5], None),
    ):
        a = {"K": K, "stage": s, **({"R": Rf} if Rf else {})}
        yield (
            "matmul",
            a,
            {"a": ia, "b": ib},
            False,
            lambda a=a, ia=ia, ib=ib: [
                st(a, O.dot(p, q))
                for p in P(R(ia), repeat=a["K"])
                if sum(map(abs, p)) <= a.get("R", 10**9)
                for q in P(R(ib), repeat=a["K"])
            ],
        )
    for zx, m, l, zp, lim, ix in (
        (-4, [2**30, 2**31 - 1, 5], 1, 3, S8, [-60, 50]),
        (0, [2**30], 2, 0, S16, [-128, 127]),
        (7, [0], 0, -100, S8, [-3, 12]),
        (0, [2**28], 0, 0, (0, 90), [-3000, 3000]),
    ):
        a = {"zx": zx, "stage": stg(m, l, zp, lim)}
        yield (
            "rescale",
            a,
            {"x": ix},
            True,
            lambda a=a, ix=ix: [st(a, x - a["zx"], c) for x in R(ix) for c in range(len(a["stage"]["m"]))],
        )
    for w, b, u, B, zx, ix, s in (
        ([[3, -2], [-1, 5]], [10, -7], None, None, 1, [-4, 6], None),
        ([[127, -128], [0, 0]], [0, 3], None, None, -5, [-5, 8], stg([2**30 + 1, 2**30 + 3], 0, 2, S8)),
        ([[7, -8], [-8, -8]], [100, 0], [[255, 3], [1, 1]], 1, 3, [-6, 5], None),
        ([[]], [42], None, None, 0, [-5, 5], None),
        ([[5, 5]], [-3], None, None, 0, [2, 6], stg([2**30], 2, 0, S8)),
    ):
        a = {"w": w, "b": b, "u": u, "block": B, "zx": zx, "stage": s}
        yield (
            "dense",
            a,
            {"x": ix},
            True,
            lambda a=a, ix=ix: [
                st(a, O.dense(x, r, a["b"][o], a["zx"], a["u"] and a["u"][o], a["block"]), o)
                for o, r in enumerate(a["w"])
                for x in P(R(ix), repeat=len(r))
            ],
        )
    for w, b, pads, zx, ix, s in (
        ([[[[3], [-2]]]], [5], [0, 0, 0, 0], 2, [3, 6], None),
        ([[[[3], [-2]]]], [5], [0, 1, 0, 0], 2, [3, 6], None),
        ([[[[-4]]], [[[9]]]], [0, 1], [1, 1, 1, 1], -1, [4, 7], stg([2**29, 2**30], 0, 0, S8)),
    ):
        a = {"w": w, "b": b, "pads": pads, "zx": zx, "stage": s}
        kw = len(w[0][0])
        yield (
            "conv2d",
            a,
            {"x": ix},
            not any(pads) or kw == 1,
            lambda a=a, ix=ix: [
                st(a, v, o)
                for x in P(R(ix), repeat=2)
                for r in O.conv2d([[[q] for q in x]], a["w"], a["b"], a["zx"], (1, 1), a["pads"], (1, 1), 1)
                for p in r
                for o, v in enumerate(p)
            ],
        )
    for zx, ix in ((2, [3, 6]), (0, [-3, 2])):
        a = {"w": [[[[3], [-2]]]], "b": [5], "pads": [0, 0, 0, 0], "zx": zx}
        yield (
            "conv_transpose2d",
            a,
            {"x": ix},
            False,
            lambda a=a, ix=ix: [
                v
                for x in P(R(ix), repeat=2)
                for r in O.conv_transpose2d(
                    [[[q] for q in x]], a["w"], a["b"], a["zx"], (1, 1), a["pads"], (1, 1), 1, (0, 0)
                )
                for p in r
                for v in p
            ],
        )
    for n, zx, ix, s in (
        ([1, 3], 0, [2, 4], None),
        ([2, 2], 1, [-3, 3], stg([2**30], 1, 0, S8)),
        ([0, 0], 5, [-3, 3], None),
        ([3, 3], 0, [0, 1], None),
        ([1, 3], -2, [-9, -5], None),
    ):
        a = {"n": n, "zx": zx, "stage": s}
        yield (
            "reduce_sum",
            a,
            {"x": ix},
            True,
            lambda a=a, ix=ix: [st(a, sum(q - a["zx"] for q in x)) for k in R(a["n"]) for x in P(R(ix), repeat=k)],
        )
    for op, at in (("reduce_mean", {"n": [1, 3]}), ("avg_pool2d", {"kernel": [1, 3]})):
        for zx, ix, lim in ((3, [-2, 6], (-50, 50)), (0, [4, 9], S8)):
            a = {**at, "zx": zx, "m1": 2**31 - 1, "l": 1, "zp": 0, "lo": lim[0], "hi": lim[1]}
            yield (
                op,
                a,
                {"x": ix},
                False,
                lambda a=a, ix=ix: [
                    O.avg_pool(list(x), k, a["zx"], a["m1"], a["l"], 0, a["lo"], a["hi"])
                    for k in (1, 2, 3)
                    for x in P(R(ix), repeat=k)
                ],
            )
    for l, m, ix in ((14, 2**30 + 5, [-6, 6]), (15, 2**31 - 1, [3, 20])):
        a = {"l": l, "m": m, "stage": stg([1488522236], 0, 0, S16)}
        yield (
            "log_softmax",
            a,
            {"x": ix},
            False,
            lambda a=a, ix=ix: [
                v
                for k in (1, 2, 3)
                for x in P(R(ix), repeat=k)
                for v in O.log_softmax(list(x), a["l"], a["m"], k, 1488522236, 0, 0, *S16)
            ],
        )
    for q, s1, zx, ix, s in (
        (10, 0, 3, [-3, 5], stg([2**12], 0, 3, S8)),
        (14, 13, 0, [-9, -7], stg([2**17], 0, 0, S16)),
    ):
        a = {"q": q, "s1": s1, "zx": zx, "stage": s}
        yield (
            "resize_bilinear",
            a,
            {"x": ix},
            True,
            lambda a=a, ix=ix: [
                O.lerp2(
                    *v,
                    wy,
                    wx,
                    a["zx"],
                    a["q"],
                    a["s1"],
                    a["stage"]["m"][0],
                    0,
                    a["stage"]["zp"],
                    a["stage"]["lo"],
                    a["stage"]["hi"],
                )
                for v in P(R(ix)[::2], repeat=4)
                for wy in (0, 333, 2 ** a["q"])
                for wx in (1, 512, 2 ** a["q"])
            ],
        )
    for ix, s in (([-7, 4], stg([2**18], 0, 0, S8)), ([-32768, -32767], stg([2**30], 1, 0, S16))):
        a = {"stage": s}
        yield (
            "rope",
            a,
            {"x": ix},
            False,
            lambda a=a, ix=ix: [
                v
                for p, q in P(R(ix), R(ix))
                for ph in range(0, 2**32, 2**28 + 12345)
                for v in O.rope_pair(
                    p, q, 1, ph, a["stage"]["m"][0], a["stage"]["l"], 0, a["stage"]["lo"], a["stage"]["hi"]
                )
            ],
        )
    for n, ex, zx, ix in (
        (3, 0, 0, [2, 4]),
        (3, 1, 0, [2, 4]),
        (3, 0, 1, [-3, 2]),
        (1, 1, 0, [5, 6]),
        (0, 0, 0, [1, 2]),
        (3, 1, 0, [-5, -2]),
    ):
        a = {"n": n, "exclusive": ex, "zx": zx}
        yield (
            "cumsum",
            a,
            {"x": ix},
            True,
            lambda a=a, ix=ix: (
                [
                    v
                    for x in P(R(ix), repeat=a["n"])
                    for rv in (0, 1)
                    for v in O.cumsum(list(x), a["zx"], a["exclusive"], rv)
                ]
                or [0]
            ),
        )
    for o, zp, lo, hi in ((15, 0, 0, 32767), (8, -128, -128, 127), (7, 3, -20, 100)):
        a = {"o": o, "zp": zp, "lo": lo, "hi": hi, "l": 14, "m": 2**31 - 1}
        yield (
            "softmax",
            a,
            {"x": [-3, 60]},
            True,
            lambda a=a: [
                v
                for x in P(range(-3, 61, 3), repeat=2)
                for kp in P((0, 1), repeat=2)
                for v in O.softmax(list(x), list(kp), a["l"], a["m"], 2, a["o"], a["zp"], a["lo"], a["hi"])
            ],
        )
    T8 = [(q * q) % 251 - 125 for q in range(256)]
    for ix in ([-128, 127], [-3, 9]):
        yield "lut8", {"table": T8}, {"x": ix}, True, lambda ix=ix: [O.lut8(x, T8) for x in R(ix)]
    T16 = [(j * 7919) % 65536 - 32768 for j in range(513)]
    for ix, s, zp, lim in (
        ([-300, 513], 7, 0, S16),
        ([32700, 32767], 15, 4, S8),
        ([0, 0], 7, 0, S16),
        ([-32768, 32767], 14, -3, (-90, 100)),
    ):
        a = {"table": T16, "s": s, "zp": zp, "lo": lim[0], "hi": lim[1]}
        yield (
            "lut16",
            a,
            {"x": ix},
            False,
            lambda a=a, ix=ix: [O.lut16(x, T16, a["s"], a["zp"], a["lo"], a["hi"]) for x in R(ix)],
        )
    for ia, ib in (([-3, 4], [0, 9]), ([5, 6], [-1, 1])):
        for op, f in (("min", min), ("max", max)):
            yield op, {}, {"a": ia, "b": ib}, True, lambda ia=ia, ib=ib, f=f: [f(p, q) for p, q in P(R(ia), R(ib))]
    for op in ("where", "concat", "update"):
        yield op, {}, {"a": [-3, 2], "b": [4, 6]}, True, lambda: [*R([-3, 2]), *R([4, 6])]
    for mode, v in (("constant", -9), ("constant", [1, 50]), ("edge", 0), ("reflect", 0)):
        a = {"mode": mode, "value": v}
        shape = [2, 1] if mode != "constant" else [1, 2]
        yield (
            "pad",
            a,
            {"x": [3, 6]},
            True,
            lambda a=a, shape=shape: [
                v
                for x in P(R([3, 6]), repeat=2)
                for v in O.pad((shape, list(x)), [1, 0], [0, 0], a["mode"], a["value"])[1]
            ],
        )
    yield (
        "compare",
        {},
        {"a": [-2, 2], "b": [0, 1]},
        True,
        lambda: [O.compare(p, q, 0, 0, 1, 1, "lt") for p, q in P(R([-2, 2]), R([0, 1]))],
    )
    for op, f in (("argmax", lambda x: [O.argmax(x)]), ("topk_indices", lambda x: O.topk(x, 2)[1])):
        yield op, {"n": 3}, {"x": [-1, 1]}, True, lambda f=f: [v for x in P((-1, 0, 1), repeat=3) for v in f(list(x))]
    yield (
        "sample",
        {"V": 3},
        {"x": [-1, 1]},
        True,
        lambda: [
            O.sample(list(x), 0, 65536, 9, 2**30, (1, 2), s, 0) for x in P((-1, 0, 1), repeat=3) for s in range(20)
        ],
    )
    B = [[0, 0, 5, 5], [1, 0, 5, 5], [9, 9, 12, 12]]
    for lim in (2, 5):
        yield (
            "nms",
            {"N": 3, "limit": lim},
            {"boxes": [0, 12], "scores": [-2, 2]},
            True,
            lambda lim=lim: [
                v for s in P(range(-2, 3), repeat=3) for v in O.nms_padded([B], [[list(s)]], 32768, 0, lim)[0][0][0]
            ],
        )
        yield (
            "nms_count",
            {"N": 3, "limit": lim},
            {"boxes": [0, 12], "scores": [-2, 2]},
            True,
            lambda lim=lim: [O.nms_padded([B], [[list(s)]], 32768, 0, lim)[1][0][0] for s in P(range(-2, 3), repeat=3)],
        )
    a = {"p": 3, "q": 2, "zp": 1, "lo": -9, "hi": 11}
    yield (
        "div",
        a,
        {"a": [-9, 9], "b": [-3, 3]},
        True,
        lambda a=a: [O.div(p, q, 0, 0, 3, 2, 1, -9, 11) for p, q in P(range(-9, 10), range(-3, 4))],
    )
    a = {"lo": -50, "hi": 60}
    yield (
        "layer_norm",
        a,
        {"x": [-4, 4]},
        True,
        lambda: [
            v
            for x in P(range(-4, 5), repeat=3)
            for v in O.layer_norm(list(x), 0, 6, 1, [2**31 - 1] * 3, [0] * 3, 15, 0, -50, 60)
        ],
    )
    yield "lstm_h", {"lo": -100, "hi": 90}, {"x": [-128, 127], "h0": [-128, 127]}, False, lambda: [0]
    yield "lstm_c", {"lo": -100, "hi": 90}, {"x": [-128, 127], "h0": [-128, 127]}, False, lambda: [0]
    yield "gru_last_h", {"lo": -100, "hi": 90}, {"h0": [-128, 20]}, False, lambda: [-128, 20, -100, 90]
    moves = ("slice", "resize_nearest", "gather", "expand", "tile", "depth_to_space", "space_to_depth")
    for op in ("max_pool2d", "reduce_max", "reduce_min", "topk_values") + moves:
        yield op, {}, {"x": [-7, 12]}, True, lambda: R([-7, 12])
    yield "logical", {}, {"a": [0, 1], "b": [0, 1]}, True, lambda: [p & q for p, q in P((0, 1), repeat=2)]
    yield (
        "argmin",
        {"n": 3},
        {"x": [-1, 1]},
        True,
        lambda: [O.argmax([-v for v in x]) for x in P((-1, 0, 1), repeat=3)],
    )


def vectors():
    """Every case is held against the outputs that it reaches before it is written."""
    out = []
    for op, a, i, attained, reach in cases():
        e = interval(op, a, i)
        y = list(reach())
        assert min(y) >= e["y"][0] and max(y) <= e["y"][1], (op, a, i, e, min(y), max(y))
        assert not attained or [min(y), max(y)] == e["y"], (op, a, i, e, min(y), max(y))
        out.append({"op": op, "attrs": a, "inputs": i, "expected": e, "attained": attained})
    emit("ops/intervals.json", out)
