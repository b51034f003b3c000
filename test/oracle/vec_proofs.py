"""Edges of acceptance: ops/proofs.json, {op, attrs, inputs: types, accept, rule, figure}.

Each pair stands on both sides of one rule. Inputs are types without elements (dtype, shape, zp, lo, hi), constants carry
theirs (`fill`: one value for all). `rule` names what decides: the rule that refuses, or the one whose limit the accepted
twin just meets; `figure` is the value that it compares. Nothing here is run, only proved.
"""

import vec_proofs_cells
import vec_proofs_more
import vec_proofs_rest
import vec_proofs_rows
from common import emit
from proving import CONV, case, cases, const, edge, out, stage, x


def weights():
    """conv2d and dense: A, the shifted accumulator, |b|; which of the two figures decides."""
    full = lambda n, extra: const("i8", [1, n + extra], [-128] * n + [1] * extra)
    xs = lambda n: x("i16", [1, n], -32768, 32767)
    bias = lambda v: const("i32", [1], [v])
    # sum |w| = 2^15: 2^30 + (2^30 - 1); one weight more: 2^30 + 2^15 + (2^30 - 2^15)
    edge(
        "A",
        "dense",
        ({"block": 0}, {"x": xs(256), "w": full(256, 0), "b": bias(2**30 - 1)}),
        ({"block": 0}, {"x": xs(257), "w": full(256, 1), "b": bias(2**30 - 2**15)}),
    )
    edge(
        "A",
        "dense",
        ({"block": 0}, {"x": xs(256), "w": full(256, 0), "b": bias(-(2**30) + 1)}),
        ({"block": 0}, {"x": xs(257), "w": full(256, 1), "b": bias(-(2**30) + 2**15)}),
    )
    image = lambda n: x("i16", [1, 1, 1, n], -32768, 32767)
    kernel = lambda n, extra: const("i8", [1, 1, 1, n + extra], [-128] * n + [1] * extra)
    edge(
        "A",
        "conv2d",
        (CONV, {"x": image(256), "w": kernel(256, 0), "b": bias(2**30 - 1)}),
        (CONV, {"x": image(257), "w": kernel(256, 1), "b": bias(2**30 - 2**15)}),
    )
    # every tap counts, also where no window has all of them inside the image
    pads = {**CONV, "pads": [15, 15, 15, 15]}
    tall = lambda n: (x("i16", [1, 1, 1, n], -32768, 32767), const("i8", [1, 16, 16, n], [-128] * 256 * n))
    case("A", True, "conv2d", pads, x=tall(1)[0], w=tall(1)[1], b=bias(0))
    case("A", False, "conv2d", pads, x=tall(2)[0], w=tall(2)[1], b=bias(0))
    # A decides although the interval of the accumulator is small: 2^30 - 1 - (0 ... 2^30 + ...)
    thin = lambda n: x("i16", [1, n], 0, 32767)
    short = {"block": 0, "stage": stage(2**20, 0)}
    case("A", True, "dense", short, x=thin(256), w=full(256, 0), b=bias(2**30 - 1))
    case("A", False, "dense", short, x=thin(257), w=const("i8", [1, 257], [-128] * 257), b=bias(2**30 - 1))
    # the zero point enters X: x' in 0...255 or -255...0
    for zp in (-128, 127):
        long = {"x": x("i8", [65793], -128, 127, zp), "w": const("i8", [1, 65793], [-128] * 65793)}
        edge("A", "dense", ({"block": 0}, {**long, "b": bias(-127)}), ({"block": 0}, {**long, "b": bias(128)}))
    # i4: u scales every weight of its block
    u = lambda v, n: const("i8", [1, n], [v - 128] * n, -128)
    i4 = lambda n: const("i4", [1, n], [-8] * n)
    big = lambda n: x("i16", [n], -32768, 32767)
    case("A", True, "dense", {"block": 16}, x=big(16), w=i4(16), b=bias(2**30 - 1), u=u(255, 1))
    case("A", False, "dense", {"block": 16}, x=big(32), w=i4(32), b=bias(2**30 - 1), u=u(255, 2))
    case("A", True, "dense", {"block": 16}, x=big(32), w=i4(32), b=bias(2**30 - 1), u=u(128, 2))
    # the second figure: |acc|*2^l at its limit while A is far below
    shift = {"block": 0, "stage": stage(2**30, 8)}
    one = lambda lo, hi: x("i16", [1], lo, hi)
    case("acc*2^l", True, "dense", shift, x=one(0, 1), w=const("i8", [1, 1], [1]), b=bias(2**23 - 2))
    case("acc*2^l", False, "dense", shift, x=one(0, 1), w=const("i8", [1, 1], [1]), b=bias(2**23 - 1))
    case("acc*2^l", True, "dense", shift, x=one(-1, 0), w=const("i8", [1, 1], [1]), b=bias(-(2**23) + 2))
    case("acc*2^l", False, "dense", shift, x=one(-1, 0), w=const("i8", [1, 1], [1]), b=bias(-(2**23) + 1))
    # one channel of several decides
    two = {"block": 0, "stage": stage([2**30, 5], 8)}
    case("acc*2^l", True, "dense", two, x=one(0, 1), w=const("i8", [2, 1], [0, 1]), b=const("i32", [2], [3, 2**23 - 2]))
    case(
        "acc*2^l", False, "dense", two, x=one(0, 1), w=const("i8", [2, 1], [0, 1]), b=const("i32", [2], [3, 2**23 - 1])
    )
    # a pad joins [x'] with 0: the interval grows, the figure with it
    for pads, accept in (([0, 0, 0, 0], True), ([0, 1, 0, 0], False)):
        a = {**CONV, "pads": pads, "stage": stage(2**30, 16)}
        case(
            "acc*2^l",
            accept,
            "conv2d",
            a,
            x=x("i16", [1, 1, 3, 1], 300, 400),
            w=const("i8", [1, 1, 1, 1], [-100]),
            b=bias(32868),
        )
    for op, attrs, image_, w in (
        ("dense", {"block": 0}, one(0, 1), const("i8", [1, 1], [1])),
        ("conv2d", CONV, image(1), kernel(0, 1)),
    ):
        for v, ok in ((2**30 - 1, True), (2**30, False), (-(2**30) + 1, True), (-(2**30), False)):
            case("|b|", ok, op, attrs, x=image_, w=w, b=bias(v))
    case(
        "u in 1...255, held as i8 with zero point -128",
        False,
        "dense",
        {"block": 16},
        x=big(16),
        w=i4(16),
        b=bias(0),
        u=u(0, 1),
    )


