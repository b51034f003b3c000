/**
 * The body of a model on offer: from peers, held against the id that the registry has.
 * @module
 */
import { toHex } from '../evm/proof.ts';
import type { Model } from '../graph/ir.ts';
import { loadModel } from '../runtime/load.ts';
import { MarketError } from './errors.ts';
import { type FetchOptions, type FetchReport, fetchBlob } from './fetch.ts';
import { sourcesOf } from './index.ts';
import type { Listing } from './listing.ts';

/** A body that is at hand. */
export interface Body {
  readonly bytes: Uint8Array;
  readonly model: Model;
  readonly report: FetchReport;
}

/**
 * Fetches the body of a model from the peers that its author names and from `options.sources`.
 * @throws MarketError as `fetchBlob`; WrongModel; ModelError, HostError where it needs more than 16 times `maxBytes` of memory
 */
export async function fetchBody(
  listing: Listing,
  options: FetchOptions & { readonly maxBytes: number },
): Promise<Body> {
  const { content: root, size, uri, modelId, header } = listing;
  const sources = [...options.sources, ...sourcesOf(uri)];
  const report = await fetchBlob({ root, size }, { ...options, sources });
  const bytes = options.store.read({ root, size });
  const model = loadModel(bytes, { limits: { memoryBytes: 16 * options.maxBytes } });
  if (modelId === undefined || toHex(model.id) !== modelId)
    throw new MarketError('WrongModel', `${root} is not the model that ${header} registers`);
  return { bytes, model, report };
}
