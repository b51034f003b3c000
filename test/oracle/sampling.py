"""Sampling from integer weights, and non-maximum suppression."""

from arith import below, mulhi_u32, threefry, u32
from pool import topk
from rows import exp_bits, exponent, expweight


# ---------------------------------------------------------------- sample
def sample_facts(row, k, p16, l, m):
    """Candidate order, weights and the row facts (mx, S, cut n, S'); k = 0: natural order, all candidates."""
    assert 1 <= p16 <= 65536 and (k > 0 or p16 == 65536)
    e = exp_bits(k or len(row))
    mx = max(row)
    order = topk(row, k)[1] if k else range(len(row))
    E = [expweight(exponent(mx - row[i], l, m), e) for i in order]
    S = below(sum(E), 31)
    cum, kept = 0, 0
    for w in E:  # smallest prefix with cum/S >= p
        cum, kept = cum + w, kept + 1
        if cum * 65536 >= p16 * S:
            break
    return order, E, (mx, S, kept, cum)


def sample(row, k, p16, l, m, seed, step, r):
    """Index of one draw; r: row number."""
    order, E, (_, _, kept, total) = sample_facts(row, k, p16, l, m)
    draw = mulhi_u32(threefry(*seed, step, r)[0], total)
    acc = 0
    for i, w in list(zip(order, E))[:kept]:
        acc += w
        if acc > draw:
            return i
    raise AssertionError("unreachable")


# ---------------------------------------------------------------- nms
def overlaps(a, b, t15):
    """IoU(a, b) > t15 / 2^15 for corner boxes (y1, x1, y2, x2)."""

    def box(v):
        return min(v[0], v[2]), min(v[1], v[3]), max(v[0], v[2]), max(v[1], v[3])

    a, b = box(a), box(b)
    area = lambda v: below((v[2] - v[0]) * (v[3] - v[1]), 31)
    h = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    w = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    inter = h * w
    return inter * 2**15 > t15 * u32(area(a) + area(b) - inter)


def nms(boxes, scores, t15, thr, limit):
    """Indices of the kept boxes of one class."""
    assert 0 <= t15 <= 32768 and limit >= 1
    order = [i for i in topk(scores, len(scores))[1] if scores[i] > thr]
    kept = []
    for i in order:
        if len(kept) < limit and not any(overlaps(boxes[j], boxes[i], t15) for j in kept):
            kept.append(i)
    return kept


def nms_padded(boxes, scores, t15, thr, limit):
    """boxes [B][N][4], scores [B][C][N] -> indices [B][C][limit] padded with -1, count [B][C]."""
    kept = [[nms(bx, row, t15, thr, limit) for row in sc] for bx, sc in zip(boxes, scores)]
    return [[k + [-1] * (limit - len(k)) for k in b] for b in kept], [[len(k) for k in b] for b in kept]
