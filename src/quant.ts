/**
 * `samebit/quant`: from an ONNX file and calibration samples to an integer graph, and floats in and out of a model by its
 * stored scales. Everything here is outside consensus.
 * @module
 */
export {
  type ConvertOptions,
  type ConvertReport,
  type ConvertResult,
  convertOnnx,
  type InputType,
} from './quant/convert.ts';
export { dequantizeOutput, quantizeInput } from './quant/float-io.ts';
export type { ObserveProgress, RangeMethod } from './quant/observe.ts';
export type { LayerReport } from './quant/quantize.ts';
export type { SampleTensor } from './quant/samples.ts';
