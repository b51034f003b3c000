"""Scores a table on Ray: ray_job.py FOLDER. A JSON line a run: the table in partitions, shared out among workers that each hold the
module. In some runs a worker dies by SIGKILL in the middle of a partition; Ray starts another, which does it again."""
import hashlib
import json
import os
import pathlib
import signal
import sys
import time

import polars as pl
import ray

from scorer import Scorer


def begun_by(path):
    """Processes and first rows of the partitions that were begun, in order."""
    return [tuple(map(int, line.split())) for line in path.read_text().splitlines()]


@ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=-1)
class Worker:
    def __init__(self, table, module, columns):
        self.table, self.scorer = table, Scorer(module.read_bytes(), columns)

    def pid(self):
        return os.getpid()

    def score(self, first, end, begun, fatal):
        """Scores of rows first…end − 1, and the process. A fatal partition kills the first process that is halfway through it."""
        again = any(row == first for _, row in begun_by(begun))
        with begun.open("a") as f:
            f.write(f"{os.getpid()} {first}\n")
        part = pl.scan_parquet(self.table).slice(first, end - first).select("features").collect()
        rows = part["features"].to_numpy()
        if fatal and not again:
            self.scorer.score(rows[: len(rows) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return self.scorer.score(rows).tobytes(), os.getpid()


def run(folder, job, profile, count, cuts, kill):
    begun = folder / "begun"
    begun.write_text("")
    table, module = folder / "rows.parquet", folder / f"{profile}.wasm"
    workers = [Worker.remote(table, module, job["columns"]) for _ in range(count)]
    pids = ray.get([w.pid.remote() for w in workers])
    parts = list(zip(cuts, [*cuts[1:], job["rows"]]))
    fatal = parts[len(parts) // 3] if kill else None
    waiting, flying, done = parts[::-1], {}, {}
    start = time.perf_counter()
    free = list(workers)
    while waiting or flying:
        while free and waiting:
            part, worker = waiting.pop(), free.pop()
            flying[worker.score.remote(*part, begun, part == fatal)] = part, worker
        for ready in ray.wait(list(flying))[0]:
            part, worker = flying.pop(ready)
            done[part] = ray.get(ready)
            free.append(worker)
    seconds = time.perf_counter() - start
    for w in workers:
        ray.kill(w)
    firsts = [first for _, first in begun_by(begun)]
    return {
        "engine": "ray",
        "profile": profile,
        "workers": count,
        "partitions": len(parts),
        "killed": kill,
        "redone": len(firsts) - len(set(firsts)),
        "fresh": len({pid for _, pid in done.values()} - set(pids)),
        "digest": hashlib.sha256(b"".join(done[p][0] for p in parts)).hexdigest(),
        "rowsPerSecond": round(job["rows"] / seconds),
    }


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    job = json.loads((folder / "job.json").read_text())
    os.environ["PYTHONPATH"] = str(pathlib.Path(__file__).parent)  # workers import the scorer, too
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR", object_store_memory=10**8)
    for r in job["runs"]:
        print(json.dumps(run(folder, job, r["profile"], r["workers"], r["cuts"], r["kill"])), flush=True)
    ray.shutdown()


main()
