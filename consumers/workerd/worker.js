import { createSession, loadModel } from 'samebit';
import core from 'samebit/core.wasm'; // such engines compile no code at run time: they take modules that were deployed
import more from 'samebit/more.wasm';
import { precompiled, wasm } from 'samebit/wasm';

const ready = precompiled({ core, more });

export default {
  async fetch(request) {
    await ready;
    const form = await request.formData();
    const bytes = async (name) => new Uint8Array(await form.get(name).arrayBuffer());
    const session = await createSession(loadModel(await bytes('model')), { backend: wasm });
    const { digest } = await session.run({ input: await bytes('digit') });
    return new Response(digest);
  },
};
