"""Golden models of moves, symbolic dims, states and whole graphs."""

from models_kit import Q8, Q15, Kit, expected, out
from models_nodes import CONV, WIN
from sbm import RANGE, sym


def moves():
    k = Kit("transpose with runs around 16 bytes")
    for dtype, ns in (("i8", (15, 16, 17)), ("i16", (7, 8, 9)), ("i32", (3, 4, 5)), ("bool", (15, 16))):
        for n in ns:
            k.out(k.op("transpose", k.x(dtype, [2, 3, n]), perm=[1, 0, 2]))
    x = k.x("i8", [2, 3, 4], -9)
    k.out(
        k.op("transpose", x, perm=[2, 0, 1]),
        k.op("transpose", x, perm=[0, 1, 2]),
        k.op("transpose", k.x("i16", []), perm=[]),
    )
    yield expected(k)
    k = Kit("concat with runs around 16 bytes, of one operand, of none of the axis")
    for dtype, ns in (("i8", (15, 16, 17)), ("i16", (7, 8)), ("i32", (3, 4))):
        for n in ns:
            k.out(k.op("concat", k.x(dtype, [2, n]), k.x(dtype, [2, n + 3]), axis=1))
    k.out(
        k.op("concat", k.x("i8", [2, 2, 5], 3), k.x("i8", [2, 4, 5], 3, -5, 9), axis=1),
        k.op("concat", k.x("i8", [3, 15]), axis=0),
        k.op("concat", k.x("i8", [2, 15]), axis=1),
    )
    k.out(
        k.op("concat", k.x("bool", [2, 3]), k.x("bool", [0, 3])),
        k.op("concat", k.x("i8", [1, 2], 3, 0, 5), k.const("i8", [1, 2], [-100, 90], 3)),
    )
    yield expected(k)
    k = Kit("slice with runs around 16 bytes, reversed, stepped, empty, whole")
    for dtype, ns in (("i8", (15, 16, 17)), ("i16", (7, 8)), ("i32", (3, 4))):
        for n in ns:
            k.out(k.op("slice", k.x(dtype, [2, 20]), start=[0, 1], step=[1, 1], size=[2, n]))
    x = k.x("i8", [3, 4, 8], -2)
    cut = lambda start, step, size: k.op("slice", x, start=start, step=step, size=size)
    k.out(
        cut([2, 0, 0], [-1, 1, 1], [3, 4, 8]),
        cut([0, 3, 7], [1, -3, -2], [3, 2, 4]),
        cut([0, 4, 0], [1, 1, 1], [3, 0, 8]),
    )
    k.out(
        cut([0, 0, 0], [1, 1, 1], [3, 4, 8]),
        cut([0, 1, 0], [1, 1, 1], [3, 2, 8]),
        cut([0, 0, 0], [1, 2, 1], [3, 2, 8]),
        cut([1, 0, 7], [1, 1, 1], [1, 4, 1]),
    )
    k.out(k.op("slice", k.x("bool", []), start=[], step=[], size=[]))
    yield expected(k)
    k = Kit("pad with runs around 16 bytes, in every mode")
    for n in (15, 16, 17):
        k.out(k.op("pad", k.x("i8", [2, n], -7), k.const("i8", [], [-7], -7), before=[0, 1], after=[1, 0]))
    x = k.x("i16", [3, 4])
    k.out(
        k.op("pad", x, before=[1, 2], after=[2, 3], mode="reflect"),
        k.op("pad", x, before=[2, 0], after=[3, 0], mode="edge"),
        k.op("pad", x, before=[0, 5], after=[0, 0], mode="edge"),
    )
    k.out(
        k.op("pad", k.x("i8", [2, 3], lo=-5, hi=5), k.fill("i8", [5]), before=[1, 1], after=[0, 1]),
        k.op("pad", k.x("bool", [0]), k.const("bool", [], [1]), before=[2], after=[1]),
    )
    k.out(
        k.op("pad", k.x("i32", []), k.const("i32", [], [4]), before=[], after=[]),
        k.op("pad", k.x("i32", [2, 2]), k.const("i32", [], [-(2**31)]), before=[0, 0], after=[0, 0]),
    )
    k.out(k.op("pad", k.x("i8", [2, 8]), k.const("i8", [], [1]), before=[0, 0], after=[1, 0]))
    yield expected(k)
    k = Kit("reshape: no bytes, no moves")
    x = k.x("i8", [2, 3, 4], 7)
    k.out(
        k.op("reshape", x, shape=[6, 4]),
        k.op("reshape", k.op("reshape", x, shape=[24]), shape=[1, 2, 1, 12]),
        k.op("reshape", k.x("i32", [1, 1]), shape=[]),
        k.op("reshape", k.x("bool", [0, 2]), shape=[5, 0]),
    )
    yield expected(k)
    k = Kit("tensors of rank 8")
    shape = [2, 1, 2, 1, 1, 2, 1, 3]
    x, y = k.x("i8", shape, 4), k.x("i16", [1, 2, 1, 2, 1, 1, 2, 1], lo=-99, hi=99)
    k.out(k.op("transpose", x, perm=[7, 6, 5, 4, 3, 2, 1, 0]), k.op("transpose", x, perm=[1, 0, 2, 3, 4, 6, 5, 7]))
    k.out(
        k.op(
            "slice", x, start=[1, 0, 1, 0, 0, 1, 0, 2], step=[-1, 1, 1, 1, 1, -1, 1, -2], size=[2, 1, 1, 1, 1, 2, 1, 2]
        )
    )
    k.out(k.op("pad", x, k.const("i8", [], [9], 4), before=[0, 0, 0, 1, 0, 0, 0, 1], after=[1, 0, 0, 0, 0, 0, 0, 0]))
    k.out(
        k.op("pad", x, before=[0] * 7 + [2], after=[0] * 7 + [1], mode="reflect"),
        k.op("concat", x, x, axis=7),
        k.op("concat", x, x, axis=6),
    )
    k.out(k.op("argmax", x, axis=7), k.op("argmax", x, axis=6), k.op("linear2", x, y, ma=3, mb=2, output=out("i16")))
    k.out(k.op("softmax", y, k.x("bool", [2, 1, 1, 2, 1]), l=10, m=1640000000, output=Q15, causal=True, offset=-1))
    k.out(
        k.op("matmul", k.x("i8", shape[:6] + [2, 3]), k.x("i8", [2, 3, 1, 1, 3, 4])),
        k.op("reshape", x, shape=[3, 2, 1, 1, 1, 2, 2, 1]),
    )
    yield expected(k, kinds=("ends", "random"))


