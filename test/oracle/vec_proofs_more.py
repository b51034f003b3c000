"""Acceptance cases of selections, reductions, gathers, blocks and resizes."""

from proving import case, edge, filled, out, stage, x


def selections():
    """min, max, where, compare, logical."""
    a = x("i8", [2, 3], -128, 127, 5)
    others = ((a, True), (x("i8", [3], 0, 9, 5), True), (x("i8", [2, 3], 0, 9), False), (x("i16", [2, 3], 0, 9), False))
    for op in ("min", "max"):
        for b, ok in others:
            case("operands of one type", ok, op, {}, a=a, b=b)
    for b, ok in others:
        case("operands of one type", ok, "where", {}, condition=x("bool", [2, 1], 0, 1), a=a, b=b)
    wide = lambda lo, hi: x("i32", [1], lo, hi)
    cmp = lambda ma, mb, op="lt": {"op": op, "ma": ma, "mb": mb}
    one = wide(0, 1)
    edge("a*ma", "compare", (cmp(1, 1), {"a": wide(-(2**31) + 1, 0), "b": one}), (cmp(1, 1), {"a": wide(-(2**31), 0), "b": one}))
    edge("b*mb", "compare", (cmp(1, -1), {"a": one, "b": wide(0, 2**31 - 1)}), (cmp(1, -1), {"a": one, "b": wide(-(2**31), 0)}))
    case("a*ma", True, "compare", cmp(32767, 1), a=wide(0, 65538), b=one)
    case("a*ma", False, "compare", cmp(32767, 1), a=wide(0, 65539), b=one)
    case("b*mb", True, "compare", cmp(1, -32767), a=one, b=wide(-65538, 0))
    case("b*mb", False, "compare", cmp(1, -32767), a=one, b=wide(-65539, 0))
    for ma, mb, ok in ((0, 1, False), (-1, 1, False), (32768, 1, False), (1, 0, False), (1, 32768, False), (1, -32768, False), (32767, -32766, True)):
        case("ma, mb in range", ok, "compare", cmp(ma, mb), a=a, b=a)
    for ma, mb, ok in ((1, -1, True), (2, 2, False), (6, -9, False), (3, 2, True), (32767, 32767, False)):
        case("ma and mb without a common factor", ok, "compare", cmp(ma, mb, "eq"), a=a, b=a)
    t = x("bool", [2], 0, 1)
    for op, both, ok in (("and", True, True), ("and", False, False), ("xor", False, False), ("not", False, True), ("not", True, False)):
        case("b goes with and, or, xor", ok, "logical", {"op": op}, a=t, **({"b": t} if both else {}))


def reductions():
    """Axes, empty ones, and the figures of a mean."""
    full = x("i8", [2, 3, 4], -128, 127)
    mean = lambda **a: {"axes": [0], "m1": 2**29, "l": 0, "output": out(), **a}
    attrs = {"reduce_sum": lambda v: {"axes": v}, "reduce_mean": lambda v: mean(axes=v)}
    attrs |= {"reduce_max": attrs["reduce_sum"], "reduce_min": attrs["reduce_sum"]}
    for op, make in attrs.items():
        for axes, ok in (([0, 2], True), ([], True), ([0, 1, 2], True), ([2, 0], False), ([1, 1], False), ([3], False)):
            case("axes ascend below the rank", ok, op, make(axes), x=full)
        for shape, ok in (([0, 2], True), ([2, 0], op == "reduce_sum")):
            case("reduced axis is not empty", ok, op, make([1]), x=x("i8", shape, -128, 127))
    for shape, ok in (([0, 2], True), ([2, 0], False)):
        case("reduced axis is not empty", ok, "argmin", {"axis": 1, "select_last": False}, x=filled("i8", shape, -128, 127))
    case("axis below the rank", False, "argmin", {"axis": 2, "select_last": False}, x=filled("i8", [2, 2], 0, 1))
    row = lambda n, lo=-32768, hi=0: x("i16", [n], lo, hi)
    for n, ok in ((65535, True), (65536, False)):
        case("A", ok, "reduce_mean", mean(), x=row(n))
    for n, ok in ((255, True), (256, False)):
        case("acc*2^l", ok, "reduce_mean", mean(m1=2**30, l=8), x=row(n))
    for m1, l, ok in ((2**30, 1, True), (2**30 - 1, 1, False), (0, 0, True), (0, 1, False)):
        case("least l", ok, "reduce_mean", mean(m1=m1, l=l), x=row(3))
    for lo, hi, ok in ((5, 5, True), (6, 5, False)):
        case("lo <= hi within the dtype", ok, "reduce_mean", mean(output=out("i8", 3, lo, hi)), x=full)


