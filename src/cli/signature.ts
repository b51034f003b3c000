/**
 * What the signature of a model asks for: its own inputs and their shapes.
 * @module
 */
import { type Dim, dimAt, type SymbolDecl, showDim } from '../core/dim.ts';
import { printable } from '../core/errors.ts';
import type { InputDecl, Model } from '../graph/ir.ts';

/** Inputs that a caller passes: all but states. */
export function ownInputs(model: Model): readonly InputDecl[] {
  const states = new Set(model.states.map((s) => s.input));
  return model.inputs.filter((_, i) => !states.has(i));
}

/** A shape for people. */
export function showShape(shape: readonly Dim[], symbols: readonly SymbolDecl[]): string {
  return `[${shape.map((d) => printable(showDim(d, symbols))).join(', ')}]`;
}

/** Shape of a declaration at symbol values. */
export function shapeAt(input: InputDecl, dims: readonly number[]): number[] {
  return input.shape.map((d) => dimAt(d, dims));
}
