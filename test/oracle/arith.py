"""Primitives of the numerics specification as exact Python integers, and the three universal tables.

Every width that the specification states is asserted on the way, so a violated bound stops the program.
"""

from decimal import Decimal

from tables import PI, nearest


# ---------------------------------------------------------------- widths
def i32(v):
    assert -(2**31) <= v < 2**31, f"not an int32: {v}"
    return v


def u32(v):
    assert 0 <= v < 2**32, f"not a uint32: {v}"
    return v


def below(v, bits, what=""):
    assert abs(v) < 2**bits, f"{what} |{v}| >= 2^{bits}"
    return v


# ---------------------------------------------------------------- primitives
def clamp(v, lo, hi):
    return lo if v < lo else hi if v > hi else v


def floor_div(a, n):
    assert n > 0
    return a // n


def round_div(a, n):
    """Nearest integer of a/n, ties up."""
    assert n > 0
    return (2 * a + n) // (2 * n)


def rsh(x, s):
    """Rounding shift, ties up; s = 0 is the identity."""
    assert 0 <= s <= 31
    half = (1 << s) >> 1
    i32(x), i32(x + half)
    return (x + half) >> s


def mulhr(x, m):
    i32(x), i32(m)
    return (x * m + 2**31) >> 32


def stage(acc, m, l, zp, lo, hi):
    assert 0 <= l <= 24 and 0 <= m < 2**31
    below(acc << l, 31, "acc*2^l")
    return clamp(zp + mulhr(acc << l, m), lo, hi)


def isqrt(v):
    """floor(sqrt(v)) of a u32, by bits."""
    u32(v)
    r = 0
    for b in range(15, -1, -1):
        if (r | 1 << b) ** 2 <= v:
            r |= 1 << b
    return r


def divq(e, s, o):
    assert 0 <= e <= s and 1 <= s < 2**31 and 0 <= o <= 30
    return (e * 2**o + s // 2) // s


def bitlen(v):
    return v.bit_length()


# ---------------------------------------------------------------- universal tables
def dsin(x):
    s = t = x
    k = 1
    while abs(t) > Decimal(10) ** -75:
        t = -t * x * x / ((k + 1) * (k + 2))
        k += 2
        s += t
    return s


LN2 = Decimal(2).ln()
EXP2 = [nearest((-LN2 * i / 256).exp() * 2**23) for i in range(257)]  # 2^-(i/256), Q23
LOG2 = [nearest((1 + Decimal(i) / 256).ln() / LN2 * 65536) for i in range(257)]  # log2(1+i/256), Q16
SIN = [nearest(dsin(PI / 2 * i / 256) * 16384) for i in range(257)]  # sin(pi/2*i/256), Q14


def log2q(s):
    """log2 of 1 <= s < 2^31 in Q16."""
    assert 1 <= s < 2**31
    b = bitlen(s) - 1
    mant = u32((s << (31 - b)) & 0x7FFFFFFF)
    i, f = mant >> 23, (mant >> 7) & 0xFFFF
    return (b << 16) + LOG2[i] + rsh(i32((LOG2[i + 1] - LOG2[i]) * f), 16)


# ---------------------------------------------------------------- random numbers
def threefry(k0, k1, c0, c1):
    """Threefry-2x32, 20 rounds."""
    M = 0xFFFFFFFF
    rot = (13, 15, 26, 6, 17, 29, 16, 24)
    ks = (k0, k1, 0x1BD11BDA ^ k0 ^ k1)
    x0, x1 = (c0 + k0) & M, (c1 + k1) & M
    for i in range(20):
        x0 = (x0 + x1) & M
        r = rot[i % 8]
        x1 = ((x1 << r | x1 >> (32 - r)) & M) ^ x0
        if i % 4 == 3:
            j = (i + 1) // 4
            x0 = (x0 + ks[j % 3]) & M
            x1 = (x1 + ks[(j + 1) % 3] + j) & M
    return x0, x1


def mulhi_u32(a, b):
    return (u32(a) * u32(b)) >> 32
