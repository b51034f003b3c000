"""Vectors of rows, cells and boxes: softmax, normalisations, recurrent units, resizing, sampling."""

import oracle as O
from common import TAB, R, ri, save


def softmax():
    """Rows of softmax and log_softmax, several widths."""
    cs = []
    cl = []
    for K in (1, 2, 7, 33):
        for dt, l, m in (((-128, 127), 14, 1640000000), ((-32768, 32767), 7, 2**30 + 1), ((-32768, 32767), 0, 2**29)):
            for x, keep in (
                (ri(*dt, K), None),
                ([dt[0]] * K, None),
                ([R.choice(dt) for _ in range(K)], None),
                (ri(*dt, K), ri(0, 1, K)),
                (ri(*dt, K), [0] * K),
            ):
                o, zp, lo, hi = R.choice(((15, 0, 0, 32767), (8, -128, -128, 127), (7, 0, 0, 127)))
                cs.append(
                    (
                        {"l": l, "m": m, "kmax": K, "o": o, "zp": zp, "lo": lo, "hi": hi},
                        {"x": x, "keep": keep},
                        O.softmax(x, keep, l, m, K, o, zp, lo, hi),
                    )
                )
                if keep is None:
                    cl.append(
                        (
                            {"l": l, "m": m, "kmax": K, "m2": 1488522236, "l2": 0, "zp": 0, "lo": -32768, "hi": 32767},
                            {"x": x},
                            O.log_softmax(x, l, m, K, 1488522236, 0, 0, -32768, 32767),
                        )
                    )
    save("softmax", cs[:50])
    save("log_softmax", cl)


def norms():
    """Rows of the normalisations: random, constant, extreme and small."""
    for op, rms in (("layer_norm", False), ("rms_norm", True)):
        cs = []
        for N in (1, 2, 5, 16, 48):
            for dt, zx, f in (((-128, 127), -37, 6), ((-32768, 32767), 0, 0)):
                for kind, eps in (("rnd", 1), ("const", 1), ("ext", 2**31 - 1), ("small", 7)):
                    x = {
                        "rnd": ri(*dt, N),
                        "const": [dt[0]] * N,
                        "ext": [dt[i % 2] for i in range(N)],
                        "small": ri(-2, 2, N),
                    }[kind]
                    big = kind == "ext"
                    g = [R.choice((-1, 1)) * ri(0, 2**31 - 1 if big else 2**24) for _ in range(N)]
                    b = ri(-(2**29), 2**29, N) if big else ri(-(2**16), 2**16, N)
                    gs = 16 if big else 6
                    lo, hi, zp = R.choice(((-128, 127, 4), (-32768, 32767, 0)))
                    cs.append(
                        (
                            {"zx": zx, "f": f, "eps": eps, "g": gs, "zp": zp, "lo": lo, "hi": hi},
                            {"x": x, "gamma": g, "beta": b},
                            O.layer_norm(x, zx, f, eps, g, b, gs, zp, lo, hi, rms),
                        )
                    )
        save(op, cs)
    cs = []
    for P, C, G in ((4, 4, 2), (9, 6, 3), (5, 3, 3), (5, 4, 1)):
        for dt, zx, f in (((-128, 127), 12, 6), ((-32768, 32767), 0, 0)):
            for _ in range(3):
                x = [ri(*dt, C) for _ in range(P)]
                g = ri(-(2**24), 2**24, C)
                b = ri(-(2**16), 2**16, C)
                cs.append(
                    (
                        {"groups": G, "zx": zx, "f": f, "eps": 3, "g": 6, "zp": 0, "lo": -32768, "hi": 32767},
                        {"x": x, "gamma": g, "beta": b},
                        O.group_norm(x, G, zx, f, 3, g, b, 6, 0, -32768, 32767),
                    )
                )
    save("group_norm", cs)


