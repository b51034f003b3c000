/**
 * Files below site/public/data.
 * @module
 */

import type { Row } from '../../scripts/engines/report.ts';
import type { ConformanceCase } from '../../src/conformance.ts';

/** catalogue.json. */
export interface Catalogue {
  /** Version of the Node that computed the digests. */
  readonly node: string;
  readonly models: readonly {
    readonly name: string;
    readonly title: string;
    readonly what: string;
    readonly licence: string;
    readonly bytes: number;
    readonly id: string;
    readonly gas: string;
    /** The reference computed it in Node, not wasm alone, and computes it in a page in bearable time. */
    readonly reference: boolean;
    readonly digest: string;
  }[];
  readonly engines: { readonly rows: readonly Row[]; readonly what: string; readonly sources: string };
  /** task.json is the task that the rows are of. */
  readonly whole: boolean;
}

/** NAME.json beside NAME.sbm: inputs of a run, and its digest. */
export interface CaseFile {
  readonly inputs: ConformanceCase['runs'][number]['inputs'];
  readonly digest: string;
}
