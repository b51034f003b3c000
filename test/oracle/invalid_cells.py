"""Invalid files: what spec/10-ops.md refuses of lstm, at both sides of each edge."""

from invalid_kit import C, X, one, pair, tables
from sbm import sym


def cells():
    def g(
        t=2,
        n=1,
        d=2,
        h=1,
        x="i8",
        zp=0,
        lo=-128,
        hi=127,
        wx=None,
        wh=None,
        b=None,
        h0=None,
        c0=None,
        w=1,
        wv=1,
        bv=0,
        xlo=None,
        xhi=None,
        hd="i8",
        hz=0,
        hlim=(None, None),
        cd="i16",
        symbols=None,
        tab=None,
        dim=None,
        **v,
    ):
        t3 = tables(**(tab or {}))
        a = {"mx": [2**30], "mh": [2**30], "lo": lo, "hi": hi, **v}
        also = [X("i8", [sym(0)])] if symbols else ()
        xs = [t, n, d if dim is None else dim]
        return one(
            "lstm",
            X(x, xs, zp, xlo, xhi),
            C("i8", wx or [4 * h, d], w),
            C("i8", wh or [4 * h, h], wv),
            C("i32", b or [4 * h], bv),
            X(hd, h0 or [n, h], hz, *hlim),
            X(cd, c0 or [n, h], 0),
            *t3,
            symbols=symbols,
            also=also,
            **a,
        )

    bad = lambda rule, code, key, good, *bads, **fixed: pair(
        "lstm: " + rule, code, lambda v: g(**{key: v}, **fixed), good, *bads
    )
    bad("b has shape [4H]", "BadShape", "b", [4], [5], [3], [1, 4])
    bad("wx is [4H,D]", "BadShape", "wx", [4, 2], [5, 2], [4, 3], [8, 2], [4, 2, 1], [8])
    bad("wh is [4H,H]", "BadShape", "wh", [4, 1], [5, 1], [4, 2], [8, 2], [4, 1, 1], [4])
    bad("H >= 1", "BadShape", "h", 1, 0)
    bad("the last axis of x is D", "BadShape", "dim", 2, 1, 3)
    pair("lstm: D is static", "BadShape", lambda v: g(dim=v, symbols={"n": (2, 2)}), 2, sym(0))
    pair(
        "lstm: rank 3 of x",
        "BadShape",
        lambda s: g() if s is None else {**(q := g()), "inputs": [{**q["inputs"][0], "shape": s}, *q["inputs"][1:]]},
        None,
        [2, 1],
        [2, 1, 2, 1],
    )
    bad("h0 has shape [N,H]", "BadShape", "h0", [1, 1], [2, 1], [1, 2], [1], [1, 1, 1])
    bad("c0 has shape [N,H]", "BadShape", "c0", [1, 1], [2, 1], [1, 2], [1])
    pair(
        "lstm: N of h0 is that of x",
        "BadShape",
        lambda v: g(n=sym(0), h0=[v, 1], symbols={"n": (2, 2)}),
        sym(0),
        2,
        sym(0, 1),
    )
    pair(
        "lstm: h0 has the dtype of h",
        "BadType",
        lambda d, q: g(hd=d, hlim=(-5, 5), qh=q),
        ("i8", 7),
        ("i16", 7),
        ("i8", 15),
    )
    bad("h0 has zero point 0", "BadType", "hz", 0, 1)
    bad("c0 is i16", "BadType", "cd", "i16", "i8")
    bad("qh is 7 or 15", "BadAttribute", "qh", 7, 8, 14, 6, 16)
    bad("kc in 0...8", "BadAttribute", "kc", 8, 9, -1)
    bad("lx in 0...24", "BadAttribute", "lx", 2, 25, -1)
    bad("lh in 0...24", "BadAttribute", "lh", 2, 25, -1)
    for key in ("mx", "mh"):
        bad(f"{key} has one entry or one a row", "BadStage", key, [1, 2, 3, 4], [1, 2, 3], [1, 2, 3, 4, 5], [1, 2])
        bad(f"rule 7 for {key}", "NotCanonical", key, [1, 1, 1, 2], [3, 3, 3, 3])
        bad(f"{key} in 0...2^31-1", "BadAttribute", key, [0], [-1], [-(2**31), 1, 2, 3])
        bad(f"least l of {key}", "BadStage", key, [2**30, 1, 2, 3], [2**30 - 1, 1, 2, 3], [5], **{"l" + key[1]: 1})
    pair(
        "lstm: lo <= hi in the dtype of h",
        "BadStage",
        lambda lo, hi: g(lo=lo, hi=hi),
        (-128, 127),
        (-129, 127),
        (-128, 128),
        (1, 0),
    )
    pair(
        "lstm: lo <= hi in the dtype of h",
        "BadStage",
        lambda lo, hi: g(lo=lo, hi=hi, qh=15, hd="i16"),
        (-32768, 32767),
        (5, 4),
    )
    bad("|b| < 2^30", "Overflow", "bv", 2**30 - 1, 2**30, xlo=0, xhi=0)
    bad("|b| < 2^30", "Overflow", "bv", 1 - 2**30, -(2**30), xlo=0, xhi=0)
    for end in (32767, -32768):
        pair(
            "lstm: lo <= hi in i16",
            "BadStage",
            lambda lo, hi: g(lo=lo, hi=hi, qh=15, hd="i16"),
            (end, end),
            (end, end - 1) if end > 0 else (end + 1, end),
        )
    pair(
        "lstm: lo, hi in -32768...32767",
        "BadAttribute",
        lambda lo, hi: g(lo=lo, hi=hi),
        (-128, 127),
        (-32769, 127),
        (32768, 127),
        (-128, 32768),
        (-128, -32769),
    )
    table = lambda v, n=513: C("i16", [n], v)
    steps = [0] + [9] * 512
    bad(
        "sigmoid is not negative",
        "BadConstant",
        "tab",
        {"sigmoid": C("i16", [513], steps)},
        {"sigmoid": C("i16", [513], [-1] + [9] * 512)},
        {"sigmoid": C("i16", [513], [9] * 512 + [-1])},
    )
    for key in ("sigmoid", "tanh", "tanh_c"):
        bad(
            f"{key} has 513 nodes",
            "BadShape",
            "tab",
            {key: table(1)},
            {key: table(1, 512)},
            {key: table(1, 514)},
            {key: C("i16", [513, 1], 1)},
        )
    # ax: b + 2 * 127 * 1 ... ; the figure is |acc| * 2^lx
    pair("lstm: |ax| * 2^lx < 2^31", "Overflow", lambda b: g(bv=b, xlo=-1, xhi=127, lx=10), 2**21 - 255, 2**21 - 254)
    ah = lambda hlo, hhi, lo, hi: g(lo=lo, hi=hi, hlim=(hlo, hhi), lh=24)
    pair(
        "lstm: |ah| * 2^lh < 2^31, by h0 and by the limits of h",
        "Overflow",
        ah,
        (-127, 127, -127, 127),
        (-128, 127, -127, 127),
        (-127, 127, -128, 127),
    )
    top = 2**31 - 1 - 516 * 127 * 32768
    wide = lambda b: g(x="i16", d=516, w=127, bv=b)
    pair("lstm: A of ax < 2^31", "Overflow", wide, top, top + 1)
    hid = lambda h, lo: one_wide(h, lo)
    pair("lstm: A of ah < 2^31", "Overflow", hid, (512, -32767), (517, -32768))


def one_wide(h, lo):
    """Rows of wh of h weights 127 times h0 in lo...0: 517 * 127 * 32768 is above 2^31."""
    a = {"mx": [2**30], "mh": [2**30], "lo": 0, "hi": 5, "qh": 15}
    return one(
        "lstm",
        X("i8", [0, 0, 0]),
        C("i8", [4 * h, 0], []),
        C("i8", [4 * h, h], 127),
        C("i32", [4 * h], 0),
        X("i16", [0, h], 0, lo, 0),
        X("i16", [0, h]),
        *tables(),
        **a,
    )


GROUP = (cells,)
