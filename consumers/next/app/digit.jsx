'use client';

import { useEffect, useState } from 'react';
import { createSession, loadModel } from 'samebit';
import { wasm } from 'samebit/wasm';

const file = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());

async function run() {
  const session = await createSession(loadModel(await file('/digits.sbm')), { backend: wasm });
  const { digest } = await session.run({ input: await file('/digit.bin') });
  session.dispose();
  return digest;
}

export function Digit() {
  const [digest, setDigest] = useState('');
  useEffect(() => {
    run().then((d) => {
      setDigest(d);
      console.log(`digest ${d}`);
    }, console.error);
  }, []);
  return <p id="digest">{digest}</p>;
}
