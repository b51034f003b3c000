"""Writer of the acceptance cases: each is held against the verdict that it is written for."""

from tensor import numel
from typed import LIMIT, Proof, Reject, Tensor, apply

I8, I16, I32 = ("i8", (-128, 127)), ("i16", (-32768, 32767)), ("i32", (-(2**31), 2**31 - 1))
cases = []


def x(dtype, shape, lo, hi, zp=0, row_sum=None):
    return Tensor(dtype, shape, None, zp, lo, hi, False, row_sum)


def filled(dtype, shape, lo, hi, zp=0):
    """With elements, for the ops whose oracle has no shape rule of its own; they are not written."""
    return Tensor(dtype, shape, [lo] * numel(shape), zp, lo, hi)


def const(dtype, shape, values, zp=0):
    return Tensor(dtype, shape, values, zp, const=True)


def out(dtype="i16", zp=0, lo=None, hi=None):
    lim = I8[1] if dtype == "i8" else I16[1] if dtype == "i16" else I32[1]
    return {"dtype": dtype, "zp": zp, "lo": lim[0] if lo is None else lo, "hi": lim[1] if hi is None else hi}


def stage(m, l, **o):
    return {"m": m if isinstance(m, list) else [m], "l": l, **out(**o)}


def show(t):
    j = t.json()
    if t.const and len(t.data) > 8 and len(set(t.data)) == 1:
        del j["data"]
        j["fill"] = t.data[0]
    if not t.const:
        j.pop("data", None)
    return j


def case(rule, accept, op, attrs, **inputs):
    """Records one case; the oracle must agree with the verdict that the case is written for."""
    proof, figure, verdict = Proof(), None, True
    try:
        apply(op, attrs, inputs, proof)
        figure = proof.figures.get(rule)
    except Reject as e:
        verdict, figure = False, e.figure
        assert e.rule == rule, (op, attrs, "expected", rule, "found", e.rule, e.figure)
    assert verdict == accept, (op, attrs, rule, verdict, figure)
    row = {
        "op": op,
        "attrs": attrs,
        "inputs": {k: [show(t) for t in v] if isinstance(v, list) else show(v) for k, v in inputs.items()},
    }
    cases.append({**row, "accept": accept, "rule": rule, **({} if figure is None else {"figure": figure})})


def edge(rule, op, good, bad, limit=LIMIT):
    """A pair around a limit: the accepted figure is limit - 1, the refused one limit, where the op can reach both."""
    for accept, (attrs, inputs) in ((True, good), (False, bad)):
        case(rule, accept, op, attrs, **inputs)
        assert cases[-1]["figure"] == (limit - 1 if accept else limit), (rule, op, cases[-1]["figure"])


CONV = {"strides": [1, 1], "pads": [0, 0, 0, 0], "dilations": [1, 1], "groups": 1}
