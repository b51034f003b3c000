// Types of onnx.gen.js, written by scripts/build-onnx-proto.ts.
import type { Reader } from 'protobufjs/minimal.js';

/** A 64-bit integer as the decoder gives it: two int32 halves, or a number where no 64-bit class is installed. */
export type Int64 = number | { readonly low: number; readonly high: number };

export namespace onnx {
  interface ModelProto {
    readonly irVersion: Int64;
    readonly producerName: string;
    readonly producerVersion: string;
    readonly graph: GraphProto | null;
    readonly opsetImport: readonly OperatorSetIdProto[];
    readonly functions: readonly FunctionProto[];
  }
  const ModelProto: { decode(source: Reader | Uint8Array): ModelProto };
  interface OperatorSetIdProto {
    readonly domain: string;
    readonly version: Int64;
  }
  const OperatorSetIdProto: { decode(source: Reader | Uint8Array): OperatorSetIdProto };
  interface FunctionProto {
    readonly name: string;
    readonly domain: string;
  }
  const FunctionProto: { decode(source: Reader | Uint8Array): FunctionProto };
  interface GraphProto {
    readonly node: readonly NodeProto[];
    readonly name: string;
    readonly initializer: readonly TensorProto[];
    readonly input: readonly ValueInfoProto[];
    readonly output: readonly ValueInfoProto[];
    readonly sparseInitializer: readonly SparseTensorProto[];
  }
  const GraphProto: { decode(source: Reader | Uint8Array): GraphProto };
  interface NodeProto {
    readonly input: readonly string[];
    readonly output: readonly string[];
    readonly name: string;
    readonly opType: string;
    readonly attribute: readonly AttributeProto[];
    readonly domain: string;
  }
  const NodeProto: { decode(source: Reader | Uint8Array): NodeProto };
  interface AttributeProto {
    readonly name: string;
    readonly f: number;
    readonly i: Int64;
    readonly s: Uint8Array;
    readonly t: TensorProto | null;
    readonly g: GraphProto | null;
    readonly floats: readonly number[];
    readonly ints: readonly Int64[];
    readonly strings: readonly Uint8Array[];
    readonly type: number;
  }
  const AttributeProto: { decode(source: Reader | Uint8Array): AttributeProto };
  interface TensorProto {
    readonly dims: readonly Int64[];
    readonly dataType: number;
    readonly floatData: readonly number[];
    readonly int32Data: readonly number[];
    readonly int64Data: readonly Int64[];
    readonly name: string;
    readonly rawData: Uint8Array;
    readonly doubleData: readonly number[];
    readonly uint64Data: readonly Int64[];
    readonly externalData: readonly StringStringEntryProto[];
    readonly dataLocation: number;
  }
  const TensorProto: { decode(source: Reader | Uint8Array): TensorProto };
  interface StringStringEntryProto {
    readonly key: string;
    readonly value: string;
  }
  const StringStringEntryProto: { decode(source: Reader | Uint8Array): StringStringEntryProto };
  interface SparseTensorProto {
    readonly values: TensorProto | null;
  }
  const SparseTensorProto: { decode(source: Reader | Uint8Array): SparseTensorProto };
  interface ValueInfoProto {
    readonly name: string;
    readonly type: TypeProto | null;
  }
  const ValueInfoProto: { decode(source: Reader | Uint8Array): ValueInfoProto };
  interface TypeProto {
    readonly tensorType: TypeTensorProto | null;
  }
  const TypeProto: { decode(source: Reader | Uint8Array): TypeProto };
  interface TypeTensorProto {
    readonly elemType: number;
    readonly shape: TensorShapeProto | null;
  }
  const TypeTensorProto: { decode(source: Reader | Uint8Array): TypeTensorProto };
  interface TensorShapeProto {
    readonly dim: readonly DimensionProto[];
  }
  const TensorShapeProto: { decode(source: Reader | Uint8Array): TensorShapeProto };
  interface DimensionProto {
    readonly dimValue: Int64;
    readonly dimParam: string;
  }
  const DimensionProto: { decode(source: Reader | Uint8Array): DimensionProto };
}
