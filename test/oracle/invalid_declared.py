"""Invalid files: inputs, outputs, constants, operands and states of spec/20-format.md §2, §4."""

from invalid_base import C_, base, in_, node_, other_shape, put_node, rebuilt
from invalid_kit import C, Loose, X, one, pair
from sbm import blob, held, sym, uint, uints


def declarations():
    one_in = lambda **v: {
        **base(nodes=[], constants=[]),
        "inputs": [{"name": "x", "dtype": "i8", "shape": [2], "zp": 0, "lo": -5, "hi": 5, **v}],
        "outputs": [{"name": "y", "tensor": 0}],
    }
    pair("lo <= hi", "BadInterval", lambda v: one_in(lo=v), 5, 6)
    for dtype, lo, hi in (("i8", -128, 127), ("i16", -32768, 32767)):
        pair(
            "the interval lies in the dtype",
            "BadInterval",
            lambda a, b: one_in(dtype=dtype, lo=a, hi=b),
            (lo, hi),
            (lo - 1, hi),
            (lo, hi + 1),
        )
    pair(
        "the interval of bool is 0...1",
        "BadInterval",
        lambda a, b: one_in(dtype="bool", lo=a, hi=b),
        (0, 1),
        (0, 0),
        (1, 1),
        (-1, 1),
        (0, 2),
    )
    pair("zero point of i8", "BadType", lambda v: one_in(zp=v), 127, 128, -129)
    pair("zero point of i8", "BadType", lambda v: one_in(zp=v), -128, -129)
    for dtype in ("i16", "i32", "bool"):
        pair(f"zero point of {dtype}", "BadType", lambda v: one_in(dtype=dtype, zp=v, lo=0, hi=1), 0, 1, -128)
    pair("i4 is for constants", "BadType", lambda v: one_in(dtype=v), "i8", "i4")
    pair("a dtype code of the list", "BadType", lambda v: in_(dtype=uint(2, v), zp=b""), 1, 5, 2**32 - 1)
    pair("u8 is a view of i8", "BadType", lambda v: one_in(dtype=v, u8=True), "i8", "i16", "i32")
    pair(
        "u8 of an output is a view of i8",
        "BadType",
        lambda v: {**one_in(dtype=v), "outputs": [{"name": "y", "tensor": 0, "u8": True}]},
        "i8",
        "i16",
    )
    pair(
        "a name of 1 to 256 bytes",
        "BadName",
        lambda v: one_in(name=v),
        "\u00e9" * 128,
        "",
        "\u00e9" * 128 + "x",
        "x" * 257,
    )
    pair(
        "an output's name of 1 to 256 bytes",
        "BadName",
        lambda v: base(outputs=[{"name": v, "tensor": 3}]),
        "y" * 256,
        "",
        "y" * 257,
    )
    pair(
        "names of inputs are unique",
        "BadName",
        lambda v: base(
            inputs=base()["inputs"] + [{"name": v, "dtype": "i8", "shape": [], "zp": 0, "lo": 0, "hi": 0}],
            nodes=[],
            constants=[],
            outputs=[{"name": "x0", "tensor": 0}],
        ),
        "x",
        "x0",
    )
    pair(
        "names of outputs are unique",
        "BadName",
        lambda v: base(outputs=[{"name": "y", "tensor": 3}, {"name": v, "tensor": 3}]),
        "x0",
        "y",
    )
    for where in ("inputs", "outputs"):
        sc = lambda m, e: {**(g := base()), where: [{**g[where][0], "scale": (m, e)}]}
        pair(
            "a scale's mantissa is odd and below 2^53",
            "BadConstant",
            sc,
            (2**53 - 1, 0),
            (2**53, 0),
            (0, 0),
            (6, 0),
            (2**53 + 1, 0),
            (2**64 - 1, 1),
        )
        pair("a scale's exponent", "BadConstant", sc, (1, 2000), (1, 2001), (1, -2001))
    pair(
        "a scale's mantissa has eight bytes",
        "BadConstant",
        lambda v: in_(rest=held(7, held(1, v))),
        b"\1" + bytes(7),
        b"\1" + bytes(8),
        b"\1",
        b"\1" + bytes(6),
        b"",
    )
    pair(
        "an output names a tensor",
        "BadOperand",
        lambda v: base(outputs=[{"name": "y", "tensor": v}]),
        3,
        4,
        1,
        2,
        2**32 - 1,
    )
    pair("at least one output", "Limit", lambda v: base(outputs=[{"name": "y", "tensor": 3}] * v), 1, 0)
    pair(
        "data fill the shape of a constant",
        "BadConstant",
        lambda v: base(constants=[base()["constants"][0], {**C_("i32", [2], []), "bytes": v}]),
        bytes(8),
        bytes(7),
        bytes(9),
        bytes(12),
        b"",
    )
    half = lambda data: one(
        "dense", X("i8", [1, 3], 0, -3, 3), C("i4", [1, 3], 0), C("i32", [1], 5), C("i8", [1, 1], 1, -128), block=16
    )
    i4 = lambda data: {**(g := half(0)), "constants": [{**C_("i4", [1, 3], []), "bytes": data}, *g["constants"][1:]]}
    pair("the filler nibble of i4 is 0", "BadConstant", i4, b"\x21\x07", b"\x21\x17", b"\x21\x87")
    pair("bytes of i4", "BadConstant", i4, b"\x21\x07", b"\x21", b"\x21\x07\x00")
    true = lambda v: one("concat", X("bool", [1]), C("bool", [1], [v]))
    pair("bool constants are 0 and 1", "BadConstant", true, 1, 2, -1)
    small = lambda dtype, zp: (
        one("concat", X(dtype, [1], 0), C(dtype, [1], [0], 0))
        if not zp
        else {**(g := small(dtype, 0)), "constants": [{**g["constants"][0], "zp": zp}]}
    )
    for dtype in ("i16", "i32", "bool"):
        pair(f"zero point of a constant of {dtype}", "BadType", lambda v: small(dtype, v), 0, 1)
    i8c = lambda zp: {
        **(g := one("concat", X("i8", [1], 127), C("i8", [1], [0], 127))),
        "constants": [{**g["constants"][0], "zp": zp}],
    }
    pair("zero point of a constant of i8", "BadType", i8c, 127, 128, -129)
    pair(
        "the dtype code of a constant",
        "BadType",
        lambda v: rebuilt(lambda p: p[-1].__setitem__(1, held(7, uint(1, v) + uints(2, [2]) + blob(4, bytes(8))))),
        2,
        5,
    )


