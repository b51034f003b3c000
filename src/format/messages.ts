/**
 * Messages of model.proto as plain objects (spec/20-format.md §2). A field that is absent holds its default.
 * @module
 */

/** An integer, or c + Σ k[i]·symbol[i]. */
export interface DimMessage {
  c?: number;
  k?: number[];
}

/** Exact binary rational. */
export interface ScaleMessage {
  mantissa?: Uint8Array;
  exponent?: number;
}

/** A model input. */
export interface InputMessage {
  name?: string;
  dtype?: number;
  shape?: DimMessage[];
  zp?: number;
  lo?: DimMessage | null;
  hi?: DimMessage | null;
  scale?: ScaleMessage | null;
  u8?: boolean;
}

/** A model output. */
export interface OutputMessage {
  name?: string;
  tensor?: number;
  scale?: ScaleMessage | null;
  u8?: boolean;
}

/** One attribute by its wire tag. */
export interface AttrMessage {
  tag?: number;
  ints?: number[];
  blob?: Uint8Array;
  dims?: DimMessage[];
}

/** One node; inputs are tensor id + 1, 0 where absent. */
export interface NodeMessage {
  op?: number;
  inputs?: number[];
  attrs?: AttrMessage[];
}

/** A constant tensor. */
export interface ConstantMessage {
  dtype?: number;
  shape?: number[];
  zp?: number;
  data?: Uint8Array;
}

/** The file. */
export interface ModelMessage {
  spec?: number;
  symbols: { name?: string; min?: number; max?: number }[];
  inputs: InputMessage[];
  nodes: NodeMessage[];
  outputs: OutputMessage[];
  states: { input?: number; output?: number }[];
  constants: ConstantMessage[];
}
