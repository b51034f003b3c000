"""Nearest and bilinear resizing."""

from arith import below, clamp, i32, round_div, rsh, stage


# ---------------------------------------------------------------- resize
def source(o, A, B, D, size, q):
    """(i0, i1, weight of i1 in Qq) for output index o on one axis."""
    n = i32(A * o + B)
    i = n // D
    w = round_div((n - i * D) << q, D)
    assert 0 <= w <= 1 << q
    return clamp(i, 0, size - 1), clamp(i + 1, 0, size - 1), w


def resize_nearest_index(o, A, B, D, size):
    return clamp(i32(A * o + B) // D, 0, size - 1)


def resize_bilinear(x, oy, ox, ay, ax, zx, q, s1, m, l, zp, lo, hi):
    """x [H][W]; ay, ax = (A, B, D); (q, s1) = (10, 0) for i8, (14, 13) for i16."""
    y0, y1, wy = source(oy, *ay, len(x), q)
    x0, x1, wx = source(ox, *ax, len(x[0]), q)
    return lerp2(x[y0][x0], x[y0][x1], x[y1][x0], x[y1][x1], wy, wx, zx, q, s1, m, l, zp, lo, hi)


def lerp2(v00, v01, v10, v11, wy, wx, zx, q, s1, m, l, zp, lo, hi):
    one = 1 << q
    h = [rsh(below((a - zx) * (one - wy) + (b - zx) * wy, 29.01), s1) for a, b in ((v00, v10), (v01, v11))]
    return stage(i32(h[0] * (one - wx) + h[1] * wx), m, l, zp, lo, hi)
