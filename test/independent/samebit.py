"""A second implementation of samebit, written from spec/ alone: `python3 samebit.py < requests.json`.

Standard input is a JSON list of requests {"model": base64 of the .sbm bytes, "inputs": [[raw integers] of each input, in order,
row-major; null for a state input at its first value], "dims": {symbol: value}}; without "inputs" the model is only decoded. Standard output is the list of answers: {"id",
"digest", "gas", "memory", "outputs"}, {"id"}, or {"refused": why} where the bytes are not a valid model. It decodes, checks
the canonical form, infers and proves, prices, plans memory and evaluates.
"""

import base64
import hashlib
import json
import struct
import sys
from math import prod

import ops
from cost import gas, memory, shapes_of
from model import DTYPES, Model, at
from proofs import check
from wire import Refused


def concrete(value, dims):
    """An attribute with every dim evaluated."""
    if isinstance(value, tuple):
        return at(value, dims)
    return [concrete(v, dims) for v in value] if isinstance(value, list) else value


def evaluate(m, inputs, dims):
    """All tensors of a run by id."""
    tensors = []
    for d, v in zip(m.inputs, inputs):
        shape = [at(e, dims) for e in d["shape"]]
        tensors.append(ops.Tensor(d["dtype"], shape, d["zp"], [d["zp"]] * prod(shape) if v is None else v))
    tensors += [ops.Tensor(c["dtype"], c["shape"], c["zp"], c["data"]) for c in m.constants]
    shapes, most = shapes_of(m), [s["max"] for s in m.symbols]
    for node in m.nodes:
        operands = [None if i < 0 else tensors[i] for i in node.inputs]
        if node.op in ("softmax", "log_softmax", "sample"):
            operands[0].kmax = at(shapes[node.inputs[0]][1][-1], most)
        tensors += ops.run(node.op, {k: concrete(v, dims) for k, v in node.attrs.items()}, operands)
    return tensors


def canonical(t, u8):
    """Dtype code and canonical bytes of an output."""
    if u8:
        return 5, bytes(v + 128 for v in t.data)
    return DTYPES.index(t.dtype), struct.pack(f"<{len(t.data)}{ {'i16': 'h', 'i32': 'i'}.get(t.dtype, 'b') }", *t.data)


def digest(m, outputs):
    data = b"samebit/run/1" + m.id
    for i, (o, t) in enumerate(zip(m.outputs, outputs)):
        code, raw = canonical(t, o["u8"])
        data += struct.pack(f"<{3 + len(t.shape)}I", i, code, len(t.shape), *t.shape) + raw
    return hashlib.sha256(data).hexdigest()


def answer(request):
    try:
        m = Model(base64.b64decode(request["model"]))
        check(m)
    except Refused as e:
        return {"refused": str(e)}
    if "inputs" not in request:
        return {"id": m.id.hex()}
    dims = [request.get("dims", {})[s["name"]] for s in m.symbols]
    tensors = evaluate(m, request["inputs"], dims)
    outputs = [tensors[o["tensor"]] for o in m.outputs]
    facts = {"id": m.id.hex(), "digest": digest(m, outputs), "gas": str(gas(m, dims)), "memory": memory(m, dims)}
    return {**facts, "outputs": [t.data for t in outputs]}


if __name__ == "__main__":
    json.dump([answer(r) for r in json.load(sys.stdin)], sys.stdout, separators=(",", ":"))
