"""Invalid files: what spec/10-ops.md refuses of moves, at both sides of each edge."""

from invalid_kit import C, X, one, pair
from invalid_ops import N
from sbm import sym


def moves():
    rs = lambda x, y, symbols=None: one(
        "reshape",
        X("i8", x),
        symbols=symbols,
        also=[X("i8", [sym(i) for i in range(len(symbols))])] if symbols else (),
        shape=y,
    )
    pair(
        "reshape: equal element counts",
        "BadShape",
        rs,
        ([2, 3], [6]),
        ([2, 3], [5]),
        ([2, 3], []),
        ([0, 3], [1]),
        ([2, 3], [2, 3, 0]),
    )
    two = {"n": (2, 2), "m": (2, 2)}
    pair(
        "reshape: counts are equal as polynomials",
        "BadShape",
        rs,
        ([sym(0), 2], [sym(0, 0, 2)], two),
        ([sym(0), 2], [sym(1), 2], two),
        ([sym(0)], [2], two),
        ([sym(0), sym(0)], [sym(0), sym(1)], two),
    )
    pair(
        "reshape: counts are equal as polynomials",
        "BadShape",
        rs,
        ([sym(0, -1), sym(1)], [sym(1), sym(0, -1)], two),
        ([sym(0, -1), sym(1)], [sym(1), sym(0, 1)], two),
    )
    tp = lambda s, p: one("transpose", X("i8", s), perm=p)
    pair(
        "transpose: perm is a permutation",
        "BadAttribute",
        tp,
        ([2, 3, 4], [2, 0, 1]),
        ([2, 3, 4], [0, 1]),
        ([2, 3, 4], [0, 1, 1]),
        ([2, 3, 4], [0, 1, 3]),
        ([2, 3, 4], [0, 1, 2, 3]),
    )
    cc = lambda *xs, axis=0, symbols=None: one("concat", *xs, symbols=symbols, **({"axis": axis} if axis else {}))
    pair("concat: the axis is below the rank", "BadAttribute", lambda a: cc(X("i8", [2, 3]), axis=a), 1, 2, 7, 8, -1)
    pair("concat: no axis of a scalar", "BadAttribute", lambda s: cc(X("i8", s)), [1], [])
    pair("concat: equal dtypes", "BadType", lambda d: cc(X("i8", [2]), X(d, [2], 0, 0, 1)), "i8", "bool", "i16")
    pair("concat: equal zero points", "BadType", lambda z: cc(X("i8", [2], 5), X("i8", [2], z)), 5, 4, 0)
    pair("concat: equal ranks", "BadShape", lambda s: cc(X("i8", [2, 3]), X("i8", s)), [0, 3], [3], [2, 3, 1])
    pair("concat: equal other axes", "BadShape", lambda s: cc(X("i8", [2, 3]), X("i8", s)), [9, 3], [2, 4], [2, 0])
    pair(
        "concat: equal other axes, in the middle",
        "BadShape",
        lambda s: cc(X("i8", [2, 3, 4]), X("i8", s), axis=1),
        [2, 9, 4],
        [3, 3, 4],
        [2, 3, 5],
    )
    pair(
        "concat: equal expressions only",
        "BadShape",
        lambda d: cc(X("i8", [2, sym(0)]), X("i8", [2, d]), symbols={"n": (3, 3)}),
        sym(0),
        3,
        sym(0, 1),
    )
    sl = lambda x, start, step, size, symbols=None: one(
        "slice",
        X("i8", x),
        symbols=symbols,
        also=[X("i8", [sym(i) for i in range(len(symbols))])] if symbols else (),
        start=start,
        step=step,
        size=size,
    )
    pair(
        "slice: one entry an axis",
        "BadAttribute",
        lambda a, b, c: sl([5, 5], a, b, c),
        ([0, 0], [1, 1], [2, 2]),
        ([0], [1, 1], [2, 2]),
        ([0, 0], [1], [2, 2]),
        ([0, 0], [1, 1], [2]),
        ([0, 0, 0], [1, 1, 1], [2, 2, 1]),
        ([], [], []),
    )
    pair(
        "slice: start and size in their ranges",
        "BadAttribute",
        lambda a, z: sl([5], [a], [1], [z]),
        (5, 0),
        (2**30 + 1, 0),
        (-(2**30) - 1, 0),
        (0, 2**30 + 1),
        (0, -1),
    )
    pair(
        "slice: start in its range, inside the axis", "IndexRange", lambda a: sl([5], [a], [1], [0]), 5, 2**30, -(2**30)
    )
    pair("slice: step is not 0", "BadAttribute", lambda t: sl([5], [1], [t], [2]), 1, 0)
    pair(
        "slice: step in its range",
        "BadAttribute",
        lambda n, t: sl([n], [0], [t], [2]),
        (2**20 + 2, 2**20),
        (2**20 + 2, 2**20 + 1),
    )
    for size in (0, 1):
        pair("slice: step 1 where the size is at most 1", "NotCanonical", lambda t: sl([5], [2], [t], [size]), 1, 2, -1)
    pair(
        "slice: step 1 where the greatest size is at most 1",
        "NotCanonical",
        lambda t: sl([5, 5], [2, 2], [1, t], [2, sym(0, -1)], {"n": (1, 2)}),
        1,
        2,
    )
    pair("slice: size is not negative", "BadAttribute", lambda z: sl([5], [0], [1], [z]), 0, -1)
    pair(
        "slice: size is not negative for any value",
        "BadShape",
        lambda c: sl([sym(0)], [0], [1], [sym(0, c)], N),
        -2,
        -3,
    )
    sl1 = lambda a, t, z: sl([5], [a], [t], [z])
    pair("slice: inside the axis", "IndexRange", sl1, (1, 1, 4), (2, 1, 4), (1, 1, 5), (-1, 1, 4))
    pair("slice: inside the axis, stepped", "IndexRange", sl1, (0, 2, 3), (1, 2, 3), (0, 2, 4))
    pair("slice: inside the axis, reversed", "IndexRange", sl1, (4, -2, 3), (3, -2, 3), (5, -2, 3), (4, -2, 4))
    pair("slice: start of an empty slice", "IndexRange", sl1, (5, 1, 0), (6, 1, 0), (-1, 1, 0))
    pair(
        "slice: inside for all values",
        "IndexRange",
        lambda a, z: sl([sym(0)], [a], [1], [z], N),
        (sym(0, -2), 2),
        (sym(0, -2), 3),
        (sym(0, -3), 2),
        (0, 3),
        (sym(0, 1), 0),
    )
    pair(
        "slice: inside for all values, reversed",
        "IndexRange",
        lambda a, z: sl([sym(0)], [a], [-1], [z], N),
        (sym(0, -1), sym(0)),
        (sym(0), sym(0)),
        (sym(0, -1), sym(0, 1)),
        (sym(0, -2), sym(0)),
    )
    pair(
        "slice: the reversed empty case counts at size 0",
        "IndexRange",
        lambda c: sl([sym(0)], [sym(0, -1)], [-1], [sym(0, c)], {"n": (1, 3)}),
        0,
        1,
    )
    # the last index is 125535 + more, behind two terms of 2^66 that cancel
    m = 2**30 - 1
    far = lambda more: one(
        "slice",
        X("i8", [125536]),
        symbols={"a": (m, m), "b": (m, m)},
        also=[X("i8", [sym(0), sym(1), 0])],
        start=[60000 + more],
        step=[65535],
        size=[(2, (2**20, -(2**20)))],
    )
    pair("slice: indices are exact integers of any size", "IndexRange", far, 0, 1, 2000, 4000)
    pd = (
        lambda xs=(2, 3), before=(1, 0), after=(0, 1), vs=(), x="i8", zp=0, vd=None, vz=None, mode=None, value=True, symbols=None: (
            one(
                "pad",
                X(x, list(xs), zp, 0, 1),
                *([C(vd or x, list(vs), 1, zp if vz is None else vz)] if value else []),
                symbols=symbols,
                also=[X("i8", [sym(0)])] if symbols else (),
                before=list(before),
                after=list(after),
                **({"mode": mode} if mode else {}),
            )
        )
    )
    pair(
        "pad: one entry an axis",
        "BadAttribute",
        lambda b, a: pd(before=b, after=a),
        ([1, 0], [0, 1]),
        ([1], [0, 1]),
        ([1, 0], [0]),
        ([1, 0, 0], [0, 1, 0]),
    )
    pair(
        "pad: before, after in 0...2^20",
        "BadAttribute",
        lambda b, a: pd(before=[b, 0], after=[a, 1]),
        (2**20, 0),
        (2**20 + 1, 0),
        (-1, 0),
        (0, -1),
        (0, 2**20 + 1),
    )
    pair("pad: a value goes with constant", "BadOperand", lambda v: pd(value=v), True, False)
    for mode in ("edge", "reflect"):
        pair("pad: a value goes with constant", "BadOperand", lambda v: pd((2, 3), mode=mode, value=v), False, True)
    pair("pad: the value has the dtype of x", "BadType", lambda d: pd(x="i8", vd=d), "i8", "i16", "bool")
    pair("pad: the value has the zero point of x", "BadType", lambda z: pd(zp=7, vz=z), 7, 0, -7)
    pair(
        "pad: the value is a scalar or [last dim of y]",
        "BadShape",
        lambda s: pd(vs=s),
        [4],
        [3],
        [2],
        [1],
        [1, 4],
        [4, 1],
    )
    pair("pad: the value of a scalar is a scalar", "BadShape", lambda s: pd((), (), (), s), [], [1])
    pair(
        "pad: the value is constant",
        "BadOperand",
        lambda v: one("pad", X("i8", [2], 0, 0, 1), v, before=[1], after=[0]),
        C("i8", [], 1),
        X("i8", []),
    )
    pair("pad: edge needs a dim of 1", "BadShape", lambda n: pd((n, 3), mode="edge", value=False), 1, 0)
    pair(
        "pad: reflect needs a dim above the border",
        "BadShape",
        lambda n, b, a: pd((2, n), (0, b), (0, a), mode="reflect", value=False),
        (4, 3, 2),
        (4, 4, 0),
        (4, 0, 4),
        (3, 3, 0),
    )
    pair(
        "pad: edge for all values",
        "BadShape",
        lambda c: pd((sym(0, c), 3), mode="edge", value=False, symbols=N),
        -1,
        -2,
    )
    pair(
        "pad: reflect for all values",
        "BadShape",
        lambda c: pd((sym(0, c), 3), (2, 0), (0, 0), mode="reflect", value=False, symbols=N),
        1,
        0,
    )


GROUP = (moves,)
