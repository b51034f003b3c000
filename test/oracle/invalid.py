"""Writes the invalid files below test/golden/invalid: `python3 test/oracle/invalid.py`. With `--check` it only compares; with
`--why` it lists why the second implementation refuses each.

Each line of a file is {rule, code, bad, good?}: bytes that are no valid model, the error code that says why, and a twin on the
accepted side of the edge. A file is base64, or a list of base64 and segments of rows (test/oracle/README.md).
"""

import json
import os
import sys

import invalid_attributes as attributes
import invalid_cells as cells
import invalid_declared as declared
import invalid_elements as elements
import invalid_format as wire
import invalid_kit as kit
import invalid_limits as limits
import invalid_lines as lines
import invalid_more as more
import invalid_moves as moves
import invalid_operands as operands
import invalid_ops as linear
import invalid_rest as rest
import invalid_rows as rows
import invalid_states as states
from common import GOLDEN

FILES = {
    "format": (wire, attributes, declared),
    "linear": (linear, elements, operands),
    "rows": (rows, moves, cells),
    "more": (more,),
    "rest": (rest, lines, states),
    "limits": (limits,),
}


def main():
    stale, total = [], 0
    for name, modules in FILES.items():
        kit.cases.clear()
        for f in (f for m in modules for f in m.GROUP):
            f()
        total += len(kit.cases)
        text = "[\n" + ",\n".join(json.dumps(r, separators=(",", ":")) for r in kit.cases) + "\n]\n"
        path = os.path.join(GOLDEN, "invalid", f"{name}.json")
        old = open(path, encoding="ascii").read() if os.path.exists(path) else None
        if old != text:
            stale.append(path)
            if "--check" not in sys.argv:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                open(path, "w", encoding="ascii").write(text)
        print(f"{name}: {len(kit.cases)} files, {len(text) // 1024} KiB")
    print(f"invalid files: {total}, {len(stale)} files changed")
    if "--why" in sys.argv:
        for rule, code, why in kit.reasons:
            print(f"{rule} | {code} | {why}")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
