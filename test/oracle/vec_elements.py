"""Vectors of single elements, rows and images: primitives, then ops."""

import oracle as O
from common import E32, TAB, R, coprime, img, prim, ri, save


def primitives():
    """Primitives: boundary columns of inputs."""
    prim(
        "mulhr",
        O.mulhr,
        [(a, b) for a in E32[::2] + [3, 7] for b in (-(2**31), -1, 0, 1, 2**30, 2**31 - 1)]
        + [(2**31 - 1, 2**31 - 1), (1, 2**31 - 1), (-1, 2**31 - 1), (2, 2**30), (-2, 2**30)],
    )
    prim(
        "rsh", O.rsh, [(a, s) for a in (-7, -6, -5, -2, -1, 0, 1, 2, 5, 6, 2**30 - 1, -(2**30)) for s in (0, 1, 2, 30)]
    )
    prim(
        "floor_div",
        O.floor_div,
        [(a, d) for a in (-(2**31), -7, -6, -1, 0, 1, 6, 7, 2**31 - 1) for d in (1, 2, 3, 7, 2**31 - 1)],
    )
    prim(
        "round_div",
        O.round_div,
        [(a, d) for a in (-(2**31) + 1, -9, -7, -6, -3, -1, 0, 1, 3, 6, 2**31 - 1) for d in (1, 2, 4, 6)],
    )
    prim(
        "isqrt",
        O.isqrt,
        [
            (v,)
            for v in (
                0,
                1,
                2,
                3,
                4,
                8,
                9,
                2**30 - 1,
                2**30,
                2**31,
                65534**2,
                65535**2 - 1,
                65535**2,
                2**32 - 2**17,
                2**32 - 1,
            )
            + tuple(ri(0, 2**32 - 1, 15))
        ],
    )
    prim(
        "divq",
        O.divq,
        [
            (0, 1, 15),
            (1, 1, 15),
            (1, 2, 0),
            (1, 3, 15),
            (2**31 - 1, 2**31 - 1, 30),
            (2**30, 2**31 - 1, 30),
            (2**30, 2**30, 30),
            (1, 2**31 - 1, 30),
        ]
        + [(ri(0, s), s, o) for s in (3, 1000, 2**20 + 1, 2**31 - 1) for o in (1, 8, 15, 30)],
    )
    prim(
        "log2q",
        O.log2q,
        [(v,) for v in (1, 2, 3, 255, 256, 257, 2**16 - 1, 2**22, 2**30, 2**31 - 1) + tuple(ri(1, 2**31 - 1, 12))],
    )
    prim(
        "expweight",
        O.expweight,
        [
            (t, e)
            for t in (0, 1, 127, 128, 255, 256, 65535, 65536, 65537, 24 * 65536, 25 * 65536, 2**30)
            for e in (0, 13, 22)
        ],
    )
    prim(
        "stage",
        O.stage,
        [
            (a, m, l, z, *c)
            for a, m, l in (
                (0, 2**31 - 1, 24),
                (1, 2**30, 2),
                (-1, 2**30, 1),
                (1, 2**30, 1),
                (127, 2**31 - 1, 24),
                (-127, 2**31 - 1, 24),
                (2**31 - 1, 1, 0),
                (-(2**31) + 1, 2**31 - 1, 0),
                (2**31 - 1, 0, 0),
                (12345, 2**24, 0),
            )
            for z, c in ((0, (-128, 127)), (-128, (-128, 127)), (5, (5, 100)), (0, (-32768, 32767)))
        ],
    )
    prim(
        "sin_q14",
        O.sin_q14,
        [
            (v % 2**32,)
            for q in range(4)
            for v in (q * 2**30, q * 2**30 + 1, q * 2**30 - 1, q * 2**30 + 2**29, q * 2**30 + 12345678)
        ],
    )
    prim(
        "threefry",
        O.threefry,
        [(0, 0, 0, 0), (2**32 - 1,) * 4, (0x13198A2E, 0x03707344, 0x243F6A88, 0x85A308D3)]
        + [tuple(ri(0, 2**32 - 1, 4)) for _ in range(20)],
    )


