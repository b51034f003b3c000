/**
 * The run, the chain and the game in a worker.
 * @module
 */
import { expose } from 'comlink';
import { createSession, loadModel } from 'samebit';
import { commit, headerOf, type Trace, traceRun } from 'samebit/consensus';
import { readNpy } from '../../../src/cli/npy.ts';
import { type Failure, failureOf } from '../shell/error.ts';
import { Court, Dispute, type Step } from './game.ts';

/** A tensor that a node makes, about whose elements one may lie in lo…hi. */
export interface Place {
  readonly index: number;
  readonly title: string;
  readonly count: number;
  readonly lo: number;
  readonly hi: number;
}

/** A run: what the network was shown, what it says, and its tensors. */
export interface Run {
  readonly pixels: Uint8Array;
  readonly class: number;
  readonly root: string;
  readonly places: readonly Place[];
  readonly elements: number;
}

/** Contracts of a court, for the progress of deploying them. */
const CONTRACTS = 13;

let court: Promise<Court> | undefined;
let honest: Trace | undefined;
let dispute: Dispute | undefined;

/** An element that stands in no tensor of the model may be any int32. */
const ANY: readonly [number, number] = [-(2 ** 31), 2 ** 31 - 1];

function placesOf(trace: Trace): Place[] {
  const { model, trace: entries } = trace.commitment;
  return entries.flatMap((e, index): Place[] => {
    if (e.node < 0) return [];
    const { data, shape } = trace.tensor(index);
    const t = e.tensor === undefined ? undefined : trace.plan.tensors[e.tensor]!;
    const [lo, hi] = t === undefined ? ANY : [t.lo, t.hi];
    const title = `${index}: ${model.nodes[e.node]!.op}, ${e.dtype} [${shape.join(', ')}]`;
    return data.length > 0 && lo < hi ? [{ index, title, count: data.length, lo, hi }] : [];
  });
}

async function guarded<T>(work: () => Promise<T>): Promise<T | Failure> {
  try {
    return await work();
  } catch (e) {
    return failureOf(e);
  }
}

const api = {
  /** Runs the model on picture `index` of an array of pictures. */
  run: (sbm: Uint8Array, pictures: Uint8Array, index: number): Promise<Run | Failure> =>
    guarded(async () => {
      const model = honest?.commitment.model ?? loadModel(sbm);
      const commitment = honest?.commitment ?? commit(model);
      const { data, shape } = readNpy(pictures);
      const size = shape.slice(1).reduce((a, b) => a * b, 1);
      const pixels = (data as Uint8Array).slice(index * size, (index + 1) * size);
      const session = await createSession(model, { backend: 'wasm', mode: 'trace' });
      const [input] = model.inputs;
      const tensor = { dtype: 'u8', shape: input!.shape as readonly number[], data: pixels } as const;
      const { result, trace } = await traceRun(commitment, session, { [input!.name]: tensor });
      session.dispose();
      [honest, dispute] = [trace, undefined];
      const scores = [...Object.values(result.outputs)[0]!.data];
      const places = placesOf(trace);
      const elements = places.reduce((n, p) => n + p.count, 0);
      const root = Array.from(trace.root, (b) => b.toString(16).padStart(2, '0')).join('');
      return { pixels, class: scores.indexOf(Math.max(...scores)), root, places, elements };
    }),

  /** The honest value of an element. */
  value: async (tensor: number, element: number): Promise<number> => honest!.tensor(tensor).data[element]!,

  /** Claims the run with one element changed; at first this deploys the contracts. */
  claim: (
    lie: { readonly tensor: number; readonly element: number; readonly value: number },
    hear: (done: number, of: number) => void,
  ): Promise<Step | Failure> =>
    guarded(async () => {
      const trace = honest!;
      court ??= Court.open((count) => hear(count, CONTRACTS)).then(async (c) => {
        await c.publish(headerOf(trace.commitment));
        return c;
      });
      court.catch(() => (court = undefined));
      dispute = new Dispute(await court, trace, lie);
      return dispute.claim();
    }),

  /** The next move of the game. */
  next: (): Promise<Step | Failure> => guarded(() => dispute!.next()),
};
/** What the page calls. */
export type Player = typeof api;
expose(api);
