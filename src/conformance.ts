/**
 * `samebit/conformance`: holds a backend against golden vectors, golden models and random graphs, in any engine.
 * @module
 */
export {
  type ConformanceCase,
  type ConformanceDifference,
  type ConformanceInput,
  type ConformanceOptions,
  type ConformanceReport,
  conformanceCases,
  runConformance,
} from './conformance/run.ts';