def copies():
    """gather, expand, tile, blocks."""
    t = x("i8", [3, 4], -128, 127)
    for lo, hi, ok in ((0, 3, True), (3, 3, True), (-1, 3, False)):
        case("index >= 0", ok, "gather", {"axis": 1}, x=t, indices=x("i32", [2], lo, hi))
    for axis, hi, ok in ((1, 3, True), (1, 4, False), (0, 2, True), (0, 3, False)):
        case("index below the dim", ok, "gather", {"axis": axis}, x=t, indices=x("i32", [2], 0, hi))
    case("axis below the rank", False, "gather", {"axis": 2}, x=t, indices=x("i32", [2], 0, 0))
    y = x("i8", [3, 1], -128, 127)
    for shape, ok in (([3, 1], True), ([3, 5], True), ([2, 3, 1], True), ([3, 0], True), ([1, 1], False), ([1], False), ([4, 1], False)):
        case("x broadcasts to the shape", ok, "expand", {"shape": shape}, x=y)
    for repeats, ok in (([1, 1], True), ([0, 2], True), ([2], False), ([1, 1, 1], False)):
        case("one repeat an axis", ok, "tile", {"repeats": repeats}, x=t)
    image = lambda *shape: x("i8", list(shape), -128, 127)
    for shape, b, ok in (((1, 2, 2, 8), 2, True), ((1, 2, 2, 6), 2, False), ((1, 2, 2, 0), 3, True)):
        case("b^2 divides C", ok, "depth_to_space", {"block": b, "mode": "CRD"}, x=image(*shape))
    for shape, b, ok in (((1, 4, 6, 1), 2, True), ((1, 3, 6, 1), 2, False), ((1, 6, 4, 1), 3, False)):
        case("b divides H and W", ok, "space_to_depth", {"block": b}, x=image(*shape))
    for op in ("depth_to_space", "space_to_depth"):
        case("rank 4", False, op, {"block": 1}, x=image(2, 2, 4))


def resizes():
    s = {"stage": stage(2**12, 0, dtype="i8")}
    for op, more in (("resize_nearest", {}), ("resize_bilinear", s)):
        a = lambda y, z=(1, 0, 1), to=(2, 2): {"axis_y": list(y), "axis_x": list(z), "out": list(to), **more}
        image = lambda *shape: x("i8", list(shape), -128, 127)
        t = {"x": image(1, 2, 2, 1)}
        for d, ok in ((1, True), (0, False), (-1, False)):
            case("D >= 1", ok, op, a((1, 0, d)), **t)
            case("D >= 1", ok, op, a((1, 0, 1), (1, 0, d)), **t)
        far = 2**31 - 1
        edge("|A*o+B|", op, (a((1, far - 1, 5)), t), (a((1, far, 5)), t))
        edge("|A*o+B|", op, (a((1, 0, 1), (-1, -far + 1, 5)), t), (a((1, 0, 1), (-1, -far, 5)), t))
        edge("|A*o+B|", op, (a((1, -far, 5)), t), (a((1, -far - 1, 5)), t))
        for shape, ok in (((1, 1, 1, 1), True), ((0, 1, 1, 0), True), ((1, 0, 1, 1), False), ((1, 1, 0, 1), False)):
            case("H and W at least 1", ok, op, a((1, 0, 1)), x=image(*shape))
        case("rank 4", False, op, a((1, 0, 1)), x=image(2, 2, 1))
    a = {"axis_y": [1, 0, 1], "axis_x": [1, 0, 1], "out": [1, 1]}
    for lo, ok in ((-32767, True), (-32768, False)):
        case("acc*2^l", ok, "resize_bilinear", {**a, "stage": stage(2**30, 1)}, x=x("i16", [1, 1, 1, 1], lo, 32767))
    for m, l, ok in ((2**30, 1, True), (2**30 - 1, 1, False)):
        case("least l", ok, "resize_bilinear", {**a, "stage": stage(m, l)}, x=x("i8", [1, 1, 1, 1], -128, 127))


ALL = (selections, reductions, copies, resizes)
