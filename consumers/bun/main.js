import { createSession, loadModel } from 'samebit';

const session = await createSession(loadModel(await Bun.file('digits.sbm').bytes()));
const { digest } = await session.run({ input: await Bun.file('digit.bin').bytes() });
console.log(`digest ${digest}`);
