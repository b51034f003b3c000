/**
 * A turn of the event loop, so that timers and messages are heard between the ops of a run that has a signal.
 * @module
 */

declare const setImmediate: ((f: () => void) => void) | undefined;

/** Resolves after the events that are waiting have been handled. */
export function turn(): Promise<void> {
  return new Promise((done) => {
    if (typeof setImmediate === 'function') {
      setImmediate(done);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      done();
    };
    port2.postMessage(null);
  });
}
