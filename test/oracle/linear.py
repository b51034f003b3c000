"""Linear and elementwise ops, one element (or one image) at a time."""

from arith import below, clamp, i32, round_div, rsh, stage


# ---------------------------------------------------------------- linear
def conv2d(x, w, b, zx, strides, pads, dil, groups):
    """Accumulators [OH][OW][O] of one image x [H][W][C]; w [O][KH][KW][C/g]; pads top,left,bottom,right."""
    H, W, C = len(x), len(x[0]), len(x[0][0])
    O, KH, KW, CG = len(w), len(w[0]), len(w[0][0]), len(w[0][0][0])
    (sh, sw), (pt, pl, pb, pr), (dh, dw) = strides, pads, dil
    assert CG * groups == C and O % groups == 0
    OH = (H + pt + pb - (KH - 1) * dh - 1) // sh + 1
    OW = (W + pl + pr - (KW - 1) * dw - 1) // sw + 1

    def element(oy, ox, o):
        acc = b[o]
        base = o // (O // groups) * CG
        for ky in range(KH):
            for kx in range(KW):
                iy, ix = oy * sh - pt + ky * dh, ox * sw - pl + kx * dw
                if 0 <= iy < H and 0 <= ix < W:
                    for c in range(CG):
                        acc += w[o][ky][kx][c] * (x[iy][ix][base + c] - zx)
                        i32(acc)
        return acc

    return [[[element(oy, ox, o) for o in range(O)] for ox in range(OW)] for oy in range(OH)]


def conv_transpose2d(x, w, b, zx, strides, pads, dil, groups, outpad):
    H, W = len(x), len(x[0])
    O, KH, KW, CG = len(w), len(w[0]), len(w[0][0]), len(w[0][0][0])
    (sh, sw), (pt, pl, pb, pr), (dh, dw), (eh, ew) = strides, pads, dil, outpad
    OH = (H - 1) * sh + (KH - 1) * dh + 1 + eh - pt - pb
    OW = (W - 1) * sw + (KW - 1) * dw + 1 + ew - pl - pr

    def element(oy, ox, o):
        acc = b[o]
        base = o // (O // groups) * CG
        for ky in range(KH):
            for kx in range(KW):
                ty, tx = oy + pt - ky * dh, ox + pl - kx * dw
                if ty >= 0 and tx >= 0 and ty % sh == 0 and tx % sw == 0 and ty // sh < H and tx // sw < W:
                    for c in range(CG):
                        acc += w[o][ky][kx][c] * (x[ty // sh][tx // sw][base + c] - zx)
                        i32(acc)
        return acc

    return [[[element(oy, ox, o) for o in range(O)] for ox in range(OW)] for oy in range(OH)]


def dense(x, w, b, zx, u=None, block=None):
    """One accumulator: x[K], w[K]; u = block scales of i4 weights."""
    if u is None:
        acc = b
        for xi, wi in zip(x, w):
            acc = i32(acc + wi * (xi - zx))
        return acc
    acc = b
    for j, uj in enumerate(u):
        part = sum(wi * (xi - zx) for xi, wi in zip(x[j * block : (j + 1) * block], w[j * block : (j + 1) * block]))
        acc = i32(acc + i32(uj * i32(part)))
    return acc


# ---------------------------------------------------------------- elementwise
def linear2(a, b, za, zb, ma, mb, s, zp, lo, hi):
    assert abs(ma) <= 32767 and abs(mb) <= 32767 and 0 <= s <= 30
    acc = i32((a - za) * ma) + i32((b - zb) * mb)
    below(abs(acc) + (abs(zp) << s) + ((1 << s) >> 1), 31, "linear2")
    return clamp(zp + rsh(acc, s), lo, hi)


def mul(a, b, za, zb, m, l, zp, lo, hi):
    return stage(i32((a - za) * (b - zb)), m, l, zp, lo, hi)


def div(a, b, za, zb, p, q, zp, lo, hi):
    assert 1 <= p <= 65535 and 1 <= q <= 65535
    n, d = (a - za) * p, (b - zb) * q
    below(n, 31), below(d, 31)
    if d == 0:
        return hi if n > 0 else lo if n < 0 else clamp(zp, lo, hi)
    if d < 0:
        n, d = -n, -d
    return clamp(zp + round_div(n, d), lo, hi)


def compare(a, b, za, zb, ma, mb, op):
    p, q = i32((a - za) * ma), i32((b - zb) * mb)
    return int({"lt": p < q, "le": p <= q, "gt": p > q, "ge": p >= q, "eq": p == q, "ne": p != q}[op])


def lut8(x, table):
    assert len(table) == 256
    return table[x + 128]


def lut16(x, table, s, zp, lo, hi):
    assert len(table) == 513 and 7 <= s <= 22
    v = x + 32768
    i, f = v >> 7, v & 127
    t = below(table[i] * 128 + (table[i + 1] - table[i]) * f, 23)
    return clamp(zp + rsh(t, s), lo, hi)
