"""Primitives that have a file of their own besides the first set: clamp, bitlen, mulhi, ends of the ranges; the tables."""

import hashlib
import json
import random

import arith as A
import common
from common import E32, TAB, save

R = random.Random("samebit/primitives")
EDGES = sorted({s * 2**k + d for k in (0, 1, 7, 8, 15, 16, 23, 24, 29, 30, 31) for s in (-1, 1) for d in (-1, 0, 1)})
INT32 = [v for v in EDGES if -(2**31) <= v < 2**31]
UINT32 = [v for v in EDGES if v >= 0] + [2**32 - 1, 2**32 - 2]


def prim(name, f, names, columns):
    save(name, [({}, dict(zip(names, c)), f(*c)) for c in columns])


def small():
    prim(
        "clamp",
        A.clamp,
        ("v", "lo", "hi"),
        [(v, lo, hi) for v in E32 for lo, hi in ((-128, 127), (0, 0), (-(2**31), 2**31 - 1))],
    )
    prim(
        "bitlen",
        A.bitlen,
        ("v",),
        [(v,) for v in sorted(set(UINT32))] + [(2**k + d,) for k in (33, 40, 48) for d in (-1, 0, 1)],
    )
    pairs = [(a, b) for a in UINT32[::4] + [2**32 - 1] for b in UINT32[::5] + [2**32 - 1]]
    pairs += [(R.randrange(2**32), R.randrange(2**32)) for _ in range(20)]
    prim("mulhi", A.mulhi_u32, ("a", "b"), pairs)


def ends():
    """The ends of every domain."""
    pairs = [(x, m) for x in INT32[::3] + [2**31 - 1] for m in INT32[::4] + [2**31 - 1]]
    pairs += [(R.randrange(-(2**31), 2**31), R.randrange(-(2**31), 2**31)) for _ in range(40)]
    prim("mulhr_corners", A.mulhr, ("x", "m"), pairs)
    shifts = [(x, s) for s in range(32) for x in (-(2**31), -(2**31) + 1, -1, 0, 2**31 - 1 - ((1 << s) >> 1))]
    shifts += [(d + k * 2**s - ((1 << s) >> 1), s) for s in (1, 2, 7, 15, 29) for k in (-1, 0, 1) for d in (-1, 0, 1)]
    prim("rsh_corners", A.rsh, ("x", "s"), shifts)
    stages = []
    for l in (0, 1, 8, 15, 24):
        top = (2**31 - 1) >> l
        for acc in (top, -top, 1, -1, top // 2 + 1):
            for m in (2**31 - 1, 2**30, 2**30 + 1, 1):
                zp, lo, hi = R.choice(((0, -(2**31), 2**31 - 1), (-128, -128, 127), (0, -32768, 32767), (127, 0, 127)))
                stages.append((acc, m, l, zp, lo, hi))
    prim("stage_corners", A.stage, ("acc", "m", "l", "zp", "lo", "hi"), stages)
    squares = [k * k + d for k in (1, 2, 255, 256, 32767, 32768, 46340, 46341, 65534, 65535) for d in (-1, 0, 1)]
    prim("isqrt_corners", A.isqrt, ("v",), [(v,) for v in squares + [2**32 - 1]])
    tops = [(s, s, o) for s in (1, 2, 3, 2**30 - 1, 2**30, 2**31 - 1) for o in (0, 1, 15, 30)]
    halves = [(s // 2 + d, s, o) for s in (2, 3, 7, 8, 2**31 - 1, 2**31 - 2) for d in (0, 1) for o in (0, 1, 2, 30)]
    prim("divq_corners", A.divq, ("e", "s", "o"), tops + halves)
    prim(
        "log2q_corners",
        A.log2q,
        ("s",),
        [(v,) for k in range(31) for v in sorted({2**k, max(1, 2**k - 1), min(2**31 - 1, 2**k + 1)})],
    )


def tables():
    """Every table by name, and the SHA-256 of the three universal ones as little-endian bytes."""
    universal = {"EXP2": (A.EXP2, 4), "LOG2": (A.LOG2, 4), "SIN": (A.SIN, 2)}
    rows = [
        f'"{k}":{json.dumps(v, separators=(",", ":"))}'
        for k, v in (TAB | {k: v for k, (v, _) in universal.items()}).items()
    ]
    hashes = {
        k: hashlib.sha256(b"".join(e.to_bytes(w, "little") for e in v)).hexdigest() for k, (v, w) in universal.items()
    }
    rows.append(f'"sha256":{json.dumps(hashes, separators=(",", ":"))}')
    common.files["numerics/tables.json"] = ("{\n" + ",\n".join(rows) + "\n}\n", len(rows) - 1)


ALL = (small, ends, tables)
