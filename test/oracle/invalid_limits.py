"""Invalid files: limits of spec/20-format.md §4, and symbols (rule for all values of spec/10-ops.md §1.3)."""

from cost import WEIGHTS
from invalid_base import C_
from invalid_kit import C, Loose, X, one, pair, segment
from sbm import blob, dim, held, sym, uint, uints

I8 = {"dtype": "i8", "zp": 0, "lo": -128, "hi": 127}
SPEC = uint(1, 1)


def only(*shapes, symbols=None, dtype="i8", **extra):
    """Inputs of the shapes, the first of which is the output."""
    b = Loose(**(symbols or {}))
    handles = [b.x(dtype, s, 0, 0, 1, **extra) for s in shapes]
    b.out(handles[0])
    return b.graph()


def row(number, *pieces):
    """A field of a model whose body is made of bytes and 4-byte numbers, as pieces of a segment."""
    size = sum(4 if isinstance(p, tuple) else len(p) for p in pieces)
    return (held(number, bytes(size))[:-size], *pieces)


def counted():
    name = (b"\x0a\x04", ("dec4", 0, 1))
    inputs = lambda n: [SPEC, segment(n, *row(3, *name, held(5, b""), held(6, b""))), held(5, blob(1, b"y"))]
    pair("at most 4096 inputs", "Limit", inputs, 4096, 4097)
    outputs = lambda n: [SPEC, held(3, blob(1, b"x") + held(5, b"") + held(6, b"")), segment(n, *row(5, *name))]
    pair("at most 4096 outputs", "Limit", outputs, 4096, 4097)

    def chain(n):
        """n concats of one operand, each of the one before; ids of one, two and three bytes."""
        parts = [SPEC, held(3, blob(1, b"x") + held(3, dim(1)) + held(5, b"") + held(6, b""))]
        for first, last, size in ((1, 127, 1), (128, 16383, 2), (16384, n, 3)):
            head = uint(1, 32) + held(2, bytes(size))[:-size]
            whole = held(4, head + bytes(size))
            parts.append(segment(min(last, n) - first + 1, whole[: len(whole) - size], ("varint", first, 1)))
        return parts + [held(5, blob(1, b"y") + uint(2, n))]

    pair("at most 65536 nodes", "Limit", chain, 65536, 65537)

    def stored(n):
        """n constants i32 [1], 64 to a concat, 4096 of them returned; the last joins what is left."""
        x, groups = held(3, blob(1, b"x") + uint(2, 2) + held(3, dim(1)) + held(5, b"") + held(6, b"")), 4096
        group = lambda i: held(4, uint(1, 32) + uints(2, range(2 + 64 * i, 66 + 64 * i)))
        short = b"".join(group(i) for i in range(256))  # ids of one and two bytes, then of three
        first = 2 + 64 * 256
        long = segment(groups - 256, group(256)[: -64 * 3], *(("varint", first + k, 64) for k in range(64)))
        more = n > 64 * groups
        last = held(4, uint(1, 32) + uints(2, [n + groups + 1, n + 1])) if more else b""
        out = held(5, blob(1, b"0000") + uint(2, 1 + n))
        outs = segment(groups - 1, out[:-10], b"\x0a\x04", ("dec4", 0, 1), b"\x10", ("varint", 1 + n, 1))
        final = held(5, blob(1, b"last") + uint(2, n + groups + more))
        stored_ = segment(n, *row(7, uint(1, 2) + uints(2, [1]) + b"\x22\x04", ("le4", 0, 1)))
        return [p for p in (SPEC, x + short, long, last, outs, final, stored_) if p]

    pair("at most 262144 constants", "Limit", stored, 262144, 262145)
    four = lambda n: only([sym(i) for i in range(n)], symbols={f"s{i}": (1, 2) for i in range(n)})
    pair("at most 4 symbols", "Limit", four, 4, 5)


