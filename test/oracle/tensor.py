"""Whole tensors: (shape, row-major list). Broadcasting, matmul, reductions, moves."""

from arith import clamp, i32, stage
from pool import avg_pool
from resize import resize_nearest_index


# ---------------------------------------------------------------- tensors: (shape, row-major list)
def numel(shape):
    n = 1
    for d in shape:
        n *= d
    return n


def indices(shape):
    """All index tuples of a shape, row-major."""
    if not shape:
        return [()]
    return [(i,) + rest for i in range(shape[0]) for rest in indices(shape[1:])]


def at(t, idx):
    shape, data = t
    assert len(shape) == len(idx)
    k = 0
    for d, i in zip(shape, idx):
        assert 0 <= i < d
        k = k * d + i
    return data[k]


def build(shape, f):
    return list(shape), [f(i) for i in indices(shape)]


def broadcast_shape(*shapes):
    r = max(map(len, shapes))
    out = []
    for dims in zip(*[[1] * (r - len(s)) + list(s) for s in shapes]):
        big = {d for d in dims if d != 1}
        assert len(big) <= 1
        out.append(big.pop() if big else 1)
    return out


def broadcast_index(idx, shape):
    """The index that an operand of this shape is read at."""
    return tuple(0 if d == 1 else i for i, d in zip(idx[len(idx) - len(shape) :], shape))


def elementwise(f, *operands):
    shape = broadcast_shape(*[o[0] for o in operands])
    return build(shape, lambda i: f(*[at(o, broadcast_index(i, o[0])) for o in operands]))


def minimum(a, b):
    return elementwise(min, a, b)


def maximum(a, b):
    return elementwise(max, a, b)


def where(c, a, b):
    return elementwise(lambda c, p, q: p if c else q, c, a, b)


def logical(op, a, b=None):
    if op == "not":
        return elementwise(lambda p: 1 - p, a)
    return elementwise({"and": lambda p, q: p & q, "or": lambda p, q: p | q, "xor": lambda p, q: p ^ q}[op], a, b)


def rescale(x, zx, m, l, zp, lo, hi):
    return build(x[0], lambda i: stage(at(x, i) - zx, m[i[-1] if len(m) > 1 else 0], l, zp, lo, hi))


def matmul(a, b, tb=False):
    """Raw accumulators; a [..., M, K], b [..., K, N] (tb: [..., N, K])."""
    (sa, sb) = a[0], b[0]
    K, N = sa[-1], sb[-2] if tb else sb[-1]
    assert K == (sb[-1] if tb else sb[-2])
    batch = broadcast_shape(sa[:-2], sb[:-2])

    def element(i):
        pa, pb = broadcast_index(i[:-2], sa[:-2]), broadcast_index(i[:-2], sb[:-2])
        acc = 0
        for k in range(K):
            acc = i32(acc + at(a, pa + (i[-2], k)) * at(b, pb + ((i[-1], k) if tb else (k, i[-1]))))
        return acc

    return build(batch + [sa[-2], N], element)


def reduce(x, axes, f):
    """f over the list of elements of each output; the reduced axes are removed."""
    rest = [d for d in range(len(x[0])) if d not in axes]

    def element(i):
        out = []
        for j in indices([x[0][d] for d in axes]):
            full = dict(zip(rest, i)) | dict(zip(axes, j))
            out.append(at(x, tuple(full[d] for d in range(len(x[0])))))
        return f(out)

    return build([x[0][d] for d in rest], element)


def reduce_sum(x, axes, zx):
    return reduce(x, axes, lambda v: i32(sum(q - zx for q in v)))


def reduce_max(x, axes):
    return reduce(x, axes, max)


def reduce_min(x, axes):
    return reduce(x, axes, min)


def reduce_mean(x, axes, zx, m1, l, zp, lo, hi):
    return reduce(x, axes, lambda v: avg_pool(v, len(v), zx, m1, l, zp, lo, hi))


# ---------------------------------------------------------------- moves
def reshape(x, shape):
    assert numel(shape) == len(x[1])
    return list(shape), list(x[1])


def transpose(x, perm):
    def src(i):
        j = [0] * len(perm)
        for k, p in enumerate(perm):
            j[p] = i[k]
        return at(x, tuple(j))

    return build([x[0][p] for p in perm], src)


def concat(xs, axis):
    shape = list(xs[0][0])
    shape[axis] = sum(x[0][axis] for x in xs)

    def src(i):
        k = i[axis]
        for x in xs:
            if k < x[0][axis]:
                return at(x, i[:axis] + (k,) + i[axis + 1 :])
            k -= x[0][axis]

    return build(shape, src)


def slice_(x, start, step, size):
    return build(size, lambda i: at(x, tuple(s + t * k for s, t, k in zip(start, step, i))))


def pad(x, before, after, mode, value=0):
    """value: raw scalar, or one per entry of the last axis."""
    shape = [b + d + a for b, d, a in zip(before, x[0], after)]

    def src(i):
        j = []
        for k, b, d in zip(i, before, x[0]):
            k -= b
            if mode == "constant" and not 0 <= k < d:
                return value[i[-1]] if isinstance(value, list) else value
            if mode == "edge":
                k = clamp(k, 0, d - 1)
            if mode == "reflect":
                k = -k if k < 0 else 2 * (d - 1) - k if k >= d else k
            j.append(k)
        return at(x, tuple(j))

    return build(shape, src)


def gather(x, idx, axis):
    r = len(idx[0])
    return build(
        x[0][:axis] + idx[0] + x[0][axis + 1 :],
        lambda i: at(x, i[:axis] + (at(idx, i[axis : axis + r]),) + i[axis + r :]),
    )


def expand(x, shape):
    assert broadcast_shape(x[0], shape) == list(shape)
    return build(shape, lambda i: at(x, broadcast_index(i, x[0])))


def tile(x, repeats):
    return build([d * r for d, r in zip(x[0], repeats)], lambda i: at(x, tuple(k % d for k, d in zip(i, x[0]))))


def depth_to_space(x, b, mode):
    n, h, w, c = x[0]
    c1 = c // (b * b)

    def src(i):
        p, q = i[1] % b, i[2] % b
        ch = (p * b + q) * c1 + i[3] if mode == "DCR" else i[3] * b * b + p * b + q
        return at(x, (i[0], i[1] // b, i[2] // b, ch))

    return build([n, h * b, w * b, c1], src)


def space_to_depth(x, b):
    n, h, w, c = x[0]
    return build(
        [n, h // b, w // b, c * b * b],
        lambda i: at(x, (i[0], i[1] * b + i[3] // c // b, i[2] * b + i[3] // c % b, i[3] % c)),
    )


def resize_nearest(x, axis_y, axis_x, out):
    n, h, w, c = x[0]
    return build(
        [n, out[0], out[1], c],
        lambda i: at(x, (i[0], resize_nearest_index(i[1], *axis_y, h), resize_nearest_index(i[2], *axis_x, w), i[3])),
    )


def update(state, new, pos, axis):
    assert 0 <= pos <= state[0][axis] - new[0][axis]

    def src(i):
        k = i[axis] - pos
        return at(new, i[:axis] + (k,) + i[axis + 1 :]) if 0 <= k < new[0][axis] else at(state, i)

    return build(state[0], src)
