import protobuf from 'protobufjs/minimal.js';
import type { ExportedObject } from '../../domain/ports/vector-index.ts';
import { VECTOR_NAME } from './schema.ts';
import { nested, tag, text, WIRE } from './wire.ts';

// Field numbers: batch.proto and base.proto of Weaviate's gRPC API v1, and google/protobuf/struct.proto.
const REQUEST = { objects: 1 };
const OBJECT = { uuid: 1, properties: 3, collection: 4, tenant: 5, vectors: 23 };
const PROPERTIES = { plain: 1, texts: 6, empty: 10 };
const TEXTS = { values: 1, name: 2 };
const STRUCT = { entries: 1, key: 1, value: 2 };
const VALUE = { number: 2, text: 3, bool: 4 };
const VECTORS = { name: 1, bytes: 3, type: 4 };
const SINGLE_FP32 = 1;
const REPLY = { errors: 2, index: 1, message: 2 };

/** A text, a number or a truth in the map of plain properties. Lists stand beside it. */
function writePlain(writer: protobuf.Writer, name: string, value: string | number | boolean): void {
  nested(writer, STRUCT.entries, () => {
    text(writer, STRUCT.key, name);
    nested(writer, STRUCT.value, () => {
      if (typeof value === 'string') text(writer, VALUE.text, value);
      else if (typeof value === 'number') writer.uint32(tag(VALUE.number, WIRE.fixed64)).double(value);
      else writer.uint32(tag(VALUE.bool, WIRE.varint)).bool(value);
    });
  });
}

function writeProperties(writer: protobuf.Writer, properties: ExportedObject['properties']): void {
  const entries = Object.entries(properties);
  nested(writer, PROPERTIES.plain, () => {
    for (const [name, value] of entries)
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
        writePlain(writer, name, value);
  });
  for (const [name, value] of entries) {
    if (!Array.isArray(value)) continue;
    const texts = value.filter((one): one is string => typeof one === 'string');
    if (texts.length === 0) text(writer, PROPERTIES.empty, name);
    else
      nested(writer, PROPERTIES.texts, () => {
        for (const one of texts) text(writer, TEXTS.values, one);
        text(writer, TEXTS.name, name);
      });
  }
}

/** A BatchObjectsRequest as bytes: vectors go as they lie in memory, four bytes a number instead of some eleven as text. */
export function encodeBatch(collection: string, tenant: string, objects: readonly ExportedObject[]): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const { objectId, properties, vector } of objects)
    nested(writer, REQUEST.objects, () => {
      text(writer, OBJECT.uuid, objectId);
      nested(writer, OBJECT.properties, () => writeProperties(writer, properties));
      text(writer, OBJECT.collection, collection);
      text(writer, OBJECT.tenant, tenant);
      nested(writer, OBJECT.vectors, () => {
        text(writer, VECTORS.name, VECTOR_NAME);
        // Little-endian, as the processors are that Node runs on.
        const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
        writer.uint32(tag(VECTORS.bytes, WIRE.length)).bytes(bytes);
        writer.uint32(tag(VECTORS.type, WIRE.varint)).int32(SINGLE_FP32);
      });
    });
  return writer.finish();
}

export interface BatchError {
  /** Which object of the request. */
  readonly index: number;
  readonly message: string;
}

/** What a BatchObjectsReply says was refused. @throws Error for bytes that are none */
export function decodeBatchErrors(reply: Uint8Array): BatchError[] {
  const reader = protobuf.Reader.create(reply);
  const errors: BatchError[] = [];
  while (reader.pos < reader.len) {
    const fieldTag = reader.uint32();
    if (fieldTag !== tag(REPLY.errors, WIRE.length)) {
      reader.skipType(fieldTag & 7);
      continue;
    }
    const end = reader.uint32() + reader.pos;
    let index = 0;
    let message = '';
    while (reader.pos < end) {
      const inner = reader.uint32();
      if (inner === tag(REPLY.index, WIRE.varint)) index = reader.int32();
      else if (inner === tag(REPLY.message, WIRE.length)) message = reader.string();
      else reader.skipType(inner & 7);
    }
    errors.push({ index, message });
  }
  return errors;
}