def sizes():
    pair("rank at most 8", "Limit", lambda n: only([1] * n), 8, 9)
    const = lambda n: one("concat", X("i8", [1] * 8), C("i8", [1] * n, 1))
    pair("rank at most 8, of a constant", "Limit", const, 8, 9, 50)
    pair("a dim of at most 2^30", "Limit", lambda n: only([0, n]), 2**30, 2**30 + 1, 2**31 - 1)
    pair("a dim is not negative", "Limit", lambda n: only([n]), 0, -1)
    pair(
        "a dim of a constant of at most 2^30",
        "Limit",
        lambda n: (
            one("concat", X("i8", [0, 1]), C("i8", [0, n]))
            if n == 1
            else {**one("concat", X("i8", [0, 1]), C("i8", [0, 1])), "constants": [C_("i8", [0, n], [])]}
        ),
        1,
        2**30 + 1,
    )
    pair(
        "at most 2^30 elements",
        "Limit",
        lambda *s: only(s),
        (2**15, 2**15),
        (2**15, 2**15 + 1),
        (2**30, 2),
        (2**30, 2**30, 2**30, 2**30),
    )
    pair(
        "at most 2^30 elements at the maxima",
        "Limit",
        lambda n: only([sym(0), 2**15], symbols={"n": (1, n)}),
        2**15,
        2**15 + 1,
    )
    pair(
        "at most 2^30 elements of an output",
        "Limit",
        lambda n: one(
            "linear2", X("i8", [2**15, 1]), X("i8", [1, n]), mb=1, output={"dtype": "i8", "zp": 0, "lo": 0, "hi": 0}
        ),
        2**15 - 1,
        2**15 + 1,
    )
    pair(
        "an output's rank and dims",
        "Limit",
        lambda n: one("pad", X("i8", [0, 2**30 - 1]), C("i8", [], 0), before=[0, 0], after=[0, n]),
        1,
        2,
    )
    pair("memory below 2^31", "Limit", lambda n: only([2**30], [n]), 2**30 - 64, 2**30 - 63)
    pair("memory counts constants, byte by byte", "Limit", constants_of, 255, 256)
    pair(
        "memory at the maxima",
        "Limit",
        lambda n: only([2**30], [sym(0)], symbols={"n": (1, n)}),
        2**30 - 64,
        2**30 - 63,
    )
    pair("memory: an output lives to the end", "Limit", lambda n: memory_of(n), False, True)
    pair("memory: an unread input lives before node 0", "Limit", lambda n: unread(n), False, True)


def constants_of(n):
    """Two inputs of 2^31 - 256 bytes together, dead before a node that reads a constant of n bytes."""
    b = Loose()
    b.x("i8", [2**30]), b.x("i8", [2**30 - 256])
    b.out(b.op("concat", b.const("i8", [n], [1] * n)))
    return b.graph()


def memory_of(both):
    """x 2^29 bytes -> a -> b -> c, each 2^29; with `both` a is returned too."""
    b = Loose()
    x = b.x("i8", [2**29])
    hs = [x]
    for _ in range(3):
        hs.append(b.op("concat", hs[-1]))
    hs.append(b.op("concat", hs[-1], b.x("i8", [2**20])))
    b.out(hs[-1], *([hs[1], hs[2]] if both else []))
    return b.graph()


def unread(read):
    """An input of 2^30 bytes beside a chain of tensors of 2^29."""
    b = Loose()
    big, x = b.x("i8", [2**30]), b.x("i8", [2**29])
    b.out(b.op("concat", b.op("concat", x)))
    if read:
        b.out(b.op("slice", big, start=[0], step=[1], size=[1]))
    return b.graph()


