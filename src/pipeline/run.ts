/**
 * What all tasks share: a model from bytes, a path or an address, its runs counted, and an answer that carries their digest and gas.
 * @module
 */
import { digestOf, hex } from '../core/digest.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Model, OutputDecl } from '../graph/ir.ts';
import { dequantizeOutput } from '../quant/float-io.ts';
import type { Inputs } from '../runtime/inputs.ts';
import { loadModel } from '../runtime/load.ts';
import type { RunResult } from '../runtime/result.ts';
import { createSession, type Session, type SessionOptions } from '../runtime/session.ts';
import { bytesAt } from '../runtime/source.ts';

/** A model, the bytes of an `.sbm` file, or a path or an address where they lie. */
export type PipelineSource = Model | Uint8Array | ArrayBuffer | string | URL;

/** What a task answers: `output`, the digest of the run (of all run digests in turn, where there were several), and their gas. */
export interface Answer<T> {
  readonly output: T;
  readonly digest: string;
  readonly gasUsed: bigint;
}

/** A task made ready: call it, and dispose of it in the end. */
export interface Pipeline<Input, Options, Output> {
  (input: Input, options?: Options): Promise<Answer<Output>>;
  readonly task: string;
  readonly model: Model;
  readonly session: Session;
  dispose(): void;
}

/** The model of a source. @throws ModelError, or TypeError where an address gives no file */
export async function modelOf(source: PipelineSource): Promise<Model> {
  if (typeof source === 'string' || source instanceof URL) {
    const bytes = await bytesAt(source).catch((e: Error) => {
      throw new TypeError(e.message);
    });
    return loadModel(bytes);
  }
  if (source instanceof ArrayBuffer) return loadModel(new Uint8Array(source.slice(0)));
  return source instanceof Uint8Array ? loadModel(source) : source;
}

/** Runs of one call. */
export class Runs {
  readonly #session: Session;
  readonly #digests: string[] = [];
  #gas = 0n;

  constructor(session: Session) {
    this.#session = session;
  }

  async run(inputs: Inputs): Promise<RunResult['outputs']> {
    const { outputs, gasUsed, digest } = await this.#session.run(inputs);
    this.#digests.push(digest);
    this.#gas += gasUsed;
    return outputs;
  }

  /** The answer of the call: the digest is that of its only run, or SHA-256 over the bytes of all. */
  answer<T>(output: T): Answer<T> {
    const [first] = this.#digests;
    const bytes = this.#digests.flatMap((d) => d.match(/../g)!.map((b) => Number.parseInt(b, 16)));
    const digest = this.#digests.length === 1 ? first! : hex(digestOf(Uint8Array.from(bytes)));
    return { output, digest, gasUsed: this.#gas };
  }
}

/** A task over a session: `solve` gets the runs of a call. */
export async function task<Input, Options, Output>(
  name: string,
  model: Model,
  options: SessionOptions,
  solve: (runs: Runs, input: Input, options: Options | undefined) => Promise<Output>,
): Promise<Pipeline<Input, Options, Output>> {
  const session = await createSession(model, options);
  const call = async (input: Input, given?: Options): Promise<Answer<Output>> => {
    const runs = new Runs(session);
    return runs.answer(await solve(runs, input, given));
  };
  return Object.assign(call, { task: name, model, session, dispose: () => session.dispose() });
}

/** The only entry of a list. @throws TypeError for none or several: the model is none of the task */
export function only<T>(list: readonly T[], what: string, name: string): T {
  if (list.length !== 1) throw new TypeError(`${name} takes a model with one ${what}; this one has ${list.length}`);
  return list[0]!;
}

/** Real values of an output. */
export function realValues(model: Model, o: OutputDecl, outputs: Readonly<Record<string, Tensor>>): Float64Array {
  return dequantizeOutput(o, outputs[o.name]!, model.tensors[o.tensor]!.zp);
}