def stages():
    """The least-l rule, the range of l and m, their lengths, lo and hi."""
    go = lambda rule, accept, s: case(rule, accept, "rescale", {"stage": s}, x=x("i8", [2, 3], -1, 1))
    for m, l, ok in (
        (2**30, 1, True),
        (2**30 - 1, 1, False),
        (2**30, 24, True),
        (2**30 - 1, 24, False),
        (2**30 - 1, 0, True),
        (0, 0, True),
        (0, 1, False),
        (2**31 - 1, 24, True),
    ):
        go("least l", ok, stage(m, l))
    go("least l", True, stage([5, 2**30, 0], 3))
    go("least l", False, stage([5, 2**30 - 1, 0], 3))
    go("l in 0...24", False, stage(2**30, 25))
    for m in ([7, 7, 7], [7, 8], [1, 2, 3, 4], []):
        go("m has one entry, or one per channel", False, stage(m, 0))
    go("m has one entry, or one per channel", True, stage([7, 7, 8], 0))
    go("m in 0...2^31-1", False, stage([-1], 0))
    for lo, hi, ok in ((5, 5, True), (6, 5, False), (-128, 127, True), (-129, 127, False), (-128, 128, False)):
        go("lo <= hi within the dtype", ok, stage(1, 0, dtype="i8", zp=100, lo=lo, hi=hi))
    go("zp of an i16 output is 0", False, {**stage(1, 0), "zp": 1})
    # rescale: X below 2^31, and shifted
    wide = lambda lo, hi: x("i32", [1], lo, hi)
    edge(
        "A",
        "rescale",
        ({"stage": stage(9, 0)}, {"x": wide(-(2**31) + 1, 0)}),
        ({"stage": stage(9, 0)}, {"x": wide(-(2**31), 0)}),
    )
    case("acc*2^l", True, "rescale", {"stage": stage(2**30, 20)}, x=wide(-2047, 2047))
    case("acc*2^l", False, "rescale", {"stage": stage(2**30, 20)}, x=wide(0, 2048))
    case("acc*2^l", False, "rescale", {"stage": stage(2**30, 20)}, x=wide(-2048, 0))


