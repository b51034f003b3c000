"""The files that invalid files of the format are edits of."""

from invalid_kit import C, Loose, X, one
from sbm import attr, attrs_of, blob, dim, fields, held, sint, uint, uints

STAGE = {"l": 0, "m": [2**28, 2**27], "dtype": "i8", "zp": 3, "lo": -128, "hi": 127}


def base(**edits):
    """x i8 [2,3] -> dense -> y."""
    g = one("dense", X("i8", [2, 3], 1), C("i8", [2, 3], [1, 2, 3, -4, 5, -6]), C("i32", [2], [7, -8]), stage=STAGE)
    return {**g, **edits}


def rebuilt(change, g=None):
    """A file whose fields [number, bytes] were changed in place."""
    parts = [list(p) for p in fields(g or base())]
    change(parts)
    return b"".join(p[1] for p in parts)


def put(number, data):
    """A file with the first field of a number replaced by raw bytes."""

    def change(parts):
        next(p for p in parts if p[0] == number)[1] = data

    return rebuilt(change)


INPUT = (
    lambda name=b"x0", dtype=b"", shape=held(3, dim(2)) + held(3, dim(3)), zp=sint(4, 1), lo=held(5, dim(-128)), hi=held(6, dim(127)), rest=b"": (
        blob(1, name) + dtype + shape + zp + lo + hi + rest
    )
)


OUTPUT = lambda name=b"y0", tensor=uint(2, 3), rest=b"": blob(1, name) + tensor + rest


NODE = lambda op=uint(1, 3), inputs=uints(2, [1, 2, 3]), attrs=None: (
    op + inputs + b"".join(held(3, attr(a)) for a in (attrs_of("dense", {"stage": STAGE}) if attrs is None else attrs))
)


in_ = lambda **v: put(3, held(3, INPUT(**v)))


out_ = lambda **v: put(5, held(5, OUTPUT(**v)))


node_ = lambda **v: put(4, held(4, NODE(**v)))


def in_extra(extra):
    """An input with a default written out in its place."""
    n = extra[0] >> 3 if extra else 0
    parts = {
        1: blob(1, b"x0"),
        2: b"",
        3: held(3, dim(2)) + held(3, dim(3)),
        4: sint(4, 1),
        5: held(5, dim(-128)),
        6: held(6, dim(127)),
        7: b"",
        8: b"",
    }
    return put(3, held(3, b"".join(extra if k == n else v for k, v in parts.items())))


def scalar(shape, lo=held(5, b"")):
    """x i8 [0] in 0...0 as input and output; shape is the body of its dim."""
    x = blob(1, b"x") + held(3, shape) + lo + held(6, b"")
    return uint(1, 1) + held(3, x) + held(5, blob(1, b"y"))


def C_(dtype, shape, data, zp=0):
    return {"dtype": dtype, "shape": shape, "zp": zp, "data": data}


def put_node(g, n):
    return {**g, "nodes": [n]}


def order(swap):
    g = base()
    if swap:
        w, b = g["constants"]
        return {**g, "constants": [b, w], "nodes": [{**g["nodes"][0], "inputs": [0, 2, 1]}]}
    return g


def twins(dtype, shape, zp, data):
    """Two concats of a constant each; the first is i8 [2] of 1, 2."""
    b = Loose()
    b.out(b.op("concat", b.const("i8", [2], [1, 2])), b.op("concat", b.const("i8", [2], [9, 9])))
    g = b.graph()
    g["constants"][1] = C_(dtype, shape, data, zp)
    return g


def base_stage(**v):
    g = base()
    return put_node(g, {**g["nodes"][0], "attrs": {"stage": {**STAGE, **v}}})


def other_shape():
    b = Loose()
    s = b.x("i8", [2], 3, -9, 9)
    b.out(b.op("slice", s, start=[0], step=[1], size=[1]))
    return {**b.graph(), "states": [(0, 0)]}
