import { join } from 'node:path';
import protobuf from 'protobufjs';

const root = protobuf.loadSync(join(import.meta.dirname, '../../src/onnx/proto/onnx.proto'));
const ModelProto = root.lookupType('onnx.ModelProto');

type Attribute = number | string | readonly number[] | { readonly float: number } | Floats | TensorSpec;

/** A list of floats. */
interface Floats {
  readonly floats: readonly number[];
}

/** A constant: float32 values, or int64 where `int` is set. */
export interface TensorSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
  readonly int?: true;
}

/** A node: op (behind its domain and a colon), inputs, outputs, attributes; a plain number is an integer attribute. */
export type NodeSpec = readonly [
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes?: Readonly<Record<string, Attribute>>,
];

/** An ONNX model for a test. */
export interface ModelSpec {
  readonly opset?: number;
  readonly inputs: Readonly<Record<string, readonly (number | string)[]>>;
  readonly nodes: readonly NodeSpec[];
  readonly constants?: readonly TensorSpec[];
  readonly outputs: readonly string[];
}

function tensor(t: TensorSpec): object {
  const data = t.int ? { dataType: 7, int64Data: t.values } : { dataType: 1, floatData: t.values };
  return { name: t.name, dims: t.shape, ...data };
}

function attribute(name: string, v: Attribute): object {
  if (typeof v === 'number') return { name, type: 2, i: v };
  if (typeof v === 'string') return { name, type: 3, s: new TextEncoder().encode(v) };
  if (Array.isArray(v)) return { name, type: 7, ints: v };
  if ('floats' in v) return { name, type: 6, floats: v.floats };
  return 'float' in v ? { name, type: 1, f: v.float } : { name, type: 4, t: tensor(v as TensorSpec) };
}

function value(name: string, shape: readonly (number | string)[]): object {
  const dim = shape.map((d) => (typeof d === 'number' ? { dimValue: d } : { dimParam: d }));
  return { name, type: { tensorType: { elemType: 1, shape: { dim } } } };
}

/** The bytes of an .onnx file. */
export function buildOnnx(spec: ModelSpec): Uint8Array {
  const graph = {
    name: 'test',
    input: Object.entries(spec.inputs).map(([name, shape]) => value(name, shape)),
    output: spec.outputs.map((name) => value(name, [])),
    initializer: (spec.constants ?? []).map(tensor),
    node: spec.nodes.map(([opType, input, output, attributes = {}], i) => ({
      name: `${opType}_${i}`,
      opType: opType.split(':').at(-1),
      domain: opType.split(':').at(-2) ?? '',
      input,
      output,
      attribute: Object.entries(attributes).map(([k, v]) => attribute(k, v)),
    })),
  };
  return ModelProto.encode(
    ModelProto.fromObject({ irVersion: 8, opsetImport: [{ version: spec.opset ?? 17 }], graph }),
  ).finish();
}

/** Small reproducible values in −1…1. */
export function values(n: number, seed = 1): number[] {
  let s = seed;
  return Array.from({ length: n }, () => {
    s = (Math.imul(s, 1103515245) + 12345) >>> 0;
    return Math.fround((s >>> 8) / 8388608 - 1);
  });
}
