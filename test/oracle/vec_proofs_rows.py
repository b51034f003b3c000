"""Acceptance cases of softmax, layer_norm, tables, cells, moves and shapes."""

from proving import CONV, case, const, edge, filled, out, x


def rows():
    """softmax, layer_norm, lut16, lstm."""
    soft = lambda **a: {"l": 0, "m": 2**29, "o": 15, "output": out(lo=0), "causal": False, "offset": 0, **a}
    edge(
        "hi-lo",
        "softmax",
        (soft(), {"x": x("i32", [1, 2], -(2**31), -1)}),
        (soft(), {"x": x("i32", [1, 2], -(2**31), 0)}),
    )
    edge(
        "hi-lo",
        "softmax",
        (soft(), {"x": x("i32", [1, 2], 0, 2**31 - 1)}),
        (soft(), {"x": x("i32", [1, 2], -1, 2**31 - 1)}),
    )
    small = x("i8", [2, 3], -128, 127)
    for zp, lo, hi, ok in ((5, 5, 6, True), (5, 6, 7, False), (5, 0, 4, False), (-128, -128, -128, True)):
        case("lo <= zp <= hi", ok, "softmax", soft(output=out("i8", zp, lo, hi)), x=small)
    for o, ok in ((0, False), (1, True), (15, True), (16, False)):
        case("o in 1...15", ok, "softmax", soft(o=o), x=small)
    for m, l, ok in ((2**30, 1, True), (2**30 - 1, 1, False), (2**30, 24, True)):
        case("least l", ok, "softmax", soft(m=m, l=l), x=small)
    edge(
        "offset+rows-1",
        "softmax",
        (soft(causal=True, offset=2**31 - 2), {"x": small}),
        (soft(causal=True, offset=2**31 - 1), {"x": small}),
    )
    edge(
        "offset+rows-1",
        "softmax",
        (soft(causal=True), {"x": small, "offset": x("i32", [1], -5, 2**31 - 2)}),
        (soft(causal=True), {"x": small, "offset": x("i32", [1], -5, 2**31 - 1)}),
    )
    case("causal needs rank 2", False, "softmax", soft(causal=True), x=x("i8", [3], -128, 127))
    case("last axis is not empty", False, "softmax", soft(), x=x("i8", [3, 0], -128, 127))
    case("mask broadcasts to the shape of x", True, "softmax", soft(), x=small, mask=x("bool", [2, 1], 0, 1))
    case("mask broadcasts to the shape of x", False, "softmax", soft(), x=small, mask=x("bool", [2, 2, 3], 0, 1))
    norm = lambda **a: {"eps": 1, "g": 6, "output": out(), **a}
    fill = lambda n, v: const("i32", [n], [v] * n)
    ln = lambda rule, ok, n, b, **a: case(
        rule, ok, "layer_norm", norm(**a), x=x("i16", [1, n], -32768, 32767), gamma=fill(n, 9), beta=fill(n, b)
    )
    for b, ok in ((2**30 - 1, True), (2**30, False), (-(2**30) + 1, True), (-(2**30), False)):
        ln("|beta|", ok, 2, b)
    for n, ok in ((1, True), (65536, True), (65537, False), (0, False)):
        ln("N in 1...65536", ok, n, 0)
    for eps, ok in ((0, False), (1, True), (2**48 - 1, True), (2**48, False)):
        ln("eps in 1...2^48-1", ok, 2, 0, eps=eps)
    for g, ok in ((0, True), (16, True), (17, False), (-1, False)):
        ln("g in 0...16", ok, 2, 0, g=g)
    cell = {"mx": [2**30], "lx": 0, "mh": [2**30], "lh": 0, "kc": 3, "qh": 7, "lo": -128, "hi": 127, "reverse": False}
    table = lambda v: const("i16", [513], [v] * 513 if v >= 0 else [1] * 512 + [v])

    def lstm(rule, ok, a=(), lo=-128, hi=127, sigma=0, wh=-128, b=0, xw=-128):
        d = {
            "x": x("i8", [1, 1, 1], lo, hi),
            "wx": const("i8", [4, 1], [xw] * 4),
            "wh": const("i8", [4, 1], [wh] * 4),
            "b": const("i32", [4], [0, b, 0, 0]),
        }
        a = {**cell, **dict(a)}
        h = "i8" if a["qh"] == 7 else "i16"
        d |= {"h0": x(h, [1, 1], 0, 0), "c0": x("i16", [1, 1], 0, 0)}
        case(rule, ok, "lstm", a, **d, sigmoid=table(sigma), tanh=table(5), tanh_c=table(5))

    lstm("sigmoid table >= 0", True)
    lstm("sigmoid table >= 0", False, sigma=-1)
    lstm("|b|", True, b=2**30 - 1)
    lstm("|b|", False, b=2**30)
    for part in ("x", "h"):
        lstm("least l", True, {"m" + part: [2**30], "l" + part: 1})
        lstm("least l", False, {"m" + part: [2**30 - 1], "l" + part: 1})
    # ah: h may reach lo...hi although h0 is 0; -128 * -128 = 2^14, shifted by 17 it is 2^31
    lstm("acc*2^l", True, {"lh": 16})
    lstm("acc*2^l", False, {"lh": 17})
    lstm("acc*2^l", True, {"lh": 17, "lo": -127})
    lstm("acc*2^l", False, {"lx": 17})
    lstm("acc*2^l", True, {"lx": 17}, lo=-127)
    for qh, kc, ok in ((7, 8, True), (7, 9, False), (8, 3, False), (15, 0, True)):
        lstm("qh is 7 or 15, kc in 0...8", ok, {"qh": qh, "kc": kc})
    for s, ok in ((6, False), (7, True), (22, True), (23, False)):
        case(
            "513 nodes, s in 7...22",
            ok,
            "lut16",
            {"s": s, "output": out()},
            x=x("i16", [2], -32768, 32767),
            table=table(0),
        )


