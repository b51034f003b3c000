"""Invalid files: the marks and dtypes of every operand in the table of spec/10-ops.md §11."""

from invalid_kit import C, X, one, pair
from invalid_ops import OUT8, OUT16

from bounds import OPERANDS  # isort: skip

WINDOW = {"kernel": [1, 1]}
DTYPES = ("i8", "i16", "i32", "bool")
# op -> operands and attributes of a valid node; a constant shows its shape and value, a variable its shape
NODES = {
    "conv2d": ([("i8", [1, 2, 2, 1]), ("i8", [1, 1, 1, 1], 1), ("i32", [1], 1)], {}),
    "dense": ([("i8", [3]), ("i8", [2, 3], 1), ("i32", [2], 1)], {}),
    "matmul": ([("i8", [1, 2]), ("i8", [2, 1])], {}),
    "linear2": ([("i8", [2]), ("i8", [2])], {"mb": 1, "output": OUT16}),
    "rescale": ([("i8", [2])], {"stage": {"l": 0, "m": [5], **OUT8}}),
    "lut8": ([("i8", [2]), ("i8", [256], 1)], {}),
    "lut16": ([("i16", [2]), ("i16", [513], 1)], {"output": OUT8}),
    "max_pool2d": ([("i8", [1, 1, 1, 1])], WINDOW),
    "avg_pool2d": ([("i8", [1, 1, 1, 1])], {**WINDOW, "m1": 5, "output": OUT8}),
    "argmax": ([("i8", [2])], {}),
    "softmax": ([("i8", [2, 2]), ("bool", [2]), ("i32", [1])], {"m": 5, "causal": True, "output": OUT8}),
    "layer_norm": ([("i8", [2]), ("i32", [2], 1), ("i32", [2], 1)], {"eps": 1, "output": OUT8}),
    "pad": ([("i8", [2]), ("i8", [], 1)], {"before": [1], "after": [0]}),
    "lstm": (
        [("i8", [1, 1, 2]), ("i8", [4, 2], 1), ("i8", [4, 1], 1), ("i32", [4], 1), ("i8", [1, 1]), ("i16", [1, 1])]
        + [("i16", [513], v) for v in (1, 2, 3)],
        {"mx": [5], "mh": [5], "lo": 0, "hi": 9},
    ),
}


def node(op, change=None, **edit):
    """The node of an op with operand `change` edited: dtype, zp, or variable where it is constant."""
    operands, attrs = NODES[op]
    made = []
    for i, (dtype, shape, *value) in enumerate(operands):
        e = edit if i == change else {}
        dtype, zp = e.get("dtype", dtype), e.get("zp", 0)
        if value and not e.get("variable"):
            made.append(C(dtype, shape, 1 if dtype == "bool" else value[0], zp))
        else:
            made.append(X(dtype, shape, zp, 0, 1))
    return one(op, *made, **attrs)


def marks():
    for op, (operands, _) in NODES.items():
        for i, (name, dtypes, mark) in enumerate(OPERANDS[op][: len(operands)]):
            make = lambda e: node(op, i, **e)
            for dtype in DTYPES:
                if dtype not in dtypes:
                    pair(f"{op}: dtypes of its operands", "BadType", make, {}, {"dtype": dtype})
            if "c" in mark:
                pair(f"{op}: constant operands", "BadOperand", make, {}, {"variable": True})
            if "s" in mark:
                pair(f"{op}: symmetric operands", "BadType", make, {}, {"zp": 1}, {"zp": -128})


GROUP = (marks,)
