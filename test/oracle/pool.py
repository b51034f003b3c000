"""Windows, pools, order statistics, running sums."""

from arith import i32, round_div, stage


# ---------------------------------------------------------------- pool and reduce
def avg_pool(taps, n, zx, m1, l, zp, lo, hi):
    """taps: the valid inputs of one window; n: its count."""
    return stage(i32(sum(t - zx for t in taps)), round_div(m1, n), l, zp, lo, hi)


def windows(H, W, kernel, strides, dil, pads, over):
    """For each output: (valid tap coordinates, number of declared taps)."""
    (KH, KW), (sh, sw), (dh, dw), (pt, pl, pb, pr) = kernel, strides, dil, pads
    OH = (H + pt + pb + over[0] - (KH - 1) * dh - 1) // sh + 1
    OW = (W + pl + pr + over[1] - (KW - 1) * dw - 1) // sw + 1
    out = []
    for oy in range(OH):
        out.append([])
        for ox in range(OW):
            taps = [(oy * sh - pt + ky * dh, ox * sw - pl + kx * dw) for ky in range(KH) for kx in range(KW)]
            valid = [(y, x) for y, x in taps if 0 <= y < H and 0 <= x < W]
            assert valid, "a window without a valid tap is a ModelError"
            out[-1].append((valid, sum(1 for y, x in taps if -pt <= y < H + pb and -pl <= x < W + pr)))
    return out


def max_pool2d(x, kernel, strides, dil, pads, over):
    """x [H][W][C]."""
    return [
        [[max(x[i][j][c] for i, j in v) for c in range(len(x[0][0]))] for v, _ in row]
        for row in windows(len(x), len(x[0]), kernel, strides, dil, pads, over)
    ]


def avg_pool2d(x, kernel, strides, dil, pads, over, include_pad, zx, m1, l, zp, lo, hi):
    return [
        [
            [
                avg_pool([x[i][j][c] for i, j in v], d if include_pad else len(v), zx, m1, l, zp, lo, hi)
                for c in range(len(x[0][0]))
            ]
            for v, d in row
        ]
        for row in windows(len(x), len(x[0]), kernel, strides, dil, pads, over)
    ]


def rank(row, i, largest=True):
    """Position of element i: value first, then the smaller index."""
    k = (lambda a, b: a > b) if largest else (lambda a, b: a < b)
    return sum(1 for t, v in enumerate(row) if k(v, row[i]) or (v == row[i] and t < i))


def topk(row, k, largest=True):
    order = sorted(range(len(row)), key=lambda i: rank(row, i, largest))[:k]
    return [row[i] for i in order], order


def argmax(row, last=False):
    best = 0
    for i, v in enumerate(row):
        if v > row[best] or (last and v == row[best]):
            best = i
    return best


def cumsum(row, zx, exclusive, reverse):
    r = row[::-1] if reverse else row
    out, acc = [], 0
    for v in r:
        if exclusive:
            out.append(acc)
        acc = i32(acc + v - zx)
        if not exclusive:
            out.append(acc)
    return out[::-1] if reverse else out