def elementwise():
    """Elements of the elementwise ops."""
    prim(
        "linear2",
        O.linear2,
        [(a, b, -128, 127, 32767, -32767, 15, 3, -128, 127) for a in (-128, 0, 127) for b in (-128, 127)]
        + [(a, b, 0, 0, 1, 1, 0, 0, -32768, 32767) for a in (-32768, -1, 32767) for b in (-32768, 1, 32767)]
        + [
            (
                ri(-128, 127),
                ri(-128, 127),
                ri(-128, 127),
                ri(-128, 127),
                ri(-32767, 32767) | 1,
                ri(-32767, 32767),
                s,
                ri(-128, 127),
                -128,
                127,
            )
            for s in range(1, 17)
        ],
    )
    prim(
        "mul",
        O.mul,
        [
            (-32768, -32768, 0, 0, 2**17, 0, 0, -32768, 32767),
            (-32768, 32767, 0, 0, 2**17, 0, 0, -32768, 32767),
            (-128, 127, 127, -128, 2**24, 0, 0, -128, 127),
            (-128, -128, 127, 127, 2**24, 0, 0, -128, 127),
        ]
        + [
            (ri(-128, 127), ri(-128, 127), ri(-128, 127), ri(-128, 127), ri(2**22, 2**27), 0, ri(-128, 127), -128, 127)
            for _ in range(30)
        ],
    )
    prim(
        "div",
        O.div,
        [(a, b, 0, 0, 65535, 4, 0, -32768, 32767) for a in (-32768, -1, 0, 1, 32767) for b in (-32768, -1, 0, 1, 32767)]
        + [
            (1, 2, 0, 0, 1, 1, 0, -128, 127),
            (-1, 2, 0, 0, 1, 1, 0, -128, 127),
            (1, -2, 0, 0, 1, 1, 0, -128, 127),
            (-3, -2, 0, 0, 1, 1, 0, -128, 127),
            (0, 0, 0, 0, 1, 1, 7, -128, 127),
            (0, 0, 0, 0, 1, 1, 7, 8, 127),
        ]
        + [(ri(-128, 127), ri(-128, 127), ri(-128, 127), ri(-128, 127), *coprime(), 5, -128, 127) for _ in range(15)],
    )
    save(
        "compare",
        [
            ({"op": o, "za": za, "zb": 0, "ma": 3, "mb": 7}, {"a": a, "b": b}, O.compare(a, b, za, 0, 3, 7, o))
            for o in ("lt", "le", "gt", "ge", "eq", "ne")
            for a, b, za in ((7, 3, 0), (8, 3, 0), (-128, 127, -128), (6, 3, 0), (8, 3, 1))
        ],
    )
    save(
        "lut8",
        [
            ({"table": "silu_i8"}, {"x": x}, [O.lut8(v, TAB["silu_i8"]) for v in x])
            for x in ([-128, -127, -1, 0, 1, 126, 127], list(range(-128, 128)))
        ],
    )
    xs = [-32768, -32767, -32641, -32640, -1, 0, 1, 63, 64, 127, 128, 32639, 32640, 32766, 32767]
    save(
        "lut16",
        [
            ({"table": t, "s": s, "zp": z, "lo": lo, "hi": hi}, {"x": x}, [O.lut16(v, TAB[t], s, z, lo, hi) for v in x])
            for t, s, z, lo, hi in (
                ("sigmoid_q12_q15", 7, 0, -32768, 32767),
                ("tanh_q12_q15", 7, 0, -32768, 32767),
                ("gelu_i16", 7, 0, -32768, 32767),
                ("gelu_to_i8_s13", 13, -120, -128, 127),
                ("steps", 7, 0, -32768, 32767),
            )
            for x in (xs, ri(-32768, 32767, 20), ri(-200, 200, 20), ri(-9000, 9000, 20))
        ],
    )


