/**
 * A market of models between peers, for Node: bodies by content root, an index of what is on offer, and a gateway that pays
 * for calls (spec/50-market.md).
 * @module
 */
export { Blob, type BlobRef, CHUNK_BYTES, checkRef, chunkCount, chunkOf } from './market/blobs.ts';
export { type Body, fetchBody } from './market/body.ts';
export { type CallInputs, decodeOutputs, encodeInputs, type NamedOutput } from './market/call.ts';
export { type Card, type CardText, cardOf, type Port, readCard } from './market/card.ts';
export { MARKET_ERRORS, MarketError, type MarketErrorCode } from './market/errors.ts';
export { type FetchOptions, type FetchReport, fetchBlob, fetchCard, type SourceReport } from './market/fetch.ts';
export { type GatewayOptions, serveGateway } from './market/gateway.ts';
export { type IndexOptions, MarketIndex, sourcesOf } from './market/index.ts';
export {
  ChainLane,
  type ChainLaneOptions,
  type Lane,
  type LaneAnswer,
  type LaneCall,
  LocalLane,
  type LocalLaneOptions,
} from './market/lanes.ts';
export { type CallReceipt, Ledger } from './market/ledger.ts';
export {
  type AccuracyClaim,
  accuracyOf,
  type Listing,
  parseType,
  type Query,
  search,
  type TypePattern,
} from './market/listing.ts';
export { type PeerOptions, servePeer } from './market/peer.ts';
export { type ChainReader, type MarketAddresses, type MarketEvent, readChain } from './market/reader.ts';
export type { Listening, ServerLimits } from './market/server.ts';
export { BlobStore } from './market/store.ts';
