"""Output intervals (spec/10-ops.md, "Intervals"): the rules, their cases, and a brute force over small ranges.

A case: {op, attrs, inputs: name -> [lo, hi], expected: {acc?, y}, attained}. attained: every end of y occurs."""

import oracle as O

S8, S16 = (-128, 127), (-32768, 32767)


def hull(*ivs):
    return [min(v[0] for v in ivs), max(v[1] for v in ivs)]


def times(n, iv):
    return hull([n * iv[0]] * 2, [n * iv[1]] * 2)


def minus(iv, z):
    return [iv[0] - z, iv[1] - z]


def plus(a, b):
    return [a[0] + b[0], a[1] + b[1]]


def mag(iv):
    return max(abs(iv[0]), abs(iv[1]))


def staged(accs, s):
    """One acc interval per channel, united."""
    out = []
    for c, acc in enumerate(accs):
        assert mag(acc) << s["l"] < 2**31
        out.append([O.stage(v, O.per(s["m"], c), s["l"], s["zp"], s["lo"], s["hi"]) for v in acc])
    return hull(*out)


def rows(w, b, u, block, tap):
    """acc interval of each row of weights."""
    out = []
    for o, r in enumerate(w):
        acc = [b[o], b[o]]
        for k, v in enumerate(r):
            acc = plus(acc, times(v * (u[o][k // block] if u else 1), tap))
        out.append(acc)
    return out


def acc_intervals(op, a, i):
    x = minus(i["x"], a.get("zx", 0)) if "x" in i else None
    if op == "dense":
        return rows(a["w"], a["b"], a.get("u"), a.get("block"), x)
    if op in ("conv2d", "conv_transpose2d"):
        return rows(
            [[v for p in r for q in p for v in q] for r in a["w"]],
            a["b"],
            None,
            None,
            hull(x, [0, 0]) if op != "conv2d" or any(a["pads"]) else x,
        )
    if op == "matmul":
        A = min(a["K"] * mag(i["a"]), a.get("R", 2**62)) * mag(i["b"])
        return [[-A, A]]
    if op == "mul":
        p, q = minus(i["a"], a["za"]), minus(i["b"], a["zb"])
        return [hull(*[[u * v] * 2 for u in p for v in q])]
    if op == "rescale":
        return [x] * len(a["stage"]["m"])
    if op in ("reduce_sum", "reduce_mean"):
        return [hull(*[times(n, x) for n in a["n"]])]
    if op == "avg_pool2d":
        return [hull(x, times(a["kernel"][0] * a["kernel"][1], x))]
    if op == "log_softmax":
        return [[-O.exponent(i["x"][1] - i["x"][0], a["l"], a["m"]) - 2**21, 0]]
    if op == "resize_bilinear":
        return [times(2 ** (2 * a["q"] - a["s1"]), x)]
    if op == "rope":
        return [times(23171, [-mag(x), mag(x)])]
    if op == "cumsum":
        j = [0, a["n"] - 1] if a["exclusive"] else [1, a["n"]]
        return [hull(*[times(n, x) for n in j]) if a["n"] else [0, 0]]


def interval(op, a, i):
    lim, n = [a.get("lo"), a.get("hi")], a.get("n")
    if op == "constant":
        return {"y": [min(a["values"]), max(a["values"])] if a["values"] else [a["zp"]] * 2}
    if op == "linear2":
        v = plus(times(a["ma"], minus(i["a"], a["za"])), times(a["mb"], minus(i["b"], a["zb"])))
        return {"y": [O.clamp(a["zp"] + O.rsh(q, a["s"]), *lim) for q in v]}
    acc = acc_intervals(op, a, i)
    if acc:
        both = {"acc": acc}
        if op in ("reduce_mean", "avg_pool2d"):
            return {**both, "y": lim}
        return {**both, "y": staged(acc, a["stage"]) if a.get("stage") else hull(*acc)}
    if op in ("div", "layer_norm", "rms_norm", "group_norm", "lstm_h", "gru_h"):
        return {"y": lim}
    if op == "lstm_c":
        return {"y": list(S16)}
    if op in ("lstm_last_h", "gru_last_h"):
        return {"y": hull(lim, i["h0"])}
    if op == "softmax":
        return {"y": [a["zp"], min(a["hi"], a["zp"] + 2 ** a["o"])]}
    if op == "lut8":
        t = a["table"][i["x"][0] + 128 : i["x"][1] + 129]
        return {"y": [min(t), max(t)]}
    if op == "lut16":
        y = [
            O.clamp(a["zp"] + O.rsh(128 * a["table"][k], a["s"]), *lim)
            for k in range((i["x"][0] + 32768) // 128, (i["x"][1] + 32768) // 128 + 2)
        ]
        return {"y": [min(y), max(y)]}
    if op in ("min", "max"):
        f = min if op == "min" else max
        return {"y": [f(i["a"][0], i["b"][0]), f(i["a"][1], i["b"][1])]}
    if op == "pad":
        v = a["value"] if isinstance(a["value"], list) else [a["value"]]
        return {"y": hull(i["x"], *([[q, q] for q in v] if a["mode"] == "constant" else []))}
    if op in ("where", "concat", "update"):
        return {"y": hull(*i.values())}
    if op in ("compare", "logical"):
        return {"y": [0, 1]}
    if op in ("argmax", "argmin", "topk_indices"):
        return {"y": [0, n - 1]}
    if op == "sample":
        return {"y": [0, a["V"] - 1]}
    if op == "nms":
        return {"y": [-1, a["N"] - 1]}
    if op == "nms_count":
        return {"y": [0, min(a["limit"], a["N"])]}
    return {"y": list(i["x"])}  # max_pool2d, reduce_max/min, topk values, moves, resize_nearest
