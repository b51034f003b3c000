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
        """Scores of rows first…end − 1, the process, and its seconds of processor. A fatal partition kills the first process that is halfway through it."""
        start = time.process_time()
        again = any(row == first for _, row in begun_by(begun))
        with begun.open("a") as f:
            f.write(f"{os.getpid()} {first}\n")
        part = pl.scan_parquet(self.table).slice(first, end - first).select("features").collect()
        rows = part["features"].to_numpy()
        if fatal and not again:
            self.scorer.score(rows[: len(rows) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return self.scorer.score(rows).tobytes(), os.getpid(), time.process_time() - start


def run(folder, job, profile, workers, cuts, kill, passes):
    """The table scored `passes` times over; one digest if all give the same scores."""
    begun = folder / "begun"
    begun.write_text("")
    table, module = folder / "rows.parquet", folder / f"{profile}.wasm"
    actors = [Worker.remote(table, module, job["columns"]) for _ in range(workers)]
    pids = ray.get([w.pid.remote() for w in actors])
    parts = list(zip(cuts, [*cuts[1:], job["rows"]]))
    fatal = parts[len(parts) // 3] if kill else None
    waiting, flying, done = [(k, p) for k in range(passes) for p in parts][::-1], {}, {}
    start = time.perf_counter()
    free = list(actors)
    while waiting or flying:
        while free and waiting:
            task, worker = waiting.pop(), free.pop()
            flying[worker.score.remote(*task[1], begun, task[1] == fatal)] = task, worker
        for ready in ray.wait(list(flying))[0]:
            task, worker = flying.pop(ready)
            done[task] = ray.get(ready)
            free.append(worker)
    seconds = time.perf_counter() - start
    for w in actors:
        ray.kill(w)
    firsts = [first for _, first in begun_by(begun)]
    digests = {hashlib.sha256(b"".join(done[k, p][0] for p in parts)).hexdigest() for k in range(passes)}
    return {
        "engine": "ray",
        "profile": profile,
        "workers": workers,
        "partitions": len(parts),
        "passes": passes,
        "killed": kill,
        "redone": len(firsts) - len(set(firsts)) * passes,
        "fresh": len({pid for _, pid, _ in done.values()} - set(pids)),
        "digest": " ".join(digests),
        "rowsPerSecond": round(passes * job["rows"] / seconds),
        "processorMicros": round(1e6 * sum(s for _, _, s in done.values()) / (passes * job["rows"]), 2),
    }


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    job = json.loads((folder / "job.json").read_text())
    os.environ["POLARS_MAX_THREADS"] = "1"  # a worker is one core
    os.environ["PYTHONPATH"] = str(pathlib.Path(__file__).parent)  # workers import the scorer, too
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR", object_store_memory=10**8)
    for r in job["runs"]:
        print(json.dumps(run(folder, job, **r)), flush=True)
    ray.shutdown()


main()