def price():
    """4 * (gas - base) of schedule 1 at and below 2^53: products of 2^42 terms, and smaller nodes that fill the rest."""
    zero = {"l": 0, "m": [0], "dtype": "i8", "zp": 0, "lo": 0, "hi": 0}
    cost = lambda **counts: sum(WEIGHTS[k] * v for k, v in counts.items())

    def g(target):
        b = Loose()
        n = 2**14
        x = y = b.x("i8", [n, n], 0, 0, 0)
        left = target - cost(io=1000 + 4 * n * n) - cost(io=1000 + n * n)
        macs, elements = {"op": 1, "mac_i8_i8": n**3}, {"byte": 3 * n * n, "staged": n * n, "move_scatter": n * n}
        product = cost(**macs, **elements, row=15 + 2 * n)
        count = left // product
        for _ in range(count):
            y = b.op("matmul", y, x, stage=zero)
        b.out(y)
        size = 2**28
        big = h = b.x("i8", [size])
        left -= count * product + 2 * cost(io=1000 + size)
        each = cost(op=1, byte=2 * size, move=size, row=20)  # a concat of one operand
        for _ in range(max(1, left // each - 1)):
            h = b.op("concat", h)
            left -= each
        b.out(h)
        # what is left: a pad that makes it a multiple of what an element costs, then a concat
        pad = lambda m: cost(op=1, byte=33 + m, move=16 + m, row=40, io=2032 + m)
        element = cost(byte=2, move=1, io=2)
        m = 1
        while (left - pad(m) - cost(op=1, row=20, io=2000)) % element:
            m += 1
        rest = (left - pad(m) - cost(op=1, row=20, io=2000)) // element
        b.out(b.op("pad", b.x("i8", [16]), b.const("i8", [], [1]), before=[0], after=[m]))
        b.out(b.op("concat", b.x("i8", [rest])))
        assert 16 <= rest < 2**29
        return b.graph()

    pair("the price at the maxima is below 2^53", "Limit", g, 2**53 - 1, 2**53, 2**53 + 1)

    def rows(count):
        b = Loose(n=(2**13, 2**14))
        y, w = b.x("i8", [sym(0), 2**14], 0, 0, 0), b.x("i8", [2**14, 2**14], 0, 0, 0)
        for _ in range(count):
            y = b.op("matmul", y, w, stage=zero)
        b.out(y)
        return b.graph()

    pair("the price at the maxima is below 2^53", "Limit", rows, 560, 700)
    cube = lambda r: one("linear2", X("i8", [sym(0)] * r), symbols={"n": (1, 2)}, output=I8)
    pair("the cost polynomial has a degree of at most 6", "Limit", cube, 6, 7)
    two = lambda a, b: one(
        "linear2", X("i8", [sym(0)] * a + [sym(1)] * b), symbols={"n": (1, 2), "m": (3, 3)}, output=I8
    )
    pair("the degree counts all symbols together", "Limit", two, (3, 3), (3, 4))


def symbols():
    decl = lambda lo, hi: only([sym(0)], symbols={"n": (lo, hi)})
    pair(
        "1 <= min <= max <= 2^30", "BadSymbol", decl, (1, 2**30), (0, 5), (3, 2), (1, 2**30 + 1), (2**30 + 1, 2**30 + 1)
    )
    pair("1 <= min <= max <= 2^30", "BadSymbol", decl, (7, 7), (7, 6))
    pair(
        "a symbol is a whole dim of an input",
        "BadSymbol",
        lambda d: only([d], symbols={"n": (1, 2)}),
        sym(0),
        sym(0, 1),
        sym(0, 0, 2),
        3,
        sym(0, -1),
    )
    pair(
        "a symbol is a whole dim of an input",
        "BadSymbol",
        lambda d: only([sym(0), d], symbols={"n": (1, 2), "m": (1, 2)}),
        sym(1),
        sym(0),
        (0, (1, 1)),
        sym(1, 1),
    )
    pair(
        "a dim names declared symbols",
        "BadSymbol",
        lambda d: only([sym(0), d], symbols={"n": (1, 2)}),
        sym(0, 3),
        sym(1),
        (0, (1, 1)),
    )
    pair(
        "the last coefficient is not 0",
        "NotCanonical",
        lambda d: only([sym(0), d], symbols={"n": (1, 2)}),
        sym(0, 3),
        (3, (0,)),
    )
    pair(
        "the last coefficient is not 0",
        "NotCanonical",
        lambda d: only([sym(0), sym(1), d], symbols={"n": (1, 2), "m": (1, 2)}),
        (3, (0, 1)),
        (3, (1, 0)),
    )
    pair(
        "a coefficient of at most 2^20",
        "Limit",
        lambda k: only([sym(0), (2**21, (k,))], symbols={"n": (1, 1)}),
        -(2**20),
        -(2**20) - 1,
    )
    pair(
        "a coefficient of at most 2^20",
        "Limit",
        lambda k: only([sym(0), sym(0, 0, k)], symbols={"n": (1, 1)}),
        2**20,
        2**20 + 1,
    )
    pair(
        "names of symbols are unique",
        "BadName",
        lambda v: {
            **(g := only([sym(0), sym(1)], symbols={"n": (1, 2), "m": (1, 2)})),
            "symbols": [g["symbols"][0], {**g["symbols"][1], "name": v}],
        },
        "m",
        "n",
        "",
    )
    two = {"n": (2, 5), "m": (1, 3)}
    pair(
        "a dim is not negative for any value",
        "Limit",
        lambda c: only([sym(0), sym(1), (c, (-1, 2))], symbols=two),
        3,
        2,
    )
    pair(
        "a dim is at most 2^30 for all values",
        "Limit",
        lambda c: only([sym(0), sym(1), 0, (c, (1, -1))], symbols=two),
        2**30 - 4,
        2**30 - 3,
    )
    i32 = lambda lo, hi: {
        **only([sym(0), sym(1)], symbols=two),
        "inputs": [{"name": "x", "dtype": "i32", "shape": [sym(0), sym(1)], "zp": 0, "lo": lo, "hi": hi}],
    }
    pair(
        "lo <= hi for all values",
        "BadInterval",
        i32,
        ((1, (1,)), (0, (1, 1))),
        ((2, (1,)), (0, (1, 1))),
        ((1, (2,)), (0, (1, 1))),
    )
    pair(
        "endpoints inside i32 for all values",
        "BadInterval",
        i32,
        ((-(2**31) + 3, (0, -1)), (2**31 - 6, (1,))),
        ((-(2**31) + 2, (0, -1)), 0),
        (0, (2**31 - 5, (1,))),
    )
    for dtype in ("i8", "i16"):
        x = lambda hi: {
            **only([sym(0), sym(1)], symbols=two),
            "inputs": [{"name": "x", "dtype": dtype, "shape": [sym(0), sym(1)], "zp": 0, "lo": 0, "hi": hi}],
        }
        pair("affine endpoints are for i32", "BadInterval", x, 5, sym(0))
    join = lambda k: one(
        "concat", X("i8", [sym(0, -k, k), 0, sym(0)]), X("i8", [sym(0, -k, k), 0, sym(0)]), symbols={"n": (1, 1)}
    )
    pair("a coefficient of at most 2^20, of an output too", "Limit", join, 2**19, 2**19 + 1)
    pair("a coefficient of at most 2^20, of an output too", "Limit", growing, 1, 200)


def growing(n):
    """n concats of 64 operands each: an empty dim 2^14 * (a - b) of equal symbols times 64 at each."""
    b = Loose(a=(5, 5), b=(5, 5))
    h = b.x("i8", [(0, (2**14, -(2**14))), sym(0), sym(1)])
    for _ in range(n):
        b.nodes.append({"op": "concat", "inputs": [h] * 64, "attrs": {}})
        h = ("node", len(b.nodes) - 1, 0)
        b.types[h] = {}
    b.out(h)
    return b.graph()


GROUP = (counted, sizes, price, symbols)