def products():
    """matmul and mul."""
    a, b = (lambda k, top: x("i16", [1, k], -top, top)), (lambda k, top: x("i16", [k, 1], -top, top))
    raw = {"tb": False}
    case("A", True, "matmul", raw, a=a(1, 32768 - 1), b=b(1, 32767))
    case("A", True, "matmul", raw, a=x("i16", [1, 1], -32768, 0), b=x("i16", [1, 1], -32768, 0))
    case("A", False, "matmul", raw, a=x("i16", [1, 2], -32768, 0), b=x("i16", [2, 1], -32768, 0))
    case("A", True, "matmul", raw, a=x("i16", [1, 512], 0, 32767), b=x("i8", [512, 1], -128, 127))
    case("A", False, "matmul", raw, a=x("i16", [1, 513], 0, 32767), b=x("i8", [513, 1], -128, 127))
    # 2^31 - 1 is prime: the largest product below is (2^31 - 2) = 2 * 1073741823 = 65538 * 32767 rows of 32767 * 1
    case("A", True, "matmul", raw, a=x("i16", [1, 65538], 0, 32767), b=x("i8", [65538, 1], -1, 0))
    case("A", True, "matmul", raw, a=x("i16", [1, 65535], -32768, 0), b=x("i8", [65535, 1], -1, 1))
    case("A", False, "matmul", raw, a=x("i16", [1, 65536], -32768, 0), b=x("i8", [65536, 1], -1, 1))
    # a proved sum of |a| over the row takes the place of K*X(a) where it is less
    for total, ok in ((65535, True), (65536, False)):
        case("A", ok, "matmul", raw, a=x("i16", [1, 70000], 0, 32767, row_sum=total), b=x("i16", [70000, 1], -32768, 0))
    case("A", True, "matmul", raw, a=x("i16", [1, 2], 0, 32767, row_sum=2**30), b=x("i16", [2, 1], -32768, 0))
    # the interval is [-A, A] even where every product is positive
    for k, ok in ((1023, True), (1024, False)):
        a_ = {"tb": False, "stage": stage(2**30, 7)}
        case("acc*2^l", ok, "matmul", a_, a=x("i16", [1, k], 0, 128), b=x("i8", [k, 1], -128, 0))
    case(
        "zero points of matmul are 0",
        False,
        "matmul",
        raw,
        a=x("i8", [1, 1], -128, 127, 1),
        b=x("i8", [1, 1], -128, 127),
    )
    # mul: the corner -32768 * -32768 = 2^30 passes at l = 0, not at l = 1
    full = x("i16", [1], -32768, 32767)
    case("acc*2^l", True, "mul", {"stage": stage(2**17, 0)}, a=full, b=full)
    case("acc*2^l", False, "mul", {"stage": stage(2**30, 1)}, a=full, b=full)
    case("acc*2^l", True, "mul", {"stage": stage(2**30, 1)}, a=x("i16", [1], -32767, 32767), b=full)
    case(
        "acc*2^l",
        True,
        "mul",
        {"stage": stage(2**30, 1)},
        a=x("i16", [1], -32767, 32767),
        b=x("i16", [1], -32767, 32767),
    )
    case(
        "acc*2^l",
        True,
        "mul",
        {"stage": stage(2**30, 15)},
        a=x("i8", [1], -128, 127, 127),
        b=x("i8", [1], -128, 126, 127),
    )
    case(
        "acc*2^l",
        False,
        "mul",
        {"stage": stage(2**30, 16)},
        a=x("i8", [1], -128, 127, 127),
        b=x("i8", [1], -128, 127, 127),
    )


