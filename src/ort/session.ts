/**
 * `InferenceSession`: a session with the calls of ONNX Runtime.
 * @module
 */
import { type Dim, showDim } from '../core/dim.ts';
import { InputError, printable } from '../core/errors.ts';
import type { Tensor as ModelTensor } from '../core/tensor.ts';
import type { Model, OutputDecl } from '../graph/ir.ts';
import type { RunResult } from '../runtime/result.ts';
import { createSession, type Session } from '../runtime/session.ts';
import { OrtError } from './errors.ts';
import { extraOf, type RunOptions, type SamebitOptions, type SessionOptions, sessionOptions } from './options.ts';
import { modelFrom, type Source } from './source.ts';
import { Tensor, type TensorLike, type TensorType } from './tensor.ts';
import { fed, fetchable, fetched, rawType, reordered } from './values.ts';

/** Tensors by input name. */
export type Feeds = Readonly<Record<string, TensorLike>>;
/** Outputs that are wanted: their names, or tensors by name to write them into, null for a tensor of its own. */
export type Fetches = readonly string[] | Readonly<Record<string, Tensor | null>>;
/** Tensors by output name. */
export type Outputs = Readonly<Record<string, Tensor>>;

/** Name, type and shape of an input or output; a symbolic dim is a string. */
export interface ValueMetadata {
  readonly name: string;
  readonly isTensor: true;
  readonly type: TensorType;
  readonly shape: readonly (number | string)[];
}

interface Value extends ValueMetadata {
  readonly nchw: boolean;
}

const RUNS = new WeakMap<object, RunResult>();

/** The run that gave these outputs: its integers, gas and digest. @throws TypeError for anything but what `run` returned */
export function runOf(outputs: Outputs): RunResult {
  const run = RUNS.get(outputs);
  if (run === undefined) throw new TypeError('runOf takes what InferenceSession.run returned');
  return run;
}

function isOptions(v: unknown): v is Readonly<Record<string, unknown>> {
  return typeof v === 'object' && v !== null;
}

/** The bytes that `create(buffer, byteOffset, byteLength)` names. */
function part(buffer: ArrayBufferLike, from: number, length: number): Uint8Array {
  if (!Number.isSafeInteger(from)) throw new RangeError("'byteOffset' must be an integer.");
  if (from < 0 || from >= buffer.byteLength)
    throw new RangeError(`'byteOffset' is out of range [0, ${buffer.byteLength}).`);
  if (!Number.isSafeInteger(length)) throw new RangeError("'byteLength' must be an integer.");
  if (length <= 0 || from + length > buffer.byteLength)
    throw new RangeError(`'byteLength' is out of range (0, ${buffer.byteLength - from}].`);
  return new Uint8Array(buffer, from, length);
}

function isBuffer(v: unknown): v is ArrayBufferLike {
  return v instanceof ArrayBuffer || (typeof SharedArrayBuffer !== 'undefined' && v instanceof SharedArrayBuffer);
}