def symbolic():
    n, m = sym(0), sym(1)
    k = Kit("causal attention over n tokens", n=(1, 9))
    q, kk, v = (k.x("i8", [n, 4]) for _ in range(3))
    s = k.staged("matmul", q, kk, tb=True, to="i16")
    p = k.op("softmax", s, l=6, m=1640000000, output=Q15, causal=True)
    y = k.staged("matmul", p, v, to="i8", spread=1)
    last = k.op("slice", y, start=[sym(0, -1), 0], step=[1, 1], size=[1, 4])
    k.out(y, last, k.op("reshape", y, shape=[sym(0, 0, 4)]), k.op("reshape", y, shape=[sym(0, 0, 2), 2]))
    yield expected(k, ([1], [9], [4]))
    k = Kit("attention over a cache: n new tokens, m cached ones", n=(1, 3), m=(1, 6))
    q, cache, new = k.x("i8", [n, 3]), k.x("i8", [m, 3]), k.x("i8", [n, 3])
    keys = k.op("concat", cache, new)
    s = k.staged("matmul", q, keys, tb=True, to="i16")
    mask = k.x("bool", [1, (0, (1, 1))])
    p = k.op("softmax", s, mask, l=6, m=1640000000, output=Q15, causal=True, offset=m)
    f = k.x("i32", [1], lo=-2, hi=sym(0, -1), name="from")
    r = k.op("softmax", s, None, f, l=6, m=1640000000, o=9, output=out("i16", 0, 0, 400), causal=True)
    k.out(
        k.op("matmul", p, keys),
        k.op("matmul", r, keys),
        k.op("argmax", s, axis=1),
        k.op("argmax", s, axis=0, select_last=True),
    )
    yield expected(k, ([1, 1], [3, 6], [3, 1], [2, 4]))
    k = Kit("an image of h by w, n of them", h=(2, 6), w=(3, 5), n=(1, 2))
    x = k.x("i8", [sym(2), sym(0), sym(1), 3], 7)
    w, b = k.fill("i8", [9, 2, 3, 3]), k.fill("i32", [9], -99, 99)
    y = k.staged("conv2d", x, w, b, **{**CONV, "pads": [1, 1, 0, 1]}, per=9)
    d = k.op("conv2d", y, k.fill("i8", [9, 2, 2, 1]), b, **{**CONV, "groups": 9, "dilations": [1, 2]})
    wide = k.op("conv2d", x, k.fill("i8", [2, 1, 1, 3]), k.fill("i32", [2], -9, 9), **CONV)
    k.out(y, wide, d)
    yield expected(k, ([2, 3, 1], [6, 5, 2], [3, 4, 1]), ("lo", "ends", "random"))
    k = Kit("pools over n images of c channels", n=(1, 3), c=(1, 20))
    x = k.x("i8", [n, 4, 5, m], -3)
    k.out(k.op("max_pool2d", x, **{**WIN, "kernel": [2, 2], "strides": [2, 2], "overhang": [0, 1]}))
    k.out(k.op("avg_pool2d", x, **{**WIN, "kernel": [2, 3]}, m1=2**30, l=2, output=out("i8", -3)))
    yield expected(k, ([1, 1], [3, 20], [2, 17]), ("ends", "random"))
    k = Kit("moves whose run is taken at the least dims", n=(4, 9), m=(1, 5))
    x, y, z = k.x("i32", [2, m, n]), k.x("i32", [2, m, sym(0, -1)]), k.x("i16", [n, m])
    k.out(
        k.op("transpose", x, perm=[1, 0, 2]),
        k.op("transpose", y, perm=[1, 0, 2]),
        k.op("concat", x, y, axis=2),
        k.op("concat", x, k.x("i32", [2, m, 4]), axis=2),
    )
    k.out(
        k.op("concat", x, x, axis=0),
        k.op("slice", x, start=[0, 0, 0], step=[1, 1, 1], size=[2, m, sym(0, -1)]),
        k.op("slice", x, start=[0, 0, sym(0, -4)], step=[1, 1, 1], size=[2, m, 4]),
    )
    k.out(
        k.op("slice", x, start=[1, sym(1, -1), 0], step=[-1, -1, 1], size=[2, m, n]),
        k.op("slice", z, start=[0, 0], step=[2, 1], size=[2, m]),
        k.op("slice", z, start=[n, 0], step=[1, 1], size=[0, m]),
    )
    k.out(
        k.op("pad", x, k.const("i32", [], [6]), before=[0, 0, 0], after=[0, 0, 1]),
        k.op("pad", y, before=[0, 1, 2], after=[0, 2, 2], mode="edge"),
        k.op("pad", x, before=[0, 0, 3], after=[0, 0, 3], mode="reflect"),
    )
    k.out(
        k.op("pad", z, k.const("i16", [], [-3]), before=[1, 0], after=[0, 0]),
        k.op("slice", x, start=[0, 0, 0], step=[1, 1, 1], size=[2, m, n]),
    )
    yield expected(k, ([4, 1], [9, 5], [7, 2]), ("ends", "random"))
    k = Kit("rows and elements over n", n=(1, 4), m=(2, 3))
    x = k.x("i8", [n, m, 5], 3)
    y = k.op(
        "layer_norm",
        x,
        k.fill("i32", [5], -(2**20), 2**20),
        k.fill("i32", [5], -8192, 8192),
        eps=5,
        g=6,
        output=out("i8"),
    )
    z = k.staged("dense", y, k.fill("i8", [9, 5]), k.fill("i32", [9], -90, 90), to="i16", per=9)
    raw = k.op("dense", y, k.fill("i8", [2, 5]), k.fill("i32", [2], -90, 90))
    t = k.op("lut8", x, k.fill("i8", [256]))
    u = k.op("lut16", z, k.table("gelu_i16"), output=out("i16"))
    a = k.op("linear2", t, k.x("i8", [m, 1]), ma=3, mb=-2, s=1, output=out("i16"))
    wide = k.op("transpose", a, perm=[0, 2, 1])
    k.out(
        u,
        a,
        k.staged("rescale", wide),
        k.staged("rescale", raw, to="i8", per=2),
        k.op("linear2", x, ma=-1, output=out("i8", 5)),
    )
    yield expected(k, ([1, 2], [4, 3], [2, 2]))
    k = Kit("an index whose bound is a symbol", n=(1, 6), m=(3, 3))
    x = k.x("i8", [n, m])
    i = k.op("argmax", x, axis=0)
    j = k.op("concat", i, k.const("i32", [1], [-4]))
    k.out(
        i,
        k.op("linear2", i, ma=-1, mb=0, output=out("i8", 0, -3, 5)),
        k.op("reshape", i, shape=[1, m]),
        j,
        k.op("pad", i, k.const("i32", [], [9]), before=[1], after=[0]),
    )
    k.out(
        k.op("softmax", i, l=15, m=1640000000, output=Q8, o=8),
        k.staged("rescale", i, to="i16"),
        k.op("transpose", i, perm=[0]),
    )
    yield expected(k, ([1, 3], [6, 3], [3, 3]))
    k = Kit("lstm over t steps of n rows", t=(1, 4), n=(1, 3))
    x, h0, c0 = k.x("i8", [n, m, 3]), k.x("i8", [m, 2], lo=-50, hi=60), k.x("i16", [m, 2])
    tables = (k.table("sigmoid_q12_q15"), k.table("tanh_q12_q15"), k.table("tanh_q12_q15"))
    y = k.op(
        "lstm",
        x,
        k.fill("i8", [8, 3]),
        k.fill("i8", [8, 2]),
        k.fill("i32", [8], -900, 900),
        h0,
        c0,
        *tables,
        mx=[2**30],
        lx=2,
        mh=[2**31 - 1],
        kc=3,
        lo=-128,
        hi=127,
    )
    k.out(y[0], y[2])
    yield expected(k, ([1, 1], [4, 3], [2, 2]))
    k = Kit("products of three symbols", a=(2, 3), b=(1, 4), c=(3, 3), d=(1, 2))
    x, y = k.x("i8", [sym(3), sym(0), sym(1)]), k.x("i8", [sym(3), sym(1), sym(2)])
    z = k.op("matmul", x, y)
    tail = k.x("i8", [(5, (-1, 0, 1)), (0, (1, 1))])
    k.out(
        z,
        k.op("slice", tail, start=[0, sym(1, 0)], step=[1, 1], size=[(5, (-1, 0, 1)), sym(0)]),
        k.op("reshape", tail, shape=[(0, (1, 1)), (5, (-1, 0, 1))]),
    )
    yield expected(k, ([2, 1, 3, 1], [3, 4, 3, 2], [2, 3, 3, 2]), ("ends", "random"))