def sums():
    """linear2, reduce_sum, avg_pool2d."""
    lin = lambda ma, mb, s, **o: {"ma": ma, "mb": mb, "s": s, "output": out(**o)}
    # ma*X + mb*X + half = 32767*32768 + 32767*32768 + 2^15 = 2^31 - 2^15; zp and the half of the shift count
    w = x("i16", [1], -32768, 32767)
    edge(
        "linear2",
        "linear2",
        (lin(1, 1, 0, dtype="i32"), {"a": x("i32", [1], -(2**30), 0), "b": x("i32", [1], 0, 2**30 - 1)}),
        (lin(1, 1, 0, dtype="i32"), {"a": x("i32", [1], -(2**30), 0), "b": x("i32", [1], 0, 2**30)}),
    )
    edge(
        "linear2",
        "linear2",
        (lin(1, 0, 30), {"a": x("i32", [1], -(2**31) + 2**29 + 1, 0)}),
        (lin(1, 0, 30), {"a": x("i32", [1], -(2**31) + 2**29, 0)}),
    )
    edge(
        "linear2",
        "linear2",
        (lin(1, 0, 1), {"a": x("i32", [1], 0, 2**31 - 2)}),
        (lin(1, 0, 1), {"a": x("i32", [1], 0, 2**31 - 1)}),
    )
    edge(
        "linear2",
        "linear2",
        (lin(1, 0, 24, dtype="i8", zp=-100), {"a": x("i32", [1], 0, 2**31 - 1 - 100 * 2**24 - 2**23)}),
        (lin(1, 0, 24, dtype="i8", zp=-100), {"a": x("i32", [1], 0, 2**31 - 100 * 2**24 - 2**23)}),
    )
    edge(
        "linear2",
        "linear2",
        (lin(1, 0, 0, dtype="i8", zp=7), {"a": x("i32", [1], -(2**31) + 8, 0)}),
        (lin(1, 0, 0, dtype="i8", zp=7), {"a": x("i32", [1], -(2**31) + 7, 0)}),
    )
    # both operands count even if their terms cancel
    edge(
        "linear2",
        "linear2",
        (lin(1, -1, 0, dtype="i32"), {"a": x("i32", [1], 0, 2**30), "b": x("i32", [1], 0, 2**30 - 1)}),
        (lin(1, -1, 0, dtype="i32"), {"a": x("i32", [1], 0, 2**30), "b": x("i32", [1], 0, 2**30)}),
    )
    case("linear2", True, "linear2", lin(32767, 32767, 15), a=w, b=w)
    for ma, mb, s, ok in (
        (2, 4, 3, False),
        (2, 5, 3, True),
        (2, 4, 0, True),
        (-2, -3, 1, True),
        (0, 0, 1, False),
        (0, 1, 1, True),
    ):
        case(
            "s = 0, or ma or mb odd",
            ok,
            "linear2",
            lin(ma, mb, s),
            a=x("i8", [1], -128, 127),
            b=x("i8", [1], -128, 127),
        )
    for ma, s in ((32768, 1), (-32768, 1), (1, 31), (1, -1)):
        case("ma, mb, s in range", False, "linear2", lin(ma, 1, s), a=x("i8", [1], 0, 1), b=x("i8", [1], 0, 1))
    row = lambda n, lo, hi, dtype="i16", zp=0: x(dtype, [n], lo, hi, zp)
    case("A", True, "reduce_sum", {"axes": [0]}, x=row(65535, -32768, 0))
    case("A", False, "reduce_sum", {"axes": [0]}, x=row(65536, -32768, 0))
    case("A", True, "reduce_sum", {"axes": [0]}, x=row(8421504, -128, 127, "i8", 127))
    case("A", False, "reduce_sum", {"axes": [0]}, x=row(8421505, -128, 127, "i8", 127))
    case("acc*2^l", True, "reduce_sum", {"axes": [0], "stage": stage(2**30, 1)}, x=row(32767, -32768, 0))
    case("acc*2^l", False, "reduce_sum", {"axes": [0], "stage": stage(2**30, 1)}, x=row(32768, -32768, 0))
    pool = lambda k, l, m1: {
        "kernel": k,
        "strides": [1, 1],
        "dilations": [1, 1],
        "pads": [0, 0, 0, 0],
        "overhang": [0, 0],
        "include_pad": False,
        "m1": m1,
        "l": l,
        "output": out(),
    }
    image = lambda h, w_, lo, hi: x("i16", [1, h, w_, 1], lo, hi)
    case("A", True, "avg_pool2d", pool([1, 65535], 0, 2**30), x=image(1, 65535, -32768, 0))
    case("A", False, "avg_pool2d", pool([1, 65536], 0, 2**30), x=image(1, 65536, -32768, 0))
    case("acc*2^l", True, "avg_pool2d", pool([1, 255], 8, 2**30), x=image(1, 255, -32768, 0))
    case("acc*2^l", False, "avg_pool2d", pool([1, 256], 8, 2**30), x=image(1, 256, -32768, 0))
    case("least l", True, "avg_pool2d", pool([2, 2], 1, 2**30), x=image(2, 2, -32768, 0))
    case("least l", False, "avg_pool2d", pool([2, 2], 1, 2**30 - 1), x=image(2, 2, -32768, 0))
    # windows: a tap inside the image in each of them; overhang below the stride
    rule = "every window has a valid tap"
    for op in ("max_pool2d", "avg_pool2d"):

        def window(ok, size, k, s, d, pads, over, rule_=rule):
            a = {
                **pool([1, k], 0, 5),
                "strides": [1, s],
                "dilations": [1, d],
                "pads": [0, pads[0], 0, pads[1]],
                "overhang": [0, over],
            }
            if op == "max_pool2d":
                a = {key: a[key] for key in ("kernel", "strides", "dilations", "pads", "overhang")}
            case(rule_, ok, op, a, x=x("i8", [1, 1, size, 1], -128, 127))

        window(True, 4, 2, 1, 1, (1, 1), 0)
        window(False, 4, 2, 1, 1, (2, 0), 0)
        window(False, 4, 2, 1, 1, (0, 2), 0)
        window(True, 4, 3, 2, 1, (1, 0), 1)
        window(False, 3, 1, 2, 1, (0, 1), 1)
        window(True, 1, 2, 1, 4, (4, 0), 0)
        window(False, 1, 2, 1, 4, (4, 1), 0)
        window(False, 1, 2, 1, 5, (4, 4), 0)
        window(True, 2, 3, 2, 4, (4, 4), 0)
        window(True, 2, 3, 1, 4, (4, 4), 0)
        window(False, 2, 3, 1, 4, (4, 5), 0)
        window(False, 3, 2, 2, 1, (0, 0), 2, "overhang below the stride")


def vectors():
    for f in (weights, stages, products, sums, vec_proofs_rows.rows, vec_proofs_rows.shapes, *vec_proofs_more.ALL, *vec_proofs_rest.ALL, *vec_proofs_cells.ALL):
        f()
    emit("ops/proofs.json", cases)