def operands():
    edit = lambda **v: put_node(base(), {**base()["nodes"][0], **v})
    pair("an op code of the list", "UnknownOp", lambda v: edit(code=v), 3, 0, 49, 50, 99, 2**32 - 1)
    pair(
        "operands stand before the node",
        "BadOperand",
        lambda v: edit(inputs=v),
        [0, 1, 2],
        [3, 1, 2],
        [4, 1, 2],
        [2**31, 1, 2],
    )
    pair("operands are given", "BadOperand", lambda v: node_(inputs=uints(2, v)), [1, 2, 3], [0, 2, 3])
    pair(
        "trailing absent operands are left off",
        "NotCanonical",
        lambda v: node_(inputs=uints(2, v)),
        [1, 2, 3],
        [1, 2, 3, 0],
    )
    pair(
        "no more operands than the op has",
        "BadOperand",
        lambda v: one("argmax", X("i8", [2]), *[X("i8", [2]) for _ in range(v)]),
        0,
        1,
    )
    pair("at most 64 operands", "Limit", lambda v: one("concat", *[X("i8", [2]) for _ in range(v)]), 64, 65)
    pair("a concat has an operand", "BadOperand", lambda v: one("concat", *[X("i8", [2]) for _ in range(v)]), 1, 0)
    pair(
        "a node is of use",
        "Unused",
        lambda v: base(nodes=base()["nodes"] + [{"op": "concat", "inputs": [3], "attrs": {}}] * v),
        0,
        1,
    )
    pair(
        "a constant operand is a constant",
        "BadOperand",
        lambda v: one("dense", X("i8", [1, 2]), v, C("i32", [2], 1)),
        C("i8", [2, 2], 1),
        X("i8", [2, 2]),
    )
    pair(
        "weights are symmetric",
        "BadType",
        lambda v: one("dense", X("i8", [1, 2]), C("i8", [2, 2], 1, v), C("i32", [2], 1)),
        0,
        1,
        -128,
    )
    pair(
        "operands of matmul are symmetric",
        "BadType",
        lambda a, b: one("matmul", X("i8", [1, 2], a), X("i8", [2, 1], b)),
        (0, 0),
        (1, 0),
        (0, -1),
    )