def recurrent():
    """One unit of a cell from its accumulators; a pair of rope."""
    cs = []
    cg = []
    S, TH = TAB["sigmoid_q12_q15"], TAB["tanh_q12_q15"]
    for j in range(30):
        big = j < 6
        f = lambda k: [R.choice((-(2**26), 2**26 - 1)) if big else ri(-(2**20), 2**20) for _ in range(k)]
        mm = lambda k: [2**31 - 1 if big else ri(2**24, 2**30) for _ in range(k)]
        sx, sh_ = (4, 3) if big else (0, 0)
        kc, tc = ((3, "tanh_q12_q15"), (0, "tanh_c_kc0"))[j % 2]
        qh, lo, hi = ((7, -128, 127), (15, -32768, 32767))[j // 2 % 2]
        ax, ah, mx, mh = f(4), f(4), mm(4), mm(4)
        c = R.choice((-32768, 32767)) if big else ri(-32768, 32767)
        p, c1, h1 = O.lstm_step(ax, ah, c, mx, sx, mh, sh_, S, TH, TAB[tc], kc, qh, lo, hi)
        cs.append(
            (
                {
                    "mx": mx,
                    "lx": sx,
                    "mh": mh,
                    "lh": sh_,
                    "kc": kc,
                    "qh": qh,
                    "lo": lo,
                    "hi": hi,
                    "sigmoid": "sigmoid_q12_q15",
                    "tanh": "tanh_q12_q15",
                    "tanh_c": tc,
                },
                {"acc_x": ax, "acc_h": ah, "c": c},
                {"p": p, "c": c1, "h": h1},
            )
        )
        ax, ah, mx, mh = ax[:3], ah[:3], mx[:3], mh[:3]
        h = R.choice((lo, hi)) if big else ri(lo, hi)
        pn, h1 = O.gru_step(ax, ah, h, mx, sx, mh, sh_, S, TH, qh, lo, hi)
        cg.append(
            (
                {
                    "mx": mx,
                    "lx": sx,
                    "mh": mh,
                    "lh": sh_,
                    "qh": qh,
                    "lo": lo,
                    "hi": hi,
                    "sigmoid": "sigmoid_q12_q15",
                    "tanh": "tanh_q12_q15",
                },
                {"acc_x": ax, "acc_h": ah, "h": h},
                {"p_n": pn, "h": h1},
            )
        )
    save("lstm", cs)
    save("gru", cg)
    save(
        "rope",
        [
            (
                {"m": m, "l": 0, "zp": 0, "lo": lo, "hi": hi},
                {"x1": a, "x2": b, "pos": p, "step": s},
                O.rope_pair(a, b, p, s, m, 0, 0, lo, hi),
            )
            for m, lo, hi in ((2**18, -32768, 32767), (2**10, -128, 127))
            for a, b, p, s in [
                (-32768, -32768, 0, 1),
                (-32768, 32767, 1, 2**29),
                (-32768, -32768, 1, 3 * 2**29),
                (32767, 0, 1, 2**30),
                (0, 32767, 1, 2**31),
                (-32768, -32768, 131071, 683565276),
            ]
            + [(ri(-32768, 32767), ri(-32768, 32767), ri(0, 131071), ri(0, 2**32 - 1)) for _ in range(14)]
        ],
    )


def resizing():
    """Index maps and bilinear images."""

    def axis(mode, i, o):
        return {
            "half_pixel": (2 * i, i - o, 2 * o),
            "asymmetric": (i, 0, o),
            "align_corners": (i - 1, 0, o - 1) if o > 1 else (0, 0, 1),
        }[mode]

    cs = []
    cb = []
    for mode in ("half_pixel", "asymmetric", "align_corners"):
        for i, o in ((1, 1), (1, 4), (3, 1), (4, 8), (5, 7), (8, 3), (7, 7)):
            A, B, D = axis(mode, i, o)
            for nm, t in (
                ("floor", (A, B, D)),
                ("round_prefer_ceil", (2 * A, 2 * B + D, 2 * D)),
                ("round_prefer_floor", (2 * A, 2 * B + D - 1, 2 * D)),
                ("ceil", (A, B + D - 1, D)),
            )[: 4 if i == 5 else 2]:
                cs.append(
                    (
                        {"mode": mode, "nearest": nm, "A": t[0], "B": t[1], "D": t[2], "size": i, "out": o},
                        {},
                        [O.resize_nearest_index(k, *t, i) for k in range(o)],
                    )
                )
            for dt, q, s1, m, zx in (((-128, 127), 10, 0, 2**12, 9), ((-32768, 32767), 14, 13, 2**17, 0)):
                x = [ri(*dt, i) for _ in range(3)]
                ay = axis(mode, 3, 5)
                cb.append(
                    (
                        {
                            "axis_y": ay,
                            "axis_x": (A, B, D),
                            "zx": zx,
                            "q": q,
                            "s1": s1,
                            "m": m,
                            "l": 0,
                            "zp": zx,
                            "lo": dt[0],
                            "hi": dt[1],
                        },
                        {"x": x, "out": [5, o]},
                        [
                            [O.resize_bilinear(x, a, b, ay, (A, B, D), zx, q, s1, m, 0, zx, *dt) for b in range(o)]
                            for a in range(5)
                        ],
                    )
                )
    save("resize_nearest", cs)
    save("resize_bilinear", cb)


def drawing():
    """Sampled rows and boxes."""
    save(
        "sample",
        [
            (
                {"k": k, "p16": p, "l": l, "m": m},
                {"x": x, "seed": sd, "step": st, "row": r},
                O.sample(x, k, p, l, m, sd, st, r),
            )
            for x in ([5], [7, 7, 7, 7], ri(-3000, 3000, 20), [-32768, 32767])
            for k, p in ((0, 65536), (1, 65536), (len(x), 50000), (max(1, len(x) // 2), 65536))
            for l, m, sd, st, r in (
                (9, 2**30 + 7, (1, 2), 0, 0),
                (4, 2**31 - 1, (2**32 - 1, 0), 77, 3),
                (9, 2**30, tuple(ri(0, 2**32 - 1, 2)), ri(0, 1000), 0),
            )
        ],
    )
    cs = []
    for _ in range(20):
        k = ri(1, 9)
        bx = [[y, x, y + ri(-10, 60), x + ri(0, 60)] for y, x in ((ri(-50, 50), ri(-50, 50)) for _ in range(k))]
        bx[-1] = bx[0]
        sc = ri(-3, 3, k)
        t = R.choice((0, 8192, 16384, 32768))
        th = R.choice((-32768, -1, 0))
        lim = R.choice((1, 3, 100))
        cs.append(
            ({"t15": t, "score_threshold": th, "limit": lim}, {"boxes": bx, "scores": sc}, O.nms(bx, sc, t, th, lim))
        )
    save("nms", cs)
