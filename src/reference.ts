/**
 * `samebit/reference`: the backend that evaluates the definitions element by element; the oracle, never fast.
 * @module
 */
export { reference } from './backends/reference/index.ts';