def states():
    def g(pairs=((0, 1), (1, 0)), **v):
        b = Loose(n=(1, 2))
        i8 = {"dtype": "i8", "shape": [2], "zp": 3, "lo": -9, "hi": 9}
        s, t = {**i8, **v.get("s", {})}, {"dtype": "i16", "shape": [2], "zp": 0, "lo": -20, "hi": 20, **v.get("t", {})}
        hs, ht = (
            b.x(d["dtype"], d["shape"], d["zp"], d["lo"], d["hi"], **({"u8": True} if d.get("u8") else {}))
            for d in (s, t)
        )
        b.x("i8", [sym(0)], name="n")
        o = {"dtype": "i8", "zp": 3, "lo": -9, "hi": 9, **v.get("o", {})}
        y = b.op("linear2", hs, ma=1, s=1, output=o)
        z = b.op("linear2", ht, ma=1, output={"dtype": "i16", "zp": 0, "lo": -20, "hi": 20})
        b.out(z)
        b.out(y, u8=v.get("u8", False))
        b.out(z)
        return {**b.graph(), "states": list(pairs)}

    ok = [(0, 1), (1, 0)]
    pair("states ascend by input", "BadState", g, ok, [(1, 0), (0, 1)], [(0, 1), (0, 1)], [(1, 0), (1, 2)])
    pair("an output is in one state", "BadState", g, [(0, 1)], [(0, 1), (1, 1)])
    pair("a state's input and output exist", "BadState", g, ok, [(0, 1), (3, 0)], [(0, 3), (1, 0)], [(2**32 - 1, 0)])
    pair("a state has one dtype", "BadState", g, [(1, 2)], [(0, 0)])
    pair("a state has one zero point", "BadState", lambda v: g(((0, 1),), o={"zp": v}), 3, 2)
    pair("a state has one shape", "BadState", lambda v: g([(0, 1)]) if v else other_shape(), True, False)
    pair("a state's interval holds the zero point", "BadState", lambda v: g(((0, 1),), s={"lo": v}, o={"lo": 4}), 3, 4)
    pair("a state's interval holds the zero point", "BadState", lambda v: g(((0, 1),), s={"hi": v}, o={"hi": 2}), 3, 2)
    count = lambda lo, hi: {
        **one(
            "linear2",
            X("i16", [1], 0, lo, hi),
            X("i16", [1], 0, -1, 1),
            mb=1,
            output={"dtype": "i16", "zp": 0, "lo": -20, "hi": 20},
        ),
        "states": [(0, 0)],
    }
    pair("a state's interval holds the output", "BadState", count, (-20, 20), (-19, 20), (-20, 19))
    pair("a state is no u8 view", "BadState", lambda v: g(((0, 1),), u8=v), False, True)
    pair("a state is no u8 view", "BadState", lambda v: g(((0, 1),), s={"u8": v}), False, True)
    moving = lambda v: g(((0, 1),), s={"shape": [v]})
    pair("a state's shape is static", "BadState", moving, 2, sym(0))
    partly = lambda v: g(((0, 1),), s={"shape": [2, v, 3]})
    pair("every dim of a state is static", "BadState", partly, 1, sym(0))
    i32 = lambda hi: {
        **(
            one(
                "linear2",
                X("i32", [1], 0, -5, hi),
                symbols={"n": (1, 3)},
                also=[X("i8", [sym(0)])],
                output={"dtype": "i32", "zp": 0, "lo": -5, "hi": 1},
            )
        ),
        "states": [(0, 0)],
    }
    pair("a state's interval is static", "BadState", i32, 1, sym(0))


GROUP = (
    declarations,
    operands,
    states,
)
