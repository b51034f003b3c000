/**
 * Runs that a party makes again: models by header, and traces by their call data.
 * @module
 */
import { type Commitment, commit } from '../consensus/commitment.ts';
import { type Header, headerHash, headerOf } from '../consensus/header.ts';
import { leafHash, treeOfChunks, treeOver } from '../consensus/merkle.ts';
import { traceRun } from '../consensus/trace.ts';
import { InputError } from '../core/errors.ts';
import { byteLength, fromBytes, type Tensor, toBytes } from '../core/tensor.ts';
import { decodeCall } from '../evm/calldata.ts';
import { type Hex, toHex } from '../evm.ts';
import type { Model } from '../graph/ir.ts';
import { createPlan } from '../runtime/plan.ts';
import type { RunResult } from '../runtime/result.ts';
import { createSession, type Session } from '../runtime/session.ts';
import type { KnownRun } from './court.ts';

/** Traces that are kept. */
const KEPT = 64;

/** A model that is at hand. */
export interface Held {
  readonly model: Model;
  readonly commitment: Commitment;
  readonly header: Header;
  readonly key: Hex;
}

/** A run with its outputs. */
export interface Made extends KnownRun {
  readonly result: RunResult;
}

/** A model as markets name it. */
export function hold(model: Model): Held {
  const commitment = commit(model, 'keccak256');
  const header = headerOf(commitment);
  return { model, commitment, header, key: toHex(headerHash(header)) };
}

/**
 * What a job names a run by, without running it.
 * @param data call data of the run
 * @throws RangeError where they are none of the model
 */
export function namedRun(
  { header, model }: Held,
  data: Uint8Array,
): { readonly dims: readonly number[]; readonly inputRoot: Hex } {
  const call = decodeCall(header, model, data);
  if (call === undefined) throw new RangeError('the call data are none of this model');
  const roots = model.inputs.map((d) => {
    const { data: elements } = call.inputs[d.name]!;
    const bytes = toBytes(elements);
    return treeOfChunks(header.hash, d.u8 ? bytes.map((b) => b ^ 0x80) : bytes).root;
  });
  const leaves = roots.map((r) => leafHash(header.hash, r));
  return { dims: call.dims, inputRoot: toHex(treeOver(header.hash, leaves).root) };
}

/**
 * The outputs of a run from their canonical bytes.
 * @param raw true for bytes as traces and jobs have them: those of a u8 view less 128
 */
export function outputsFrom(
  model: Model,
  dims: readonly number[],
  parts: readonly Uint8Array[],
  raw: boolean,
): Tensor[] {
  const { tensors } = createPlan({ model, dims });
  return model.outputs.map((o, i): Tensor => {
    const { dtype, shape } = tensors[o.tensor]!;
    const bytes = parts[i]!.slice();
    if (!o.u8) return { dtype, shape, data: fromBytes(dtype, bytes) } as Tensor;
    return { dtype: 'u8', shape, data: raw ? bytes.map((b) => b ^ 0x80) : bytes };
  });
}

/** The outputs of a call, which has them one after the other. */
export function outputsOfCall(model: Model, dims: readonly number[], bytes: Uint8Array): Tensor[] {
  const { tensors } = createPlan({ model, dims });
  let at = 0;
  const parts = model.outputs.map((o) => {
    const { dtype, count } = tensors[o.tensor]!;
    return bytes.subarray(at, (at += byteLength(dtype, count)));
  });
  return outputsFrom(model, dims, parts, false);
}

/** Models that a party has the bodies of. */
export class Shelf {
  readonly #held: ReadonlyMap<Hex, Held>;
  readonly #sessions: Map<Hex, Session> = new Map();
  readonly #made: Map<string, Made> = new Map();

  constructor(models: readonly Model[]) {
    this.#held = new Map(models.map((m) => hold(m)).map((h) => [h.key, h]));
  }

  /** Header hashes. */
  get keys(): readonly Hex[] {
    return [...this.#held.keys()];
  }

  /** The model of a header hash. */
  get(key: Hex): Held | undefined {
    return this.#held.get(key);
  }

  /**
   * The run of call data; undefined where the model is not at hand or takes no such input.
   * @param data call data of the precompile behind the header hash
   */
  async run(key: Hex, data: Uint8Array): Promise<Made | undefined> {
    const held = this.#held.get(key);
    const call = held && decodeCall(held.header, held.model, data);
    if (held === undefined || call === undefined) return undefined;
    const name = `${key} ${toHex(data)}`;
    let made = this.#made.get(name);
    if (made === undefined) {
      let session = this.#sessions.get(key);
      if (session === undefined)
        this.#sessions.set(key, (session = await createSession(held.model, { mode: 'trace' })));
      try {
        made = { header: held.header, ...(await traceRun(held.commitment, session, call.inputs)) };
      } catch (e) {
        if (e instanceof InputError) return undefined;
        throw e;
      }
    }
    this.#made.delete(name);
    this.#made.set(name, made); // the last one used is the last to go
    for (const old of this.#made.keys()) {
      if (this.#made.size <= KEPT) break;
      this.#made.delete(old);
    }
    return made;
  }
}
