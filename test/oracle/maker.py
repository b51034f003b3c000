"""Draws typed tensors and stages, and collects the vectors of one op."""

import random

import typed
from common import emit
from tensor import numel
from typed import Tensor


class Maker:
    """Draws tensors and stages for one op and collects its vectors."""

    def __init__(self, op):
        self.op, self.R, self.cases = op, random.Random("samebit/" + op), []

    def ints(self, lo, hi, n):
        return [self.R.randint(lo, hi) for _ in range(n)]

    def fill(self, lo, hi, n, kind):
        """rnd, ends (either end), lo, hi."""
        if kind == "rnd":
            return self.ints(lo, hi, n)
        return [self.R.choice((lo, hi)) for _ in range(n)] if kind == "ends" else [{"lo": lo, "hi": hi}[kind]] * n

    def x(self, dtype, shape, zp=0, lo=None, hi=None, kind="rnd"):
        r = typed.RANGE[dtype]
        lo, hi = r[0] if lo is None else lo, r[1] if hi is None else hi
        return Tensor(dtype, shape, self.fill(lo, hi, numel(shape), kind), zp, lo, hi)

    def const(self, dtype, shape, lo=None, hi=None, kind="rnd", zp=0):
        lo, hi = typed.RANGE[dtype][0] if lo is None else lo, typed.RANGE[dtype][1] if hi is None else hi
        return Tensor(dtype, shape, self.fill(lo, hi, numel(shape), kind), zp, const=True)

    def stage(self, attrs, inputs, dtype, zp=0, lo=None, hi=None, per=False, gain=1.0):
        """A stage whose outputs spread over the dtype: from the greatest accumulator of the raw node."""
        raw = typed.apply(self.op, attrs, inputs)[0]
        top, channels = max([1] + [abs(v) for v in raw.data]), raw.shape[-1] if raw.shape else 1
        r = typed.RANGE[dtype]
        mu = min(gain * r[1] / top, 2**20)
        l = 0
        while mu * 2 >= 2**l and l < 24 and 2 * max(abs(raw.lo), abs(raw.hi)) << l < 2**31:
            l += 1
        m = min(2**31 - 1, int(mu * 2 ** (32 - l)))
        ms = [m] if not per else [m] + [self.R.randint(m // 4, m) for _ in range(channels - 1)]
        if l and max(ms) < 2**30:
            ms[0] = 2**30
        s = {
            "m": ms,
            "l": l,
            "dtype": dtype,
            "zp": zp,
            "lo": r[0] if lo is None else lo,
            "hi": r[1] if hi is None else hi,
        }
        return {**attrs, "stage": s}

    def add(self, attrs, inputs):
        """One vector; None drops an absent operand."""
        inputs = {k: v for k, v in inputs.items() if v is not None}
        out = typed.apply(self.op, attrs, inputs)
        show = lambda v: [t.json() for t in v] if isinstance(v, list) else v.json()
        row = {"op": self.op, "attrs": attrs, "inputs": {k: show(v) for k, v in inputs.items()}}
        self.cases.append({**row, "expected": [t.json() for t in out]})

    def both(self, attrs, inputs, *stages, **extra):
        """The raw node, then one vector per stage: (dtype, zp, lo, hi, per channel)."""
        self.add(attrs, inputs)
        for dtype, zp, lo, hi, per in stages:
            self.add(self.stage(attrs, inputs, dtype, zp, lo, hi, per, **extra), inputs)

    def done(self):
        emit(f"ops/tensor_{self.op}.json", self.cases)
