/**
 * Times cases with a fixed number of threads: argv is the folder of the files and that number. Sends a row for each case and
 * subject to its parent.
 * @module
 */
import { readFileSync } from 'node:fs';
import type { Prepared } from './cases.ts';
import { interleave, pairedRatio, type Times } from './measure.ts';
import { type Roofline, startRoofline } from './roofline.ts';
import { type Lane, SUBJECTS, type Subject } from './subjects.ts';

/** A figure: milliseconds a run; the ratio is that of the medians by round, above 1 where samebit is faster. */
export interface Row {
  readonly case: string;
  readonly subject: string;
  readonly threads: number;
  readonly medianMs: number;
  readonly p10Ms: number;
  readonly p90Ms: number;
  readonly ratioToSamebit: number;
  /** Cosine between its output and that of the float network; none for real models. */
  readonly cosine?: number;
}

/** What a child sends. */
export type Message = { readonly progress: string } | { readonly rows: readonly Row[] };

/** Milliseconds that a case is timed for. */
const BUDGET_MS = 4000;
/** Cosine below which a subject does not compute the network. */
const ALIKE = 0.9;

function send(message: Message): Promise<unknown> {
  return new Promise((resolve) => process.send!(message, resolve));
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((v, i) => {
    ab += v * b[i]!;
    aa += v * v;
    bb += b[i]! * b[i]!;
  });
  return ab / Math.sqrt(aa * bb);
}

/** How near every subject's output is to the first float one's; throws where one computes something else. */
async function compared(c: Prepared, subjects: readonly Subject[], lanes: readonly Lane[]): Promise<number[]> {
  const outputs: Float32Array[] = [];
  for (const lane of lanes) outputs.push(await lane.output());
  const reference = outputs[subjects.findIndex((s) => s.name.endsWith('f32'))]!;
  return outputs.map((y, i) => {
    const alike = cosine(y, reference);
    if (y.length !== reference.length || !(alike > ALIKE))
      // NaN is not
      throw new Error(`${c.name}: the output of ${subjects[i]!.name} is not that of the network (cosine ${alike})`);
    return alike;
  });
}

/** samebit, then the peers of as many threads. */
function subjectsOf(c: Prepared, threads: number): Subject[] {
  const own = SUBJECTS.findLast((s) => s.name === 'samebit' && s.threads <= threads)!;
  return [own, ...SUBJECTS.filter((s) => s.name !== 'samebit' && s.threads === threads && s.takes(c))];
}

/** The least time of the case on one thread: its products, or one reading of its weights, as fast as in the same rounds. */
function boundOf(c: Prepared, { macs, bytes }: Roofline, multiply: Times, read: Times): Omit<Times, 'rounds'> {
  const at = (of: 'median' | 'p10' | 'p90'): number =>
    Math.max((c.macs / macs) * multiply[of], (c.weights / bytes) * read[of]);
  return { median: at('median'), p10: at('p10'), p90: at('p90') };
}

async function rowsOf(c: Prepared, threads: number, roofline: Roofline): Promise<Row[]> {
  const subjects = subjectsOf(c, threads);
  const lanes: Lane[] = [];
  for (const s of subjects) {
    await send({ progress: `${c.name}, threads: ${threads}, loading ${s.name}` });
    lanes.push(await s.load(c));
  }
  const alike = c.real ? [] : await compared(c, subjects, lanes);
  await send({ progress: `${c.name}, threads: ${threads}, timing` });
  const bounds = [{ run: roofline.multiply }, { run: roofline.read }];
  const all = await interleave([...lanes, ...bounds], BUDGET_MS);
  for (const lane of lanes) await lane.dispose();
  const [multiply, read] = all.splice(-2) as [Times, Times];
  const samebit = all[0]!;
  const row = (subject: string, of: number, t: Omit<Times, 'rounds'>, ratioToSamebit: number): Row => ({
    case: c.name,
    subject,
    threads: of,
    medianMs: t.median,
    p10Ms: t.p10,
    p90Ms: t.p90,
    ratioToSamebit,
  });
  const bound = boundOf(c, roofline, multiply, read);
  return [
    ...subjects.map((s, i) => ({
      ...row(s.name, s.threads, all[i]!, pairedRatio(all[i]!, samebit)),
      ...(alike[i] !== undefined && { cosine: alike[i] }),
    })),
    row('bound', 1, bound, bound.median / samebit.median),
  ].filter((r) => r.threads === threads);
}

const [folder, threads] = [process.argv[2]!, Number(process.argv[3])];
try {
  const cases = JSON.parse(readFileSync(`${folder}/cases.json`, 'utf8')) as Prepared[];
  const roofline = startRoofline(readFileSync(`${folder}/roofline.wasm`));
  for (const c of cases) await send({ rows: await rowsOf(c, threads, roofline) });
} catch (error) {
  console.error(error); // here, because a peer that is loaded prints all of its own source first
  process.exitCode = 1;
}
process.exit(); // peers keep threads
