/**
 * Times subjects by turns in one process, so that a clock that drifts or work that comes between falls on all of them.
 * @module
 */

/** What is timed. */
export interface Timed {
  readonly run: () => unknown;
}

/** Times of single runs in milliseconds over the rounds, and the times of the rounds themselves, by round. */
export interface Times {
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
  readonly rounds: readonly number[];
}

const WARM_MS = 300;
const WARM_RUNS = 3;
/** A subject this slow is warm after one run. */
const SLOW_MS = 2000;
/** Runs of a subject in a round go on for about this long. */
const TURN_MS = 10;
/** A subject this fast gets a run that is not timed at the start of its turn, for its caches and threads. */
const WAKE_MS = 60;
const [ROUNDS_LEAST, ROUNDS_MOST] = [9, 41];

/** The value below which a share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

/** Lets the engine compile a subject at its best; milliseconds a run, of its second half. */
async function warm({ run }: Timed): Promise<number> {
  const times: number[] = [];
  for (const start = performance.now(); times.length < WARM_RUNS || performance.now() - start < WARM_MS; ) {
    if (times.some((ms) => ms > SLOW_MS)) break;
    const from = performance.now();
    await run();
    times.push(performance.now() - from);
  }
  return quantile(times.slice(times.length >> 1), 0.5);
}

/** One turn of a subject: milliseconds a run. */
async function turn({ run }: Timed, expected: number): Promise<number> {
  if (expected < WAKE_MS) await run();
  const runs = Math.max(1, Math.round(TURN_MS / expected));
  const start = performance.now();
  for (let i = 0; i < runs; i++) await run();
  return (performance.now() - start) / runs;
}

/**
 * Warms every subject, then lets them take turns, forwards and backwards, for about `budget` milliseconds: `least` to 41
 * rounds. Yields the times in the order of the subjects.
 */
export async function interleave(
  subjects: readonly Timed[],
  budget: number,
  least: number = ROUNDS_LEAST,
): Promise<Times[]> {
  const lanes: { subject: Timed; expected: number; rounds: number[] }[] = [];
  for (const subject of subjects) lanes.push({ subject, expected: await warm(subject), rounds: [] });
  const round = lanes.reduce((ms, { expected }) => ms + Math.max(expected, TURN_MS), 0);
  const count = Math.min(Math.max(Math.round(budget / round), least), ROUNDS_MOST);
  for (let i = 0; i < count; i++) {
    for (const lane of i % 2 === 0 ? lanes : lanes.toReversed())
      lane.rounds.push(await turn(lane.subject, lane.expected));
  }
  return lanes.map(({ rounds }) => ({
    median: quantile(rounds, 0.5),
    p10: quantile(rounds, 0.1),
    p90: quantile(rounds, 0.9),
    rounds,
  }));
}

/** Median of the ratios of two subjects in the same round. */
export function pairedRatio(a: Times, b: Times): number {
  return quantile(
    a.rounds.map((ms, i) => ms / b.rounds[i]!),
    0.5,
  );
}