def linear():
    """Accumulators of convolutions and dense rows."""
    cs = []
    for H, W, C, KH, KW, O_, st, pd, dl, g in (
        (3, 3, 1, 1, 1, 1, (1, 1), (0, 0, 0, 0), (1, 1), 1),
        (4, 5, 2, 3, 3, 3, (1, 1), (1, 1, 1, 1), (1, 1), 1),
        (5, 5, 4, 3, 3, 4, (2, 2), (0, 0, 1, 1), (1, 1), 4),
        (5, 5, 2, 3, 3, 4, (1, 1), (2, 2, 2, 2), (2, 2), 2),
        (4, 4, 3, 2, 3, 2, (2, 1), (1, 0, 0, 2), (1, 2), 1),
        (1, 6, 2, 1, 3, 2, (1, 2), (0, 1, 0, 1), (1, 1), 1),
    ):
        for zx, ex in ((0, 0), (-128, 1), (37, 0), (127, 1)):
            x = img(H, W, C)
            w = [[[ri(-128, 127, C // g) for _ in range(KW)] for _ in range(KH)] for _ in range(O_)]
            b = ri(-(2**20), 2**20, O_)
            if ex:
                x = [[[R.choice((-128, 127)) for _ in p] for p in r] for r in x]
                w = [[[[R.choice((-128, 127)) for _ in q] for q in r] for r in k] for k in w]
            a = {"zx": zx, "strides": st, "pads": pd, "dilations": dl, "groups": g}
            cs.append((a, {"x": x, "w": w, "b": b}, O.conv2d(x, w, b, zx, st, pd, dl, g)))
    save("conv2d", cs)
    cs = []
    for H, W, C, KH, KW, O_, st, pd, dl, g, op in (
        (2, 3, 2, 2, 2, 3, (2, 2), (0, 0, 0, 0), (1, 1), 1, (0, 0)),
        (3, 3, 2, 3, 3, 2, (2, 2), (1, 1, 1, 1), (1, 1), 1, (1, 1)),
        (3, 2, 4, 3, 3, 4, (1, 1), (1, 1, 1, 1), (1, 1), 4, (0, 0)),
        (2, 2, 2, 3, 2, 2, (3, 1), (0, 1, 2, 0), (2, 1), 2, (2, 0)),
        (2, 2, 1, 1, 1, 1, (2, 2), (0, 0, 0, 0), (1, 1), 1, (0, 0)),
    ):
        for zx in (0, -128, 37, 127):
            x = img(H, W, C)
            w = [[[ri(-128, 127, C // g) for _ in range(KW)] for _ in range(KH)] for _ in range(O_)]
            b = ri(-(2**20), 2**20, O_)
            a = {"zx": zx, "strides": st, "pads": pd, "dilations": dl, "groups": g, "output_padding": op}
            cs.append((a, {"x": x, "w": w, "b": b}, O.conv_transpose2d(x, w, b, zx, st, pd, dl, g, op)))
    save("conv_transpose2d", cs)
    cs = []
    for K, B in ((1, 0), (7, 0), (64, 0), (32, 32), (40, 32), (96, 32)):
        for zx in (0, -128, 127):
            x = ri(-128, 127, K)
            w = ri(-8, 7, K) if B else ri(-128, 127, K)
            b = ri(-(2**30), 2**30)
            u = ri(1, 255, -(-K // B)) if B else None
            if zx == 127:
                x = [-128] * K
                w = [-8 if B else -128] * K
            cs.append(({"zx": zx, "block": B}, {"x": x, "w": w, "b": b, "u": u}, O.dense(x, w, b, zx, u, B or None)))
    save("dense", cs)


def pools():
    """Windows and order."""
    ca, cm = [], []
    for H, W, C, k, st, dl, pd, ov in (
        (4, 4, 2, (2, 2), (2, 2), (1, 1), (0, 0, 0, 0), (0, 0)),
        (5, 6, 1, (3, 3), (2, 2), (1, 1), (1, 1, 1, 1), (0, 1)),
        (5, 5, 2, (2, 3), (2, 2), (1, 1), (0, 1, 0, 0), (1, 1)),
        (6, 5, 1, (2, 2), (1, 2), (2, 1), (1, 0, 1, 1), (0, 0)),
        (1, 1, 3, (1, 1), (1, 1), (1, 1), (0, 0, 0, 0), (0, 0)),
        (7, 7, 1, (7, 7), (1, 1), (1, 1), (0, 0, 0, 0), (0, 0)),
    ):
        for zx, zp, m1 in ((0, 0, 2**30), (-128, 127, 2**31 - 1), (17, -5, 1234567890), (127, -128, 2**30)):
            x = (
                img(H, W, C)
                if zx not in (-128, 127)
                else [[[127 if zx < 0 else -128] * C for _ in range(W)] for _ in range(H)]
            )
            geo = {"kernel": k, "strides": st, "dilations": dl, "pads": pd, "overhang": ov}
            for inc in (0, 1):
                ca.append(
                    (
                        {**geo, "include_pad": inc, "zx": zx, "m1": m1, "l": 2, "zp": zp, "lo": -128, "hi": 127},
                        {"x": x},
                        O.avg_pool2d(x, k, st, dl, pd, ov, inc, zx, m1, 2, zp, -128, 127),
                    )
                )
            if zx in (0, 17):
                cm.append((geo, {"x": x}, O.max_pool2d(x, k, st, dl, pd, ov)))
    save("avg_pool2d", ca)
    save("max_pool2d", cm)
    rows = [[3, 1, 3, 2, 3], [5], [-128, -128], [1, 2, 3, 4], [4, 3, 2, 1]] + [ri(-4, 4, 12) for _ in range(8)]
    save(
        "topk",
        [
            ({"k": k, "largest": lg}, {"x": r}, dict(zip(("values", "indices"), O.topk(r, k, lg))))
            for r in rows
            for k in {1, max(1, len(r) // 2), len(r)}
            for lg in (True, False)
        ],
    )
    save("argmax", [({"select_last": s}, {"x": r}, O.argmax(r, s)) for r in rows for s in (False, True)])
    save(
        "cumsum",
        [
            ({"zx": z, "exclusive": e, "reverse": v}, {"x": r}, O.cumsum(r, z, e, v))
            for r in rows[:6]
            for z in (0, -3)
            for e in (False, True)
            for v in (False, True)
        ],
    )
