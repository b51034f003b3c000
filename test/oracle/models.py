"""Writes the golden models below test/golden/models: `python3 test/oracle/models.py`. With `--check` it only compares.

Each line of a file is one model: the `.sbm` bytes in base64, and what the specification says of it (test/oracle/README.md). Seeded
and free of the machine: running it again writes the same bytes.
"""

import json
import os
import sys

import models_cells
import models_graphs
import models_lines
import models_more
import models_nodes
import models_rest
from common import GOLDEN


def main():
    stale, counts = [], 0
    for name, makers in (models_nodes.GROUPS | models_graphs.GROUPS | models_more.GROUPS | models_rest.GROUPS | models_lines.GROUPS | models_cells.GROUPS).items():
        rows = [row for make in makers for row in make()]
        counts += len(rows)
        text = "[\n" + ",\n".join(json.dumps(r, separators=(",", ":"), ensure_ascii=True) for r in rows) + "\n]\n"
        path = os.path.join(GOLDEN, "models", f"{name}.json")
        old = open(path, encoding="ascii").read() if os.path.exists(path) else None
        if old != text:
            stale.append(path)
            if "--check" not in sys.argv:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                open(path, "w", encoding="ascii").write(text)
        print(f"{name}: {len(rows)} models, {len(text) // 1024} KiB")
    print(f"golden models: {counts}, {len(stale)} files changed")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
