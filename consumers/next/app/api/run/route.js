import { readFile } from 'node:fs/promises';
import { createSession, loadModel } from 'samebit';

export const dynamic = 'force-dynamic';

export async function GET() {
  const session = await createSession(loadModel(await readFile('public/digits.sbm')));
  const { digest } = await session.run({ input: new Uint8Array(await readFile('public/digit.bin')) });
  session.dispose();
  return new Response(`digest ${digest}`);
}
