import { createSession, loadModel } from 'samebit';

const session = await createSession(loadModel(await Deno.readFile('digits.sbm')));
const { digest } = await session.run({ input: await Deno.readFile('digit.bin') });
console.log(`digest ${digest}`);
