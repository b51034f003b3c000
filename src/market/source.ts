/**
 * One request to one peer: bounded in bytes and time, without redirects and without compression, so that a peer can neither
 * send more than was asked for nor send the caller elsewhere.
 * @module
 */

/** What a peer answered. `lie`: what no honest peer sends; `later`: milliseconds to wait as it asks. */
export type Answer =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'missing' }
  | { readonly kind: 'busy'; readonly later: number }
  | { readonly kind: 'failed' | 'lie'; readonly why: string };

/** Longest pause that a peer may ask for, in milliseconds. */
const MOST_PAUSE = 5_000;

/**
 * URL of a peer: http or https, without credentials, query or fragment, with a slash at its end; undefined for another text.
 */
export function peerUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const plain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (!plain || !/^https?:$/.test(url.protocol)) return undefined;
  return url.href.endsWith('/') ? url.href : `${url.href}/`;
}

/** Why a request failed, in a few words. */
function reason(e: unknown, timedOut: boolean): string {
  if (timedOut) return 'no answer in time';
  const { cause, message } = e as { readonly cause?: { readonly code?: string }; readonly message: string };
  return cause?.code ?? message;
}

/** The body, where it has `least` … `most` bytes. */
async function readBody(response: Response, least: number, most: number): Promise<Answer> {
  const bytes = new Uint8Array(most);
  let at = 0;
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part !== undefined && !part.done; part = await reader!.read()) {
    if (at + part.value.length > most) {
      await reader!.cancel();
      return { kind: 'lie', why: `more than ${most} bytes` };
    }
    bytes.set(part.value, at);
    at += part.value.length;
  }
  return at < least ? { kind: 'lie', why: `${at} of ${least} bytes` } : { kind: 'bytes', bytes: bytes.subarray(0, at) };
}

async function judge(response: Response, least: number, most: number): Promise<Answer> {
  const { status, headers } = response;
  const pause = Number(headers.get('retry-after') ?? 1) * 1000;
  if (status === 404 || status === 410) return { kind: 'missing' };
  if (status === 429 || status === 503)
    return { kind: 'busy', later: pause >= 0 && pause <= MOST_PAUSE ? pause : MOST_PAUSE };
  if (status < 200 || (status >= 300 && status < 400)) return { kind: 'lie', why: 'a redirect' };
  if (status !== 200) return { kind: 'failed', why: `status ${status}` };
  const encoding = headers.get('content-encoding') ?? 'identity';
  if (encoding !== 'identity') return { kind: 'lie', why: `content-encoding ${encoding.slice(0, 40)}` };
  const length = headers.get('content-length');
  if (length !== null && !(Number(length) >= least && Number(length) <= most))
    return { kind: 'lie', why: `${length.slice(0, 40)} bytes announced, ${most} asked for` };
  return readBody(response, least, most);
}

/**
 * Fetches `least` … `most` bytes. Never throws; what `signal` ends is a failure.
 * @param timeout milliseconds from the request to the last byte
 */
export async function ask(
  url: string,
  least: number,
  most: number,
  timeout: number,
  signal: AbortSignal,
): Promise<Answer> {
  const clock = AbortSignal.timeout(timeout);
  const stop = new AbortController();
  try {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { 'accept-encoding': 'identity' },
      signal: AbortSignal.any([clock, signal, stop.signal]),
    });
    return await judge(response, least, most);
  } catch (e) {
    return { kind: 'failed', why: reason(e, clock.aborted) };
  } finally {
    stop.abort(); // what was not read is not waited for
  }
}
