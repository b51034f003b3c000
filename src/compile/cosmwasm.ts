/**
 * What a CosmWasm contract has beside the model: entry points (kernels/mvp/cosmwasm.ts) and the texts that they read and write.
 * @module
 */

/** Exports of the contract. */
export const ENTRY_POINTS: readonly string[] = [
  'interface_version_8',
  'allocate',
  'deallocate',
  'instantiate',
  'query',
];

/** Texts by their number: words of a message, and pieces of answers. */
const TEXTS = [
  ...['{', '"infer"', ':', '{', '"inputs"', ':', '['],
  ...[']', '}', '}'],
  ...['"', ','],
  '{"ok":{"messages":[],"attributes":[],"events":[],"data":null}}',
  ...['{"ok":"', '{"outputs":[', '],"gas":"', '"}', '"}'],
  '{"error":"the message is not {\\"infer\\":{\\"inputs\\":[\\"BASE64\\", one for each input]}}"}',
  '{"error":"an input has another length, or is no base64 with padding"}',
  '{"error":"an input holds a value outside its interval"}',
];

/** The texts as words, each text behind the byte of its length. */
export function textWords(): number[] {
  const bytes = TEXTS.flatMap((t) => [t.length, ...[...t].map((c) => c.charCodeAt(0))]);
  const words: number[] = [];
  for (let i = 0; i < bytes.length; i += 4)
    words.push(bytes.slice(i, i + 4).reduce((word, b, k) => word | (b << (8 * k)), 0));
  return words;
}
