"""Acceptance cases of gru, update and nms."""

from proving import case, const, filled, x


def cells():
    """gru."""
    attrs = {"mx": [2**30], "lx": 0, "mh": [2**30], "lh": 0, "qh": 7, "lo": -128, "hi": 127, "reverse": False}
    table = lambda v: const("i16", [513], [v] * 513 if v >= 0 else [1] * 512 + [v])

    def run(rule, ok, a=(), lo=-128, hi=127, sigma=0, wh=-128, b=0, bh=None):
        a = {**attrs, **dict(a)}
        h = "i8" if a["qh"] == 7 else "i16"
        d = {"x": x("i8", [1, 1, 1], lo, hi), "wx": const("i8", [3, 1], [-128] * 3), "wh": const("i8", [3, 1], [wh] * 3)}
        d |= {"b": const("i32", [3], [0, b, 0]), "h0": x(h, [1, 1], 0, 0), "sigmoid": table(sigma), "tanh": table(5)}
        case(rule, ok, "gru", a, **d, **({} if bh is None else {"bh": const("i32", [1], [bh])}))

    for s, ok in ((0, True), (-1, False)):
        run("sigmoid table >= 0", ok, sigma=s)
    for b, ok in ((2**30 - 1, True), (2**30, False)):
        run("|b|", ok, b=b)
        run("|b|", ok, bh=b)
    for part in ("x", "h"):
        run("least l", True, {"m" + part: [2**30], "l" + part: 1})
        run("least l", False, {"m" + part: [2**30 - 1], "l" + part: 1})
    run("acc*2^l", True, {"lh": 16})
    run("acc*2^l", False, {"lh": 17})
    run("acc*2^l", True, {"lh": 17, "lo": -127})
    # with bh the rows of n reach 128 * 128 + bh
    run("acc*2^l", True, {"lh": 16}, bh=16383)
    run("acc*2^l", False, {"lh": 16}, bh=16384)
    run("acc*2^l", False, {"lx": 17})
    for qh, ok in ((7, True), (8, False), (15, True)):
        run("qh is 7 or 15", ok, {"qh": qh})


def states():
    """update, nms."""
    t = filled("i8", [4, 3], -128, 127)
    at = lambda lo, hi: filled("i32", [1], lo, hi)
    put = lambda rule, ok, rows, pos, axis=0: case(rule, ok, "update", {"axis": axis}, x=t, rows=rows, position=pos)
    rows = lambda *s, zp=0: filled("i8", list(s), -128, 127, zp)
    for lo, hi, ok in ((0, 2, True), (0, 3, False)):
        put("rows inside", ok, rows(2, 3), at(lo, hi))
    put("position >= 0", False, rows(1, 3), at(-1, 0))
    put("rows inside", True, rows(4, 3), at(0, 0))
    put("one type", False, rows(1, 3, zp=1), at(0, 0))
    put("one type", False, filled("i16", [1, 3], 0, 1), at(0, 0))
    put("shapes differ on the axis only", False, rows(1, 2), at(0, 0))
    put("shapes differ on the axis only", False, rows(1, 3, 1), at(0, 0))
    put("axis below the rank", False, rows(4, 3), at(0, 0), 2)
    put("position has shape [1]", False, rows(1, 3), filled("i32", [2], 0, 0))
    a = {"t15": 5, "threshold": 0, "limit": 2}
    both = lambda lo, hi, dtype="i32": {"boxes": x(dtype, [1, 3, 4], lo, hi), "scores": x("i8", [1, 2, 3], -1, 1)}
    for hi, ok in ((46340, True), (46341, False)):
        case("(hi-lo)^2", ok, "nms", a, **both(0, hi))
    for lo, ok in ((-23170, True), (-23171, False)):
        case("(hi-lo)^2", ok, "nms", a, **both(lo, 23170, "i16"))
    for shape in ([1, 3, 3], [2, 3, 4], [1, 2, 4], [3, 4]):
        case("boxes [B,N,4] and scores [B,C,N]", False, "nms", a, boxes=x("i16", shape, 0, 9), scores=x("i8", [1, 2, 3], -1, 1))


ALL = (cells, states)
