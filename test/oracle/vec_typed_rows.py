"""Typed vectors of pools, argmax, softmax, layer_norm, moves and lstm."""

import typed
from common import I8, I16, TAB
from maker import Maker
from tensor import numel
from typed import Tensor


def pools():
    for op in ("max_pool2d", "avg_pool2d"):
        k = Maker(op)
        for shape, kernel, strides, dil, pads, over, dtype, zp, kind in (
            ((2, 4, 4, 3), (2, 2), (2, 2), (1, 1), (0, 0, 0, 0), (0, 0), "i8", -128, "rnd"),
            ((1, 5, 6, 17), (3, 3), (2, 2), (1, 1), (1, 1, 1, 1), (0, 1), "i8", 12, "ends"),
            ((1, 5, 5, 2), (2, 3), (2, 2), (2, 1), (1, 2, 0, 1), (1, 1), "i16", 0, "ends"),
            ((2, 1, 1, 1), (1, 1), (1, 1), (1, 1), (0, 0, 0, 0), (0, 0), "i8", 127, "lo"),
            ((1, 3, 3, 2), (5, 5), (1, 1), (1, 1), (2, 2, 2, 2), (0, 0), "i8", -128, "hi"),
            ((0, 3, 3, 2), (2, 2), (1, 1), (1, 1), (0, 0, 0, 0), (0, 0), "i8", 0, "rnd"),
        ):
            x = k.x(dtype, shape, zp, kind=kind)
            a = {"kernel": kernel, "strides": strides, "dilations": dil, "pads": pads, "overhang": over}
            a = {key: list(v) for key, v in a.items()}
            if op == "max_pool2d":
                k.add(a, {"x": x})
                continue
            for include in (False, True):
                for m1, l, out, oz in (
                    (2**30, 2, dtype, zp),
                    (k.R.randint(2**30, 2**31 - 1), 1, "i8", -5),
                    (2**29 + 1, 0, "i16", 0),
                ):
                    lim = typed.RANGE[out]
                    o = {"dtype": out, "zp": oz, "lo": lim[0] + (l == 1) * 20, "hi": lim[1] - (l == 1) * 7}
                    k.add({**a, "include_pad": include, "m1": m1, "l": l, "output": o}, {"x": x})
        k.done()


def argmax():
    k = Maker("argmax")
    for shape, dtype, lim, axis in (
        ((2, 3), "i8", (), 1),
        ((3, 2, 4), "i16", (-2, 2), 1),
        ((4, 2), "i8", (-1, 0), 0),
        ((5,), "i32", (), 0),
        ((2, 1), "i8", (), 1),
        ((0, 3), "i8", (), 1),
        ((1, 4), "i8", (-128, -128), 1),
    ):
        for last in (False, True):
            k.add(
                {"axis": axis, "select_last": last},
                {"x": k.x(dtype, shape, 0, *lim, kind="ends" if dtype == "i32" else "rnd")},
            )
    k.done()


def softmax():
    k = Maker("softmax")
    q15 = {"dtype": "i16", "zp": 0, "lo": 0, "hi": 32767}
    q8 = {"dtype": "i8", "zp": -128, "lo": -128, "hi": 127}
    odd = {"dtype": "i8", "zp": 3, "lo": -20, "hi": 100}
    for shape, dtype, zp, lim, l, m, o, output, causal, offset, mask, kind in (
        ((2, 5), "i8", -3, (), 11, 1640000000, 15, q15, False, 0, None, "rnd"),
        ((2, 5), "i8", 0, (-20, 30), 10, 1640000000, 8, q8, False, 0, None, "ends"),
        ((2, 2, 3, 3), "i16", 0, (), 7, 2**30 + 1, 15, q15, True, 0, None, "rnd"),
        ((2, 3, 4), "i16", 0, (), 4, 2**30 + 1, 15, q15, True, 1, (2, 1, 4), "rnd"),
        ((2, 3, 4), "i8", 9, (), 10, 1200000000, 8, q8, False, 0, (4,), "rnd"),
        ((3, 4), "i8", 0, (), 10, 2**30, 7, odd, True, -2, None, "rnd"),
        ((1, 6), "i8", 0, (), 15, 2**30, 7, odd, False, 0, (1, 6), "rnd"),
        ((3, 3), "i32", 0, (-(2**30), 2**30 - 1), 0, 2**31 - 1, 15, q15, True, 100, None, "ends"),
        ((2, 4), "i32", 0, (-(2**31), -(2**31) + 90000), 6, 2**30 + 3, 15, q15, False, 0, (2, 4), "rnd"),
        ((4, 1), "i8", 0, (), 24, 2**30, 15, q15, True, -1, None, "rnd"),
        ((0, 3), "i8", 0, (), 15, 2**30, 15, q15, False, 0, None, "rnd"),
        ((1, 70), "i16", 0, (-3000, 3000), 9, 2**30 + 9, 15, q15, False, 0, None, "rnd"),
    ):
        inputs = {"x": k.x(dtype, shape, zp, *lim, kind=kind), "mask": None}
        if mask:
            inputs["mask"] = k.x("bool", mask, 0, 0, 1)
            inputs["mask"].data[:4] = [0, 1, 1, 1]
        a = {"l": l, "m": m, "o": o, "output": output, "causal": causal, "offset": offset}
        k.add(a, inputs)
        if mask:
            inputs["mask"] = Tensor("bool", mask, [0] * numel(mask), 0, 0, 1)
            k.add(a, inputs)
    for f, lim in ((2, (0, 7)), (-1, (-3, 5)), (-4, (-4, -4))):
        a = {"l": 11, "m": 2**30, "o": 15, "output": q15, "causal": True, "offset": 0}
        k.add(a, {"x": k.x("i8", (3, 6)), "offset": Tensor("i32", [1], [f], 0, *lim)})
    k.done()


