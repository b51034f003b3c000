/**
 * Signed receipts (spec/40-consensus.md §2).
 * @module
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { createSession, type Inputs, type Model, type RunResult, type Session } from 'samebit';
import {
  type Commitment,
  commit,
  encodeHeader,
  encodeReceipt,
  type Header,
  headerOf,
  receiptHash,
  receiptOf,
  traceRun,
} from 'samebit/consensus';
import type { SignedReceipt } from './messages.ts';

/** What a signature begins with: a key that signs receipts signs nothing else by it. */
const DOMAIN: Buffer = Buffer.from('samebit/receipt/1');

/** A key that signs receipts. */
export class Signer {
  /** Raw public key, 32 bytes, in hexadecimal digits. */
  readonly publicKey: string;
  readonly #key: KeyObject;

  /**
   * @param pem PKCS #8, as `openssl genpkey -algorithm ed25519` writes it
   * @throws TypeError where it is no ed25519 key
   */
  constructor(pem: string) {
    try {
      this.#key = createPrivateKey(pem);
    } catch {
      throw new TypeError('the key is no private key in PEM');
    }
    if (this.#key.asymmetricKeyType !== 'ed25519') throw new TypeError('the key is no ed25519 key');
    const { x } = createPublicKey(this.#key).export({ format: 'jwk' });
    this.publicKey = Buffer.from(x!, 'base64url').toString('hex');
  }

  /** Signature over the domain and a receipt hash, in hexadecimal digits. */
  sign(hash: Uint8Array): string {
    return sign(null, Buffer.concat([DOMAIN, hash]), this.#key).toString('hex');
  }
}

/** Makes the receipts of one model. */
export class Recorder {
  readonly session: Session;
  readonly #commitment: Commitment;
  readonly #header: Header;

  private constructor(session: Session) {
    this.session = session;
    this.#commitment = commit(session.model, 'keccak256');
    this.#header = headerOf(this.#commitment);
  }

  /** A recorder with a session of its own. */
  static async of(model: Model): Promise<Recorder> {
    return new Recorder(await createSession(model, { mode: 'trace' }));
  }

  /** Runs the model with its trace. @throws as `session.run` */
  async run(
    inputs: Inputs,
    gasLimit: bigint,
    signer: Signer | undefined,
  ): Promise<{ readonly result: RunResult; readonly receipt: SignedReceipt }> {
    const { result, trace } = await traceRun(this.#commitment, this.session, inputs, { gasLimit });
    const receipt = receiptOf(this.#header, trace);
    const hash = receiptHash('keccak256', receipt);
    return {
      result,
      receipt: {
        hash: 'keccak256',
        header: Buffer.from(encodeHeader(this.#header)).toString('base64'),
        words: Buffer.from(encodeReceipt(receipt)).toString('base64'),
        receiptHash: Buffer.from(hash).toString('hex'),
        ...(signer === undefined ? {} : { signature: signer.sign(hash), publicKey: signer.publicKey }),
      },
    };
  }
}
