"""Invalid files: the wire, the canonical form, declarations, states and limits of spec/20-format.md."""

from invalid_kit import C, Loose, X, one, pair, segment
from sbm import attr, attrs_of, blob, constant, dim, encode, fields, held, sint, sints, sym, uint, uints, varint, words

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


INPUT = lambda name=b"x0", dtype=b"", shape=held(3, dim(2)) + held(3, dim(3)), zp=sint(4, 1), lo=held(5, dim(-128)), hi=held(6, dim(127)), rest=b"": (
    blob(1, name) + dtype + shape + zp + lo + hi + rest
)
OUTPUT = lambda name=b"y0", tensor=uint(2, 3), rest=b"": blob(1, name) + tensor + rest
NODE = lambda op=uint(1, 3), inputs=uints(2, [1, 2, 3]), attrs=None: op + inputs + b"".join(
    held(3, attr(a)) for a in (attrs_of("dense", {"stage": STAGE}) if attrs is None else attrs)
)
in_ = lambda **v: put(3, held(3, INPUT(**v)))
out_ = lambda **v: put(5, held(5, OUTPUT(**v)))
node_ = lambda **v: put(4, held(4, NODE(**v)))


def wire():
    whole = encode(base())
    assert in_() == out_() == node_() == whole
    same = lambda v: v
    for n in (0, 1, 2, len(whole) - 1, len(whole) - 5):
        pair("the file is whole", "Truncated" if n != 2 else "Limit", same, whole, whole[:n])
    pair("a length ends inside its message", "Truncated", same, whole, b"\x08\x01" + b"\x22\xff\xff\xff\xff\x07", rebuilt(lambda p: p[1].__setitem__(1, b"\x1a\x7f" + p[1][1][2:])))
    pair("spec version 1", "UnknownVersion", lambda v: put(1, uint(1, v)), 1, 0, 2, 2**32 - 1)
    pair("rule 1: fields ascend", "NotCanonical", rebuilt, lambda p: None, lambda p: p.insert(0, p.pop(1)), lambda p: p.append(p.pop(2)))
    swapped = blob(1, b"x0") + held(3, dim(2)) + held(3, dim(3)) + held(5, dim(-128)) + sint(4, 1) + held(6, dim(127))
    pair("rule 1: fields of a sub-message ascend", "NotCanonical", lambda v: put(3, held(3, v)), INPUT(), swapped)
    inputs = lambda data: node_(inputs=data)
    packed = held(2, b"\x01\x02\x03")
    pair("rule 1: integers are packed in one field", "BadWire", inputs, packed, b"\x10\x01\x10\x02\x10\x03", held(2, b"\x01") + held(2, b"\x02\x03"))
    pair("rule 2: varints of minimal length", "NotCanonical", lambda v: put(1, v), b"\x08\x01", b"\x08\x81\x00", b"\x88\x00\x01")
    pair("rule 2: lengths of minimal length", "NotCanonical", inputs, packed, b"\x12\x83\x00\x01\x02\x03")
    pair("rule 2: packed varints of minimal length", "NotCanonical", inputs, packed, b"\x12\x04\x01\x82\x00\x03")
    zp = lambda data: in_(zp=data)
    pair("rule 2: a zigzag integer of minimal length", "NotCanonical", zp, b"\x20\x02", b"\x20\x82\x00", b"\x20\x82\x80\x80\x80\x00")
    pair("numbers have at most 32 bits", "BadWire", zp, b"\x20\x02", b"\x20" + varint(2**32 + 2), b"\x20" + varint(2**63 + 2))
    pair("numbers have at most 32 bits", "BadWire", lambda v: put(1, uint(1, v)), 1, 2**32 + 1)
    pair("a number has at most ten bytes", "BadWire", zp, b"\x20\x02", b"\x20" + b"\x82" + b"\x80" * 10 + b"\x00")
    pair("rule 2: a default is absent", "NotCanonical", in_extra, b"", b"\x10\x00", b"\x40\x00", b"\x0a\x00")
    pair("rule 2: an empty packed field is absent", "NotCanonical", lambda v: in_(shape=held(3, v) + held(3, dim(3))), dim(2), sint(1, 2) + held(2, b""))
    pair("rule 2: c of a dim is absent where it is 0", "NotCanonical", lambda v: scalar(v), b"", b"\x08\x00")
    pair("rule 2: lo and hi are present, empty where they are 0", "BadInterval", lambda v: scalar(b"", v), held(5, b""), b"")
    pair("a flag is 0 or 1", "NotCanonical", lambda v: in_(zp=b"\x20\xff\x01", rest=b"\x40" + v), b"\x01", b"\x02")
    for number, make in ((1, lambda v: rebuilt(lambda p: p.append([9, v]))), (3, lambda v: in_(rest=v)), (4, lambda v: node_(op=uint(1, 3), attrs=None) if not v else put(4, held(4, NODE() + v))), (5, lambda v: out_(rest=v))):
        pair("rule 3: no unknown field", "BadWire", make, b"", uint(15, 1), held(15, b"a"), varint(16000 * 8) + b"\x01")
    pair("rule 3: no field of another wire type", "BadWire", lambda v: put(1, v), b"\x08\x01", b"\x0d\x01\x00\x00\x00", b"\x09" + b"\x01" + bytes(7), b"\x0a\x01\x01", b"\x0b\x0c", b"\x0f\x01", b"\x00\x01")
    name = lambda v: in_(name=v)
    good = "\U0010ffff\ufffd\ufeff\u0000".encode()
    for bad in (b"\xff", b"a\x80", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\xef\xbf"):
        pair("rule 4: well-formed UTF-8", "NotCanonical", name, good, bad)
        pair("rule 4: well-formed UTF-8", "NotCanonical", lambda v: out_(name=v), b"\xef\xbb\xbfy", bad)
    two = attrs_of("linear2", {"ma": 3, "s": 1, "output": {"dtype": "i16", "zp": 0, "lo": -9, "hi": 9}})
    lin = lambda attrs: put_node(one("linear2", X("i8", [2])), {"op": "linear2", "inputs": [0], "raw": attrs})
    pair("rule 5: attributes ascend by tag", "NotCanonical", lin, two, [two[1], two[0], two[2]])
    pair("rule 5: attributes occur once", "BadAttribute", lin, two, [two[0], two[0], *two[1:]])
    pair("rule 6: constants in order of first use", "NotCanonical", order, 0, 1)
    pair("rule 6: every constant is used", "Unused", lambda n: base(constants=base()["constants"] + [C_("i8", [1], [5])] * n, outputs=[{"name": "y", "tensor": 3 + n}]), 0, 1)
    pair("rule 6: constants differ in dtype, zero point, shape or data", "BadConstant", twins, ("i8", [2], 0, [1, 3]), ("i8", [2], 0, [1, 2]))
    for other in (("i8", [2], 1, [1, 2]), ("i8", [2, 1], 0, [1, 2]), ("bool", [2], 0, [1, 0])):
        pair("rule 6: constants differ in dtype, zero point, shape or data", "BadConstant", twins, other, ("i8", [2], 0, [1, 2]))
    for g, m in ((1, [5, 6]), (2, [5, 5])):
        if g == 2:
            pair("rule 7: m has one entry where all are equal", "NotCanonical", lambda v: base_stage(m=v), [5], m, [0, 0])


def in_extra(extra):
    """An input with a default written out in its place."""
    n = extra[0] >> 3 if extra else 0
    parts = {1: blob(1, b"x0"), 2: b"", 3: held(3, dim(2)) + held(3, dim(3)), 4: sint(4, 1), 5: held(5, dim(-128)), 6: held(6, dim(127)), 7: b"", 8: b""}
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


def attributes():
    lin = lambda raw, op="linear2", x=X("i8", [2]): put_node(one(op, x), {"op": op, "inputs": [0], "raw": raw})
    out16 = {"tag": 4, "ints": [1, 0, -9, 9]}
    ma = lambda **v: lin([{"tag": 1, **v}, out16])
    pair("int: one integer", "BadAttribute", lambda v: ma(**v), {"ints": [3]}, {"ints": [3, 3]}, {}, {"blob": b"\3"}, {"dims": [3]}, {"ints": [3], "blob": b"a"}, {"ints": [3], "dims": [1]})
    pair("int: in its range", "BadAttribute", lambda v: ma(ints=[v]), 32767, 32768, -32768, 2**31 - 1)
    pair("a default is absent", "NotCanonical", lambda v: ma(ints=[v]), 2, 1)
    pair("an attribute without a default is present", "BadAttribute", lin, [out16], [])
    pair("an unknown tag", "BadAttribute", lambda v: lin([out16] + v), [], [{"tag": 5, "ints": [1]}], [{"tag": 77, "ints": [1]}])
    pair("tag 0", "BadAttribute", lambda v: lin(v + [out16]), [], [{"tag": 0, "ints": [1]}])
    flag = lambda **v: lin([{"tag": 1, "ints": [1]}, {"tag": 2, **v}], "argmax", X("i8", [2, 3]))
    pair("bool: [1]", "BadAttribute", lambda v: flag(**v), {"ints": [1]}, {"ints": [0]}, {"ints": [2]}, {"ints": [-1]}, {"ints": [1, 1]}, {}, {"blob": b"\1"})
    mode = lambda v: put_node(one("pad", X("i8", [2])), {"op": "pad", "inputs": [0], "raw": [{"tag": 1, "ints": [1]}, {"tag": 2, "ints": [0]}, {"tag": 3, **v}]})
    pair("enum: an index of the list", "BadAttribute", mode, {"ints": [2]}, {"ints": [3]}, {"ints": [-1]}, {"ints": [1, 1]}, {})
    axes = lambda v: lin([{"tag": 1, **v}], "transpose", X("i8", [1, 2]))
    pair("ints: entries in their range", "BadAttribute", axes, {"ints": [1, 0]}, {"ints": [1, 8]}, {"ints": [-1, 0]}, {"blob": b"\1\0"}, {"dims": [1, 0]})
    win = {1: [2, 2], 2: [1, 2], 4: [0, 0, 0, 1]}
    pool = lambda tag, v: lin([{"tag": t, "ints": v if t == tag else w} for t, w in win.items()], "max_pool2d", X("i8", [1, 3, 3, 1]))
    pair("ints: their number of entries", "BadAttribute", pool, (1, [2, 1]), (1, [1]), (1, [1, 1, 1]), (2, [2]), (4, [0, 0, 1]), (4, [0, 0, 0, 0, 1]), (1, []))
    for tag, good, low, high in ((1, [1, 1], [0, 1], [1, 2**20 + 1]), (2, [2, 1], [1, 0], [2**20 + 1, 1]), (4, [0, 0, 0, 1], [0, 0, -1, 0], [2**20 + 1, 0, 0, 0])):
        pair("ints of a window in their ranges", "BadAttribute", pool, (tag, good), (tag, low), (tag, high))
    pair("a list equal to its default is absent", "NotCanonical", pool, (2, [1, 2]), (2, [1, 1]), (4, [0, 0, 0, 0]))
    wide = lambda n: lin([{"tag": 1, "ints": [0] * n}], "transpose", X("i8", [1]))
    pair("at most 64 entries of ints", "Limit", wide, 1, 65 * 5)
    pair("at most 8 entries of a list", "BadAttribute", wide, 1, 9)
    pair("at most 16 attributes of a node", "Limit", lambda n: lin([{"tag": 1, "ints": [2]}] * n + [out16]), 1, 17)
    eps = lambda v: put_node(one("layer_norm", X("i8", [2]), C("i32", [2], 1), C("i32", [2], 2), eps=1, output={"dtype": "i8", "zp": 0, "lo": 0, "hi": 9}), {"op": "layer_norm", "inputs": [0, 1, 2], "raw": [{"tag": 1, **v}, {"tag": 3, "ints": [0, 0, 0, 9]}]})
    byte8 = lambda v: {"blob": v.to_bytes(8, "little")}
    pair("u64: eight bytes in its range", "BadAttribute", eps, byte8(2**48 - 1), byte8(0), byte8(2**48), byte8(2**64 - 1), {"blob": b"\1" + bytes(6)}, {"blob": b"\1" + bytes(8)}, {"ints": [1]}, {})
    soft = lambda v: put_node(one("softmax", X("i8", [2, 2])), {"op": "softmax", "inputs": [0], "raw": [{"tag": 2, "ints": [5]}, {"tag": 4, "ints": [0, 0, 0, 9]}, {"tag": 5, "ints": [1]}, {"tag": 6, **v}]})
    pair("dim: one dim", "BadAttribute", soft, {"dims": [3]}, {"dims": [3, 3]}, {"ints": [3]}, {})
    pair("dim: its default is absent", "NotCanonical", soft, {"dims": [3]}, {"dims": [0]})
    shape = lambda v: lin([{"tag": 1, **v}], "reshape", X("i8", [6]))
    pair("dims: dims only", "BadAttribute", shape, {"dims": [6, 1]}, {"ints": [6]}, {"blob": b"\6"}, {"dims": [6], "ints": [1]})
    pair("dims: at most 8", "Limit", shape, {"dims": [6] + [1] * 7}, {"dims": [6] + [1] * 8})
    pair("dims in their range", "BadAttribute", lambda v: lin([{"tag": 1, "dims": [v, 0]}], "reshape", X("i8", [0])), 2**30, 2**30 + 1, -1)
    output = lambda v: lin([{"tag": 4, **v}])
    good = [1, 0, -9, 9]
    pair("output: dtype, zp, lo, hi", "BadAttribute", output, {"ints": good}, {"ints": good[:3]}, {"ints": good + [0]}, {"ints": [5, 0, -9, 9]}, {"ints": [-1, 0, -9, 9]}, {"ints": [3, 0, 0, 1]}, {"ints": [4, 0, 0, 1]}, {"blob": b"\1"}, {})
    stage = lambda v: node_(attrs=[{"tag": 2, **v}])
    ints, m = [0, 0, 3, -128, 127], words([5, 6])
    pair("stage: l, dtype, zp, lo, hi and words m", "BadAttribute", stage, {"ints": ints, "blob": m}, {"ints": ints}, {"blob": m}, {"ints": ints[:4], "blob": m}, {"ints": ints, "blob": m[:7]}, {"ints": ints, "blob": m, "dims": [1]})
    pair("stage: l in 0...24", "BadAttribute", lambda v: node_(attrs=[{"tag": 2, "ints": [v, 0, 3, -128, 127], "blob": words([2**30])}]), 1, -1, 25)
    pair("stage: a dtype that the op produces", "BadAttribute", lambda v: node_(attrs=[{"tag": 2, "ints": [0, v, 0, 0, 1], "blob": words([5])}]), 1, 2, 3, 4, 5)
    pair("stage: m in 0...2^31-1", "BadStage", lambda v: base_stage(m=v), [2**31 - 1, 0], [-1, 0], [-(2**31), 5])
    pair("stage: m has one entry or one a channel", "BadStage", lambda v: base_stage(m=v), [1, 2], [1, 2, 3])
    pair("stage: least l", "BadStage", lambda v: base_stage(l=1, m=v), [2**30, 7], [2**30 - 1, 7], [2**30 - 1])
    for key, good, bad in (("zp", 127, 128), ("zp", -128, -129)):
        pair("a zero point inside i8", "BadType", lambda v: base_stage(**{key: v}), good, bad)
    pair("a zero point of i16 is 0", "BadType", lambda v: base_stage(dtype="i16", zp=v), 0, 1, -1)
    for lim, good, bad in (({"lo": 5}, 5, 4), ({}, 127, 128)):
        pair("lo <= hi within the dtype", "BadStage", lambda v: base_stage(**lim, hi=v), good, bad)
    pair("lo within the dtype", "BadStage", lambda v: base_stage(lo=v), -128, -129)
    pair("limits within i16", "BadStage", lambda v: base_stage(dtype="i16", zp=0, lo=v[0], hi=v[1]), [-32768, 32767], [-32769, 0], [0, 32768])


def declarations():
    one_in = lambda **v: {**base(nodes=[], constants=[]), "inputs": [{"name": "x", "dtype": "i8", "shape": [2], "zp": 0, "lo": -5, "hi": 5, **v}], "outputs": [{"name": "y", "tensor": 0}]}
    pair("lo <= hi", "BadInterval", lambda v: one_in(lo=v), 5, 6)
    for dtype, lo, hi in (("i8", -128, 127), ("i16", -32768, 32767)):
        pair("the interval lies in the dtype", "BadInterval", lambda a, b: one_in(dtype=dtype, lo=a, hi=b), (lo, hi), (lo - 1, hi), (lo, hi + 1))
    pair("the interval of bool is 0...1", "BadInterval", lambda a, b: one_in(dtype="bool", lo=a, hi=b), (0, 1), (0, 0), (1, 1), (-1, 1), (0, 2))
    pair("zero point of i8", "BadType", lambda v: one_in(zp=v), 127, 128, -129)
    pair("zero point of i8", "BadType", lambda v: one_in(zp=v), -128, -129)
    for dtype in ("i16", "i32", "bool"):
        pair(f"zero point of {dtype}", "BadType", lambda v: one_in(dtype=dtype, zp=v, lo=0, hi=1), 0, 1, -128)
    pair("i4 is for constants", "BadType", lambda v: one_in(dtype=v), "i8", "i4")
    pair("a dtype code of the list", "BadType", lambda v: in_(dtype=uint(2, v), zp=b""), 1, 5, 2**32 - 1)
    pair("u8 is a view of i8", "BadType", lambda v: one_in(dtype=v, u8=True), "i8", "i16", "i32")
    pair("u8 of an output is a view of i8", "BadType", lambda v: {**one_in(dtype=v), "outputs": [{"name": "y", "tensor": 0, "u8": True}]}, "i8", "i16")
    pair("a name of 1 to 256 bytes", "BadName", lambda v: one_in(name=v), "\u00e9" * 128, "", "\u00e9" * 128 + "x", "x" * 257)
    pair("an output's name of 1 to 256 bytes", "BadName", lambda v: base(outputs=[{"name": v, "tensor": 3}]), "y" * 256, "", "y" * 257)
    pair("names of inputs are unique", "BadName", lambda v: base(inputs=base()["inputs"] + [{"name": v, "dtype": "i8", "shape": [], "zp": 0, "lo": 0, "hi": 0}], nodes=[], constants=[], outputs=[{"name": "x0", "tensor": 0}]), "x", "x0")
    pair("names of outputs are unique", "BadName", lambda v: base(outputs=[{"name": "y", "tensor": 3}, {"name": v, "tensor": 3}]), "x0", "y")
    for where in ("inputs", "outputs"):
        sc = lambda m, e: {**(g := base()), where: [{**g[where][0], "scale": (m, e)}]}
        pair("a scale's mantissa is odd and below 2^53", "BadConstant", sc, (2**53 - 1, 0), (2**53, 0), (0, 0), (6, 0), (2**53 + 1, 0), (2**64 - 1, 1))
        pair("a scale's exponent", "BadConstant", sc, (1, 2000), (1, 2001), (1, -2001))
    pair("a scale's mantissa has eight bytes", "BadConstant", lambda v: in_(rest=held(7, held(1, v))), b"\1" + bytes(7), b"\1" + bytes(8), b"\1", b"\1" + bytes(6), b"")
    pair("an output names a tensor", "BadOperand", lambda v: base(outputs=[{"name": "y", "tensor": v}]), 3, 4, 1, 2, 2**32 - 1)
    pair("at least one output", "Limit", lambda v: base(outputs=[{"name": "y", "tensor": 3}] * v), 1, 0)
    pair("data fill the shape of a constant", "BadConstant", lambda v: base(constants=[base()["constants"][0], {**C_("i32", [2], []), "bytes": v}]), bytes(8), bytes(7), bytes(9), bytes(12), b"")
    half = lambda data: one("dense", X("i8", [1, 3], 0, -3, 3), C("i4", [1, 3], 0), C("i32", [1], 5), C("i8", [1, 1], 1, -128), block=16)
    i4 = lambda data: {**(g := half(0)), "constants": [{**C_("i4", [1, 3], []), "bytes": data}, *g["constants"][1:]]}
    pair("the filler nibble of i4 is 0", "BadConstant", i4, b"\x21\x07", b"\x21\x17", b"\x21\x87")
    pair("bytes of i4", "BadConstant", i4, b"\x21\x07", b"\x21", b"\x21\x07\x00")
    true = lambda v: one("concat", X("bool", [1]), C("bool", [1], [v]))
    pair("bool constants are 0 and 1", "BadConstant", true, 1, 2, -1)
    small = lambda dtype, zp: one("concat", X(dtype, [1], 0), C(dtype, [1], [0], 0)) if not zp else {**(g := small(dtype, 0)), "constants": [{**g["constants"][0], "zp": zp}]}
    for dtype in ("i16", "i32", "bool"):
        pair(f"zero point of a constant of {dtype}", "BadType", lambda v: small(dtype, v), 0, 1)
    i8c = lambda zp: {**(g := one("concat", X("i8", [1], 127), C("i8", [1], [0], 127))), "constants": [{**g["constants"][0], "zp": zp}]}
    pair("zero point of a constant of i8", "BadType", i8c, 127, 128, -129)
    pair("the dtype code of a constant", "BadType", lambda v: rebuilt(lambda p: p[-1].__setitem__(1, held(7, uint(1, v) + uints(2, [2]) + blob(4, bytes(8))))), 2, 5)


def operands():
    edit = lambda **v: put_node(base(), {**base()["nodes"][0], **v})
    pair("an op code of the list", "UnknownOp", lambda v: edit(code=v), 3, 0, 2, 6, 99, 2**32 - 1)
    pair("operands stand before the node", "BadOperand", lambda v: edit(inputs=v), [0, 1, 2], [3, 1, 2], [4, 1, 2], [2**31, 1, 2])
    pair("operands are given", "BadOperand", lambda v: node_(inputs=uints(2, v)), [1, 2, 3], [0, 2, 3])
    pair("trailing absent operands are left off", "NotCanonical", lambda v: node_(inputs=uints(2, v)), [1, 2, 3], [1, 2, 3, 0])
    pair("no more operands than the op has", "BadOperand", lambda v: one("argmax", X("i8", [2]), *[X("i8", [2]) for _ in range(v)]), 0, 1)
    pair("at most 64 operands", "Limit", lambda v: one("concat", *[X("i8", [2]) for _ in range(v)]), 64, 65)
    pair("a concat has an operand", "BadOperand", lambda v: one("concat", *[X("i8", [2]) for _ in range(v)]), 1, 0)
    pair("a node is of use", "Unused", lambda v: base(nodes=base()["nodes"] + [{"op": "concat", "inputs": [3], "attrs": {}}] * v), 0, 1)
    pair("a constant operand is a constant", "BadOperand", lambda v: one("dense", X("i8", [1, 2]), v, C("i32", [2], 1)), C("i8", [2, 2], 1), X("i8", [2, 2]))
    pair("weights are symmetric", "BadType", lambda v: one("dense", X("i8", [1, 2]), C("i8", [2, 2], 1, v), C("i32", [2], 1)), 0, 1, -128)
    pair("operands of matmul are symmetric", "BadType", lambda a, b: one("matmul", X("i8", [1, 2], a), X("i8", [2, 1], b)), (0, 0), (1, 0), (0, -1))


def states():
    def g(pairs=((0, 1), (1, 0)), **v):
        b = Loose(n=(1, 2))
        i8 = {"dtype": "i8", "shape": [2], "zp": 3, "lo": -9, "hi": 9}
        s, t = {**i8, **v.get("s", {})}, {"dtype": "i16", "shape": [2], "zp": 0, "lo": -20, "hi": 20, **v.get("t", {})}
        hs, ht = (b.x(d["dtype"], d["shape"], d["zp"], d["lo"], d["hi"], **({"u8": True} if d.get("u8") else {})) for d in (s, t))
        b.x("i8", [sym(0)], name="n")
        o = {"dtype": "i8", "zp": 3, "lo": -9, "hi": 9, **v.get("o", {})}
        y = b.op("linear2", hs, ma=1, s=1, output=o)
        z = b.op("linear2", ht, ma=1, output={"dtype": "i16", "zp": 0, "lo": -20, "hi": 20})
        b.out(z)
        b.out(y, u8=v.get("u8", False))
        b.out(z)
        return {**b.graph(), "states": list(pairs)}

    ok = [(0, 1), (1, 0)]
    pair("states ascend by input", "BadState", g, ok, [(1, 0), (0, 1)], [(0, 1), (0, 1)])
    pair("an output is in one state", "BadState", g, [(0, 1)], [(0, 1), (1, 1)])
    pair("a state's input and output exist", "BadState", g, ok, [(0, 1), (3, 0)], [(0, 3), (1, 0)], [(2**32 - 1, 0)])
    pair("a state has one dtype", "BadState", g, [(1, 2)], [(0, 0)])
    pair("a state has one zero point", "BadState", lambda v: g(((0, 1),), o={"zp": v}), 3, 2)
    pair("a state has one shape", "BadState", lambda v: g([(0, 1)]) if v else other_shape(), True, False)
    pair("a state's interval holds the zero point", "BadState", lambda v: g(((0, 1),), s={"lo": v}, o={"lo": 4}), 3, 4)
    pair("a state's interval holds the zero point", "BadState", lambda v: g(((0, 1),), s={"hi": v}, o={"hi": 2}), 3, 2)
    count = lambda lo, hi: {**one("linear2", X("i16", [1], 0, lo, hi), X("i16", [1], 0, -1, 1), mb=1, output={"dtype": "i16", "zp": 0, "lo": -20, "hi": 20}), "states": [(0, 0)]}
    pair("a state's interval holds the output", "BadState", count, (-20, 20), (-19, 20), (-20, 19))
    pair("a state is no u8 view", "BadState", lambda v: g(((0, 1),), u8=v), False, True)
    pair("a state is no u8 view", "BadState", lambda v: g(((0, 1),), s={"u8": v}), False, True)
    moving = lambda v: g(((0, 1),), s={"shape": [v]})
    pair("a state's shape is static", "BadState", moving, 2, sym(0))
    i32 = lambda hi: {**(q := one("linear2", X("i32", [1], 0, -5, hi), symbols={"n": (1, 3)}, also=[X("i8", [sym(0)])], output={"dtype": "i32", "zp": 0, "lo": -5, "hi": 1})), "states": [(0, 0)]}
    pair("a state's interval is static", "BadState", i32, 1, sym(0))


def other_shape():
    b = Loose()
    s = b.x("i8", [2], 3, -9, 9)
    b.out(b.op("slice", s, start=[0], step=[1], size=[1]))
    return {**b.graph(), "states": [(0, 0)]}


GROUP = (wire, attributes, declarations, operands, states)
