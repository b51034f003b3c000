import { readFile } from 'node:fs/promises';
import { runOf } from 'samebit/ort';
import { classify as inFloats } from './classify.js';
import { classify as inIntegers } from './classify-samebit.js';

const pixels = new Uint8Array(await readFile('digit.bin'));
const float = await inFloats(new Uint8Array(await readFile('digits.onnx')), pixels);
const integer = await inIntegers(new Uint8Array(await readFile('digits.sbm')), pixels);
const furthest = Math.max(...float.scores.map((v, i) => Math.abs(v - integer.scores[i]!)));
if (float.best !== integer.best || furthest > 0.2) throw new Error(`scores differ by up to ${furthest}`);
console.log(`digest ${runOf(integer.results).digest}`);