def shapes():
    """Moves and shapes at their edges."""
    t = filled("i8", [2, 4], -128, 127)
    for start, step, size, ok in (
        ([0, 0], [1, 1], [2, 4], True),
        ([0, 1], [1, 1], [2, 4], False),
        ([1, 3], [1, -1], [1, 4], True),
        ([1, 3], [1, -1], [1, 5], False),
        ([0, 1], [1, 2], [2, 2], True),
        ([0, 0], [1, 2], [2, 3], False),
    ):
        case("slice in range", ok, "slice", {"start": start, "step": step, "size": size}, x=t)
    rule = "step: not 0, and 1 where size <= 1"
    for step, size, ok in (
        ([1, 0], [2, 2], False),
        ([2, 1], [1, 4], False),
        ([1, 2], [1, 1], False),
        ([1, -1], [1, 0], False),
        ([1, 1], [1, 0], True),
    ):
        case(rule, ok, "slice", {"start": [0, 0], "step": step, "size": size}, x=t)
    for mode, pads, ok in (
        ("reflect", [0, 3], True),
        ("reflect", [0, 4], False),
        ("reflect", [2, 0], False),
        ("edge", [9, 9], True),
    ):
        case("pad below the dim", ok, "pad", {"before": pads, "after": [0, 0], "mode": mode}, x=t)
    case(
        "pad below the dim",
        False,
        "pad",
        {"before": [0, 0], "after": [0, 0], "mode": "edge"},
        x=filled("i8", [0, 2], -128, 127),
    )
    for shape, ok in (([8], True), ([2, 2, 2], True), ([7], False)):
        case("element counts agree", ok, "reshape", {"shape": shape}, x=t)
    for perm, ok in (([1, 0], True), ([0, 0], False), ([0], False)):
        case("perm is a permutation", ok, "transpose", {"perm": perm}, x=t)
    for other, ok in (
        (filled("i8", [2, 1], 0, 5), True),
        (filled("i8", [2, 1], 0, 5, 1), False),
        (filled("i16", [2, 1], 0, 5), False),
    ):
        case("inputs of one type", ok, "concat", {"axis": 1}, x=[t, other])
    case(
        "reduced axis is not empty",
        False,
        "argmax",
        {"axis": 1, "select_last": False},
        x=filled("i8", [2, 0], -128, 127),
    )
    case(
        "reduced axis is not empty",
        True,
        "argmax",
        {"axis": 1, "select_last": False},
        x=filled("i8", [0, 2], -128, 127),
    )
    one = lambda o, cg, c: {
        "x": x("i8", [1, 3, 3, c], 0, 9),
        "w": const("i8", [o, 1, 1, cg], [1] * o * cg),
        "b": const("i32", [o], [0] * o),
    }
    for g, o, cg, c, ok in ((2, 4, 1, 2, True), (2, 3, 1, 2, False), (2, 4, 2, 2, False), (1, 1, 2, 2, True)):
        case("groups", ok, "conv2d", {**CONV, "groups": g}, **one(o, cg, c))
    for d, ok in ((1, True), (2, False)):
        tall = {"x": x("i8", [1, 2, 1, 1], 0, 9), "w": const("i8", [1, 2, 1, 1], [1, 1]), "b": const("i32", [1], [0])}
        case("output extent >= 1", ok, "conv2d", {**CONV, "dilations": [d, 1]}, **tall)
