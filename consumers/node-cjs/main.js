const { readFile } = require('node:fs/promises');
const { createSession, loadModel } = require('samebit'); // Node 20.19, 22.12 or newer: require of an ES module

async function main() {
  const session = await createSession(loadModel(await readFile('digits.sbm')));
  const { digest } = await session.run({ input: await readFile('digit.bin') });
  console.log(`digest ${digest}`);
}

main();
