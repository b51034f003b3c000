"""Acceptance cases of quotients, norms and running sums."""

from proving import case, const, edge, out, stage, x


def quotients():
    """div, cumsum."""
    a = x("i8", [2], -128, 127)
    pq = lambda p, q: {"p": p, "q": q, "output": out()}
    for p, q, ok in ((1, 1, True), (65535, 65534, True), (0, 1, False), (1, 0, False), (65536, 1, False), (1, 65536, False)):
        case("p, q in 1...65535", ok, "div", pq(p, q), a=a, b=a)
    for p, q, ok in ((3, 2, True), (2, 4, False), (65535, 65535, False)):
        case("p and q without a common factor", ok, "div", pq(p, q), a=a, b=a)
    case("lo <= hi within the dtype", False, "div", {"p": 1, "q": 1, "output": out("i8", 0, 5, 4)}, a=a, b=a)
    run = lambda axis=0, **v: {"axis": axis, "exclusive": False, "reverse": False, **v}
    for axis, ok in ((0, True), (1, False)):
        case("axis below the rank", ok, "cumsum", run(axis), x=a)
    edge("A", "cumsum", (run(), {"x": x("i32", [1], -(2**31) + 1, 0)}), (run(), {"x": x("i32", [1], -(2**31), 0)}))
    for n, less, ok in ((65535, False, True), (65536, False, False), (65536, True, False)):
        case("A", ok, "cumsum", run(exclusive=less), x=x("i16", [n], -32768, 0))


def rows():
    """log_softmax, rms_norm, group_norm."""
    soft = lambda l=0, m=2**29, **s: {"l": l, "m": m, "stage": {**stage(2**20, 0), **s}}
    row = lambda lo, hi, n=3: x("i16", [2, n], lo, hi)
    for l, hi, ok in ((15, 32767, True), (15, 32768 - 1, True), (16, 32767, True), (17, 16383, True), (17, 16384, False)):
        case("(hi-lo)*2^l", ok, "log_softmax", soft(l, 2**30), x=row(0, hi))
    for n, ok in ((1, True), (0, False)):
        case("last axis is not empty", ok, "log_softmax", soft(), x=row(0, 9, n))
    for m, l, ok in ((2**30, 1, True), (2**30 - 1, 1, False)):
        case("least l", ok, "log_softmax", soft(l, m), x=row(0, 9))
        case("least l", ok, "log_softmax", soft(m=0, l=0) | {"stage": stage(m, l)}, x=row(0, 9))
    # with m = 0 the exponent is 0 and the accumulator reaches −2^21
    for l, ok in ((9, True), (10, False)):
        case("acc*2^l", ok, "log_softmax", soft(m=0) | {"stage": stage(2**30, l)}, x=row(0, 9))
    norm = lambda **a: {"eps": 1, "g": 6, "output": out(), **a}
    fill = lambda n, v: const("i32", [n], [v] * n)
    for op, more in (("rms_norm", {}), ("group_norm", {"groups": 1})):
        lead = [1] if op == "rms_norm" else [1, 1, 1]

        def run(rule, ok, n, b, **a):
            case(rule, ok, op, norm(**more) | a, x=x("i16", [*lead, n], -32768, 32767), gamma=fill(n, 9), beta=fill(n, b))

        for b, ok in ((2**30 - 1, True), (2**30, False), (-(2**30) + 1, True), (-(2**30), False)):
            run("|beta|", ok, 2, b)
        for n, ok in ((1, True), (65536, True), (65537, False), (0, False)):
            run("N in 1...65536", ok, n, 0)
        for eps, ok in ((0, False), (1, True), (2**48 - 1, True), (2**48, False)):
            run("eps in 1...2^48-1", ok, 2, 0, eps=eps)
        for g, ok in ((0, True), (16, True), (17, False), (-1, False)):
            run("g in 0...16", ok, 2, 0, g=g)
        case("one entry a channel", False, op, norm(**more), x=x("i16", [*lead, 3], 0, 9), gamma=fill(3, 9), beta=fill(2, 0))
        case("one entry a channel", False, op, norm(**more), x=x("i16", [*lead, 3], 0, 9), gamma=fill(1, 9), beta=fill(3, 0))
    image = lambda *shape: {"x": x("i8", list(shape), 0, 9), "gamma": fill(shape[-1], 5), "beta": fill(shape[-1], 5)}
    for groups, ok in ((1, True), (3, True), (6, True), (4, False), (12, False)):
        case("groups divide C", ok, "group_norm", norm(groups=groups), **image(2, 1, 3, 6))
    case("rank 4", False, "group_norm", norm(groups=1), **image(2, 3, 6))
    for h, groups, ok in ((128, 1, True), (129, 1, False), (256, 2, True), (257, 2, False), (0, 1, False)):
        case("N in 1...65536", ok, "group_norm", norm(groups=groups), **image(1, h, 128, 4))


