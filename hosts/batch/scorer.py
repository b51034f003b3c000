"""Scores rows of integers with a compiled model: one module on wasmtime, a block of rows a run."""
import numpy as np
from wasmtime import Engine, Instance, Module, Store


class Scorer:
    """Of a module with one input, rows of `columns`, and one output; a block is as many rows as the module was compiled for."""

    def __init__(self, wasm, columns):
        engine = Engine()
        self.store = Store(engine)
        exports = Instance(self.store, Module(engine, wasm), []).exports(self.store)

        def area(kind):
            place, length = (exports[f"{kind}_{what}"](self.store, 0) for what in ("ptr", "len"))
            # memory of a fixed size does not move
            return np.frombuffer(exports["memory"].get_buffer_ptr(self.store, length, place), np.dtype("<i2"))

        self.infer = exports["infer"]
        values = area("input")
        if len(values) % columns:
            raise ValueError(f"the module's input of {len(values)} values is not made of rows of {columns}")
        self.input = values.reshape(-1, columns)
        self.block = len(self.input)
        self.output = area("output").reshape(self.block, -1)

    def score(self, rows):
        """Outputs of rows, in order. The last block is filled up with its first row, whose outputs are left out."""
        if rows.dtype != self.input.dtype or rows.ndim != 2 or rows.shape[1] != self.input.shape[1]:
            raise ValueError(f"rows are {self.input.dtype} [n, {self.input.shape[1]}], not {rows.dtype} {list(rows.shape)}")
        scores = np.empty((len(rows), self.output.shape[1]), self.output.dtype)
        for at in range(0, len(rows), self.block):
            part = rows[at : at + self.block]
            self.input[: len(part)] = part
            self.input[len(part) :] = part[0]
            if self.infer(self.store) != 0:
                raise ValueError(f"a value of rows {at} to {at + len(part) - 1} is outside its interval")
            scores[at : at + len(part)] = self.output[: len(part)]
        return scores

