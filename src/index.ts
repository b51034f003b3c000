/**
 * samebit: a deterministic quantized neural-network runtime. Same model, same input, same bits.
 * @module
 */
export type { Backend, BackendMemory, Executable, KernelChoice, Mode, Snapshot, Stepper } from './backends/backend.ts';
export { COST_CLASSES, type CostClass, type CostVector, type GasSchedule, gasAt, SCHEDULE_1 } from './core/cost.ts';
export { hex, modelId, runDigest } from './core/digest.ts';
export { type ErrorDetails, HostError, InputError, ModelError, OutOfGas, SamebitError } from './core/errors.ts';
export type { Poly } from './core/poly.ts';
export type { DType, Tensor, TypedArray } from './core/tensor.ts';
export type { LocalLimits } from './format/limits.ts';
export type { InputDecl, Model, NodeInfo, OutputDecl, Scale } from './graph/ir.ts';
export type { Facts, TensorType } from './ops/define.ts';
export type { Lifetime } from './runtime/arena.ts';
export type { Inputs, InputValue } from './runtime/inputs.ts';
export { loadModel } from './runtime/load.ts';
export {
  type BoundModel,
  bind,
  type CanonicalMemory,
  createPlan,
  type Plan,
  type PlanNode,
  type PlanTensor,
} from './runtime/plan.ts';
export type { RunResult } from './runtime/result.ts';
export {
  BACKEND_NAMES,
  type BackendName,
  createSession,
  type RunOptions,
  type RunSyncOptions,
  type Session,
  type SessionOptions,
  type SlicedRun,
} from './runtime/session.ts';
