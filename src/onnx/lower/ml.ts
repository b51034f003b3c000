/**
 * Ops of the domain ai.onnx.ml that are ops of ONNX in other words: what scikit-learn pipelines export beside a network.
 * @module
 */
import type { LowerContext, OpLowering } from './context.ts';
import { setAffine } from './elementwise.ts';

/** An attribute of one value or one a feature, of finite values. */
function row(c: LowerContext, name: string, fallback: number): Float64Array {
  const values = Float64Array.from(c.floats(name) ?? [fallback]);
  const features = c.shape(0).at(-1);
  if (values.length !== 1 && values.length !== features)
    c.fail('BadGraph', `${values.length} values of ${name} for ${features} features`);
  if (!values.every(Number.isFinite)) c.fail('NotFinite', `${name} holds NaN or infinity`);
  return values;
}

/** (x − offset)·scale, each one value or one a feature of the last axis. */
const Scaler: OpLowering = (c) => {
  if (c.domain(0) !== 'real') c.fail('UnsupportedForm', 'Scaler of integer data is not supported');
  const [offset, scale] = [row(c, 'offset', 0), row(c, 'scale', 1)];
  const shift = Float64Array.from(
    offset.length > scale.length ? offset : scale,
    (_, i) => -offset[offset.length === 1 ? 0 : i]! * scale[scale.length === 1 ? 0 : i]!,
  );
  setAffine(c, c.channelsLast(c.view(0), c.shape(0).length - 1), scale, shift);
};

/** Gather on the last axis by the indices in a row; a vector counts as one row. */
const ArrayFeatureExtractor: OpLowering = (c) => {
  const shape = c.shape(0);
  const [x, indices] = [c.plain(0), c.plain(1)];
  const count = c.shape(1).reduce((n, d) => n * d, 1);
  const at = c.graph.reshape(c.node, indices, [count]);
  const picked = c.emit({ kind: 'gather', axis: shape.length - 1 }, [x, at], [...shape.slice(0, -1), count]);
  c.setPlain(shape.length === 1 ? c.graph.reshape(c.node, picked, [1, count]) : picked);
};

/** Lowering by domain and op name. */
export const ML: Readonly<Record<string, OpLowering>> = {
  'ai.onnx.ml:ArrayFeatureExtractor': ArrayFeatureExtractor,
  'ai.onnx.ml:Scaler': Scaler,
};
