import { readFile } from 'node:fs/promises';
import { createSession, loadModel } from 'samebit';

const session = await createSession(loadModel(await readFile('digits.sbm')), { threads: 2 });
const { digest } = await session.run({ input: await readFile('digit.bin') });
if (session.explain().threads !== 2) throw new Error('the session has no second thread');
console.log(`digest ${digest}`);
session.dispose();
