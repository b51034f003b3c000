"""Whole sequences as {shape, data}: recurrent ops, rope rows, running sums, batched nms."""

import oracle as O
from common import I8, I16, TAB, img, js, ri, save, ten


def sequences():
    """Recurrent sequences, rope rows, running sums along an axis, batched nms."""
    cs, cg = [], []
    S, TH = TAB["sigmoid_q12_q15"], TAB["tanh_q12_q15"]
    for T_, N, D, H, dt, zx, rev, one, qh in (
        (3, 2, 3, 2, I8, -20, 0, 0, 7),
        (3, 1, 2, 3, I16, 0, 1, 0, 15),
        (1, 2, 1, 1, I8, 127, 1, 1, 7),
        (4, 1, 4, 2, I8, 0, 0, 1, 15),
        (0, 1, 2, 2, I8, 0, 0, 1, 7),
        (5, 1, 2, 2, I16, 0, 1, 0, 7),
    ):
        lo, hi = I8 if qh == 7 else I16
        mat = lambda r, c: [ri(-128, 127, c) for _ in range(r)]
        mm = lambda G, top: ri(2 ** (top - 1), 2**top, 1 if one else G * H)
        x = [[ri(*dt, D) for _ in range(N)] for _ in range(T_)]
        h0 = [ri(lo, hi, H) for _ in range(N)]
        c0 = [ri(*I16, H) for _ in range(N)]
        kc, tc = ((3, "tanh_q12_q15"), (0, "tanh_c_kc0"))[T_ % 2]
        tx, th = (30 if dt == I8 else 22), (30 if qh == 7 else 22)
        a = {
            "zx": zx,
            "mx": mm(4, tx),
            "lx": 0,
            "mh": mm(4, th),
            "lh": 0,
            "kc": kc,
            "qh": qh,
            "lo": lo,
            "hi": hi,
            "reverse": rev,
        }
        wx, wh, b = mat(4 * H, D), mat(4 * H, H), ri(-5000, 5000, 4 * H)
        p, hs, h1, c1 = O.lstm(x, wx, wh, b, h0, c0, a, (S, TH, TAB[tc]))
        cs.append(
            (
                {**a, "sigmoid": "sigmoid_q12_q15", "tanh": "tanh_q12_q15", "tanh_c": tc},
                {"x": x, "wx": wx, "wh": wh, "b": b, "h0": h0, "c0": c0},
                {"p": p, "h": hs, "last_h": h1, "last_c": c1},
            )
        )
        for after in (0, 1):
            a = {
                "zx": zx,
                "mx": mm(3, tx),
                "lx": 0,
                "mh": mm(3, th),
                "lh": 0,
                "qh": qh,
                "lo": lo,
                "hi": hi,
                "reverse": rev,
                "reset_after": after,
            }
            wx, wh, b = mat(3 * H, D), mat(3 * H, H), ri(-5000, 5000, 3 * H)
            bh = ri(-5000, 5000, H) if after else None
            hs, h1 = O.gru(x, wx, wh, b, bh, h0, a, (S, TH))
            cg.append(
                (
                    {**a, "sigmoid": "sigmoid_q12_q15", "tanh": "tanh_q12_q15"},
                    {"x": x, "wx": wx, "wh": wh, "b": b, "bh": bh, "h0": h0},
                    {"h": hs, "last_h": h1},
                )
            )
    save("lstm_sequence", cs)
    save("gru_sequence", cg)
    save(
        "rope_rows",
        [
            (
                {"interleaved": il, "rotary": 2 * len(sp), "m": m, "l": l, "zp": 0, "lo": dt[0], "hi": dt[1]},
                {"x": x, "pos0": p0, "step": sp},
                O.rope(x, sp, p0, il, m, l, 0, *dt),
            )
            for dt, m, l in ((I16, 2**30 + 1, 1), (I8, 2**18, 0), (I16, 2**18 - 1, 0))
            for D, sp, p0 in (
                (6, [2**29, 123456789], 0),
                (8, [2**32 - 1, 683565276, 5, 2**31], 131000),
                (5, [2**30], -3),
            )
            for il in (0, 1)
            for x in ([ri(*((-3, 3) if l else dt), D) for _ in range(3)],)
        ],
    )
    cs = []
    for shape, ax in (((2, 3, 2), 1), ((2, 3, 2), 0), ((3, 4), 1), ((2, 0), 1)):
        x = ten(-(2**20), 2**20, *shape)
        for ex in (0, 1):
            for rv in (0, 1):
                perm = [d for d in range(len(shape)) if d != ax]
                out = [None] * O.numel(shape)
                idx = O.indices(shape)
                where_ = {t: k for k, t in enumerate(idx)}
                for rest in O.indices([shape[d] for d in perm]):
                    key = lambda k: tuple((dict(zip(perm, rest)) | {ax: k})[d] for d in range(len(shape)))
                    for k, v in enumerate(O.cumsum([O.at(x, key(k)) for k in range(shape[ax])], 0, ex, rv)):
                        out[where_[key(k)]] = v
                cs.append(
                    ({"axis": ax, "exclusive": ex, "reverse": rv}, {"x": js(x)}, {"shape": list(shape), "data": out})
                )
    save("cumsum_axis", cs)
    cs = []
    for B, C, N, lim in ((2, 2, 6, 4), (1, 3, 5, 5), (1, 1, 1, 1), (2, 1, 8, 2)):
        for t15 in (0, 13107, 32768):
            bx = [
                [[y, x, y + ri(-10, 60), x + ri(0, 60)] for y, x in ((ri(-50, 50), ri(-50, 50)) for _ in range(N))]
                for _ in range(B)
            ]
            sc = [[ri(-3, 3, N) for _ in range(C)] for _ in range(B)]
            bx[0][-1] = bx[0][0]
            y, c = O.nms_padded(bx, sc, t15, -1, lim)
            cs.append(
                (
                    {"t15": t15, "score_threshold": -1, "limit": lim},
                    {"boxes": bx, "scores": sc},
                    {"indices": y, "count": c},
                )
            )
    save("nms_batch", cs)
