"""Whole tensors as {shape, data}: broadcast, matmul, reductions, moves, batches."""

import oracle as O
from common import I8, I16, TAB, img, js, ri, save, ten


def products():
    """matmul and the reductions."""

    def st(a, acc):
        return acc[0], [O.stage(v, a["m"][0], a["l"], a["zp"], a["lo"], a["hi"]) for v in acc[1]]

    cs = []
    for sa, sb, tb, da, db, a in (
        ((2, 3), (3, 4), 0, I8, I8, None),
        ((3, 5), (2, 5), 1, I16, I8, {"m": [2**26 + 12345], "l": 0, "zp": 0, "lo": -32768, "hi": 32767}),
        ((2, 1, 2, 3), (3, 3, 2), 0, I8, I16, {"m": [1500000001], "l": 1, "zp": -7, "lo": -128, "hi": 127}),
        ((2, 0), (0, 3), 0, I8, I8, {"m": [2**30], "l": 2, "zp": 5, "lo": -128, "hi": 127}),
        ((1, 64), (64, 1), 0, (0, 32767), (127, 127), None),
        ((2, 2, 2), (2, 4, 2), 1, I16, (-1000, 1000), None),
        ((0, 3), (3, 2), 0, I8, I8, None),
        ((3, 2, 2), (2, 1, 2, 2), 0, I8, I8, None),
        (
            (1, 1),
            (1, 1),
            0,
            (-32768, -32768),
            (-32768, -32768),
            {"m": [2**17], "l": 0, "zp": 0, "lo": -32768, "hi": 32767},
        ),
    ):
        x, y = ten(*da, *sa), ten(*db, *sb)
        acc = O.matmul(x, y, tb)
        cs.append(({"tb": tb, **({"stage": a} if a else {})}, {"a": js(x), "b": js(y)}, js(st(a, acc) if a else acc)))
    save("matmul", cs)
    cs, cm, ch = [], [], []
    for shape, axes, dt, zx, a in (
        ((2, 3, 4), [1], I8, -5, None),
        ((2, 3, 4), [0, 2], I8, 127, {"m": [2**30 + 77], "l": 0, "zp": 3, "lo": -128, "hi": 127}),
        ((3, 4), [0, 1], I16, 0, {"m": [2**28 + 9], "l": 0, "zp": 0, "lo": -32768, "hi": 32767}),
        ((2, 0, 3), [1], I8, 9, None),
        ((2, 5), [1], (0, 1), 0, None),
        ((4,), [0], I8, -128, {"m": [2**31 - 1], "l": 3, "zp": -128, "lo": -100, "hi": 100}),
        ((2, 2, 2, 3), [1, 2], I8, 0, {"m": [2**30], "l": 0, "zp": 0, "lo": -128, "hi": 127}),
    ):
        x = ten(*dt, *shape)
        acc = O.reduce_sum(x, axes, zx)
        cs.append(({"axes": axes, "zx": zx, **({"stage": a} if a else {})}, {"x": js(x)}, js(st(a, acc) if a else acc)))
        if 0 in shape:
            continue
        for op, f in (("max", O.reduce_max), ("min", O.reduce_min)):
            ch.append(({"op": op, "axes": axes}, {"x": js(x)}, js(f(x, axes))))
        at = {"axes": axes, "zx": zx, "m1": ri(2**30, 2**31 - 1), "l": ri(0, 3), "zp": zx, "lo": dt[0], "hi": dt[1]}
        cm.append((at, {"x": js(x)}, js(O.reduce_mean(x, axes, zx, at["m1"], at["l"], zx, *dt))))
    save("reduce_sum", cs)
    save("reduce_mean", cm)
    save("reduce_max_min", ch)


