"""Correctly rounded activation tables of a model (the converter's side), in decimal arithmetic of 80 digits.

A node that comes closer to a rounding tie than 1e-40 stops the program instead of being guessed.
"""

from decimal import Decimal, getcontext

getcontext().prec = 80

ONE, HALF = Decimal(1), Decimal("0.5")


def exact(v):
    """A Python float as the exact Decimal it stands for."""
    return Decimal(v)


def nearest(x):
    """floor(x + 1/2) of a Decimal."""
    f = (x + HALF).to_integral_value(rounding="ROUND_FLOOR")
    distance = abs(abs(x - f) - HALF)
    assert distance == 0 or distance > Decimal(10) ** -40
    return int(f)


def sigmoid(x):
    return ONE / (ONE + (-x).exp())


def tanh(x):
    e = (-2 * abs(x)).exp()
    t = (ONE - e) / (ONE + e)
    return t if x >= 0 else -t


def arctan_inverse(n):
    x = ONE / n
    s, t, k = x, x, 1
    while abs(t) > Decimal(10) ** -78:
        t = -t / (n * n)
        k += 2
        s += t / k
    return s


PI = 4 * (4 * arctan_inverse(5) - arctan_inverse(239))


def erf(x):
    """The all-positive series 2/sqrt(pi) * exp(-x^2) * sum 2^n x^(2n+1) / (2n+1)!!: no cancellation."""
    if x < 0:
        return -erf(-x)
    if x > 12:
        return ONE - Decimal(10) ** -60  # erfc(12) < 1e-63: below every rounding here
    s = t = x
    n = 0
    while t > s * Decimal(10) ** -78:
        n += 1
        t = t * 2 * x * x / (2 * n + 1)
        s += t
    return 2 / PI.sqrt() * (-x * x).exp() * s


FN = {
    "sigmoid": sigmoid,
    "tanh": tanh,
    "gelu": lambda x: x * (1 + erf(x / Decimal(2).sqrt())) / 2,
    "silu": lambda x: x * sigmoid(x),
    "hardswish": lambda x: x * min(max(x + 3, Decimal(0)), Decimal(6)) / 6,
    "exp": lambda x: x.exp(),
}


def lut8(fn, sx, zx, sy, zy, bits=8):
    """256 entries clamp(round(f((q - zx)*sx)/sy) + zy)."""
    h = 1 << bits - 1
    return [max(-h, min(h - 1, nearest(FN[fn]((q - zx) * exact(sx)) / exact(sy)) + zy)) for q in range(-128, 128)]


def lut16(fn, sx, sy, s):
    """513 nodes; a node holds f(x)/sy * 2^(s-7)."""
    nodes = (FN[fn]((-32768 + 128 * j) * exact(sx)) / exact(sy) * 2 ** (s - 7) for j in range(513))
    return [max(-32768, min(32767, nearest(v))) for v in nodes]