/** Inputs and outputs of a model as the caller sees them. */
function valuesOf(model: Model, { nchw = false, types = {} }: SamebitOptions): readonly [Value[], Value[]] {
  const states = (side: 'input' | 'output'): ReadonlySet<number> => new Set(model.states.map((s) => s[side]));
  const value = (name: string, type: TensorType, shape: readonly Dim[]): Value => {
    const first = shape.length === 4 && (Array.isArray(nchw) ? nchw.includes(name) : nchw === true);
    return {
      name,
      isTensor: true,
      type,
      shape: reordered(
        shape.map((d) => (typeof d === 'number' ? d : showDim(d, model.symbols))),
        first,
        'caller',
      ),
      nchw: first,
    };
  };
  const wanted = (name: string, usual: readonly TensorType[]): TensorType => {
    const type = types[name] ?? usual[0]!;
    if (!usual.includes(type))
      throw new OrtError('TensorType', `${printable(name)} has no such type`, { expected: usual.join(), actual: type });
    return type;
  };
  const inputs = model.inputs.flatMap((d, i) => {
    if (states('input').has(i)) return [];
    const whole: readonly TensorType[] = d.dtype === 'i32' ? ['int64'] : [];
    const usual: readonly TensorType[] = d.scale ? ['float32', rawType(d)] : [rawType(d), ...whole, 'float32'];
    return [value(d.name, wanted(d.name, usual), d.shape)];
  });
  const outputs = model.outputs.flatMap((o, i) => {
    if (states('output').has(i)) return [];
    const { dtype, shape } = model.tensors[o.tensor]!;
    return [value(o.name, wanted(o.name, fetchable(o, dtype)), shape)];
  });
  const known = new Set([...inputs, ...outputs].map((v) => v.name));
  const named = [...Object.keys(types), ...(Array.isArray(nchw) ? nchw : [])].find((n) => !known.has(n));
  if (named !== undefined)
    throw new TypeError(`extra.samebit names ${printable(named)}, which the model does not have`);
  return [inputs, outputs];
}

/** A model made ready, with the calls of ONNX Runtime. */
export class InferenceSession {
  readonly #session: Session;
  readonly #inputs: readonly Value[];
  readonly #outputs: readonly Value[];
  readonly #gasLimit: SamebitOptions['gasLimit'];

