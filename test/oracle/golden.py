"""Writes every golden vector below test/golden: `python3 test/oracle/golden.py`. With `--check` it only compares.

Seeded and free of the machine: running it again writes the same bytes.
"""

import os
import sys

import common
import vec_corners as C
import vec_elements as E
import vec_intervals
import vec_primitives
import vec_proofs
import vec_rows as V
import vec_sequences as Q
import vec_tensors as T
import vec_typed
import vec_typed_cells
import vec_typed_more
import vec_typed_rest


def generate():
    """The order matters: the generators draw from one seeded source."""
    for f in (E.primitives, E.elementwise, E.linear, E.pools):
        f()
    for f in (V.softmax, V.norms, V.recurrent, V.resizing, V.drawing):
        f()
    for f in (T.products, T.broadcasts, T.moves, T.rows, T.staged, Q.sequences):
        f()
    for f in (C.norm_scales, C.softmax_corners, C.cell_rounding, C.sample_corners, C.pool_corners, C.facts):
        f()
    vec_intervals.vectors()
    for f in vec_primitives.ALL + vec_typed.ALL + vec_typed_more.ALL + vec_typed_rest.ALL + vec_typed_cells.ALL:
        f()
    vec_proofs.vectors()


def main():
    generate()
    stale = []
    for path, (text, _) in common.files.items():
        full = os.path.join(common.GOLDEN, path)
        old = open(full, encoding="ascii").read() if os.path.exists(full) else None
        if old != text:
            stale.append(path)
            if "--check" not in sys.argv:
                os.makedirs(os.path.dirname(full), exist_ok=True)
                open(full, "w", encoding="ascii").write(text)
    cases, size = sum(n for _, n in common.files.values()), sum(len(t) for t, _ in common.files.values())
    print(f"golden: {len(common.files)} files, {cases} cases, {size // 1024} KiB, {len(stale)} changed")
    for path in stale:
        print("  ", path)
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