def broadcasts():
    """min, max, rescale, where, logical."""
    cs = []
    for sa, sb, dt in (
        ((2, 3), (2, 3), I8),
        ((2, 1, 3), (4, 1), I16),
        ((3,), (), (-(2**31), 2**31 - 1)),
        ((0, 2), (1, 2), I8),
        ((2, 2), (2,), (-2, 2)),
    ):
        x, y = ten(*dt, *sa), ten(*dt, *sb)
        cs += [({"op": o}, {"a": js(x), "b": js(y)}, js(f(x, y))) for o, f in (("min", O.minimum), ("max", O.maximum))]
    save("min_max", cs)
    cs = []
    for shape, dt, zx, m, l, z, lim in (
        ((2, 3), I8, -7, [2**30 + 5, 2**31 - 1, 3], 1, 4, I8),
        ((2, 2), (-(2**28), 2**28), 0, [2**24], 0, 0, I16),
        ((4,), I8, -128, [2**30], 2, 0, I16),
        ((2, 2, 2), I16, 0, [2**23, 0], 0, -128, I8),
        ((3, 1), (-(2**31) + 1, 2**31 - 1), 0, [2**31 - 1], 0, 0, I16),
    ):
        x = ten(*dt, *shape)
        cs.append(
            (
                {"zx": zx, "m": m, "l": l, "zp": z, "lo": lim[0], "hi": lim[1]},
                {"x": js(x)},
                js(O.rescale(x, zx, m, l, z, *lim)),
            )
        )
    save("rescale", cs)
    cs = []
    for sc, sa, sb, dt in (
        ((2, 3), (2, 3), (2, 3), I8),
        ((3, 1), (1, 4), (), I16),
        ((1,), (2, 2), (2, 1), (-(2**31), 2**31 - 1)),
        ((2, 1), (0,), (1, 1), I8),
    ):
        c, x, y = ten(0, 1, *sc), ten(*dt, *sa), ten(*dt, *sb)
        cs.append(({}, {"c": js(c), "a": js(x), "b": js(y)}, js(O.where(c, x, y))))
    save("where", cs)
    x, y = ([4], [0, 0, 1, 1]), ([4], [0, 1, 0, 1])
    z = ([2, 1], [0, 1])
    save(
        "logical",
        [
            ({"op": o}, {"a": js(p), "b": js(q)}, js(O.logical(o, p, q)))
            for o in ("and", "or", "xor")
            for p, q in ((x, y), (z, y))
        ]
        + [({"op": "not"}, {"a": js(p)}, js(O.logical("not", p))) for p in (x, z)],
    )


