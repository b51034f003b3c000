"""Clauses that a random vector would not separate."""

import oracle as O
import rows
import sampling
from common import I8, I16, TAB, R, img, ri, save


def norm_scales():
    """Exponents, and the normalisation scale where its last quotient is cut."""
    save(
        "exponent",
        [
            ({}, {"d": d, "l": l, "m": m}, O.exponent(d, l, m))
            for l, m in ((0, 2**29), (0, 2**31 - 1), (7, 2**30 + 12345), (17, 2**31 - 1), (24, 2**30))
            for d in (0, 1, 127, 128, 255, 65535, 2**24 - 1, 2**24, 2**31 - 1)
        ],
    )
    # the quotient of the square root reaches 2^15 only just below a square
    vs = [1, 2, 3, 2**48, 2**49 - 1, 2**46 + 2**48 - 1, 2**31, 2**32 - 1, 2**32]
    for r in range(2**15, 2**16):
        V = (r + 1) ** 2 - 1
        if len(vs) < 21 and O.divq(2**30, (r << 15) + 32767, 30) != O.divq(2**30, (r << 15) + 32768, 30) and r % 7 == 0:
            vs.append(V)
    save(
        "norm_scale",
        [
            ({}, {"V": v}, dict(zip(("k", "R"), O.norm_scale(v))))
            for v in vs + [ri(1, 2**48) >> ri(0, 40) or 1 for _ in range(20)]
        ],
    )
    cs = []
    O_norm = rows.norm_scale

    def loose(V):
        k, _ = O_norm(V)
        vn = V << k if k >= 0 else V >> -k
        r = O.isqrt(vn)
        return k, O.divq(2**30, (r << 15) + ((vn - r * r) << 14) // r, 30)

    while len(cs) < 6:
        r = ri(46341, 65535)
        a = ri(20000, 32767)
        eps = (r + 1) ** 2 - 1 - a * a
        if eps < 1:
            continue
        g, b = 2**31 - 1 - ri(0, 1000), 0
        k, R_ = O_norm((r + 1) ** 2 - 1)
        b = -O.mulhr(O.mulhr(a << 13, R_), g) + ri(-20000, 20000)
        args = ([a], 0, 0, eps, [g], [b], 0, 0, *I16, True)
        y = O.layer_norm(*args)
        rows.norm_scale = loose
        z = O.layer_norm(*args)
        rows.norm_scale = O_norm
        if y != z:
            cs.append(
                (
                    {"zx": 0, "f": 0, "eps": eps, "g": 0, "zp": 0, "lo": -32768, "hi": 32767},
                    {"x": [a], "gamma": [g], "beta": [b]},
                    y,
                )
            )
    for eps in (2**31, 2**32, 2**40 + 12345, 2**48 - 1):
        for dt, zx, f in ((I8, -37, 6), (I16, 0, 0)):
            x = [dt[k % 2] for k in range(8)]
            g = ri(-(2**31) + 1, 2**31 - 1, 8)
            b = ri(-(2**16), 2**16, 8)
            cs.append(
                (
                    {"zx": zx, "f": f, "eps": eps, "g": 2, "zp": 0, "lo": -32768, "hi": 32767},
                    {"x": x, "gamma": g, "beta": b},
                    O.layer_norm(x, zx, f, eps, g, b, 2, 0, *I16, True),
                )
            )
    save("rms_norm_eps", cs)
    save(
        "layer_norm_eps",
        [
            (
                {"zx": zx, "f": f, "eps": eps, "g": 2, "zp": 0, "lo": -32768, "hi": 32767},
                {"x": x, "gamma": [2**31 - 1, -(2**30)] * 6, "beta": [77, -5000] * 6},
                O.layer_norm(x, zx, f, eps, [2**31 - 1, -(2**30)] * 6, [77, -5000] * 6, 2, 0, *I16),
            )
            for eps in (2**31, 2**33 + 1, 2**40 + 12345, 2**48 - 1)
            for dt, zx, f in ((I8, 127, 6), (I16, 0, 0))
            for x in ([dt[k % 2] for k in range(12)], ri(*dt, 12))
        ],
    )


def softmax_corners():
    """e below 22, a masked value above every kept one, distances past the cap."""
    cs = []
    cl = []
    for K, kmax in ((20, 512), (20, 4096), (20, 2**20), (20, 2**29), (512, 512), (600, 600)):
        for dt, l, m in ((I8, 13, 1200000000), (I16, 5, 1200000001)):
            if K >= 512 and l == 13 and K != 600:
                continue
            x = ri(*dt, K) if K < 512 else [max(dt[0], min(dt[1], int(R.gauss(0, dt[1] / 4)))) for _ in range(K)]
            keep = None if K < 512 else [int(R.random() < 0.9) for _ in x]
            o, zp, lo, hi = (15, 0, 0, 32767) if l == 5 else (12, 0, 0, 32767)
            cs.append(
                (
                    {"l": l, "m": m, "kmax": kmax, "o": o, "zp": zp, "lo": lo, "hi": hi},
                    {"x": x, "keep": keep},
                    O.softmax(x, keep, l, m, kmax, o, zp, lo, hi),
                )
            )
            if K < 512:
                cl.append(
                    (
                        {"l": l, "m": m, "kmax": kmax, "m2": 1488522236, "l2": 0, "zp": 0, "lo": -32768, "hi": 32767},
                        {"x": x},
                        O.log_softmax(x, l, m, kmax, 1488522236, 0, 0, *I16),
                    )
                )
    for x, keep in (
        ([3000, 100, 50, 0], [0, 1, 1, 1]),
        ([32767, -32768, -32700, -32768], [0, 1, 1, 0]),
        ([-5, -5, 0, 1], [1, 1, 0, 0]),
        ([7, 8], [1, 0]),
        ([-32768, 5], [1, 0]),
        ([1, 2, 3], [0, 0, 0]),
    ):
        for o, zp, lo, hi in ((15, 0, 0, 32767), (8, -128, -128, 127), (7, 3, -20, 100)):
            cs.append(
                (
                    {"l": 7, "m": 2**30 + 1, "kmax": len(x), "o": o, "zp": zp, "lo": lo, "hi": hi},
                    {"x": x, "keep": keep},
                    O.softmax(x, keep, 7, 2**30 + 1, len(x), o, zp, lo, hi),
                )
            )
    for x in ([0, 2**31 - 1, 2**24, 2**30], [-(2**31), -1, -2, -(2**30)], [-(2**30), 2**30 - 1, 2**30 - 3, 0]):
        for l, m in ((24, 2**30), (7, 2**31 - 1), (1, 2**30), (0, 2**29)):
            cs.append(
                (
                    {"l": l, "m": m, "kmax": 4, "o": 15, "zp": 0, "lo": 0, "hi": 32767},
                    {"x": x, "keep": None},
                    O.softmax(x, None, l, m, 4, 15, 0, 0, 32767),
                )
            )
    save("softmax_corners", cs)
    save("log_softmax_corners", cl)


def cell_rounding():
    """The inner rounding of i*g decides c; steep tables show the last steps of the clamps of every gate."""
    cs = []
    S, TH = TAB["sigmoid_q12_q15"], TAB["tanh_q12_q15"]
    while len(cs) < 6:
        kc = (3, 8, 1)[len(cs) % 3]
        ax, ah, mx = ri(-(2**20), 2**20, 4), [0] * 4, [2**25] * 4
        p = [O.gate(ax[j], 0, mx[j], 0, 2**25, 0) for j in range(4)]
        i, f, g = O.table16(p[0], S), O.table16(p[1], S), O.table16(p[2], TH)
        a, b = O.rsh(i * g, kc), i * g >> kc
        hit = [c for c in range(-32768, 32768) if O.rsh(f * c + a, 15) != O.rsh(f * c + b, 15)] if a != b else []
        if hit:
            c = R.choice(hit)
            pp, c1, h1 = O.lstm_step(ax, ah, c, mx, 0, [2**25] * 4, 0, S, TH, TH, kc, 15, *I16)
            cs.append(
                (
                    {
                        "mx": mx,
                        "lx": 0,
                        "mh": [2**25] * 4,
                        "lh": 0,
                        "kc": kc,
                        "qh": 15,
                        "lo": -32768,
                        "hi": 32767,
                        "sigmoid": "sigmoid_q12_q15",
                        "tanh": "tanh_q12_q15",
                        "tanh_c": "tanh_q12_q15",
                    },
                    {"acc_x": ax, "acc_h": ah, "c": c},
                    {"p": pp, "c": c1, "h": h1},
                )
            )
    # cells with a steep table: the last steps of the clamps of every gate are seen
    cg = []
    W = TAB["saw"]
    ST = TAB["steps"]
    for ax in (2**26, -(2**26), 32767 * 2**5, 32766 * 2**5, -32768 * 2**5, -32767 * 2**5):
        for qh, h in ((15, -30000), (7, 100)):
            lo, hi = I8 if qh == 7 else I16
            mx = [2**27] * 4
            zero = [0] * 4
            a = {"mx": mx, "lx": 0, "mh": mx, "lh": 0}
            tb = {"sigmoid": "saw", "tanh": "steps"}
            p, c1, h1 = O.lstm_step([ax] * 4, zero, h, mx, 0, mx, 0, W, ST, ST, 3, qh, lo, hi)
            cs.append(
                (
                    {**a, "kc": 3, "qh": qh, "lo": lo, "hi": hi, **tb, "tanh_c": "steps"},
                    {"acc_x": [ax] * 4, "acc_h": zero, "c": h},
                    {"p": p, "c": c1, "h": h1},
                )
            )
            for u in (2**26, 32767 * 2**5, -32768 * 2**5):
                pn, h1 = O.gru_step([ax, ax, 777], [0, 0, u], h, mx[:3], 0, mx[:3], 0, W, ST, qh, lo, hi)
                cg.append(
                    (
                        {**a, "mx": mx[:3], "mh": mx[:3], "qh": qh, "lo": lo, "hi": hi, **tb},
                        {"acc_x": [ax, ax, 777], "acc_h": [0, 0, u], "h": h},
                        {"p_n": pn, "h": h1},
                    )
                )
    save("lstm_rounding", cs)
    save("gru_rounding", cg)


def sample_corners():
    """The threshold met exactly, e from k against e from V, many candidates; argmin."""
    cs = []

    def smp(x, k, p, l, m, sd, st, r):
        cs.append(
            (
                {"k": k, "p16": p, "l": l, "m": m},
                {"x": x, "seed": list(sd), "step": st, "row": r},
                O.sample(x, k, p, l, m, sd, st, r),
            )
        )

    for st in range(8):
        smp([7, 7], 2, 32768, 9, 2**30, (1, 2), st, 0)
    for st in range(4):
        smp([5, 9, 9, 9, 9, 1], 4, 16384 * (1 + st), 9, 2**30, (9, st), 3, st)
    V = 600
    tail = [R.randint(-1500, -1400) for _ in range(V)]
    tail[17] = tail[444] = 0  # t of the tail between 22 and 24 octaves below
    m = round(22.6 * 65536 / 1430 * 2**20)
    for st in range(6):
        smp(tail, 40, 32768, 12, m, (77, 5), st, st)
    for k, p in ((0, 65536), (40, 65536), (40, 60000), (600, 65536)):
        x = [int(R.gauss(0, 900)) for _ in range(V)]
        for st in range(2):
            smp(x, k, p, 9, 2**30 + 9, (2**32 - 1 - st, 12345), 2**32 - 1 - st, 7)
    keep_e = sampling.exp_bits
    want = 3
    x = [-1300 + (k % 90) for k in range(V)]
    x[300] = 0
    st = 0
    while want:  # e from V (21), not 22, decides
        y = (
            O.sample(x, 0, 65536, 12, m, (3, 4), st, 0)
            if O.threefry(3, 4, st, 0)[0] / 2**32 > 1 - 2**-10 or O.threefry(3, 4, st, 0)[0] < 2**22
            else None
        )
        if y is not None:
            sampling.exp_bits = lambda k: 22
            try:
                z = O.sample(x, 0, 65536, 12, m, (3, 4), st, 0)
            finally:
                sampling.exp_bits = keep_e
            if y != z:
                smp(x, 0, 65536, 12, m, (3, 4), st, 0)
                want -= 1
        st += 1
    save("sample_corners", cs)
    rows = [[3, 1, 3, 2, 3], [5], [-128, -128], [2**31 - 1, -(2**31), 2**31 - 1, -(2**31)]]
    save("argmin", [({"select_last": s}, {"x": r}, O.argmax([-v for v in r], s)) for r in rows for s in (False, True)])


def pool_corners():
    """Padding counted or not, overhang, i16, wide windows; the rounding of m1/n decides."""
    cs = []
    for H, W, k, s, d, pd, ov, dt, zx in (
        (5, 5, (3, 3), (2, 2), (1, 1), (1, 1, 0, 0), (1, 1), I16, 0),
        (6, 4, (4, 2), (3, 2), (1, 2), (2, 0, 1, 1), (2, 0), I8, -128),
        (3, 3, (5, 5), (1, 1), (1, 1), (2, 2, 2, 2), (0, 0), I8, 50),
        (4, 7, (3, 3), (3, 3), (1, 1), (0, 1, 0, 1), (2, 1), I16, 0),
        (1, 8, (1, 3), (1, 2), (1, 1), (0, 1, 0, 1), (0, 1), I8, 3),
    ):
        x = img(H, W, 1, *dt)
        for inc in (0, 1):
            for m1, l in ((2**30, 2), (2**31 - 1, 1)):
                cs.append(
                    (
                        {
                            "kernel": k,
                            "strides": s,
                            "dilations": d,
                            "pads": pd,
                            "overhang": ov,
                            "include_pad": inc,
                            "zx": zx,
                            "m1": m1,
                            "l": l,
                            "zp": zx,
                            "lo": dt[0],
                            "hi": dt[1],
                        },
                        {"x": x},
                        O.avg_pool2d(x, k, s, d, pd, ov, inc, zx, m1, l, zx, *dt),
                    )
                )
    # the rounding of m1/n decides
    cm = []
    while len(cm) < 4:
        m1, acc, k = ri(2**29, 2**30), ri(-16 * 32000, 16 * 32000), (16, 12)[len(cm) % 2]
        if 0 < acc <= k * 32767 and O.mulhr(acc, m1 // k) != O.mulhr(acc, O.round_div(m1, k)):
            x = [acc // k] * (k - 1)
            x.append(acc - sum(x))
            a = {"m1": m1, "l": 0, "zp": 0, "lo": -32768, "hi": 32767}
            z = (m1, 0, 0, *I16)
            cm.append(
                (
                    {"axes": [0], "zx": 0, **a},
                    {"x": {"shape": [k], "data": x}},
                    {"shape": [], "data": [O.avg_pool(x, k, 0, *z)]},
                )
            )
            im = [[[v] for v in x[r * 4 : r * 4 + 4]] for r in range(k // 4)]
            geo = ((k // 4, 4), (1, 1), (1, 1), (0, 0, 0, 0), (0, 0))
            cs.append(
                (
                    {
                        "kernel": geo[0],
                        "strides": geo[1],
                        "dilations": geo[2],
                        "pads": geo[3],
                        "overhang": geo[4],
                        "include_pad": 0,
                        "zx": 0,
                        **a,
                    },
                    {"x": im},
                    O.avg_pool2d(im, *geo, 0, 0, *z),
                )
            )
    save("reduce_mean_rounding", cm)
    save("avg_pool2d_pads", cs)


def facts():
    """Committed row facts."""
    cf = []
    for x, keep, kmax in (
        ([5, 1, -7], None, 3),
        ([5, 1, -7], [0, 1, 1], 4096),
        ([5, 1, -7], [0, 0, 0], 3),
        ([-(2**31), -(2**31) + 5], [1, 0], 2),
        (ri(*I16, 30), ri(0, 1, 30), 30),
        (ri(*I8, 12), None, 700),
    ):
        for l, m in ((7, 2**30 + 1), (15, 1640000000)):
            mx, _, S = O.row_weights(x, keep or [1] * len(x), l, m, O.exp_bits(kmax))
            cf.append(({"l": l, "m": m, "kmax": kmax}, {"x": x, "keep": keep}, {"mx": mx, "S": S}))
    save("softmax_facts", cf)
    cf = []
    for rms in (0, 1):
        for N in (1, 3, 7, 40):
            for dt, zx, f in ((I8, -37, 6), (I16, 0, 0)):
                for eps in (1, 2**47 + 3):
                    x = ri(*dt, N)
                    s1, V = O.norm_stats([v - zx for v in x], f, eps, bool(rms))
                    cf.append(({"rms": rms, "zx": zx, "f": f, "eps": eps}, {"x": x}, {"S1": s1, "V": V}))
    save("norm_facts", cf)
    cf = []
    for x in ([7, 7], ri(-2000, 2000, 30), [-1300] * 50 + [0]):
        for k, p in ((0, 65536), (2, 32768), (len(x), 50000), (1, 1)):
            cf.append(
                (
                    {"k": k, "p16": p, "l": 9, "m": 2**30 + 9},
                    {"x": x},
                    dict(zip(("mx", "S", "n", "cut_sum"), O.sample_facts(x, k, p, 9, 2**30 + 9)[2])),
                )
            )
    save("sample_facts", cf)