def layer_norm():
    k = Maker("layer_norm")
    for shape, dtype, zp, eps, g, out, kind, big in (
        ((2, 5), "i8", -37, 1, 6, ("i8", 4, -128, 127), "rnd", False),
        ((2, 5), "i8", 127, 2**33 + 1, 16, ("i16", 0, -32768, 32767), "ends", True),
        ((1, 2, 16), "i16", 0, 7, 6, ("i16", 0, -300, 32767), "rnd", False),
        ((3, 1), "i16", 0, 1, 0, ("i8", -128, -128, 127), "rnd", False),
        ((2, 8), "i16", 0, 2**48 - 1, 16, ("i16", 0, -32768, 32767), "ends", True),
        ((2, 8), "i8", -128, 1, 6, ("i8", 0, -128, 127), "lo", False),
        ((2, 48), "i16", 0, 1, 6, ("i8", 0, -128, 127), "hi", False),
        ((0, 4), "i8", 0, 1, 6, ("i8", 0, -128, 127), "rnd", False),
        ((2, 3), "i8", 5, 12345, 3, ("i16", 0, -32768, 32767), "rnd", False),
    ):
        n, top = shape[-1], 2**31 - 1 if big else 2**20 if out[0] == "i8" else 2**27
        gamma = k.const("i32", (n,), -top, top)
        beta = k.const(
            "i32", (n,), *((-(2**30) + 1, 2**30 - 1) if big else (-(2**13), 2**13)), kind="ends" if big else "rnd"
        )
        a = {"eps": eps, "g": g, "output": dict(zip(("dtype", "zp", "lo", "hi"), out))}
        k.add(a, {"x": k.x(dtype, shape, zp, kind=kind), "gamma": gamma, "beta": beta})
    gamma = Tensor("i32", [3], [-(2**31), 2**31 - 1, 0], const=True)
    beta = Tensor("i32", [3], [2**30 - 1, -(2**30) + 1, 0], const=True)
    a = {"eps": 1, "g": 15, "output": {"dtype": "i16", "zp": 0, "lo": -32768, "hi": 32767}}
    k.add(a, {"x": k.x("i16", (4, 3), kind="ends"), "gamma": gamma, "beta": beta})
    k.done()


def moves():
    def run(op, *cases):
        k = Maker(op)
        for a, x in cases:
            k.add(a, x(k) if callable(x) else x)
        k.done()

    t = lambda dtype, shape, zp=0, **r: lambda k: {"x": k.x(dtype, shape, zp, **r)}
    run(
        "reshape",
        ({"shape": [6, 4]}, t("i8", (2, 3, 4), 7)),
        ({"shape": []}, t("i32", (1, 1))),
        ({"shape": [0, 5]}, t("i16", (0, 2))),
        ({"shape": [1, 2, 1, 3]}, t("bool", (6,))),
    )
    run(
        "transpose",
        ({"perm": [2, 0, 1]}, t("i8", (2, 3, 4), -9)),
        ({"perm": [0, 3, 1, 2]}, t("i16", (2, 2, 3, 2))),
        ({"perm": []}, t("i32", ())),
        ({"perm": [1, 0]}, t("bool", (2, 3))),
        ({"perm": [0, 1]}, t("i8", (2, 2))),
        ({"perm": [1, 0]}, t("i8", (0, 3))),
    )
    many = lambda dtype, zp, *shapes: lambda k: {"x": [k.x(dtype, s, zp) for s in shapes]}
    mixed = lambda k: {
        "x": [k.x("i8", (2, 2), 3, -5, 5), k.x("i8", (2, 1), 3, 0, 90), k.const("i8", (2, 1), -100, -90, zp=3)]
    }
    run(
        "concat",
        ({"axis": 1}, many("i8", 5, (2, 3, 2), (2, 1, 2), (2, 0, 2))),
        ({"axis": 0}, many("i16", 0, (1, 2), (3, 2))),
        ({"axis": 2}, many("i32", 0, (2, 1, 3), (2, 1, 1))),
        ({"axis": 0}, many("bool", 0, (2,))),
        ({"axis": 1}, mixed),
    )
    cut = lambda s, t_, z: {"start": s, "step": t_, "size": z}
    run(
        "slice",
        (cut([0, 1, 0], [1, 1, 1], [2, 2, 4]), t("i8", (2, 3, 4), 5)),
        (cut([1, 2, 3], [1, -1, -2], [1, 3, 2]), t("i16", (2, 3, 4))),
        (cut([0, 0], [2, 3], [2, 2]), t("i32", (4, 5))),
        (cut([0], [1], [0]), t("i8", (3,))),
        (cut([], [], []), t("i8", ())),
    )
    fill = lambda b, q, m: {"before": b, "after": q, "mode": m}
    value = lambda dtype, shape, zp, v: (
        lambda k: {
            "x": k.x(dtype, shape, zp),
            "value": Tensor(dtype, [] if len(v) == 1 else [len(v)], v, zp, const=True),
        }
    )
    run(
        "pad",
        (fill([1, 0, 2], [0, 1, 1], "constant"), value("i8", (2, 2, 3), -7, [-7])),
        (fill([0, 1, 0], [1, 0, 0], "constant"), value("i8", (2, 2, 4), 0, [1, -128, 127, -4])),
        (fill([2, 1], [0, 3], "edge"), t("i16", (2, 3))),
        (fill([1, 2], [1, 2], "reflect"), t("i8", (2, 3), 5)),
        (fill([0, 2], [0, 1], "constant"), value("bool", (2, 2), 0, [1])),
        (fill([1], [1], "constant"), value("i32", (0,), 0, [-(2**31)])),
    )


