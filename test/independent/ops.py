"""Every op of spec/10-ops.md on tensors of plain integers."""

from itertools import product
from math import isqrt, prod

from wire import Refused


class Tensor:
    """dtype, shape, zero point, row-major elements; kmax: greatest length of the last axis over the symbols."""

    def __init__(self, dtype, shape, zp, data, kmax=None):
        self.dtype, self.shape, self.zp, self.data = dtype, list(shape), zp, data
        self.kmax = kmax
        assert len(data) == prod(self.shape)

    def strides(self):
        return [prod(self.shape[i + 1 :]) for i in range(len(self.shape))]


# ---------------------------------------------------------------- spec/00-numerics.md
def clamp(v, lo, hi):
    return min(max(v, lo), hi)


def round_div(a, n):
    return (2 * a + n) // (2 * n)


def rsh(x, s):
    return (x + (1 << s >> 1)) >> s


def mulhr(x, m):
    return (x * m + 2**31) >> 32


def stage(acc, s, c):
    m = s["m"][c] if len(s["m"]) > 1 else s["m"][0]
    return clamp(s["zp"] + mulhr(acc << s["l"], m), s["lo"], s["hi"])


def divq(e, s, o):
    return ((e << o) + s // 2) // s


def nearest_power(i):
    """round(2^(-i/256) * 2^23) by 256th powers of integers, without floating-point doubt."""
    guess = round(2.0 ** (23 - i / 256))
    target = 2 ** (256 * 24 - i)  # (2^24 * 2^(-i/256))^256
    for v in (guess - 1, guess, guess + 1):
        if (2 * v - 1) ** 256 <= target < (2 * v + 1) ** 256:
            return v
    raise AssertionError(i)


EXP2 = [nearest_power(i) for i in range(257)]


def exponent(d, l, m):
    return mulhr(min(d, (2**31 - 1) >> l) << l, m)


def weight(t, e):
    n, i, r = t >> 16, (t & 65535) >> 8, t & 255
    v = EXP2[i] - rsh((EXP2[i] - EXP2[i + 1]) * r, 8)
    return rsh(v, min(n + 23 - e, 25))


def interpolate(x, table, s, zp, lo, hi):
    v = x + 32768
    i, f = v >> 7, v & 127
    return clamp(zp + rsh(128 * table[i] + (table[i + 1] - table[i]) * f, s), lo, hi)


# ---------------------------------------------------------------- helpers
def indices(shape):
    return product(*map(range, shape))


def aligned(t, index):
    """Offset that a broadcast operand is read at."""
    tail = index[len(index) - len(t.shape) :]
    return sum((0 if d == 1 else i) * s for i, d, s in zip(tail, t.shape, t.strides()))


def broadcast(a, b):
    n = max(len(a), len(b))
    a, b = [1] * (n - len(a)) + a, [1] * (n - len(b)) + b
    return [q if p == 1 else p for p, q in zip(a, b)]


def finish(s, shape, accs, channels):
    """Stage or raw; the channel is the last index."""
    if s is None:
        return [Tensor("i32", shape, 0, accs)]
    return [Tensor(s["dtype"], shape, s["zp"], [stage(v, s, k % channels) for k, v in enumerate(accs)])]


def dot(w, x):
    return sum(p * q for p, q in zip(w, x))


def rows(t, k):
    return [t.data[i * k : (i + 1) * k] for i in range(prod(t.shape[:-1]))]


# ---------------------------------------------------------------- linear
def conv2d(a, x, w, b):
    n, h, width, c = x.shape
    o, kh, kw, cg = w.shape
    (sh, sw), (pt, pl, pb, pr), (dh, dw), g = a["strides"], a["pads"], a["dilations"], a["groups"]
    oh, ow = (h + pt + pb - (kh - 1) * dh - 1) // sh + 1, (width + pl + pr - (kw - 1) * dw - 1) // sw + 1
    xs, out = [v - x.zp for v in x.data], []
    for i, oy, ox in indices([n, oh, ow]):
        taps = []
        for ky, kx in indices([kh, kw]):
            y, z = oy * sh - pt + ky * dh, ox * sw - pl + kx * dw
            if 0 <= y < h and 0 <= z < width:
                taps.append(((ky * kw + kx) * cg, ((i * h + y) * width + z) * c))
        for k in range(o):
            first, wk = k // (o // g) * cg, k * kh * kw * cg
            out.append(
                b.data[k] + sum(dot(w.data[wk + p : wk + p + cg], xs[q + first : q + first + cg]) for p, q in taps)
            )
    return finish(a["stage"], [n, oh, ow, o], out, o)


def dense(a, x, w, b, u=None):
    o, k = w.shape
    block, wd = a["block"], w.data
    if block:
        per = -(-k // block)
        wd = [v * (u.data[i // k * per + i % k // block] - u.zp) for i, v in enumerate(wd)]
    out = [b.data[j] + dot(wd[j * k : j * k + k], [v - x.zp for v in r]) for r in rows(x, k) for j in range(o)]
    return finish(a["stage"], x.shape[:-1] + [o], out, o)


def matmul(a, p, q):
    m, k = p.shape[-2:]
    n = q.shape[-2] if a["tb"] else q.shape[-1]
    batch, out = broadcast(p.shape[:-2], q.shape[:-2]), []
    lead = lambda t, i: aligned(Tensor("", t.shape[:-2], 0, [0] * prod(t.shape[:-2])), i)
    step, jump = (1, k) if a["tb"] else (n, 1)
    for i in indices(batch):
        pi, qi = lead(p, i) * m * k, lead(q, i) * k * n
        for r, c in indices([m, n]):
            out.append(sum(p.data[pi + r * k + j] * q.data[qi + c * jump + j * step] for j in range(k)))
    return finish(a["stage"], batch + [m, n], out, 1)


# ---------------------------------------------------------------- elementwise
def linear2(a, x, y=None):
    o, shape = a["output"], x.shape if y is None else broadcast(x.shape, y.shape)
    out = []
    for i in indices(shape):
        v = (x.data[aligned(x, i)] - x.zp) * a["ma"]
        if y is not None:
            v += (y.data[aligned(y, i)] - y.zp) * a["mb"]
        out.append(clamp(o["zp"] + rsh(v, a["s"]), o["lo"], o["hi"]))
    return [Tensor(o["dtype"], shape, o["zp"], out)]


def rescale(a, x):
    return finish(a["stage"], x.shape, [v - x.zp for v in x.data], x.shape[-1] if x.shape else 1)


def lut8(a, x, table):
    return [Tensor(table.dtype, x.shape, a["zp"], [table.data[v + 128] for v in x.data])]


def lut16(a, x, table):
    o = a["output"]
    out = [interpolate(v, table.data, a["s"], o["zp"], o["lo"], o["hi"]) for v in x.data]
    return [Tensor(o["dtype"], x.shape, o["zp"], out)]


# ---------------------------------------------------------------- pools, argmax
def windows(a, x):
    """For each output position: image, valid offsets (channel 0), number of declared taps."""
    n, h, w, c = x.shape
    (kh, kw), (sh, sw), (dh, dw), (pt, pl, pb, pr) = a["kernel"], a["strides"], a["dilations"], a["pads"]
    oh = (h + pt + pb + a["overhang"][0] - (kh - 1) * dh - 1) // sh + 1
    ow = (w + pl + pr + a["overhang"][1] - (kw - 1) * dw - 1) // sw + 1
    grid = []
    for i, oy, ox in indices([n, oh, ow]):
        taps = [(oy * sh - pt + ky * dh, ox * sw - pl + kx * dw) for ky, kx in indices([kh, kw])]
        valid = [((i * h + y) * w + z) * c for y, z in taps if 0 <= y < h and 0 <= z < w]
        grid.append((valid, sum(-pt <= y < h + pb and -pl <= z < w + pr for y, z in taps)))
    return [n, oh, ow, c], grid


def max_pool2d(a, x):
    shape, grid = windows(a, x)
    return [
        Tensor(x.dtype, shape, x.zp, [max(x.data[v + c] for v in valid) for valid, _ in grid for c in range(shape[3])])
    ]


def avg_pool2d(a, x):
    (shape, grid), o, out = windows(a, x), a["output"], []
    for valid, declared in grid:
        m = round_div(a["m1"], declared if a["include_pad"] else len(valid))
        for c in range(shape[3]):
            acc = sum(x.data[v + c] - x.zp for v in valid)
            out.append(stage(acc, {**o, "l": a["l"], "m": [m]}, 0))
    return [Tensor(o["dtype"], shape, o["zp"], out)]


def argmax(a, x):
    axis, n = a["axis"], x.shape[a["axis"]]
    inner, out = prod(x.shape[axis + 1 :]), []
    for p in range(prod(x.shape[:axis])):
        for q in range(inner):
            row = [x.data[(p * n + j) * inner + q] for j in range(n)]
            top = max(row)
            out.append(n - 1 - row[::-1].index(top) if a["select_last"] else row.index(top))
    return [Tensor("i32", x.shape[:axis] + x.shape[axis + 1 :], 0, out)]


# ---------------------------------------------------------------- rows
def softmax(a, x, mask=None, offset=None):
    o, k = a["output"], x.shape[-1]
    e = min(22, 31 - x.kmax.bit_length())
    f, out = offset.data[0] if offset else a["offset"], []
    for r, index in enumerate(indices(x.shape[:-1])):
        row = x.data[r * k : r * k + k]
        keep = [not a["causal"] or j <= index[-1] + f for j in range(k)]
        if mask:
            keep = [v and mask.data[aligned(mask, index + (j,))] == 1 for j, v in enumerate(keep)]
        top = max((v for v, q in zip(row, keep) if q), default=None)
        weights = [weight(exponent(top - v, a["l"], a["m"]), e) if q else None for v, q in zip(row, keep)]
        total = sum(v for v in weights if v is not None)
        for v in weights:
            out.append(o["zp"] if v is None else clamp(o["zp"] + divq(v, total, a["o"]), o["lo"], o["hi"]))
    return [Tensor(o["dtype"], x.shape, o["zp"], out)]


def layer_norm(a, x, gamma, beta):
    o, n, f, out = a["output"], x.shape[-1], 6 if x.dtype == "i8" else 0, []
    for row in rows(x, n):
        v = [q - x.zp for q in row]
        s1 = sum(v)
        mean = lambda k: round_div(s1 << k, n)
        c = [(q << f) - mean(f) for q in v]
        var = sum(q * q for q in c) - sum(c) ** 2 // n + a["eps"]
        room = 32 - var.bit_length()
        k = room - room % 2
        vn = var << k if k >= 0 else var >> -k
        root = isqrt(vn)
        q = (root << 15) + min((vn - root * root << 14) // root, 32767)
        scale = divq(2**30, q, 30)
        total = f + k // 2 + 13
        first = min(14, total)
        for i, d in enumerate(v):
            norm = mulhr((d << first) - mean(first) << total - first, scale)
            out.append(clamp(o["zp"] + rsh(mulhr(norm, gamma.data[i]) + beta.data[i], a["g"]), o["lo"], o["hi"]))
    return [Tensor(o["dtype"], x.shape, o["zp"], out)]


# ---------------------------------------------------------------- moves
def moved(x, shape, source):
    s = x.strides()
    return [Tensor(x.dtype, shape, x.zp, [x.data[sum(p * q for p, q in zip(source(i), s))] for i in indices(shape)])]


def reshape(a, x):
    return [Tensor(x.dtype, a["shape"], x.zp, x.data)]


def transpose(a, x):
    back = [a["perm"].index(d) for d in range(len(a["perm"]))]
    return moved(x, [x.shape[p] for p in a["perm"]], lambda i: [i[b] for b in back])


def concat(a, *xs):
    axis, first = a["axis"], xs[0]
    lead, out = prod(first.shape[:axis]), []
    for p in range(lead):
        for x in xs:
            size = prod(x.shape[axis:])
            out += x.data[p * size : (p + 1) * size]
    shape = first.shape[:axis] + [sum(x.shape[axis] for x in xs)] + first.shape[axis + 1 :]
    return [Tensor(first.dtype, shape, first.zp, out)]


def slice_(a, x):
    return moved(x, a["size"], lambda i: [s + t * q for s, t, q in zip(a["start"], a["step"], i)])


def pad(a, x, value=None):
    shape, s, out = [b + d + q for b, d, q in zip(a["before"], x.shape, a["after"])], x.strides(), []
    for i in indices(shape):
        k = [q - b for q, b in zip(i, a["before"])]
        if a["mode"] == "constant" and not all(0 <= q < d for q, d in zip(k, x.shape)):
            out.append(value.data[i[-1] if value.shape else 0])
            continue
        if a["mode"] == "reflect":
            k = [-q if q < 0 else 2 * (d - 1) - q if q >= d else q for q, d in zip(k, x.shape)]
        k = [clamp(q, 0, d - 1) for q, d in zip(k, x.shape)]
        out.append(x.data[sum(p * q for p, q in zip(k, s))])
    return [Tensor(x.dtype, shape, x.zp, out)]


# ---------------------------------------------------------------- lstm
def lstm(a, x, wx, wh, b, h0, c0, sigmoid, tanh, tanh_c):
    (steps, n, d), h = x.shape, wh.shape[1]
    sat = lambda v: clamp(v, -32768, 32767)
    look = lambda t, v: interpolate(v, t.data, 7, 0, -32768, 32767)
    per = lambda m, r: m[r] if len(m) > 1 else m[0]
    hidden, cell = [rows(t, h) for t in (h0, c0)]
    ys = [None] * steps
    for t in range(steps - 1, -1, -1) if a["reverse"] else range(steps):
        now_h, now_c = [], []
        for i in range(n):
            v = [q - x.zp for q in x.data[(t * n + i) * d : (t * n + i + 1) * d]]
            p = []
            for r in range(4 * h):
                ax = b.data[r] + dot(wx.data[r * d : r * d + d], v)
                ah = dot(wh.data[r * h : r * h + h], hidden[i])
                p.append(sat(mulhr(ax << a["lx"], per(a["mx"], r)) + mulhr(ah << a["lh"], per(a["mh"], r))))
            gi, gf, go = ([look(sigmoid, q) for q in p[j * h : j * h + h]] for j in (0, 1, 3))
            gg = [look(tanh, q) for q in p[2 * h : 3 * h]]
            now_c.append([sat(rsh(gf[u] * cell[i][u] + rsh(gi[u] * gg[u], a["kc"]), 15)) for u in range(h)])
            now_h.append(
                [clamp(rsh(go[u] * look(tanh_c, now_c[i][u]), 30 - a["qh"]), a["lo"], a["hi"]) for u in range(h)]
            )
        hidden, cell = now_h, now_c
        ys[t] = now_h
    flat = lambda v: [q for e in v for q in (flat(e) if isinstance(e, list) else [e])]
    dtype = "i8" if a["qh"] == 7 else "i16"
    return [
        Tensor(dtype, [steps, n, h], 0, flat(ys)),
        Tensor(dtype, [n, h], 0, flat(hidden)),
        Tensor("i16", [n, h], 0, flat(cell)),
    ]


OPS = {
    f.__name__.rstrip("_"): f for f in (conv2d, dense, matmul, linear2, rescale, lut8, lut16, max_pool2d, avg_pool2d)
}
OPS |= {f.__name__.rstrip("_"): f for f in (argmax, softmax, layer_norm, reshape, transpose, concat, slice_, pad, lstm)}


def run(op, attrs, operands):
    """Outputs of a node; None where an optional operand is absent."""
    from ops_cells import OPS as cells  # they build on this module
    from ops_lines import OPS as lines
    from ops_more import OPS as more
    from ops_rest import OPS as rest

    found = OPS.get(op) or more.get(op) or rest.get(op) or lines.get(op) or cells.get(op)
    if found is None:
        raise Refused(op)
    return found(attrs, *operands)