def wholes():
    k = Kit("a counter and an average, two states")
    x, s, t = k.x("i16", [2], lo=-10, hi=10), k.x("i16", [2], lo=-100, hi=100), k.x("i8", [2], 5, -20, 30)
    y = k.op("linear2", s, x, ma=1, mb=1, output=out("i16", 0, -100, 100))
    z = k.op("linear2", t, x, ma=3, mb=1, s=2, output=out("i8", 5, -20, 30))
    k.out(z, y)
    k.state(s, 1), k.state(t, 0)
    yield expected(k, kinds=("hi", "hi", "random", "lo", "random", "zp"))
    k = Kit("lstm with its state in the model")
    x, h0, c0 = k.x("i8", [1, 1, 2], -4), k.x("i8", [1, 2]), k.x("i16", [1, 2])
    tables = (k.table("sigmoid_q12_q15"), k.table("tanh_q12_q15"), k.table("tanh_q12_q15"))
    y = k.op(
        "lstm",
        x,
        k.fill("i8", [8, 2]),
        k.fill("i8", [8, 2]),
        k.fill("i32", [8], -900, 900),
        h0,
        c0,
        *tables,
        mx=[2**30],
        lx=3,
        mh=[2**30],
        lh=2,
        kc=3,
        lo=-128,
        hi=127,
    )
    k.out(*y)
    k.state(h0, 1), k.state(c0, 2)
    yield expected(k, kinds=("random", "hi", "random", "lo", "zp", "ends"))
    k = Kit("a classifier of images, bytes in and bytes out")
    x = k.x("i8", [1, 8, 8, 1], -128, u8=True, name="image", scale=(4624703600517521, -60))
    y = k.staged(
        "conv2d",
        x,
        k.fill("i8", [4, 3, 3, 1]),
        k.fill("i32", [4], -2000, 2000),
        **{**CONV, "pads": [1, 1, 1, 1]},
        zp=-128,
        per=4,
    )
    y = k.op("max_pool2d", y, **{**WIN, "kernel": [2, 2], "strides": [2, 2]})
    y = k.staged(
        "conv2d", y, k.fill("i8", [4, 3, 3, 1]), k.fill("i32", [4], -900, 900), **{**CONV, "groups": 4}, zp=-128
    )
    y = k.op("avg_pool2d", y, **{**WIN, "kernel": [2, 2]}, m1=2**30, l=2, output=out("i8", -128))
    y = k.op("reshape", y, shape=[1, 4])
    y = k.staged("dense", y, k.fill("i8", [5, 4]), k.fill("i32", [5], -900, 900), zp=3)
    k.out(k.op("softmax", y, l=11, m=1500000000, o=8, output=Q8), u8=True, name="p", scale=(1, -8))
    k.out(k.op("argmax", y, axis=1), name="digit")
    yield expected(k)
    k = Kit("no node: inputs as outputs, twice, under names of many bytes")
    x, s = (
        k.x("i8", [2], -128, u8=True, name="\u00e9\u4e2d\U0001f600"),
        k.x("i32", [], lo=-(2**31), hi=2**31 - 1, name="x" * 256),
    )
    b, z = k.x("bool", [3], name="b"), k.x("i16", [0, 2], lo=5, hi=5, name="empty")
    k.out(x, s, b, z, x)
    k.out(x, u8=True)
    yield expected(k)
    k = Kit("lifetimes: gaps of the allocator, unread inputs and outputs")
    x, y = k.x("i8", [65]), k.x("i8", [64])
    k.x("i8", [200], name="unread")
    shift = lambda v, n: k.op("slice", v, start=[0], step=[1], size=[n])
    a = shift(x, 64)
    b = k.op("linear2", a, y, ma=1, mb=1, output=out("i16"))
    c = shift(b, 10)
    d = k.op("concat", c, b)
    e = k.op("pad", k.op("reshape", a, shape=[8, 8]), before=[0, 7], after=[7, 7], mode="reflect")
    tables = (k.table("sigmoid_q12_q15"), k.table("tanh_q12_q15"), k.table("tanh_q12_q15"))
    seq = k.op("reshape", shift(x, 40), shape=[20, 1, 2])
    h = k.op(
        "lstm",
        seq,
        k.fill("i8", [8, 2]),
        k.fill("i8", [8, 2]),
        k.fill("i32", [8], -9, 9),
        k.x("i8", [1, 2]),
        k.x("i16", [1, 2]),
        *tables,
        mx=[2**30],
        mh=[2**30],
        lo=-128,
        hi=127,
    )
    k.out(d, k.op("argmax", e), h[1])
    yield expected(k)
    k = Kit("constants of equal bytes and other types")
    x, y = k.x("i8", [2, 4]), k.x("i8", [4, 2])
    zero = lambda dtype, shape: k.const(dtype, shape, [0] * (shape[0] * (shape[1] if len(shape) > 1 else 1)))
    k.out(
        k.op("dense", x, zero("i8", [4, 4]), zero("i32", [4])),
        k.op("dense", x, zero("i4", [8, 4]), zero("i32", [8]), k.const("i8", [8, 1], [-127] * 8, -128), block=16),
    )
    k.out(
        k.op("dense", y, zero("i8", [8, 2]), zero("i32", [8])),
        k.op("concat", k.x("i8", [1, 4]), k.const("i8", [1, 4], [3] * 4)),
        k.op("concat", k.x("i8", [1, 4], 1), k.const("i8", [1, 4], [3] * 4, 1)),
    )
    yield expected(k, kinds=("random",))
    k = Kit("constants at either end of their dtype, and empty ones")
    x, b, u = k.x("i8", [1, 3]), k.const("i32", [1], [1]), k.const("i8", [1, 1], [-120], -128)
    for data in ([7, 7, 7], [-8, -8, -8], [1, 2, 3], [-1, -5, -2], [0, 7, -8]):
        k.out(k.op("dense", x, k.const("i4", [1, 3], data), b, u, block=16))
    k.out(k.op("concat", k.x("i8", [2, 3], 5, 7, 9), k.const("i8", [0, 3], [], 5)))
    for dtype in ("i8", "i16", "i32", "bool"):
        lo, hi = RANGE[dtype]
        for data in ([lo, lo], [hi, hi], [hi, lo], [lo, hi], [lo + 1, lo]):
            k.out(k.op("concat", k.x(dtype, [1]), k.const(dtype, [2], data)))
    yield expected(k, kinds=("random",))


GROUPS = {"moves": (moves,), "symbolic": (symbolic,), "wholes": (wholes,)}
