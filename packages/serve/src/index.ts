/**
 * `samebit-serve`: an inference server for replicated services.
 * @module
 */
export type { Change, Refusal } from './catalog.ts';
export { ServeError } from './faults.ts';
export type { ServeOptions } from './options.ts';
export { type Serving, serve } from './server.ts';
