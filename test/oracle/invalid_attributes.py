"""Invalid files: attributes by kind, output records and stages (spec/20-format.md §2, spec/00-numerics.md §2.1)."""

from invalid_base import base_stage, node_, put_node
from invalid_kit import C, X, one, pair
from sbm import words


def attributes():
    lin = lambda raw, op="linear2", x=X("i8", [2]): put_node(one(op, x), {"op": op, "inputs": [0], "raw": raw})
    out16 = {"tag": 4, "ints": [1, 0, -9, 9]}
    ma = lambda **v: lin([{"tag": 1, **v}, out16])
    pair(
        "int: one integer",
        "BadAttribute",
        lambda v: ma(**v),
        {"ints": [3]},
        {"ints": [3, 3]},
        {},
        {"blob": b"\3"},
        {"dims": [3]},
        {"ints": [3], "blob": b"a"},
        {"ints": [3], "dims": [1]},
    )
    pair("int: in its range", "BadAttribute", lambda v: ma(ints=[v]), 32767, 32768, -32768, 2**31 - 1)
    pair("a default is absent", "NotCanonical", lambda v: ma(ints=[v]), 2, 1)
    pair("an attribute without a default is present", "BadAttribute", lin, [out16], [])
    pair(
        "an unknown tag",
        "BadAttribute",
        lambda v: lin([out16] + v),
        [],
        [{"tag": 5, "ints": [1]}],
        [{"tag": 77, "ints": [1]}],
    )
    pair("tag 0", "BadAttribute", lambda v: lin(v + [out16]), [], [{"tag": 0, "ints": [1]}])
    flag = lambda **v: lin([{"tag": 1, "ints": [1]}, {"tag": 2, **v}], "argmax", X("i8", [2, 3]))
    pair(
        "bool: [1]",
        "BadAttribute",
        lambda v: flag(**v),
        {"ints": [1]},
        {"ints": [0]},
        {"ints": [2]},
        {"ints": [-1]},
        {"ints": [1, 1]},
        {},
        {"blob": b"\1"},
    )
    mode = lambda v: put_node(
        one("pad", X("i8", [2])),
        {"op": "pad", "inputs": [0], "raw": [{"tag": 1, "ints": [1]}, {"tag": 2, "ints": [0]}, {"tag": 3, **v}]},
    )
    pair(
        "enum: an index of the list",
        "BadAttribute",
        mode,
        {"ints": [2]},
        {"ints": [3]},
        {"ints": [-1]},
        {"ints": [1, 1]},
        {},
    )
    axes = lambda v: lin([{"tag": 1, **v}], "transpose", X("i8", [1, 2]))
    pair(
        "ints: entries in their range",
        "BadAttribute",
        axes,
        {"ints": [1, 0]},
        {"ints": [1, 8]},
        {"ints": [-1, 0]},
        {"blob": b"\1\0"},
        {"dims": [1, 0]},
    )
    win = {1: [2, 2], 2: [1, 2], 4: [0, 0, 0, 1]}
    pool = lambda tag, v: lin(
        [{"tag": t, "ints": v if t == tag else w} for t, w in win.items()], "max_pool2d", X("i8", [1, 3, 3, 1])
    )
    pair(
        "ints: their number of entries",
        "BadAttribute",
        pool,
        (1, [2, 1]),
        (1, [1]),
        (1, [1, 1, 1]),
        (2, [2]),
        (4, [0, 0, 1]),
        (4, [0, 0, 0, 0, 1]),
        (1, []),
    )
    for tag, good, low, high in (
        (1, [1, 1], [0, 1], [1, 2**20 + 1]),
        (2, [2, 1], [1, 0], [2**20 + 1, 1]),
        (4, [0, 0, 0, 1], [0, 0, -1, 0], [2**20 + 1, 0, 0, 0]),
    ):
        pair("ints of a window in their ranges", "BadAttribute", pool, (tag, good), (tag, low), (tag, high))
    pair("a list equal to its default is absent", "NotCanonical", pool, (2, [1, 2]), (2, [1, 1]), (4, [0, 0, 0, 0]))
    wide = lambda n: lin([{"tag": 1, "ints": [0] * n}], "transpose", X("i8", [1]))
    pair("at most 64 entries of ints", "Limit", wide, 1, 65 * 5)
    pair("at most 8 entries of a list", "BadAttribute", wide, 1, 9)
    pair("at most 16 attributes of a node", "Limit", lambda n: lin([{"tag": 1, "ints": [2]}] * n + [out16]), 1, 17)
    eps = lambda v: put_node(
        one(
            "layer_norm",
            X("i8", [2]),
            C("i32", [2], 1),
            C("i32", [2], 2),
            eps=1,
            output={"dtype": "i8", "zp": 0, "lo": 0, "hi": 9},
        ),
        {"op": "layer_norm", "inputs": [0, 1, 2], "raw": [{"tag": 1, **v}, {"tag": 3, "ints": [0, 0, 0, 9]}]},
    )
    byte8 = lambda v: {"blob": v.to_bytes(8, "little")}
    pair(
        "u64: eight bytes in its range",
        "BadAttribute",
        eps,
        byte8(2**48 - 1),
        byte8(0),
        byte8(2**48),
        byte8(2**64 - 1),
        {"blob": b"\1" + bytes(6)},
        {"blob": b"\1" + bytes(8)},
        {"ints": [1]},
        {},
    )
    soft = lambda v: put_node(
        one("softmax", X("i8", [2, 2])),
        {
            "op": "softmax",
            "inputs": [0],
            "raw": [
                {"tag": 2, "ints": [5]},
                {"tag": 4, "ints": [0, 0, 0, 9]},
                {"tag": 5, "ints": [1]},
                {"tag": 6, **v},
            ],
        },
    )
    pair("dim: one dim", "BadAttribute", soft, {"dims": [3]}, {"dims": [3, 3]}, {"ints": [3]}, {})
    pair("dim: its default is absent", "NotCanonical", soft, {"dims": [3]}, {"dims": [0]})
    shape = lambda v: lin([{"tag": 1, **v}], "reshape", X("i8", [6]))
    pair(
        "dims: dims only",
        "BadAttribute",
        shape,
        {"dims": [6, 1]},
        {"ints": [6]},
        {"blob": b"\6"},
        {"dims": [6], "ints": [1]},
    )
    pair("dims: at most 8", "Limit", shape, {"dims": [6] + [1] * 7}, {"dims": [6] + [1] * 8})
    pair(
        "dims in their range",
        "BadAttribute",
        lambda v: lin([{"tag": 1, "dims": [v, 0]}], "reshape", X("i8", [0])),
        2**30,
        2**30 + 1,
        -1,
    )
    output = lambda v: lin([{"tag": 4, **v}])
    good = [1, 0, -9, 9]
    pair(
        "output: dtype, zp, lo, hi",
        "BadAttribute",
        output,
        {"ints": good},
        {"ints": good[:3]},
        {"ints": good + [0]},
        {"ints": [5, 0, -9, 9]},
        {"ints": [-1, 0, -9, 9]},
        {"ints": [3, 0, 0, 1]},
        {"ints": [4, 0, 0, 1]},
        {"blob": b"\1"},
        {},
    )
    stage = lambda v: node_(attrs=[{"tag": 2, **v}])
    ints, m = [0, 0, 3, -128, 127], words([5, 6])
    pair(
        "stage: l, dtype, zp, lo, hi and words m",
        "BadAttribute",
        stage,
        {"ints": ints, "blob": m},
        {"ints": ints},
        {"blob": m},
        {"ints": ints[:4], "blob": m},
        {"ints": ints, "blob": m[:7]},
        {"ints": ints, "blob": m, "dims": [1]},
    )
    pair(
        "stage: l in 0...24",
        "BadAttribute",
        lambda v: node_(attrs=[{"tag": 2, "ints": [v, 0, 3, -128, 127], "blob": words([2**30])}]),
        1,
        -1,
        25,
    )
    pair(
        "stage: a dtype that the op produces",
        "BadAttribute",
        lambda v: node_(attrs=[{"tag": 2, "ints": [0, v, 0, 0, 1], "blob": words([5])}]),
        1,
        2,
        3,
        4,
        5,
    )
    pair("stage: m in 0...2^31-1", "BadStage", lambda v: base_stage(m=v), [2**31 - 1, 0], [-1, 0], [-(2**31), 5])
    pair("stage: m has one entry or one a channel", "BadStage", lambda v: base_stage(m=v), [1, 2], [1, 2, 3])
    pair("stage: least l", "BadStage", lambda v: base_stage(l=1, m=v), [2**30, 7], [2**30 - 1, 7], [2**30 - 1])
    for key, good, bad in (("zp", 127, 128), ("zp", -128, -129)):
        pair("a zero point inside i8", "BadType", lambda v: base_stage(**{key: v}), good, bad)
    pair("a zero point of i16 is 0", "BadType", lambda v: base_stage(dtype="i16", zp=v), 0, 1, -1)
    for lim, good, bad in (({"lo": 5}, 5, 4), ({}, 127, 128)):
        pair("lo <= hi within the dtype", "BadStage", lambda v: base_stage(**lim, hi=v), good, bad)
    pair("lo within the dtype", "BadStage", lambda v: base_stage(lo=v), -128, -129)
    pair(
        "limits within i16",
        "BadStage",
        lambda v: base_stage(dtype="i16", zp=0, lo=v[0], hi=v[1]),
        [-32768, 32767],
        [-32769, 0],
        [0, 32768],
    )


GROUP = (attributes,)