def moves():
    """Index maps."""
    x = ten(*I8, 2, 3, 4)
    y = ten(*I8, 2, 1, 4)
    q = ten(*I8, 1, 2, 4, 8)
    mv = []

    def add(op, attrs, inputs, out):
        mv.append(
            (
                {"op": op, **attrs},
                {k: js(v) if isinstance(v, tuple) else [js(t) for t in v] for k, v in inputs.items()},
                js(out),
            )
        )

    for s in ([6, 4], [24], [2, 1, 12], [4, 3, 2, 1]):
        add("reshape", {"shape": s}, {"x": x}, O.reshape(x, s))
    for p in ([0, 1, 2], [2, 0, 1], [1, 0, 2], [2, 1, 0], [0, 2, 1]):
        add("transpose", {"perm": p}, {"x": x}, O.transpose(x, p))
    e = ([], [7])
    add("transpose", {"perm": []}, {"x": e}, O.transpose(e, []))
    add("reshape", {"shape": [1, 1]}, {"x": e}, O.reshape(e, [1, 1]))
    for xs, ax in (([x, y], 1), ([y, y, x], 1), ([x, x], 0), ([x, x], 2), ([ten(*I8, 2, 0, 4), y], 1), ([x], 2)):
        add("concat", {"axis": ax}, {"x": xs}, O.concat(xs, ax))
    for s, t_, z in (
        ([0, 0, 0], [1, 1, 1], [2, 3, 4]),
        ([1, 2, 3], [-1, -1, -1], [2, 3, 4]),
        ([0, 1, 0], [1, 1, 3], [2, 2, 2]),
        ([1, 2, 3], [1, -2, -3], [1, 2, 2]),
        ([0, 0, 4], [1, 1, 1], [2, 3, 0]),
    ):
        add("slice", {"start": s, "step": t_, "size": z}, {"x": x}, O.slice_(x, s, t_, z))
    for b, a, m, v in (
        ([0, 0, 0], [0, 0, 0], "constant", 5),
        ([1, 0, 2], [0, 1, 1], "constant", -128),
        ([0, 1, 0], [1, 0, 0], "constant", [1, -2, 3, -4]),
        ([2, 1, 0], [0, 3, 5], "edge", 0),
        ([1, 2, 3], [1, 2, 3], "reflect", 0),
        ([0, 0, 1], [0, 2, 0], "reflect", 0),
    ):
        add("pad", {"before": b, "after": a, "mode": m, "value": v}, {"x": x}, O.pad(x, b, a, m, v))
    for ix, ax in (
        (([2], [2, 0]), 1),
        (([], [1]), 0),
        (([2, 2], [3, 3, 0, 1]), 2),
        (([0], []), 1),
        (([1, 3], [0, 1, 0]), 0),
    ):
        add("gather", {"axis": ax}, {"x": x, "idx": ix}, O.gather(x, ix, ax))
    for s, v in (([2, 3, 4], x), ([5, 2, 1, 4], y), ([2, 6, 4], y), ([3, 2], e)):
        add("expand", {"shape": s}, {"x": v}, O.expand(v, s))
    for r in ([1, 1, 1], [2, 1, 3], [1, 2, 0]):
        add("tile", {"repeats": r}, {"x": x}, O.tile(x, r))
    for b, v in ((2, q), (1, q)):
        for m in ("DCR", "CRD"):
            add("depth_to_space", {"block": b, "mode": m}, {"x": v}, O.depth_to_space(v, b, m))
        add("space_to_depth", {"block": b}, {"x": v}, O.space_to_depth(v, b))
    add(
        "resize_nearest",
        {"axis_y": [2, -1, 3], "axis_x": [1, 0, 2], "out": [3, 8]},
        {"x": q},
        O.resize_nearest(q, (2, -1, 3), (1, 0, 2), (3, 8)),
    )
    save("moves", mv)
    cs = []
    for ss, sn, ax, pos in (
        ((4, 2), (1, 2), 0, 0),
        ((4, 2), (1, 2), 0, 3),
        ((2, 5, 2), (2, 2, 2), 1, 1),
        ((2, 5, 2), (2, 5, 2), 1, 0),
        ((3,), (0,), 0, 3),
    ):
        s, w = ten(*I8, *ss), ten(*I8, *sn)
        cs.append(({"axis": ax}, {"state": js(s), "new": js(w), "pos": pos}, js(O.update(s, w, pos, ax))))
    save("update", cs)


