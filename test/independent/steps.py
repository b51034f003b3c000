"""Committed intermediates (spec/40-consensus.md §4): the steps of an op before its outputs, computed from operands and outputs."""

from ops import aligned, clamp, dot, exponent, indices, interpolate, mulhr, round_div, rows, rsh, weight
from ops_lines import ordered

I64 = 5  # dtype code of an intermediate of 64 bits


def bits(kmax):
    return min(22, 31 - kmax.bit_length())


def fraction(dtype):
    return 6 if dtype == "i8" else 0


def between(op, a, x, out):
    """Elements of the committed intermediates of a node, in order; `out` are its outputs."""
    if op in ("softmax", "log_softmax"):
        return row_figures(op, a, *x)
    if op in ("layer_norm", "rms_norm", "group_norm"):
        return norm_figures(op, a, x[0])
    if op in ("lstm", "gru"):
        return (cells if op == "lstm" else resets)(a, *x, h=out[0])
    return sample_figures(a, x[0]) if op == "sample" else []


def row_figures(op, a, x, mask=None, offset=None):
    k, e = x.shape[-1], bits(x.kmax)
    f, tops, sums = offset.data[0] if offset else a.get("offset", 0), [], []
    for r, index in enumerate(indices(x.shape[:-1])):
        row = x.data[r * k : r * k + k]
        keep = [j for j in range(k) if not a.get("causal") or j <= index[-1] + f]
        if mask:
            keep = [j for j in keep if mask.data[aligned(mask, index + (j,))] == 1]
        tops.append(max((row[j] for j in keep), default=-(2**31)))
        sums.append(sum(weight(exponent(tops[-1] - row[j], a["l"], a["m"]), e) for j in keep))
    return [tops, sums]


