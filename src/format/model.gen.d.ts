/** Types of the generated code of model.proto: what the encoder writes and the decoder reads. */
import type { Reader, Writer } from 'protobufjs/minimal.js';
import type { ConstantMessage, ModelMessage } from './messages.ts';

interface Codec<T> {
  encode(message: Partial<T>, writer?: Writer): Writer;
  decode(reader: Reader | Uint8Array, length?: number): T;
}

export const samebit: { readonly Model: Codec<ModelMessage>; readonly Constant: Codec<ConstantMessage> };
