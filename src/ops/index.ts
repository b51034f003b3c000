/**
 * The op registry by name and by wire code (spec/10-ops.md).
 * @module
 */
import * as registry from './all.ts';
import type { AttrField, OpDef, Reference, Slots } from './define.ts';

/** Name of an op. */
export type OpName = keyof typeof registry;

/** A definition as shared code sees it. */
export type AnyOp = Omit<OpDef<unknown, Slots>, 'attrs'> & { readonly attrs: Readonly<Record<string, AttrField>> };

/** Attributes of an op. */
export type AttrsOf<N extends OpName> = (typeof registry)[N] extends OpDef<infer A, infer _I> ? A : never;

/** Definition of every op by name. Look untrusted codes up in `OP_BY_CODE` only. */
export const OPS: { readonly [N in OpName]: AnyOp } = registry as unknown as { readonly [N in OpName]: AnyOp };

/** Op name of a wire code. */
export const OP_BY_CODE: ReadonlyMap<number, OpName> = /* @__PURE__ */ new Map(
  (Object.keys(registry) as OpName[]).map((n) => [OPS[n].code, n]),
);

/** A one-element reference as shared code sees it. */
export type AnyReference = Reference<unknown, Slots>;
