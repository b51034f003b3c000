/**
 * Bytes from a path or an address.
 * @module
 */

/**
 * Bytes at a path of the file system where the engine has one, or at an address (http, https, blob, data, file).
 * @throws Error that says why there are none
 */
export async function bytesAt(place: string | URL): Promise<Uint8Array> {
  const fs = globalThis.process?.getBuiltinModule?.('node:fs');
  const text = String(place);
  if (fs !== undefined && !/^(https?|blob|data):/.test(text))
    return new Uint8Array(await fs.promises.readFile(text.startsWith('file:') ? new URL(text) : text));
  let response: Response;
  try {
    response = await fetch(place);
  } catch (e) {
    throw new Error(`${place} cannot be fetched: ${(e as Error).message}`);
  }
  if (!response.ok) throw new Error(`${place} answers ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
