/**
 * What a run yields.
 * @module
 */
import { hex, runDigest } from '../core/digest.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Model } from '../graph/ir.ts';

/**
 * What a run yields: owned outputs by name, gas, and the run digest in hexadecimal. The digest is computed when it is first
 * read, of the outputs as they are then: read it before you change them.
 */
export interface RunResult {
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly gasUsed: bigint;
  readonly digest: string;
}

/** The result of a run; `stale` says whether its outputs have been written over. */
export class Result implements RunResult {
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly gasUsed: bigint;
  readonly #model: Model;
  readonly #stale: () => boolean;
  #digest: string | undefined;

  constructor(model: Model, outputs: Readonly<Record<string, Tensor>>, gasUsed: bigint, stale: () => boolean) {
    this.#model = model;
    this.#stale = stale;
    this.outputs = outputs;
    this.gasUsed = gasUsed;
  }

  get digest(): string {
    if (this.#digest === undefined && this.#stale()) {
      throw new TypeError('read the digest of a runSync with into before the next one overwrites its outputs');
    }
    this.#digest ??= hex(
      runDigest(
        this.#model.id,
        this.#model.outputs.map((o) => this.outputs[o.name]!),
      ),
    );
    return this.#digest;
  }
}
