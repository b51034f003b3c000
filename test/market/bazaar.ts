/** A market in this process with JSON-RPC in front and a peer beside: two models registered, listed, held, with their bodies. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Deployed, Party } from '../../examples/chain.ts';
import { RpcNode } from '../../examples/rpc.ts';
import { commit } from '../../src/consensus/commitment.ts';
import { encodeHeader, headerHash, headerOf } from '../../src/consensus/header.ts';
import * as artifacts from '../../src/evm/artifacts.gen.ts';
import { createPrecompile } from '../../src/evm/precompile.ts';
import { type Hex, toHex } from '../../src/evm/proof.ts';
import { encodeModel } from '../../src/format/encode.ts';
import type { Model } from '../../src/graph/ir.ts';
import { type BlobRef, fromHex } from '../../src/market/blobs.ts';
import { cardOf } from '../../src/market/card.ts';
import { servePeer } from '../../src/market/peer.ts';
import type { Listening } from '../../src/market/server.ts';
import { BlobStore } from '../../src/market/store.ts';
import { loadModel } from '../../src/runtime/load.ts';
import { createSession } from '../../src/runtime/session.ts';
import { BOND, type Court, DELAY, MOVE, openCourt } from '../evm/game.ts';
import { PRECOMPILE, SALT } from '../evm/market-stall.ts';
import { denseGraph } from '../support/small.ts';

/** A model on offer. */
export interface Ware extends BlobRef {
  readonly model: Model;
  readonly header: Hex;
}

/** The market. */
export interface Bazaar extends Court {
  readonly node: RpcNode;
  readonly market: Deployed;
  readonly accuracy: Deployed;
  readonly author: Party;
  readonly peer: Listening;
  readonly store: BlobStore;
  readonly folder: string;
  /** A small one for 1,000 wei, and the digits for 5,000. */
  readonly dense: Ware;
  readonly digits: Ware;
  close(): Promise<void>;
}

/** Opens the market. */
export async function openBazaar(): Promise<Bazaar> {
  const folder = mkdtempSync(join(tmpdir(), 'samebit-bazaar-'));
  const store = new BlobStore(join(folder, 'peer'));
  const headers = new Map<string, Uint8Array>();
  const models = new Map<string, Model>();
  const precompile = createPrecompile({
    store: {
      header: (h) => headers.get(toHex(h)),
      session: ({ modelId }) => createSession(models.get(toHex(modelId))!),
    },
  });
  const court = await openCourt([{ address: PRECOMPILE, function: precompile }]);
  const { chain, registry, dispute } = court;
  const node = await RpcNode.open(chain);
  const peer = await servePeer(store);
  const [author, validator] = [await chain.party('author'), await chain.party('validator')];
  const market = await chain.deploy(author, artifacts.Market, [
    registry.address,
    PRECOMPILE,
    [validator.address.toString()],
    1n,
  ]);
  const accuracy = await chain.deploy(author, artifacts.Accuracy, [dispute.address, BOND, 1n, 1_000n, MOVE]);
  const offer = async (bytes: Uint8Array, price: bigint, task: string): Promise<Ware> => {
    const model = loadModel(bytes);
    const commitment = commit(model, 'keccak256');
    const words = encodeHeader(headerOf(commitment));
    const header = toHex(headerHash(headerOf(commitment)));
    headers.set(header, words);
    models.set(toHex(model.id), model);
    const ref = store.add(bytes);
    store.addCard(header, cardOf(commitment));
    const must = async (sent: Promise<{ readonly error?: string | undefined }>): Promise<void> => {
      const { error } = await sent;
      if (error !== undefined) throw new Error(error);
    };
    await must(registry.send(author, 'register', [toHex(words)], BOND));
    const { value } = await market.call('commitmentOf', [author.address.toString(), header, SALT]);
    await must(market.send(author, 'commit', [value]));
    chain.advance(DELAY);
    const args = [header, SALT, price, ref.root, BigInt(ref.size), task, `${peer.url} http://127.0.0.1:9`];
    await must(market.send(author, 'list', args));
    await must(market.send(validator, 'hold', [header]));
    return { ...ref, model, header };
  };
  const dense = await offer(encodeModel(denseGraph()), 1_000n, 'a small layer');
  const file = new Uint8Array(readFileSync(new URL('../golden/models/mnist-cnn.sbm', import.meta.url)));
  const digits = await offer(file, 5_000n, 'Handwritten Digits <img src=x onerror=alert(1)>');
  const close = async (): Promise<void> => {
    node.close();
    await peer.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { ...court, node, market, accuracy, author, peer, store, folder, dense, digits, close };
}

/** A party's private key as a file has it. */
export function keyText(party: Party): Hex {
  return toHex(party.key);
}

/** Bytes of 0x and digits. */
export const bytesOf: (h: Hex) => Uint8Array = fromHex;