def transposed():
    """conv_transpose2d."""
    conv = lambda **v: {"strides": [1, 1], "pads": [0, 0, 0, 0], "dilations": [1, 1], "groups": 1, "output_padding": [0, 0], **v}

    def run(rule, ok, shape=(1, 2, 2, 2), w=(2, 2, 2, 2), lo=0, hi=9, fill=1, bias=0, **v):
        weights = const("i8", list(w), [fill] * (w[0] * w[1] * w[2] * w[3]))
        case(rule, ok, "conv_transpose2d", conv(**v), x=x("i8" if hi < 128 and lo > -129 else "i16", list(shape), lo, hi), w=weights, b=const("i32", [w[0]], [bias] * w[0]))

    for g, w, ok in ((2, (2, 1, 1, 1), True), (2, (3, 1, 1, 1), False), (1, (2, 1, 1, 1), False)):
        run("groups", ok, w=w, groups=g)
    for shape, ok in (((0, 1, 1, 2), True), ((1, 0, 1, 2), False), ((1, 1, 0, 2), False)):
        run("H and W at least 1", ok, shape)
    rule = "output padding below the stride or the dilation"
    for more, ok in (([1, 2], True), ([2, 0], False), ([0, 3], False)):
        run(rule, ok, strides=[2, 1], dilations=[1, 3], output_padding=more)
    for pads, ok in (([1, 1, 1, 1], True), ([2, 0, 1, 0], False), ([0, 1, 0, 2], False)):
        run("output extent >= 1", ok, pads=pads)
    for b, ok in ((2**30 - 1, True), (2**30, False)):
        run("|b|", ok, bias=b)
    s = lambda l: {"stage": {**stage(2**30, l)}}
    # taps that meet no pixel leave 0 in the interval: 16 weights of 1 and x in 5...8 reach 128
    for l, ok in ((23, True), (24, False)):
        run("acc*2^l", ok, (1, 2, 2, 4), (1, 2, 2, 4), 5, 8, **s(l))


def lines():
    """topk, sample, rope."""
    t = x("i8", [2, 5], -128, 127)
    top = lambda k, axis=1: {"axis": axis, "k": k, "smallest": False}
    for k, ok in ((1, True), (5, True), (6, False), (0, False)):
        case("k in 1...n", ok, "topk", top(k), x=t)
    case("axis below the rank", False, "topk", top(1, 2), x=t)
    words = {"seed": x("i32", [2], 0, 9), "step": x("i32", [1], 0, 9)}
    draw = lambda k=0, p16=65536, l=0, m=2**29: {"l": l, "m": m, "k": k, "p16": p16}
    for k, ok in ((0, True), (5, True), (6, False)):
        case("V at least k, and at least 1", ok, "sample", draw(k), x=t, **words)
    case("V at least k, and at least 1", False, "sample", draw(), x=x("i8", [2, 0], 0, 9), **words)
    for k, p16, ok in ((0, 65535, False), (1, 65535, True)):
        case("p16 needs k", ok, "sample", draw(k, p16), x=t, **words)
    for n, m, ok in ((2, 1, True), (1, 1, False), (2, 2, False)):
        case("seed [2] and step [1]", ok, "sample", draw(), x=t, seed=x("i32", [n], 0, 9), step=x("i32", [m], 0, 9))
    for m, l, ok in ((2**30, 1, True), (2**30 - 1, 1, False)):
        case("least l", ok, "sample", draw(l=l, m=m), x=t, **words)
    turn = lambda n=1, l=0, m=2**18, **v: {"step": [5] * n, "interleaved": False, "position": 0, "stage": stage(m, l), **v}
    for n, ok in ((1, True), (2, True), (3, False)):
        case("a step a pair of the columns", ok, "rope", turn(n), x=t)
    for shape, p, ok in (([1], 0, True), ([1], 3, False), ([2], 0, False)):
        case("position is an attribute or an operand", ok, "rope", turn(position=p), x=t, position=x("i32", shape, 0, 9))
    case("rank at least 2, zero point 0", False, "rope", turn(), x=x("i8", [4], 0, 9))
    case("rank at least 2, zero point 0", False, "rope", turn(), x=x("i8", [2, 4], 0, 9, 1))
    for lo, l, ok in ((-32768, 1, True), (-32768, 2, False)):
        case("acc*2^l", ok, "rope", turn(1, l, 2**30), x=x("i16", [1, 2], lo, 0))


ALL = (quotients, rows, transposed, lines)