def rows():
    """softmax over matrices: causal offsets, masks, both, rows without a kept entry."""
    cs = []
    for rows, cols, f, dt, l, m, mode in (
        (4, 4, 0, I8, 15, 1640000000, "c"),
        (3, 6, 2, I16, 7, 2**30 + 1, "c"),
        (3, 4, -2, I16, 4, 2**30 + 1, "c"),
        (2, 5, -5, I8, 15, 2**30, "c"),
        (4, 5, 1, I16, 4, 2**30 + 1, "cm"),
        (4, 5, 0, I8, 17, 1200000000, "m"),
        (3, 3, 100, (-(2**30), 2**30 - 1), 0, 2**31 - 1, "c"),
        (3, 4, 2**31 - 4, (-(2**31), -(2**31) + 90000), 6, 2**30 + 3, "cm"),
        (4, 3, 0, (-40, 40), 14, 1400000001, "m"),
    ):
        x = [ri(*dt, cols) for _ in range(rows)]
        keep = O.causal_keep(rows, cols, f) if "c" in mode else [[1] * cols for _ in range(rows)]
        mask = [ri(0, 1, cols) for _ in range(rows)] if "m" in mode else None
        if mask:
            mask[-1] = [0] * cols
            keep = [[p & q for p, q in zip(a, b)] for a, b in zip(keep, mask)]
        if mask:
            x[0][mask[0].index(0) if 0 in mask[0] else 0] = dt[1]
        for o, zp, lo, hi in ((15, 0, 0, 32767), (8, -128, -128, 127)):
            cs.append(
                (
                    {
                        "causal": int("c" in mode),
                        "offset": f if "c" in mode else 0,
                        "l": l,
                        "m": m,
                        "kmax": cols,
                        "o": o,
                        "zp": zp,
                        "lo": lo,
                        "hi": hi,
                    },
                    {"x": x, "mask": mask},
                    [O.softmax(r, k, l, m, cols, o, zp, lo, hi) for r, k in zip(x, keep)],
                )
            )
    save("softmax_rows", cs)


def staged():
    """Staged conv and dense, i8 and i16 inputs, one or several multipliers."""
    cs = []
    for dt, zx, g, C, O_, m, l, lim, zp in (
        (I16, 0, 1, 2, 3, [2**27, 2**24 + 3, 2**30 - 1], 0, I16, 0),
        (I16, 0, 2, 4, 4, [2**22 + 1], 0, I8, 11),
        (I8, -100, 1, 3, 2, [2**31 - 1, 5], 1, I8, -128),
        (I8, 7, 3, 3, 3, [2**30, 2**30 + 1, 0], 2, I16, 0),
    ):
        x = img(4, 4, C, *dt)
        w = [[[ri(-128, 127, C // g) for _ in range(3)] for _ in range(2)] for _ in range(O_)]
        b = ri(-(2**18), 2**18, O_)
        a = {"zx": zx, "strides": (1, 2), "pads": (1, 1, 0, 1), "dilations": (1, 1), "groups": g}
        acc = O.conv2d(x, w, b, zx, (1, 2), (1, 1, 0, 1), (1, 1), g)
        cs.append(
            (
                {**a, "m": m, "l": l, "zp": zp, "lo": lim[0], "hi": lim[1]},
                {"x": x, "w": w, "b": b},
                [[[O.stage(v, O.per(m, o), l, zp, *lim) for o, v in enumerate(p)] for p in r] for r in acc],
            )
        )
    save("conv2d_staged", cs)
    cs = []
    for K, B, dt, zx, m, l, lim, zp in (
        (5, 0, I16, 0, [2**28, 2**25 + 1, 7], 0, I16, 0),
        (33, 0, I8, -128, [2**24 + 11], 0, I8, -3),
        (33, 16, I16, 0, [2**20, 2**21 + 1, 2**19], 0, I16, 0),
        (64, 32, I8, 5, [2**22 + 5], 0, I8, 0),
        (17, 16, I8, 127, [2**25, 2**26, 2**20], 0, (0, 90), 0),
        (0, 0, I8, 3, [2**30], 2, I8, 1),
    ):
        x = [ri(*dt, K) for _ in range(2)]
        w = [ri(-8, 7, K) if B else ri(-128, 127, K) for _ in range(3)]
        b = ri(-(2**16), 2**16, 3) if K else [5, -5, 0]
        u = [ri(1, 255, -(-K // B)) for _ in range(3)] if B else None
        cs.append(
            (
                {"zx": zx, "block": B, "m": m, "l": l, "zp": zp, "lo": lim[0], "hi": lim[1]},
                {"x": x, "w": w, "b": b, "u": u},
                [
                    [
                        O.stage(O.dense(r, w[o], b[o], zx, u and u[o], B or None), O.per(m, o), l, zp, *lim)
                        for o in range(3)
                    ]
                    for r in x
                ],
            )
        )
    save("dense_staged", cs)
