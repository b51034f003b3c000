// A thread that runs a model on the given inputs for a while, digest included, and says how often.
import { parentPort, workerData } from 'node:worker_threads';
import { createSession, loadModel } from 'samebit';

const { file, inputs } = workerData;
const session = await createSession(loadModel(file));
parentPort.on('message', async (ms) => {
  const end = performance.now() + ms;
  let runs = 0;
  while (performance.now() < end) {
    const { digest } = await session.run(inputs[runs % inputs.length]);
    if (digest.length !== 64) throw new Error('no digest');
    runs++;
  }
  parentPort.postMessage(runs);
});
parentPort.postMessage('ready');
