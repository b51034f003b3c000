/**
 * Options of ONNX Runtime's API, and what samebit makes of them.
 * @module
 */
import type { Backend } from '../backends/backend.ts';
import { HostError } from '../core/errors.ts';
import { checkOptions, OBJECT } from '../core/options.ts';
import { BACKEND_NAMES, type BackendName, type SessionOptions as OwnOptions } from '../runtime/session.ts';
import { env } from './env.ts';
import type { TensorType } from './tensor.ts';

/** Settings of samebit that ONNX Runtime does not have: under `extra.samebit`, where it lets others put theirs. */
export interface SamebitOptions {
  /** A backend, or several, in place of `executionProviders`. */
  readonly backend?: OwnOptions['backend'];
  /** Images that are fed and fetched as [N, C, H, W], as in the ONNX file: all values of rank 4, or those named. */
  readonly nchw?: boolean | readonly string[] | undefined;
  /** Types of values by name where they shall not be the usual: e.g. `int64` for a label, `int16` for raw scores. */
  readonly types?: Readonly<Record<string, TensorType>> | undefined;
  /** Most gas of a run. */
  readonly gasLimit?: bigint | number | undefined;
}

/** Settings by their owner. */
export interface Extra {
  readonly samebit?: SamebitOptions | undefined;
  readonly [owner: string]: unknown;
}

/** An execution provider: its name, or an object that has it. */
export type Provider = string | { readonly name: string };

/** What is read of the options of `InferenceSession.create`; the others have no effect. */
export interface SessionOptions {
  /** In order: `wasm` and `cpu` are samebit's wasm, `webgpu` and `webgl` its own; those that it does not have are passed over. */
  readonly executionProviders?: readonly Provider[] | undefined;
  /** Threads; 0 is the default. */
  readonly intraOpNumThreads?: number | undefined;
  /** Values of the model's symbols by name: the session is prepared for them. */
  readonly freeDimensionOverrides?: Readonly<Record<string, number>> | undefined;
  readonly extra?: Extra | undefined;
  readonly [option: string]: unknown;
}

/** What is read of the options of `run`. */
export interface RunOptions {
  /** Ends the run where it aborts. */
  readonly signal?: AbortSignal | undefined;
  readonly extra?:
    | { readonly samebit?: Pick<SamebitOptions, 'gasLimit'> | undefined; readonly [owner: string]: unknown }
    | undefined;
  readonly [option: string]: unknown;
}

/** Backends of samebit by execution provider. */
const BY_PROVIDER = new Map<string, BackendName>([
  ...BACKEND_NAMES.map((name): [string, BackendName] => [name, name]),
  ['cpu', 'wasm'],
]);

function backendsOf(providers: readonly Provider[] | undefined): readonly (BackendName | Backend)[] {
  if (providers === undefined || providers.length === 0) return ['wasm'];
  const names = providers.map((p) => (typeof p === 'string' ? p : p.name));
  const known = [...new Set(names.flatMap((n) => BY_PROVIDER.get(n) ?? []))];
  if (known.length === 0)
    throw new HostError('NoBackend', 'samebit has none of the execution providers', {
      expected: [...BY_PROVIDER.keys()].join(', '),
      actual: names.join(', '),
    });
  return known;
}

/** The settings under `extra.samebit`. @throws TypeError an unknown name, or a value of the wrong kind */
export function extraOf(options: { readonly extra?: unknown }): SamebitOptions {
  const own = (options.extra as Extra | undefined)?.samebit ?? {};
  checkOptions(own, {
    backend: [(v) => typeof v === 'string' || (typeof v === 'object' && v !== null), 'a backend, its name, or a list'],
    nchw: [(v) => typeof v === 'boolean' || Array.isArray(v), 'true, false or names of inputs and outputs'],
    types: OBJECT,
    gasLimit: [(v) => typeof v === 'bigint' || typeof v === 'number', 'an amount of gas'],
  });
  return own;
}

/** Options of `createSession` for those of ONNX Runtime. */
export function sessionOptions(options: SessionOptions): OwnOptions {
  const threads = options.intraOpNumThreads || env.wasm.numThreads || 1;
  return { backend: extraOf(options).backend ?? backendsOf(options.executionProviders), threads };
}