  private constructor(session: Session, own: SamebitOptions) {
    this.#session = session;
    [this.#inputs, this.#outputs] = valuesOf(session.model, own);
    this.#gasLimit = own.gasLimit;
  }

  /**
   * Loads a model and makes it ready.
   * @param source the bytes of an `.sbm` file, or its path or URL
   * @throws OrtError an ONNX file, or a source that cannot be read; ModelError, HostError as `loadModel` and `createSession`
   */
  static create(source: Source, options?: SessionOptions): Promise<InferenceSession>;
  static create(
    source: ArrayBufferLike,
    byteOffset: number,
    byteLength?: number,
    options?: SessionOptions,
  ): Promise<InferenceSession>;
  static async create(source: Source, ...rest: readonly unknown[]): Promise<InferenceSession> {
    const known = typeof source === 'string' || source instanceof URL || source instanceof Uint8Array;
    if (!known && !isBuffer(source)) throw new TypeError("Unexpected argument[0]: must be 'path' or 'buffer'.");
    let bytes: Source = source;
    let options = rest[0];
    if (isBuffer(source) && typeof rest[0] === 'number') {
      if (rest[1] !== undefined && typeof rest[1] !== 'number') throw new TypeError("'byteLength' must be a number.");
      bytes = part(source, rest[0], rest[1] ?? source.byteLength - rest[0]);
      options = rest[2];
    }
    if (options !== undefined && !isOptions(options)) throw new TypeError("'options' must be an object.");
    const given = (options ?? {}) as SessionOptions;
    const own = extraOf(given);
    if (given['preferredOutputLocation'] !== undefined && given['preferredOutputLocation'] !== 'cpu')
      throw new OrtError('NotHere', 'outputs are in main memory');
    const session = await createSession(await modelFrom(bytes), sessionOptions(given));
    if (given.freeDimensionOverrides !== undefined && session.model.symbols.length > 0)
      await session.prepare(given.freeDimensionOverrides);
    return new InferenceSession(session, own);
  }

  /** Names of the inputs that a run takes; state that the session keeps is not among them. */
  get inputNames(): readonly string[] {
    return this.#inputs.map((v) => v.name);
  }

  get outputNames(): readonly string[] {
    return this.#outputs.map((v) => v.name);
  }

  get inputMetadata(): readonly ValueMetadata[] {
    return this.#inputs.map(({ nchw: _, ...v }) => v);
  }

  get outputMetadata(): readonly ValueMetadata[] {
    return this.#outputs.map(({ nchw: _, ...v }) => v);
  }

  /** The session below, with its gas, state and digests. */
  get session(): Session {
    return this.#session;
  }

  /**
   * Runs the model. `runOf` of what it returns has digest and gas.
   * @throws Error a missing input; OrtError a tensor of the wrong type; InputError, OutOfGas, HostError as `Session.run`
   */
  run(feeds: Feeds, options?: RunOptions): Promise<Outputs>;
  run(feeds: Feeds, fetches: Fetches, options?: RunOptions): Promise<Outputs>;
  async run(feeds: Feeds, second?: Fetches | RunOptions, third?: RunOptions): Promise<Outputs> {
    if (typeof feeds !== 'object' || feeds === null || feeds instanceof Tensor || Array.isArray(feeds))
      throw new TypeError(
        "'feeds' must be an object that use input names as keys and OnnxValue as corresponding values.",
      );
    const [wanted, options] = this.#arguments(second, third);
    const inputs: Record<string, ModelTensor> = {};
    for (const { name, nchw } of this.#inputs) {
      if (feeds[name] === undefined) throw new InputError('MissingInput', `input '${name}' is missing in 'feeds'.`);
      inputs[name] = fed(this.#session.model.inputs.find((d) => d.name === name)!, feeds[name], nchw);
    }
    const { gasLimit = this.#gasLimit } = extraOf(options);
    const result = await this.#session.run(inputs, { gasLimit, signal: options.signal });
    const outputs: Record<string, Tensor> = {};
    for (const [name, into] of wanted) outputs[name] = this.#fetch(name, into, result);
    RUNS.set(outputs, result);
    return outputs;
  }

  #fetch(name: string, into: Tensor | null, result: RunResult): Tensor {
    const { model } = this.#session;
    const o: OutputDecl = model.outputs.find((d) => d.name === name)!;
    const { type, nchw } = this.#outputs.find((v) => v.name === name)!;
    const tensor = fetched(o, result.outputs[name]!, model.tensors[o.tensor]!.zp, type, nchw);
    if (into === null) return tensor;
    if (into.type !== type || `${into.dims}` !== `${tensor.dims}`)
      throw new OrtError('TensorType', `output ${printable(name)} does not fit the tensor`, {
        expected: `${type} [${tensor.dims}]`,
        actual: `${into.type} [${into.dims}]`,
      });
    (into.data as Float32Array).set(tensor.data as Float32Array);
    return into;
  }

  /** What is to be fetched, and options: which argument is which is told as ONNX Runtime does. */
  #arguments(second: unknown, third: unknown): [ReadonlyMap<string, Tensor | null>, RunOptions] {
    const names = this.outputNames;
    const all = new Map(names.map((n): [string, null] => [n, null]));
    if (second === undefined) return [all, {}];
    if (!isOptions(second)) throw new TypeError("Unexpected argument[1]: must be 'fetches' or 'options'.");
    if (second instanceof Tensor) throw new TypeError("'fetches' cannot be a Tensor");
    const options = (): RunOptions => {
      if (third !== undefined && !isOptions(third)) throw new TypeError("'options' must be an object.");
      return third ?? {};
    };
    if (Array.isArray(second)) {
      if (second.length === 0) throw new TypeError("'fetches' cannot be an empty array.");
      for (const n of second) {
        if (typeof n !== 'string') throw new TypeError("'fetches' must be a string array or an object.");
        if (!names.includes(n)) throw new RangeError(`'fetches' contains invalid output name: ${n}.`);
      }
      return [new Map(second.map((n): [string, null] => [n, null])), options()];
    }
    const found = names.filter((n) => second[n] === null || second[n] instanceof Tensor);
    if (found.length === 0) return [all, second as RunOptions];
    return [new Map(found.map((n) => [n, second[n] as Tensor | null])), options()];
  }

  /** Ends the session. */
  async release(): Promise<void> {
    this.#session.dispose();
  }
}