def norm_figures(op, a, x):
    f, sums, variances = fraction(x.dtype), [], []
    groups = rows(x, x.shape[-1])
    if op == "group_norm":
        (n, h, w, c), g = x.shape, a["groups"]
        channels = [range(i * c // g, (i + 1) * c // g) for i in range(g)]
        groups = [[x.data[(i * h * w + p) * c + j] for p in range(h * w) for j in js] for i in range(n) for js in channels]
    for row in groups:
        values = [v - x.zp for v in row]
        s1 = 0 if op == "rms_norm" else sum(values)
        centred = [(v << f) - round_div(s1 << f, len(row)) for v in values]
        rho = 0 if op == "rms_norm" else sum(centred)
        sums.append(s1)
        variances.append(sum(v * v for v in centred) - rho**2 // len(row) + a["eps"])
    return [variances] if op == "rms_norm" else [sums, variances]


def cells(a, x, wx, wh, b, h0, c0, sigmoid, tanh, tanh_c, h):
    (steps, n, d), u = x.shape, wh.shape[1]
    sat = lambda v: clamp(v, -32768, 32767)
    look = lambda t, v: interpolate(v, t.data, 7, 0, -32768, 32767)
    per = lambda m, r: m[r] if len(m) > 1 else m[0]
    ps, cs = [None] * steps, [None] * steps
    back = a["reverse"]
    for t in range(steps - 1, -1, -1) if back else range(steps):
        last = t + 1 if back else t - 1
        inside = 0 <= last < steps
        ps[t], cs[t] = [], []
        for i in range(n):
            hidden = h.data[(last * n + i) * u : (last * n + i + 1) * u] if inside else h0.data[i * u : i * u + u]
            cell = cs[last][i * u : i * u + u] if inside else c0.data[i * u : i * u + u]
            v = [q - x.zp for q in x.data[(t * n + i) * d : (t * n + i + 1) * d]]
            p = []
            for r in range(4 * u):
                ax = b.data[r] + dot(wx.data[r * d : r * d + d], v)
                ah = dot(wh.data[r * u : r * u + u], hidden)
                p.append(sat(mulhr(ax << a["lx"], per(a["mx"], r)) + mulhr(ah << a["lh"], per(a["mh"], r))))
            gi, gf = ([look(sigmoid, q) for q in p[j * u : j * u + u]] for j in (0, 1))
            gg = [look(tanh, q) for q in p[2 * u : 3 * u]]
            ps[t] += p
            cs[t] += [sat(rsh(gf[j] * cell[j] + rsh(gi[j] * gg[j], a["kc"]), 15)) for j in range(u)]
    return [sum(ps, []), sum(cs, [])]


def resets(a, x, wx, wh, b, h0, sigmoid, tanh, bh=None, h=None):
    (steps, n, d), size = x.shape, wh.shape[1]
    sat = lambda v: clamp(v, -32768, 32767)
    look = lambda v: interpolate(v, sigmoid.data, 7, 0, -32768, 32767)
    left = lambda acc, r: mulhr(acc << a["lx"], a["mx"][r % len(a["mx"])])
    right = lambda acc, r: mulhr(acc << a["lh"], a["mh"][r % len(a["mh"])])
    ps, us, pns = [], [], []
    for t in range(steps):
        last = t + 1 if a["reverse"] else t - 1
        for i in range(n):
            at, source = ((last * n + i) * size, h) if 0 <= last < steps else (i * size, h0)
            past = source.data[at : at + size]
            v = [q - x.zp for q in x.data[(t * n + i) * d : (t * n + i + 1) * d]]
            ax = [b.data[r] + dot(wx.data[r * d : r * d + d], v) for r in range(3 * size)]
            ah = lambda r, state: dot(wh.data[r * size : r * size + size], state)
            p = [sat(left(ax[r], r) + right(ah(r, past), r)) for r in range(2 * size)]
            reset = [look(q) for q in p[size:]]
            if bh is None:
                u = [rsh(g * q, 15) for g, q in zip(reset, past)]
                terms = [right(ah(2 * size + j, u), 2 * size + j) for j in range(size)]
            else:
                u = [sat(right(bh.data[j] + ah(2 * size + j, past), 2 * size + j)) for j in range(size)]
                terms = [rsh(g * q, 15) for g, q in zip(reset, u)]
            ps, us = ps + p, us + u
            pns += [sat(left(ax[2 * size + j], 2 * size + j) + terms[j]) for j in range(size)]
    return [ps, us, pns]


def sample_figures(a, x):
    k, e, found = a["k"], bits(a["k"] or x.kmax), [[] for _ in range(5)]
    for row in rows(x, x.shape[-1]):
        order = ordered(row, False)[:k] if k else range(len(row))
        w = [weight(exponent(max(row) - row[i], a["l"], a["m"]), e) for i in order]
        n = next(n for n in range(1, len(w) + 1) if sum(w[:n]) << 16 >= a["p16"] * sum(w))
        for to, v in zip(found, [list(order) if k else [], [max(row)], [sum(w)], [n], [sum(w[:n])]]):
            to += v
    return found


def shapes(op, a, types):
    """Dtype code and shape of each intermediate, from the types of the operands."""
    x = types[0]["shape"] if types and types[0] else []
    if op in ("softmax", "log_softmax"):
        return [(2, x[:-1])] * 2
    if op in ("layer_norm", "rms_norm"):
        return [(2, x[:-1]), (I64, x[:-1])][op == "rms_norm" :]
    if op == "group_norm":
        return [(2, [x[0], a["groups"]]), (I64, [x[0], a["groups"]])]
    if op == "lstm":
        return [(2, [x[0], x[1], types[1]["shape"][0]]), (2, [x[0], x[1], types[2]["shape"][1]])]
    if op == "gru":
        h = types[2]["shape"][1]
        return [(2, [x[0], x[1], 2 * h]), (2, [x[0], x[1], h]), (2, [x[0], x[1], h])]
    return [(2, x[:-1] + [a["k"]])] + [(2, x[:-1])] * 4 if op == "sample" else []
