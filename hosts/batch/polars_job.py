"""Scores a table in Polars: polars_job.py FOLDER. Parquet in, Parquet out, by both engines of Polars; a JSON line a run. `--prepare`
makes rows.parquet of the integers in rows.bin instead."""
import hashlib
import json
import pathlib
import sys
import threading
import time

import numpy as np
import polars as pl

from scorer import Scorer

_own = threading.local()


def prepare(folder, job):
    rows = np.fromfile(folder / "rows.bin", "<i2").reshape(job["rows"], job["columns"])
    table = pl.DataFrame({"row": np.arange(len(rows), dtype=np.uint32), "features": rows})
    table.write_parquet(folder / "rows.parquet", row_group_size=8192)


def run(folder, job, profile, engine):
    wasm, sizes = (folder / f"{profile}.wasm").read_bytes(), []

    def score(features):
        """Scores of a part of the column, by the scorer of this thread: a store is one thread's."""
        if getattr(_own, "profile", None) != profile:
            _own.profile, _own.scorer = profile, Scorer(wasm, job["columns"])
        sizes.append(len(features))
        return pl.Series(_own.scorer.score(features.to_numpy())[:, 0])

    start, processor = time.perf_counter(), time.process_time()
    scored = pl.col("features").map_batches(score, return_dtype=pl.Int16, is_elementwise=True).alias("score")
    out = folder / "scores.parquet"
    pl.scan_parquet(folder / "rows.parquet").select("row", scored).sink_parquet(out, engine=engine)
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    scores = pl.read_parquet(out).sort("row")["score"].to_numpy().astype("<i2")
    return {
        "engine": f"polars {engine}",
        "profile": profile,
        "partitions": len(sizes),
        "digest": hashlib.sha256(scores.tobytes()).hexdigest(),
        "rowsPerSecond": round(job["rows"] / seconds),
        "processorMicros": round(1e6 * processor / job["rows"], 2),
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    job = json.loads((folder / "job.json").read_text())
    if "--prepare" in sys.argv:
        return prepare(folder, job)
    for _ in range(job["rounds"]):
        for profile in job["profiles"]:
            for engine in ("in-memory", "streaming"):
                print(json.dumps(run(folder, job, profile, engine)), flush=True)


main()
