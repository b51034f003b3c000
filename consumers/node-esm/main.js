import { readFile } from 'node:fs/promises';
import { createSession, loadModel } from 'samebit';

const session = await createSession(loadModel(await readFile('digits.sbm')));
const { digest } = await session.run({ input: await readFile('digit.bin') });
console.log(`digest ${digest}`);