def row_sums():
    """Which moves keep the proved sum of |a| over the last axis; which drop it."""
    k = Maker("row_sum")
    t = lambda shape, total: Tensor("i16", shape, k.ints(0, 9, numel(shape)), 0, 0, 32767, False, total)
    x = t((2, 3, 4), 32770)

    def run(op, attrs, **inputs):
        k.op = op
        k.add(attrs, inputs)

    for shape in ([6, 4], [4, 6], [24], [1, 2, 3, 4], [2, 3, 4, 1]):
        run("reshape", {"shape": shape}, x=x)
    for perm in ([1, 0, 2], [0, 2, 1], [0, 1, 2]):
        run("transpose", {"perm": perm}, x=x)
    run("slice", {"start": [0, 0, 1], "step": [1, 1, 2], "size": [2, 1, 2]}, x=x)
    run("slice", {"start": [1, 2, 3], "step": [1, -1, -1], "size": [1, 3, 4]}, x=x)
    other = t((2, 3, 4), 40000)
    for axis in (0, 1, 2):
        run("concat", {"axis": axis}, x=[x, other])
    run("concat", {"axis": 0}, x=[x, t((1, 3, 4), None)])
    run("pad", {"before": [0, 0, 0], "after": [1, 0, 0], "mode": "edge"}, x=x)
    geo = {"kernel": [1, 2], "strides": [1, 1], "dilations": [1, 1], "pads": [0, 0, 0, 0], "overhang": [0, 0]}
    run("max_pool2d", geo, x=t((1, 2, 3, 4), 32770))
    k.op = "row_sum"
    k.done()


def lstm():
    k = Maker("lstm")
    for t, n, d, h, dtype, zp, reverse, one, qh, kc, l, kind in (
        (3, 2, 3, 2, "i8", -20, False, False, 7, 3, 1, "rnd"),
        (3, 1, 2, 3, "i16", 0, True, False, 15, 0, 0, "rnd"),
        (2, 2, 3, 2, "i8", 127, True, False, 15, 3, 0, "ends"),
        (1, 1, 1, 1, "i8", -128, False, True, 7, 8, 4, "lo"),
        (4, 1, 2, 2, "i8", 0, False, True, 15, 3, 0, "rnd"),
        (0, 1, 2, 2, "i8", 0, False, True, 7, 3, 0, "rnd"),
    ):
        lim = I8 if qh == 7 else I16
        top = 2**31 - 1 if qh == 7 and dtype == "i8" else 2**24
        words = lambda: [k.R.randint(top // 2 + 1, top)] if one else [top] + k.ints(2**20, top, 4 * h - 1)
        a = {
            "mx": words(),
            "lx": l,
            "mh": words(),
            "lh": l,
            "kc": kc,
            "qh": qh,
            "lo": lim[0],
            "hi": lim[1],
            "reverse": reverse,
        }
        if kind == "ends":
            a |= {"lo": -30000, "hi": 20000}
        inputs = {
            "x": k.x(dtype, (t, n, d), zp, kind=kind),
            "wx": k.const("i8", (4 * h, d)),
            "wh": k.const("i8", (4 * h, h)),
        }
        inputs |= {"b": k.const("i32", (4 * h,), -5000, 5000)}
        inputs |= {
            "h0": k.x("i8" if qh == 7 else "i16", (n, h)),
            "c0": k.x("i16", (n, h), kind="ends" if kind == "lo" else "rnd"),
        }
        names = ("sigmoid_q12_q15", "tanh_q12_q15", "tanh_q12_q15" if kc == 3 else "tanh_c_kc0")
        for key, name in zip(("sigmoid", "tanh", "tanh_c"), names):
            inputs[key] = Tensor("i16", [513], TAB[name], const=True)
        k.add(a, inputs)
    k.done()


ALL = (pools, argmax, softmax, layer_norm, moves, row_sums, lstm)
