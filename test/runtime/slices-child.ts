/** A process that advances sliced runs (lanes.ts): asked and answered by messages. */
import { type Ask, here } from './lanes.ts';

process.on('message', (ask: Ask) => {
  here(ask).then(
    (told) => process.send!(told),
    (e: unknown) => process.send!({ error: String(e) }),
  );
});
