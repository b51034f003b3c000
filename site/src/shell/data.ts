/**
 * Files of the site's data folder.
 * @module
 */

/** The response of a file. @throws Error where it is missing */
export async function file(name: string): Promise<Response> {
  const response = await fetch(new URL(`data/${name}`, document.baseURI));
  if (!response.ok) throw new Error(`the site has no ${name} (${response.status})`);
  return response;
}

/** Bytes of a file. */
export async function bytesOf(name: string): Promise<Uint8Array> {
  return new Uint8Array(await (await file(name)).arrayBuffer());
}

/** A JSON file. */
export async function json<T>(name: string): Promise<T> {
  return (await (await file(name)).json()) as T;
}
