/**
 * A worker: sessions of the models that it was sent, and runs on them, one after the other.
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import { createSession, gasAt, loadModel, type Model, OutOfGas, SamebitError, SCHEDULE_1, type Session } from 'samebit';
import { toBytes } from 'samebit/format';
import { describe } from './describe.ts';
import { ServeError } from './faults.ts';
import type { Answer, Fault, FromWorker, GivenInput, RunTask, Task, ToWorker, WorkerStart } from './messages.ts';
import { Recorder, Signer } from './receipts.ts';
import { readInputs, writeOutputs } from './wire.ts';

/** A model that is at hand. */
interface Held {
  readonly file: Uint8Array;
  model?: Model;
  /** Gas of a run at the greatest dims. */
  gas?: bigint;
  session?: Session;
  recorder?: Recorder;
}

const port = parentPort!;
const { key, receiptGas } = workerData as WorkerStart;
const signer = key === undefined ? undefined : new Signer(key);
const held = new Map<string, Held>();

function unload(id: string): void {
  const h = held.get(id);
  h?.session?.dispose();
  h?.recorder?.session.dispose();
  held.delete(id);
}

async function run(h: Held, model: Model, id: string, task: RunTask): Promise<Answer> {
  const { gasLimit, keep = [], hide = [] } = task;
  const span = model.symbols.map((s) => s.max - s.min);
  const gas = (h.gas ??= gasAt(model.cost, SCHEDULE_1, span));
  // Of a model without symbols the gas is known before the inputs are read; a session checks it in this order too.
  if (model.symbols.length === 0 && gas > gasLimit)
    throw new OutOfGas('the gas limit is below the cost of the run', {
      expected: `at least ${gas}`,
      actual: String(gasLimit),
    });
  const inputs = readInputs(model, task.inputs, task.dims);
  if (task.receipt && gas > receiptGas)
    throw new ServeError('ReceiptTooDear', `this server makes receipts of models up to ${receiptGas} gas`);
  const recorder = task.receipt ? (h.recorder ??= await Recorder.of(model)) : undefined;
  const session = recorder?.session ?? (h.session ??= await createSession(model));
  if (task.state === undefined) session.reset();
  else session.loadState(task.state);
  const start = performance.now();
  const { result, receipt } = recorder
    ? await recorder.run(inputs, gasLimit, signer)
    : { result: await session.run(inputs, { gasLimit }), receipt: undefined };
  const { digest, gasUsed } = result;
  const ms = performance.now() - start;
  const names = model.outputs.map((o) => o.name);
  const kept = names
    .filter((n) => keep.includes(n))
    .map((n): [string, GivenInput] => {
      const { shape, data } = result.outputs[n]!;
      return [n, { shape, data: toBytes(data) }];
    });
  return {
    kind: 'run',
    body: writeOutputs(
      result,
      names.filter((n) => !hide.includes(n)),
      task.form,
      id,
      receipt,
    ),
    digest,
    gas: Number(gasUsed),
    receipt,
    state: session.saveState(),
    kept: Object.fromEntries(kept),
    ms,
  };
}

function fault(e: unknown): Fault {
  if (e instanceof SamebitError) return { family: e.family, code: e.code, message: e.message, hint: e.hint };
  const hint = 'This is a bug of samebit; please report it with the model and the request.';
  return { family: 'Bug', code: 'Unexpected', message: 'the run failed', hint };
}

async function answer(id: string, task: Task): Promise<Answer> {
  const h = held.get(id);
  if (h === undefined) throw new Error(`model ${id} was not sent to this worker`);
  const model = (h.model ??= loadModel(h.file));
  return task.kind === 'inspect' ? { kind: 'inspect', facts: describe(model) } : run(h, model, id, task);
}

async function serve(message: ToWorker): Promise<void> {
  if (message.kind === 'load') held.set(message.model, { file: message.file });
  else if (message.kind === 'unload') unload(message.model);
  else {
    for (const { id, model, task } of message.jobs) {
      let said: FromWorker;
      try {
        said = { id, answer: await answer(model, task) };
      } catch (e) {
        said = { id, fault: fault(e), ...(e instanceof SamebitError ? {} : { stack: (e as Error)?.stack }) };
      }
      port.postMessage(said);
    }
  }
}

let queue: Promise<void> = Promise.resolve();
port.on('message', (message: ToWorker) => {
  queue = queue.then(() => serve(message));
});
