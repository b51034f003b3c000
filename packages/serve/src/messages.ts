/**
 * What the server and its workers tell each other.
 * @module
 */
import type { TypedArray } from 'samebit';

/** Elements of one input: integers, or canonical bytes (spec/00-numerics.md §1.3). The shape may be left out where it is static. */
export interface GivenInput {
  readonly shape?: readonly number[] | undefined;
  readonly data: Int32Array | Uint8Array;
}

/** How an answer is written: JSON with integers, JSON with base64, or the canonical bytes of all outputs. */
export type AnswerForm = 'array' | 'base64' | 'bytes';

/** A run. */
export interface RunTask {
  readonly kind: 'run';
  /** Inputs by name, or canonical bytes of all of them in the order of the signature. */
  readonly inputs: Readonly<Record<string, GivenInput>> | Uint8Array;
  /** Values of the model's symbols, where the inputs are bytes. */
  readonly dims: readonly number[];
  /** Gas of schedule 1 that the caller allows, at most. */
  readonly gasLimit: bigint;
  /** Asks for the signed receipt of the run. */
  readonly receipt: boolean;
  readonly form: AnswerForm;
  /** States of a session by input name; undefined: the initial ones. */
  readonly state?: Readonly<Record<string, TypedArray>> | undefined;
  /** Outputs that a session keeps, by name: they come back as arrays; `hide`: those that the answer leaves out. */
  readonly keep?: readonly string[] | undefined;
  readonly hide?: readonly string[] | undefined;
}

/** Reading a file as a model. */
export interface InspectTask {
  readonly kind: 'inspect';
}

/** Work for one worker. */
export type Task = RunTask | InspectTask;

/** A task on its way. */
export interface Job {
  readonly id: number;
  readonly model: string;
  readonly task: Task;
}

/** Server to worker: `file` holds the bytes of a model, in memory that all threads share. */
export type ToWorker =
  | { readonly kind: 'load'; readonly model: string; readonly file: Uint8Array }
  | { readonly kind: 'unload'; readonly model: string }
  | { readonly kind: 'jobs'; readonly jobs: readonly Job[] };

/** An input or output as its model declares it; dims with symbols are texts. */
export interface Port {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly (number | string)[];
  readonly lo: number | string;
  readonly hi: number | string;
  readonly zp: number;
  readonly scale?: number;
}

/** What is known of a model without running it. Gas of schedule 1 and memory in bytes. */
export interface ModelFacts {
  readonly id: string;
  readonly bytes: number;
  readonly nodes: number;
  readonly symbols: readonly { readonly name: string; readonly min: number; readonly max: number }[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly states: readonly { readonly input: string; readonly output: string }[];
  readonly gas: { readonly min: number; readonly max: number };
  readonly memory: { readonly constants: number; readonly peak: number; readonly total: number };
}

/** What a run gives. */
export interface RunAnswer {
  readonly kind: 'run';
  /** The body of the response. */
  readonly body: Uint8Array;
  readonly digest: string;
  readonly gas: number;
  readonly receipt?: SignedReceipt | undefined;
  /** States after the run, by input name. */
  readonly state: Readonly<Record<string, TypedArray>>;
  /** Outputs that the session keeps, by name. */
  readonly kept: Readonly<Record<string, GivenInput>>;
  /** Milliseconds in the session. */
  readonly ms: number;
}

/** What reading a model gives. */
export interface InspectAnswer {
  readonly kind: 'inspect';
  readonly facts: ModelFacts;
}

/** What a task gives. */
export type Answer = RunAnswer | InspectAnswer;

/** An error as it crosses threads and leaves in a response. */
export interface Fault {
  readonly family: string;
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** Worker to server: one for each job, in order. */
export type FromWorker =
  | { readonly id: number; readonly answer: Answer }
  | { readonly id: number; readonly fault: Fault; readonly stack?: string | undefined };

/** A receipt with its signature, in base64 and hexadecimal digits. */
export interface SignedReceipt {
  readonly hash: string;
  /** Header of the model (spec/40-consensus.md §2), in base64. */
  readonly header: string;
  /** Words of the receipt, in base64. */
  readonly words: string;
  readonly receiptHash: string;
  /** Ed25519 over "samebit/receipt/1" ‖ receipt hash; absent where the server has no key. */
  readonly signature?: string | undefined;
  readonly publicKey?: string | undefined;
}

/** What a worker is started with. */
export interface WorkerStart {
  /** Private key in PEM, or undefined. */
  readonly key: string | undefined;
  /** Gas of schedule 1 above which no receipt is made. */
  readonly receiptGas: bigint;
}
