/**
 * `npm run example:chat`: a character transformer of 4-bit weights answers letter by letter. The same seed gives the same text on every
 * engine, and a contract goes on with a story. `-- --say TEXT --letters N --seed S` asks something else.
 * @module
 */
import { parseArgs } from 'node:util';
import pc from 'picocolors';
import { bytesToHex, hexToBytes, keccak256 } from 'viem';
import { toBytes } from '../../src/core/tensor.ts';
import type { Model } from '../../src/index.ts';
import * as artifacts from '../artifacts.gen.ts';
import { createHost, type Engine, enginesOf, PRECOMPILE, type Values } from '../host.ts';
import { decode, emptyMemory, encode, oneStep, readModel, talk, WINDOW } from './talk.ts';

const { values: options } = parseArgs({
  options: {
    say: { type: 'string', default: 'ROMEO:\nWhat say you to my suit?\n\nJULIET:\n' },
    letters: { type: 'string', default: '240' },
    seed: { type: 'string', default: '7' },
    gpu: { type: 'boolean' },
  },
});

/** Letters of a transaction: a step takes some 5.5 million gas, a transaction here at most 30 million. */
const LETTERS_A_CALL = 4;
const CALLS = 8;

/** Bytes of a memory in the order of the model's inputs. */
function bytesOf(memory: Values): Uint8Array {
  return Uint8Array.from(Object.values(memory).flatMap((v) => [...toBytes(v)]));
}

/** Streams an answer to the terminal and returns it. */
async function answer(model: Model, engine: Engine, text: string, letters: number, seed: number): Promise<string> {
  let said = '';
  process.stdout.write(pc.dim(text));
  for await (const code of talk(model, engine, text, letters, Int32Array.of(seed, 0))) {
    process.stdout.write(decode([code]));
    said += decode([code]);
  }
  return said;
}

/** Texts of some seeds on an engine. */
async function texts(model: Model, engine: Engine, seeds: number): Promise<string> {
  let all = '';
  for (let seed = 0; seed < seeds; seed++)
    for await (const c of talk(model, engine, 'CITIZEN:\n', 32, Int32Array.of(seed, 0))) all += decode([c]);
  return all;
}

/** Lets the contract draw a line, computes the same off the chain on `engine`, and returns the line and the gas of each call. */
async function story(
  model: Model,
  engine: Engine,
): Promise<{ readonly line: string; readonly gas: readonly bigint[] }> {
  const cue = encode('KING:\nO, ');
  let memory = emptyMemory(model);
  const host = await createHost([model]);
  const author = await host.chain.party('author');
  const args = [PRECOMPILE, host.keys[0]!, keccak256(bytesOf(memory))];
  const contract = await host.chain.deploy(author, artifacts.Story, args);
  const begun = await contract.send(author, 'begin', [bytesToHex(Uint8Array.from(cue))]);
  const words = hexToBytes(begun.events[0]!.args['seed'] as `0x${string}`);
  const seed = new Int32Array(words.slice().buffer);

  const codes = [...cue];
  const gas: bigint[] = [];
  let [line, position, turn] = ['', 0, 0];
  for (let call = 0; call < CALLS; call++) {
    const sent = await contract.send(author, 'go', [bytesToHex(bytesOf(memory)), LETTERS_A_CALL]);
    if (sent.error !== undefined) throw new Error(`the contract refused: ${sent.error}`);
    gas.push(sent.gas);
    const expected: number[] = [];
    for (let i = 0; i < LETTERS_A_CALL; i++) {
      const done = await oneStep(engine, memory, { token: codes[position]!, position, seed, step: turn++ });
      memory = done.memory;
      if (++position < codes.length) continue;
      codes.push(done.next);
      expected.push(done.next);
    }
    const drawn = hexToBytes(sent.events[0]!.args['letters'] as `0x${string}`);
    if (decode(drawn) !== decode(expected)) throw new Error('the chain and this machine drew different letters');
    line += decode(drawn);
  }
  if (codes.length > WINDOW) throw new Error('the line left its window');
  const other = bytesOf(memory);
  other[0]! ^= 1;
  const refused = await contract.send(author, 'go', [bytesToHex(other), 1]);
  if (refused.error !== 'WrongMemory') throw new Error('the contract took a memory that is not the model’s');
  return { line, gas };
}

const model = readModel();
const engines = await enginesOf(model);
const wasm = engines.find((e) => e.name === 'wasm')!;
console.log(pc.bold('A character transformer, one letter at a time\n'));
const started = performance.now();
const letters = Number(options.letters);
await answer(model, wasm, options.say, letters, Number(options.seed));
console.log(pc.dim(`\n\n${(letters / ((performance.now() - started) / 1000)).toFixed(0)} letters a second on wasm`));

const said = await Promise.all(engines.map((e) => texts(model, e, 3)));
console.log(`\nThree seeds, 32 letters each: ${engines.map((e) => e.name).join(', ')}`);
if (new Set(said).size !== 1) throw new Error('engines drew different letters');
console.log(pc.green(`one text on ${engines.length} engines`));

console.log('\nA contract draws, and the reference draws the same from the seed of the contract:');
const { line, gas } = await story(model, engines[0]!);
console.log(pc.dim('KING:\nO, ') + line);
console.log(
  pc.dim(
    `${gas.length} transactions of ${LETTERS_A_CALL} steps, ${Math.max(...gas.map(Number)).toLocaleString('en')} gas at most`,
  ),
);
console.log(pc.green('A memory that is not the model’s is refused.'));
