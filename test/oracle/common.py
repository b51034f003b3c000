"""What the generators share: the seeded source, tables, and the writer of vector files."""

import json
import math
import os
import random

import oracle as O
import tables as T

R = random.Random(1)
GOLDEN = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
E32 = [-(2**31), -(2**31) + 1, -65536, -32769, -1, 0, 1, 32767, 65535, 65536, 2**31 - 1]
I8, I16, I32 = (-128, 127), (-32768, 32767), (-(2**31), 2**31 - 1)
PRIMITIVES = (
    "bitlen clamp divq exponent expweight floor_div isqrt log2q mulhi mulhr norm_scale round_div rsh sin_q14 stage"
    " threefry"
).split()

TAB = {
    "sigmoid_q12_q15": T.lut16("sigmoid", 2**-12, 2**-15, 7),
    "tanh_q12_q15": T.lut16("tanh", 2**-12, 2**-15, 7),
    "tanh_c_kc0": T.lut16("tanh", 2**-15, 2**-15, 7),
    "gelu_i16": T.lut16("gelu", 2**-12, 2**-12, 7),
    "gelu_to_i8_s13": T.lut16("gelu", 2**-12, 2**-4, 13),
    "silu_i8": T.lut8("silu", 2**-4, -3, 2**-5, -119),
    "steps": [32767 if i % 2 else -32768 for i in range(513)],
    "saw": [32767 * (i % 2) for i in range(513)],
}

files = {}  # path below GOLDEN -> (text, number of cases)


def emit(path, rows):
    """Queue one vector file: a JSON array with one vector a line."""
    assert path not in files, path
    text = "[\n" + ",\n".join(json.dumps(r, separators=(",", ":")) for r in rows) + "\n]\n"
    files[path] = (text, len(rows))


def save(file, cases):
    """A file holds vectors of the op it is named after, up to a suffix, or of several ops (moves)."""
    op = file
    for suffix in ("_corners", "_eps", "_rounding", "_pads"):
        op = op.removesuffix(suffix)
    folder = "numerics" if op in PRIMITIVES else "ops"
    rows = [{"op": a.pop("op") if file == "moves" else op, "attrs": a, "inputs": i, "expected": e} for a, i, e in cases]
    emit(f"{folder}/{file}.json", rows)


def prim(op, f, columns):
    """Vectors of a primitive: argument names from its definition."""
    save(op, [({}, dict(zip(f.__code__.co_varnames, c)), f(*c)) for c in columns])


def ri(lo, hi, n=None):
    return R.randint(lo, hi) if n is None else [R.randint(lo, hi) for _ in range(n)]


def coprime():
    p, q = ri(1, 65535), ri(1, 65535)
    g = math.gcd(p, q)
    return p // g, q // g


def ten(lo, hi, *shape):
    return list(shape), ri(lo, hi, O.numel(shape))


def js(t):
    return {"shape": t[0], "data": t[1]}


def img(h, w, c, lo=-128, hi=127):
    return [[ri(lo, hi, c) for _ in range(w)] for _ in range(h)]
