"""Recurrent cells and sequences, rotary embedding."""

from arith import SIN, below, clamp, i32, mulhr, rsh, stage, u32
from linear import lut16


# ---------------------------------------------------------------- recurrent cells
def sat16(v):
    return clamp(v, -32768, 32767)


def gate(ax, ah, mx, lx, mh, lh):
    """Pre-activation in Q12 from the two accumulators."""
    below(ax << lx, 31), below(ah << lh, 31)
    return sat16(mulhr(ax << lx, mx) + mulhr(ah << lh, mh))


def table16(x, table):
    return lut16(x, table, 7, 0, -32768, 32767)


def lstm_step(ax, ah, c, mx, lx, mh, lh, sig, tanh, tanh_c, kc, qh, lo, hi):
    """One unit: ax, ah, mx, mh hold (i, f, g, o). Returns pre-activations, c', h'."""
    p = [gate(ax[j], ah[j], mx[j], lx, mh[j], lh) for j in range(4)]
    i, f, o = (table16(p[j], sig) for j in (0, 1, 3))
    g = table16(p[2], tanh)
    c1 = sat16(rsh(i32(i32(f * c) + rsh(i32(i * g), kc)), 15))
    h1 = clamp(rsh(i32(o * table16(c1, tanh_c)), 30 - qh), lo, hi)
    return p, c1, h1


def gru_step(ax, ah, h, mx, lx, mh, lh, sig, tanh, qh, lo, hi):
    """One unit, reset after the recurrent product: ax, ah hold (z, r, n); ah[2] includes its bias."""
    z = table16(gate(ax[0], ah[0], mx[0], lx, mh[0], lh), sig)
    r = table16(gate(ax[1], ah[1], mx[1], lx, mh[1], lh), sig)
    below(ah[2] << lh, 31), below(ax[2] << lx, 31)
    u = sat16(mulhr(ah[2] << lh, mh[2]))
    pn = sat16(mulhr(ax[2] << lx, mx[2]) + rsh(i32(r * u), 15))
    n = table16(pn, tanh)
    acc = i32((32768 - z) * n + z * (h << (15 - qh)))
    return pn, clamp(rsh(acc, 30 - qh), lo, hi)


def gru_step_before(ax, ah, ah_n, h, mx, lx, mh, lh, sig, tanh, qh, lo, hi):
    """Reset before the recurrent product: ah holds (z, r); ah_n(v) maps r to the accumulator of n over rsh(r*h, 15)."""
    z = table16(gate(ax[0], ah[0], mx[0], lx, mh[0], lh), sig)
    r = table16(gate(ax[1], ah[1], mx[1], lx, mh[1], lh), sig)
    pn = gate(ax[2], ah_n(r), mx[2], lx, mh[2], lh)
    n = table16(pn, tanh)
    return pn, clamp(rsh(i32((32768 - z) * n + z * (h << (15 - qh))), 30 - qh), lo, hi)


# ---------------------------------------------------------------- sequences
def dot(w, x):
    return i32(sum(i32(a * b) for a, b in zip(w, x)))


def per(m, j):
    return m[j if len(m) > 1 else 0]


def lstm(x, wx, wh, b, h0, c0, a, tables):
    """x [T][N][D], wx [4H][D], wh [4H][H], h0 and c0 [N][H] -> p [T][N][4H], h [T][N][H], last h, last c."""
    T, H = len(x), len(wh) // 4
    sig, tanh, tanh_c = tables
    p, hs, h, c = [None] * T, [None] * T, h0, c0
    for t in range(T):
        s = T - 1 - t if a["reverse"] else t
        p[s], hs[s], c2 = [], [], []
        for n, v in enumerate(x[s]):
            pn, hn, cn = [0] * (4 * H), [0] * H, [0] * H
            for u in range(H):
                rows = [u + g * H for g in range(4)]
                ax = [b[r] + dot(wx[r], [q - a["zx"] for q in v]) for r in rows]
                ah = [dot(wh[r], h[n]) for r in rows]
                pre, cn[u], hn[u] = lstm_step(
                    ax,
                    ah,
                    c[n][u],
                    [per(a["mx"], r) for r in rows],
                    a["lx"],
                    [per(a["mh"], r) for r in rows],
                    a["lh"],
                    sig,
                    tanh,
                    tanh_c,
                    a["kc"],
                    a["qh"],
                    a["lo"],
                    a["hi"],
                )
                for r, q in zip(rows, pre):
                    pn[r] = q
            p[s].append(pn), hs[s].append(hn), c2.append(cn)
        h, c = hs[s], c2
    return p, hs, h, c


def gru(x, wx, wh, b, bh, h0, a, tables):
    """Gate order z, r, n; bh is None if the reset comes before the product. -> h [T][N][H], last h."""
    T, H = len(x), len(wh) // 3
    hs, h = [None] * T, h0
    for t in range(T):
        s = T - 1 - t if a["reverse"] else t
        hs[s] = []
        for n, v in enumerate(x[s]):
            acc = lambda r: b[r] + dot(wx[r], [q - a["zx"] for q in v])
            pick = lambda m, u: [per(m, u + g * H) for g in range(3)]
            reset = [
                table16(
                    gate(acc(H + u), dot(wh[H + u], h[n]), per(a["mx"], H + u), a["lx"], per(a["mh"], H + u), a["lh"]),
                    tables[0],
                )
                for u in range(H)
            ]
            hidden = [rsh(r * q, 15) for r, q in zip(reset, h[n])]
            row = []
            for u in range(H):
                ax, ah = [acc(u), acc(H + u), acc(2 * H + u)], [dot(wh[u], h[n]), dot(wh[H + u], h[n])]
                common = (pick(a["mx"], u), a["lx"], pick(a["mh"], u), a["lh"], *tables, a["qh"], a["lo"], a["hi"])
                if a["reset_after"]:
                    row.append(gru_step(ax, ah + [bh[u] + dot(wh[2 * H + u], h[n])], h[n][u], *common)[1])
                else:
                    row.append(gru_step_before(ax, ah, lambda r: dot(wh[2 * H + u], hidden), h[n][u], *common)[1])
            hs[s].append(row)
        h = hs[s]
    return hs, h


def rope(x, step, pos0, interleaved, m, l, zp, lo, hi):
    """x [S][D]; the first 2*len(step) columns rotate, the rest is scaled by 2^14 and staged."""
    out = []
    half = len(step)
    for s, row in enumerate(x):
        y = [stage(v << 14, m, l, zp, lo, hi) for v in row]
        for i, st in enumerate(step):
            p, q = (2 * i, 2 * i + 1) if interleaved else (i, i + half)
            y[p], y[q] = rope_pair(row[p], row[q], pos0 + s, st, m, l, zp, lo, hi)
        out.append(y)
    return out


# ---------------------------------------------------------------- rope
def sin_q14(ph):
    u32(ph)
    x = (ph >> 14) & 0xFFFF
    if ph >> 30 & 1:
        x = 65536 - x
    i = min(x >> 8, 255)
    f = x - (i << 8)
    v = SIN[i] + rsh((SIN[i + 1] - SIN[i]) * f, 8)
    return -v if ph >> 31 else v


def rope_pair(x1, x2, pos, step, m, l, zp, lo, hi):
    ph = pos * step & 0xFFFFFFFF
    s, c = sin_q14(ph), sin_q14((ph + 2**30) & 0xFFFFFFFF)
    a, b = i32(i32(x1 * c) - i32(x2 * s)), i32(i32(x1 * s) + i32(x2 * c))
    return stage(a, m, l, zp, lo, hi), stage(b, m, l, zp, lo, hi)
