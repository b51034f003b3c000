"""Transposed convolution, orders, draws and rotations of spec/10-ops.md §2, §4, §7 on plain integers."""

from math import pi, prod, sin

from ops import Tensor, exponent, finish, rows, rsh, weight
from ops_rest import lines


def conv_transpose2d(a, x, w, b):
    """Every pixel adds its products to the outputs that it meets."""
    (n, h, width, c), (o, kh, kw, cg) = x.shape, w.shape
    (sh, sw), (pt, pl, pb, pr), (dh, dw), (eh, ew) = a["strides"], a["pads"], a["dilations"], a["output_padding"]
    oh, ow = (h - 1) * sh + (kh - 1) * dh + 1 + eh - pt - pb, (width - 1) * sw + (kw - 1) * dw + 1 + ew - pl - pr
    out, per = b.data * (n * oh * ow), o // a["groups"]
    for k, v in enumerate(x.data):
        pixel, j = divmod(k, c)
        image, y, z = pixel // (h * width), pixel // width % h, pixel % width
        for ky in range(kh):
            for kx in range(kw):
                oy, ox = y * sh - pt + ky * dh, z * sw - pl + kx * dw
                if 0 <= oy < oh and 0 <= ox < ow:
                    at = ((image * oh + oy) * ow + ox) * o
                    for q in range(j // cg * per, (j // cg + 1) * per):
                        out[at + q] += w.data[((q * kh + ky) * kw + kx) * cg + j % cg] * (v - x.zp)
    return finish(a["stage"], [n, oh, ow, o], out, o)


def ordered(line, smallest):
    """Indices of a list in the order of topk."""
    return sorted(range(len(line)), key=lambda i: (line[i] if smallest else -line[i], i))


def topk(a, x):
    axis, k = a["axis"], a["k"]
    shape = x.shape[:axis] + [k] + x.shape[axis + 1 :]
    values, found = ([0] * prod(shape) for _ in range(2))
    to = lines(Tensor(x.dtype, shape, 0, values), axis)
    for line, places in zip(lines(x, axis), to):
        best = ordered([x.data[p] for p in line], a["smallest"])
        for i, p in zip(best, places):
            values[p], found[p] = x.data[line[i]], i
    return [Tensor(x.dtype, shape, x.zp, values), Tensor("i32", shape, 0, found)]


def threefry(key, counter):
    """First word of Threefry-2x32 of 20 rounds."""
    mask, keys = 2**32 - 1, [*key, key[0] ^ key[1] ^ 0x1BD11BDA]
    a, b = [(v + k) & mask for v, k in zip(counter, key)]
    for r in range(1, 21):
        a = (a + b) & mask
        s = [13, 15, 26, 6, 17, 29, 16, 24][(r - 1) % 8]
        b = ((b << s | b >> 32 - s) & mask) ^ a
        if r % 4 == 0:
            j = r // 4
            a, b = (a + keys[j % 3]) & mask, (b + keys[(j + 1) % 3] + j) & mask
    return a


def sample(a, x, seed, step):
    out, k, mask = [], a["k"], 2**32 - 1
    e = min(22, 31 - (k or x.kmax).bit_length())
    for number, row in enumerate(rows(x, x.shape[-1])):
        order = ordered(row, False)[:k] if k else range(len(row))
        weights = [weight(exponent(max(row) - row[i], a["l"], a["m"]), e) for i in order]
        n, total = 1, weights[0]
        while n < len(weights) and total << 16 < a["p16"] * sum(weights):
            total, n = total + weights[n], n + 1
        left = threefry([v & mask for v in seed.data], [step.data[0] & mask, number]) * total >> 32
        for i, w in zip(order, weights):
            if left < w:
                break
            left -= w
        out.append(i)
    return [Tensor("i32", x.shape[:-1], 0, out)]


SIN = [int(sin(pi * i / 512) * 2**14 + 0.5) for i in range(257)]  # nearest entry of each: see the assertion
assert all(abs(sin(pi * i / 512) * 2**14 % 1 - 0.5) > 1e-6 for i in range(257)) and SIN[256] == 16384


def sine(phase):
    x = (phase >> 14) & 65535
    x = 65536 - x if phase >> 30 & 1 else x
    i = min(x >> 8, 255)
    v = SIN[i] + rsh((SIN[i + 1] - SIN[i]) * (x - 256 * i), 8)
    return -v if phase >> 31 else v


def rope(a, x, position=None):
    first = position.data[0] if position else a["position"]
    (s, d), n = x.shape[-2:], len(a["step"])
    out = []
    for number, row in enumerate(rows(x, d)):
        acc = [v << 14 for v in row]
        for i, step in enumerate(a["step"]):
            p, q = (2 * i, 2 * i + 1) if a["interleaved"] else (i, n + i)
            phase = (first + number % s) * step % 2**32
            sn, cs = sine(phase), sine((phase + 2**30) % 2**32)
            acc[p], acc[q] = row[p] * cs - row[q] * sn, row[p] * sn + row[q] * cs
        out += acc
    return finish(a["stage"], x.shape, out, 1)


OPS = {f.__name__: f for f in (conv_transpose2d, topk, sample, rope)}
