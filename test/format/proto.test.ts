/** The wire code against a general Protocol Buffers library reading model.proto. */
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { encodeModel } from '../../src/format/encode.ts';
import type { Field, Schema } from '../../src/format/protobuf.ts';
import { MODEL } from '../../src/format/schema.ts';
import { randomGraph } from '../support/recipes.ts';

const root = protobuf.parse(readFileSync(new URL('../../src/format/model.proto', import.meta.url), 'utf8'), {
  keepCase: true,
}).root;
const SCALARS: Readonly<Record<string, string>> = {
  uint32: 'uint',
  sint32: 'sint',
  bool: 'bool',
  bytes: 'bytes',
  string: 'string',
};

/** A schema as model.proto states it: name, number, type and repetition of every field, depth first. */
function fromProto(type: protobuf.Type): unknown[] {
  return type.fieldsArray.map((f) => {
    const sub = f.resolve().resolvedType;
    const scalar = `${SCALARS[f.type]}${f.repeated ? 's' : ''}`;
    return [f.id, f.name, sub instanceof protobuf.Type ? [f.repeated, fromProto(sub)] : scalar];
  });
}

function fromSchema(schema: Schema): unknown[] {
  return schema.flatMap((f: Field | null, id) =>
    f === null ? [] : [[id, f.name, typeof f.type === 'object' ? [f.most !== undefined, fromSchema(f.type)] : f.type]],
  );
}

describe('the wire', () => {
  it('the schema is that of model.proto', () => {
    expect(fromSchema(MODEL)).toEqual(fromProto(root.lookupType('samebit.Model')));
  });

  it('a general library reads the files and writes them back to the byte', () => {
    const Model = root.lookupType('samebit.Model');
    for (let seed = 0; seed < 300; seed++) {
      const bytes = encodeModel(randomGraph(seed));
      expect(Uint8Array.from(Model.encode(Model.decode(bytes)).finish()), `seed ${seed}`).toEqual(bytes);
    }
  });
});
