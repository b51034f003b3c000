/**
 * Inference as a precompiled contract of an EVM (spec/40-consensus.md §7): gas from the registered header before anything
 * runs, results that every node reaches, and a halt where a machine fails.
 * @module
 */
import { decodeHeader, type Header, headerGas, headerHash } from '../consensus/header.ts';
import { sameBytes, WORD } from '../consensus/merkle.ts';
import { type GasSchedule, SCHEDULE_1 } from '../core/cost.ts';
import { HostError, InputError } from '../core/errors.ts';
import { toBytes } from '../core/tensor.ts';
import type { Session } from '../runtime/session.ts';
import { joinBytes, readCallDims, readCallInputs } from './calldata.ts';
import { toHex } from './proof.ts';

/** What an EVM passes to a precompile; a structural part of that of `@ethereumjs/evm`. */
export interface PrecompileInput {
  readonly data: Uint8Array;
  readonly gasLimit: bigint;
}

/** What a precompile gives back; a structural part of `ExecResult` of `@ethereumjs/evm`. */
export interface PrecompileResult {
  executionGasUsed: bigint;
  returnValue: Uint8Array;
  exceptionError?: { readonly error: 'out of gas' | 'revert'; readonly errorType: 'EVMError' };
}

/**
 * The models of a node. Which headers are registered is state of the chain and the same on every node; whether a body is
 * at hand is the node's own affair.
 */
export interface ModelStore {
  /** Words of a registered header; undefined where the chain knows none of this hash. */
  header(hash: Uint8Array): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /**
   * A session of the model of a registered header.
   * @throws HostError where the node lacks the body: it halts
   */
  session(header: Header): Session | undefined | Promise<Session | undefined>;
}

/** How a precompile prices. Gas of the EVM a call costs on top of the schedule's. */
export interface PrecompileOptions {
  readonly store: ModelStore;
  readonly schedule?: GasSchedule;
  /** Gas of every call, whatever comes of it; default 2,600. */
  readonly base?: bigint;
}

/** Selectors of the errors: UnknownModel(bytes32), BadInput(). */
const UNKNOWN_MODEL: Uint8Array = Uint8Array.of(0xa2, 0xdc, 0x06, 0x25);
const BAD_INPUT: Uint8Array = Uint8Array.of(0x2b, 0xb9, 0xac, 0xf7);

function outOfGas(limit: bigint): PrecompileResult {
  return {
    executionGasUsed: limit,
    returnValue: new Uint8Array(),
    exceptionError: { error: 'out of gas', errorType: 'EVMError' },
  };
}

function revert(gas: bigint, data: Uint8Array): PrecompileResult {
  return { executionGasUsed: gas, returnValue: data, exceptionError: { error: 'revert', errorType: 'EVMError' } };
}

/**
 * The function of a precompile. Call data: header hash, the value of each symbol as one word, then the canonical bytes of
 * each input in the order of the signature. It returns the canonical bytes of each output in order.
 *
 * Outcomes that every node reaches: out of gas; revert `UnknownModel`; revert `BadInput` for a model with states, data of a wrong length, symbols or
 * values out of range (whose gas is spent all the same). A HostError is thrown: the node halts, or runs the block
 * again with another engine.
 */
export function createPrecompile(options: PrecompileOptions): (input: PrecompileInput) => Promise<PrecompileResult> {
  const { store, schedule = SCHEDULE_1, base = 2600n } = options;
  if (typeof store?.header !== 'function' || typeof store.session !== 'function')
    throw new TypeError('a store has the functions header and session');
  if (typeof base !== 'bigint' || base < 0n) throw new TypeError('base is a bigint from 0n');
  if (!(schedule?.weights instanceof Object)) throw new TypeError('schedule is a gas schedule, as SCHEDULE_1');
  return async ({ data, gasLimit }) => {
    if (gasLimit < base) return outOfGas(gasLimit);
    if (data.length < WORD) return revert(base, BAD_INPUT);
    const hash = data.slice(0, WORD);
    const words = await store.header(hash);
    if (words === undefined) return revert(base, joinBytes([UNKNOWN_MODEL, hash]));
    const header = decodeHeader(words);
    if (!sameBytes(headerHash(header), hash)) throw new HostError('BadStore', 'the store gave another header');
    const dims = readCallDims(header, data.subarray(WORD));
    if (dims === undefined) return revert(base, BAD_INPUT);
    const gas = base + headerGas(header, schedule, dims);
    if (gasLimit < gas) return outOfGas(gasLimit);
    const session = await store.session(header);
    if (session === undefined) throw new HostError('BadStore', `the store has no session for ${toHex(hash)}`);
    if (!sameBytes(session.model.id, header.modelId))
      throw new HostError('BadStore', `the store gave another model for ${toHex(hash)}`);
    if (session.model.states.length > 0) return revert(gas, BAD_INPUT); // a call leaves nothing behind
    const inputs = readCallInputs(session.model, dims, data.subarray(WORD * (1 + dims.length)));
    if (inputs === undefined) return revert(gas, BAD_INPUT);
    try {
      const { outputs } = await session.run(inputs);
      const parts = session.model.outputs.map((o) => toBytes(outputs[o.name]!.data));
      return { executionGasUsed: gas, returnValue: joinBytes(parts) };
    } catch (e) {
      if (e instanceof InputError) return revert(gas, BAD_INPUT);
      throw e;
    }
  };
}
