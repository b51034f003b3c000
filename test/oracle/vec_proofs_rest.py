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


ALL = (quotients, rows)
