/**
 * What goes wrong between peers, in the index and at the gateway.
 * @module
 */
import { type ErrorDetails, SamebitError } from '../core/errors.ts';

/** Codes of `MarketError` with what to do about each. */
export const MARKET_ERRORS = {
  BadBlob: 'Take the content root and the size from the listing.',
  TooLarge: 'Raise the limit on bytes, or choose a smaller model.',
  NoSource: 'Pass the URL of a peer that has the body.',
  Incomplete: 'Add sources and run again: chunks that arrived are kept.',
  BadCard: 'Ask the author, or another peer, for the card of the model.',
  WrongModel: 'Do not use this body: it is not the model that was registered.',
  BadIndex: 'Delete the index file; it is built again from the chain.',
  BadLedger: 'Mend the line, or move the file away and lower the budget by what it spent.',
  LedgerInUse: 'Stop the other gateway, or pass another --store: one gateway at a time spends from a ledger.',
  WrongChain: 'Pass the node and the contracts that the index was built from, or another index file.',
  NoNode: 'Check the URL of the node and that it is up.',
  UnknownModel: 'List the models with samebit search, or GET /v1/models.',
  BadRequest: 'Send the inputs as the card of the model describes them.',
  OverBudget: 'Raise the limit of the gateway, or choose a cheaper model.',
  PaymentFailed: 'Look at the transaction; nothing was answered.',
  Busy: 'Ask again after a while.',
  NoServer: 'npm install hono @hono/node-server',
  NoClient: 'npm install viem',
  Taken: 'Whoever commits first lists the model; change it, so that it has another header, and publish that.',
  Closed: 'A closed offer stays closed; change the model, so that it has another header, and publish that.',
  NotLive: 'Wait until the header is mature and enough validators hold the body.',
  PriceMoved: 'Pass a higher --max-price, or choose another model.',
  JobFailed: 'Open the job again with a higher fee or more time.',
} as const;

/** A code of `MarketError`. */
export type MarketErrorCode = keyof typeof MARKET_ERRORS;

/** A peer, a listing or a payment is not what it has to be. */
export class MarketError extends SamebitError {
  readonly family = 'MarketError';
  override readonly name = 'MarketError';
  constructor(code: MarketErrorCode, message: string, details?: ErrorDetails) {
    super(code, message, MARKET_ERRORS[code], details);
  }
}
