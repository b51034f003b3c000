/**
 * The directory of models. A file is read once, its id computed from its bytes, and its graph validated by a worker; what fails is
 * refused and named, and the others are served. Bytes on disk may change afterwards: what is served is what was checked.
 * @module
 */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HostError, hex, modelId, SamebitError } from 'samebit';
import { ServeError } from './faults.ts';
import type { InspectAnswer, ModelFacts } from './messages.ts';
import type { ModelFile, Pool } from './pool.ts';

/** A model that is served. */
export interface Entry extends ModelFile {
  /** Name of the file. */
  readonly name: string;
  readonly facts: ModelFacts;
  readonly stamp: string;
}

/** A file that is not served, and why. */
export interface Refusal {
  readonly file: string;
  readonly code: string;
  readonly reason: string;
  readonly stamp: string;
}

/** What a look at the directory changed. */
export interface Change {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly refused: readonly Refusal[];
}

/** Codes that say nothing about the file. */
const PASSING: ReadonlySet<string> = new Set(['LostWorker', 'Busy', 'Timeout', 'Closing']);

const NAMED = /^[0-9a-f]{64}$/i;

/** Models by id. */
export class Catalog {
  readonly #directory: string;
  readonly #pool: Pool;
  readonly #maxBytes: number;
  #entries: ReadonlyMap<string, Entry> = new Map();
  #refused: readonly Refusal[] = [];
  #turn: Promise<unknown> = Promise.resolve();

  /** @param maxBytes greatest file that is read */
  constructor(directory: string, pool: Pool, maxBytes: number) {
    this.#directory = directory;
    this.#pool = pool;
    this.#maxBytes = maxBytes;
  }

  /** Models in order of their ids. */
  get entries(): readonly Entry[] {
    return [...this.#entries.values()];
  }

  /** Files that are not served. */
  get refused(): readonly Refusal[] {
    return this.#refused;
  }

  /** @throws ServeError UnknownModel */
  get(id: string): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new ServeError('UnknownModel', `there is no model ${id}`);
    return entry;
  }

  /**
   * Reads the directory again, after those that are being read. Requests under way keep their models.
   * @throws ServeError BadDirectory; nothing changes then
   */
  reload(): Promise<Change> {
    const change = this.#turn.then(() => this.#read());
    this.#turn = change.catch(() => undefined);
    return change;
  }

  async #read(): Promise<Change> {
    const names = await readdir(this.#directory).catch((e: Error) => {
      throw new ServeError('BadDirectory', `the models cannot be listed: ${e.message}`);
    });
    const known = new Map<string, Entry | Refusal>([
      ...this.#refused.map((r): [string, Refusal] => [`${r.file} ${r.stamp}`, r]),
      ...this.entries.map((e): [string, Entry] => [`${e.name} ${e.stamp}`, e]),
    ]);
    const found = new Map<string, Entry>();
    const refused: Refusal[] = [];
    for (const name of names.filter((n) => n.endsWith('.sbm')).sort()) {
      const one = await this.#one(name, known);
      if ('facts' in one) found.set(one.id, found.get(one.id) ?? one);
      else refused.push(one);
    }
    const before = this.#entries;
    this.#entries = new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
    this.#refused = refused;
    const removed = [...before.keys()].filter((id) => !found.has(id));
    for (const id of removed) this.#pool.forget(id);
    return { added: [...found.keys()].filter((id) => !before.has(id)), removed, refused };
  }

  /** A file as it was known where it has not changed, else as it is read. */
  async #one(name: string, known: ReadonlyMap<string, Entry | Refusal>): Promise<Entry | Refusal> {
    let stamp = '';
    try {
      const handle = await open(join(this.#directory, name), 'r');
      try {
        const s = await handle.stat({ bigint: true });
        stamp = `${s.dev} ${s.ino} ${s.size} ${s.mtimeNs}`;
        const before = known.get(`${name} ${stamp}`);
        if (before !== undefined && !('code' in before && PASSING.has(before.code))) return before;
        if (!s.isFile()) throw new ServeError('BadDirectory', 'it is no file');
        if (s.size > BigInt(this.#maxBytes))
          throw new HostError('LocalLimit', 'the file exceeds the limit of this server', {
            expected: `at most ${this.#maxBytes} bytes`,
            actual: String(s.size),
          });
        const file = new Uint8Array(new SharedArrayBuffer(Number(s.size)));
        for (let at = 0; at < file.length; ) {
          const { bytesRead } = await handle.read(file, at, Math.min(file.length - at, 1 << 24), at);
          if (bytesRead === 0) throw new ServeError('BadDirectory', 'it was cut while it was read');
          at += bytesRead;
        }
        return await this.#check(name, stamp, file);
      } finally {
        await handle.close();
      }
    } catch (e) {
      const { code, message } = e instanceof SamebitError ? e : { code: 'Unreadable', message: (e as Error).message };
      return { file: name, code, reason: message, stamp };
    }
  }

  async #check(name: string, stamp: string, file: Uint8Array): Promise<Entry> {
    const id = hex(modelId(file));
    const claimed = name.slice(0, -'.sbm'.length);
    if (NAMED.test(claimed) && claimed.toLowerCase() !== id)
      throw new ServeError('WrongId', `the file is named after another model; its own id is ${id}`);
    const { facts } = (await this.#pool.run({ id, file }, { kind: 'inspect' })) as InspectAnswer;
    return { id, file, name, facts, stamp };
  }
}
