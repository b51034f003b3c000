import { createSession, loadModel } from 'samebit';
import { wasm } from 'samebit/wasm';

const file = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());

const session = await createSession(loadModel(await file('/digits.sbm')), { backend: wasm });
const { digest } = await session.run({ input: await file('/digit.bin') });
document.querySelector('#digest').textContent = digest;
console.log(`digest ${digest}`);
