"""gru, update and nms of spec/10-ops.md §7, §8 on plain integers."""

from ops import Tensor, clamp, dot, indices, interpolate, mulhr, rows, rsh
from ops_lines import ordered


def gru(a, x, wx, wh, b, h0, sigmoid, tanh, bh=None):
    (steps, n, d), h = x.shape, wh.shape[1]
    sat = lambda v: clamp(v, -32768, 32767)
    look = lambda t, v: interpolate(v, t.data, 7, 0, -32768, 32767)
    left = lambda acc, r: mulhr(acc << a["lx"], a["mx"][r % len(a["mx"])])
    right = lambda acc, r: mulhr(acc << a["lh"], a["mh"][r % len(a["mh"])])
    now, ys = rows(h0, h), [None] * steps
    for t in range(steps)[:: -1 if a["reverse"] else 1]:
        before, now = now, []
        for i, past in enumerate(before):
            v = [q - x.zp for q in x.data[(t * n + i) * d : (t * n + i + 1) * d]]
            ax = [b.data[r] + dot(wx.data[r * d : r * d + d], v) for r in range(3 * h)]
            ah = lambda r, state: dot(wh.data[r * h : r * h + h], state)
            gates = [look(sigmoid, sat(left(ax[r], r) + right(ah(r, past), r))) for r in range(2 * h)]
            reset = [rsh(g * q, 15) for g, q in zip(gates[h:], past)]
            row = []
            for u in range(h):
                r = 2 * h + u
                if bh is None:
                    term = right(ah(r, reset), r)
                else:
                    term = rsh(gates[h + u] * sat(right(bh.data[u] + ah(r, past), r)), 15)
                new, z = look(tanh, sat(left(ax[r], r) + term)), gates[u]
                sum_ = (32768 - z) * new + (z * past[u] << 15 - a["qh"])
                row.append(clamp(rsh(sum_, 30 - a["qh"]), a["lo"], a["hi"]))
            now.append(row)
        ys[t] = now
    dtype = "i8" if a["qh"] == 7 else "i16"
    flat = [q for step in ys for row in step for q in row]
    return [Tensor(dtype, [steps, n, h], 0, flat), Tensor(dtype, [n, h], 0, [q for row in now for q in row])]


def update(a, x, new, position):
    axis, first, out = a["axis"], position.data[0], list(x.data)
    s = x.strides()
    for i, v in zip(indices(new.shape), new.data):
        out[sum(p * q for p, q in zip(i, s)) + first * s[axis]] = v
    return [Tensor(x.dtype, x.shape, x.zp, out)]


def nms(a, boxes, scores):
    b, c, n = scores.shape
    found, counts = [], []
    for image in range(b):
        corners = [boxes.data[(image * n + i) * 4 : (image * n + i) * 4 + 4] for i in range(n)]
        sides = [[sorted((p[k], p[k + 2])) for k in (0, 1)] for p in corners]
        area = lambda s: (s[0][1] - s[0][0]) * (s[1][1] - s[1][0])

        def meet(p, q):
            one, two = (max(0, min(u[1], v[1]) - max(u[0], v[0])) for u, v in zip(p, q))
            return one * two * 2**15 > a["t15"] * (area(p) + area(q) - one * two)

        for row in range(c):
            line, kept = scores.data[(image * c + row) * n :][:n], []
            for i in ordered(line, False):
                if line[i] > a["threshold"] and len(kept) < a["limit"]:
                    if not any(meet(sides[k], sides[i]) for k in kept):
                        kept.append(i)
            counts.append(len(kept))
            found += kept + [-1] * (a["limit"] - len(kept))
    return [Tensor("i32", [b, c, a["limit"]], 0, found), Tensor("i32", [b, c], 0, counts)]


OPS = {f.__name__: f for f in (gru, update, nms)}
