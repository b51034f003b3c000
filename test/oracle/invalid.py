"""Writes the invalid files below test/golden/invalid: `python3 test/oracle/invalid.py`. With `--check` it only compares; with
`--why` it lists why the second implementation refuses each.

Each line of a file is {rule, code, bad, good?}: bytes that are no valid model, the error code that says why, and a twin on the
accepted side of the edge. A file is base64, or a list of base64 and segments of rows (test/oracle/README.md).
"""

import json
import os
import sys

import invalid_format
import invalid_limits
import invalid_ops
import invalid_rows
import invalid_kit as kit
from common import GOLDEN


def main():
    stale, total = [], 0
    for name, module in (("format", invalid_format), ("linear", invalid_ops), ("rows", invalid_rows), ("limits", invalid_limits)):
        kit.cases.clear()
        for f in module.GROUP:
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
