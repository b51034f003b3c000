/**
 * `samebit/quant`: from an ONNX file and calibration samples to an integer graph, and floats in and out of a model by its
 * stored scales. Everything here is outside consensus.
 * @module
 */

export type { ExternalReader } from './onnx/tensor.ts';
export {
  type ConvertOptions,
  type ConvertReport,
  type ConvertResult,
  convertOnnx,
  type InputType,
} from './quant/convert.ts';
export type { Equalised } from './quant/equalise.ts';
export { dequantizeOutput, quantizeInput } from './quant/float-io.ts';
export type { ObserveProgress, RangeMethod, Ranges } from './quant/observe.ts';
export type { LayerReport } from './quant/quantize.ts';
export type { WeightType } from './quant/rounding.ts';
export type { SampleReader, SampleTensor } from './quant/samples.ts';
export type { QType, Range } from './quant/scales.ts';
export type { Widened } from './quant/sensitivity.ts';
