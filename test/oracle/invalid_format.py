"""Invalid files: the wire and the canonical form of spec/20-format.md §2, §3."""

from invalid_base import (
    C_,
    INPUT,
    NODE,
    base,
    base_stage,
    in_,
    in_extra,
    node_,
    order,
    out_,
    put,
    put_node,
    rebuilt,
    scalar,
    twins,
)
from invalid_kit import X, one, pair
from sbm import attrs_of, blob, dim, encode, held, sint, uint, varint


def wire():
    whole = encode(base())
    assert in_() == out_() == node_() == whole
    same = lambda v: v
    for n in (0, 1, 2, len(whole) - 1, len(whole) - 5):
        pair("the file is whole", "Truncated" if n != 2 else "Limit", same, whole, whole[:n])
    pair(
        "a length ends inside its message",
        "Truncated",
        same,
        whole,
        b"\x08\x01" + b"\x22\xff\xff\xff\xff\x07",
        rebuilt(lambda p: p[1].__setitem__(1, b"\x1a\x7f" + p[1][1][2:])),
    )
    pair("spec version 1", "UnknownVersion", lambda v: put(1, uint(1, v)), 1, 0, 2, 2**32 - 1)
    pair(
        "rule 1: fields ascend",
        "NotCanonical",
        rebuilt,
        lambda p: None,
        lambda p: p.insert(0, p.pop(1)),
        lambda p: p.append(p.pop(2)),
    )
    swapped = blob(1, b"x0") + held(3, dim(2)) + held(3, dim(3)) + held(5, dim(-128)) + sint(4, 1) + held(6, dim(127))
    pair("rule 1: fields of a sub-message ascend", "NotCanonical", lambda v: put(3, held(3, v)), INPUT(), swapped)
    inputs = lambda data: node_(inputs=data)
    packed = held(2, b"\x01\x02\x03")
    pair(
        "rule 1: integers are packed in one field",
        "BadWire",
        inputs,
        packed,
        b"\x10\x01\x10\x02\x10\x03",
        held(2, b"\x01") + held(2, b"\x02\x03"),
    )
    pair(
        "rule 2: varints of minimal length",
        "NotCanonical",
        lambda v: put(1, v),
        b"\x08\x01",
        b"\x08\x81\x00",
        b"\x88\x00\x01",
    )
    pair("rule 2: lengths of minimal length", "NotCanonical", inputs, packed, b"\x12\x83\x00\x01\x02\x03")
    pair("rule 2: packed varints of minimal length", "NotCanonical", inputs, packed, b"\x12\x04\x01\x82\x00\x03")
    zp = lambda data: in_(zp=data)
    pair(
        "rule 2: a zigzag integer of minimal length",
        "NotCanonical",
        zp,
        b"\x20\x02",
        b"\x20\x82\x00",
        b"\x20\x82\x80\x80\x80\x00",
    )
    pair(
        "numbers have at most 32 bits",
        "BadWire",
        zp,
        b"\x20\x02",
        b"\x20" + varint(2**32 + 2),
        b"\x20" + varint(2**63 + 2),
    )
    pair("numbers have at most 32 bits", "BadWire", lambda v: put(1, uint(1, v)), 1, 2**32 + 1)
    pair("a number has at most ten bytes", "BadWire", zp, b"\x20\x02", b"\x20" + b"\x82" + b"\x80" * 10 + b"\x00")
    pair("rule 2: a default is absent", "NotCanonical", in_extra, b"", b"\x10\x00", b"\x40\x00", b"\x0a\x00")
    pair(
        "rule 2: an empty packed field is absent",
        "NotCanonical",
        lambda v: in_(shape=held(3, v) + held(3, dim(3))),
        dim(2),
        sint(1, 2) + held(2, b""),
    )
    pair("rule 2: c of a dim is absent where it is 0", "NotCanonical", lambda v: scalar(v), b"", b"\x08\x00")
    pair(
        "rule 2: lo and hi are present, empty where they are 0",
        "BadInterval",
        lambda v: scalar(b"", v),
        held(5, b""),
        b"",
    )
    pair("a flag is 0 or 1", "NotCanonical", lambda v: in_(zp=b"\x20\xff\x01", rest=b"\x40" + v), b"\x01", b"\x02")
    for number, make in (
        (1, lambda v: rebuilt(lambda p: p.append([9, v]))),
        (3, lambda v: in_(rest=v)),
        (4, lambda v: node_(op=uint(1, 3), attrs=None) if not v else put(4, held(4, NODE() + v))),
        (5, lambda v: out_(rest=v)),
    ):
        pair("rule 3: no unknown field", "BadWire", make, b"", uint(15, 1), held(15, b"a"), varint(16000 * 8) + b"\x01")
    pair(
        "rule 3: no field of another wire type",
        "BadWire",
        lambda v: put(1, v),
        b"\x08\x01",
        b"\x0d\x01\x00\x00\x00",
        b"\x09" + b"\x01" + bytes(7),
        b"\x0a\x01\x01",
        b"\x0b\x0c",
        b"\x0f\x01",
        b"\x00\x01",
    )
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
    pair(
        "rule 6: every constant is used",
        "Unused",
        lambda n: base(
            constants=base()["constants"] + [C_("i8", [1], [5])] * n, outputs=[{"name": "y", "tensor": 3 + n}]
        ),
        0,
        1,
    )
    pair(
        "rule 6: constants differ in dtype, zero point, shape or data",
        "BadConstant",
        twins,
        ("i8", [2], 0, [1, 3]),
        ("i8", [2], 0, [1, 2]),
    )
    for other in (("i8", [2], 1, [1, 2]), ("i8", [2, 1], 0, [1, 2]), ("bool", [2], 0, [1, 0])):
        pair(
            "rule 6: constants differ in dtype, zero point, shape or data",
            "BadConstant",
            twins,
            other,
            ("i8", [2], 0, [1, 2]),
        )
    for g, m in ((1, [5, 6]), (2, [5, 5])):
        if g == 2:
            pair(
                "rule 7: m has one entry where all are equal", "NotCanonical", lambda v: base_stage(m=v), [5], m, [0, 0]
            )


GROUP = (wire,)
