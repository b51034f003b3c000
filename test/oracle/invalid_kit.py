"""What the writers of invalid files share: graphs that need not be valid, pairs around an edge, and files in segments."""

import base64
import re

from sbm import Builder, encode, varint

from model import Model  # isort: skip
from proofs import check  # isort: skip
from wire import Refused  # isort: skip

cases = []
OUTPUTS = {"lstm": 3, "topk": 2, "gru": 2, "nms": 2}


class Loose(Builder):
    """A builder that also takes nodes that the rules refuse."""

    def op(self, op, *handles, **attrs):
        try:
            return super().op(op, *handles, **attrs)
        except (Refused, TypeError, KeyError, ValueError, IndexError):
            self.nodes.append({"op": op, "inputs": list(handles), "attrs": attrs})
            out = [("node", len(self.nodes) - 1, i) for i in range(OUTPUTS.get(op, 1))]
            self.types |= {h: {} for h in out}
            return out if len(out) > 1 else out[0]


class X:
    """A variable operand."""

    def __init__(self, dtype, shape, zp=0, lo=None, hi=None, **extra):
        self.args, self.extra = (dtype, shape, zp, lo, hi), extra


class C:
    """A constant operand; an integer fills it."""

    def __init__(self, dtype, shape, data=0, zp=0):
        n = 1
        for d in shape:
            n *= d
        self.args = (dtype, shape, data if isinstance(data, (list, bytes)) else [data] * n, zp)


def add(b, v):
    if v is None:
        return None
    if isinstance(v, X):
        return b.x(*v.args, **v.extra)
    return b.const(*v.args) if isinstance(v, C) else v


def one(op, *operands, symbols=None, also=(), **attrs):
    """The graph of one node; `also` are further inputs (that hold a symbol)."""
    b = Loose(**(symbols or {}))
    made = {id(v): add(b, v) for v in operands}
    for v in also:
        add(b, v)
    h = b.op(op, *[made[id(v)] for v in operands], **attrs)
    b.out(*(h if isinstance(h, list) else [h]))
    return b.graph()


def tables(**other):
    """The three tables of an lstm, of one value each unless given."""
    return [
        other.get(k) or C("i16", [513], v) for k, v in (("sigmoid", 257 * 9), ("tanh", 257 * 5), ("tanh_c", 257 * 3))
    ]


# ---------------------------------------------------------------- files
def segment(count, *pieces):
    """`count` rows of pieces: bytes, or (kind, first, step) for a number that grows by step a row; kinds: varint, dec4, le4."""
    return {
        "count": count,
        "pieces": [base64.b64encode(p).decode() if isinstance(p, bytes) else list(p) for p in pieces],
    }


NUMBER = {"varint": varint, "dec4": lambda v: b"%04d" % v, "le4": lambda v: v.to_bytes(4, "little")}


def expand(file):
    """The bytes of a file: base64, or a list of base64 and segments."""
    out = bytearray()
    for part in file if isinstance(file, list) else [file]:
        if isinstance(part, str):
            out += base64.b64decode(part)
            continue
        pieces = [base64.b64decode(p) if isinstance(p, str) else p for p in part["pieces"]]
        if len(pieces) == 1 and isinstance(pieces[0], bytes):
            out += pieces[0] * part["count"]
            continue
        for i in range(part["count"]):
            for p in pieces:
                out += p if isinstance(p, bytes) else NUMBER[p[0]](p[1] + p[2] * i)
    return bytes(out)


def runs(data):
    """Bytes with long runs of one byte as segments."""
    out, at = [], 0
    for m in re.finditer(rb"(.)\1{63,}", data, re.DOTALL):
        out += [data[at : m.start()], segment(m.end() - m.start(), m.group(1))]
        at = m.end()
    return [p for p in (*out, data[at:]) if p != b""]


def file_of(v):
    """A graph, bytes, or a list of bytes and segments as a file."""
    if isinstance(v, dict):
        v = encode(v)
    parts = runs(v) if isinstance(v, bytes) else v
    parts = [base64.b64encode(p).decode() if isinstance(p, bytes) else p for p in parts]
    return parts[0] if len(parts) == 1 else parts or ""


def refusal(file):
    """Why the second implementation refuses the bytes; None if it does not."""
    try:
        check(Model(expand(file)))
        return None
    except Refused as e:
        return str(e)


def call(make, v):
    """A tuple holds several arguments, unless it is a dim."""
    dim = isinstance(v, tuple) and len(v) == 2 and isinstance(v[1], tuple) and all(isinstance(k, int) for k in v[1])
    return make(*v) if isinstance(v, tuple) and not dim else make(v)


def pair(rule, code, make, good, *bad):
    """A rule: `make` of each bad value is refused with `code`, of the good value it is accepted (None: the edge has no valid side)."""
    twin = None if good is None else file_of(call(make, good))
    why = None if twin is None else refusal(twin)
    assert why is None, (rule, "the twin is refused", why)
    for v in bad:
        file = file_of(call(make, v))
        why = refusal(file)
        assert why is not None, (rule, v if len(str(v)) < 99 else "", "is accepted")
        row = {"rule": rule, "code": code, "bad": file}
        known = twin is None or any(c["rule"] == rule and c.get("good") == twin for c in cases)
        cases.append(row if known else {**row, "good": twin})
        reasons.append((rule, code, why))


reasons = []
