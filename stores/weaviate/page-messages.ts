import type protobuf from 'protobufjs/minimal.js';
import { FIRST_ID } from '../../domain/ids.ts';
import type { ExportedObject } from '../../domain/ports/vector-index.ts';
import { VECTOR_NAME } from './schema.ts';
import { decodeResults, encodeFrame } from './search-frame.ts';
import { readNested, tag, text, WIRE } from './wire.ts';

/** A page of a tenant's objects in the order of their ids. */
export interface PageMessage {
  readonly collection: string;
  readonly tenant: string;
  /** Objects after this one; null for the first page. */
  readonly after: string | null;
  readonly limit: number;
}

// Field numbers: search_get.proto, base.proto and properties.proto of Weaviate's gRPC API v1.
const REQUEST = { after: 33 };
const PROPERTIES = { all: 11 };
const METADATA = { uuid: 1, vectors: 10 };
const RESULT = { properties: 1, metadata: 2 };
const RESULT_PROPERTIES = { plain: 11 };
const RESULT_METADATA = { id: 1, vectors: 23 };
const VECTORS = { bytes: 3 };
const VALUE = { number: 1, bool: 3, list: 5, date: 6, uuid: 7, int: 8, text: 13 };
const LIST = { texts: 8 };

/** A SearchRequest as bytes. */
export function encodePage({ collection, tenant, after, limit }: PageMessage): Uint8Array {
  return encodeFrame({
    collection,
    tenant,
    limit,
    properties: (writer) => void writer.uint32(tag(PROPERTIES.all, WIRE.varint)).bool(true),
    metadata: (writer) => {
      writer.uint32(tag(METADATA.uuid, WIRE.varint)).bool(true);
      text(writer, METADATA.vectors, VECTOR_NAME);
    },
    // No object has the first id: without an id to go on from, the server would not go by ids.
    rest: (writer) => text(writer, REQUEST.after, after ?? FIRST_ID),
  });
}

function readTexts(reader: protobuf.Reader): string[] {
  const texts: string[] = [];
  readNested(reader, (listTag) => {
    if (listTag !== tag(LIST.texts, WIRE.length)) return false;
    readNested(reader, (fieldTag) => {
      if (fieldTag !== tag(1, WIRE.length)) return false;
      texts.push(reader.string());
      return true;
    });
    return true;
  });
  return texts;
}

/** Of every type that our collections have; others are none of ours, and read as absent. */
function readValue(reader: protobuf.Reader): unknown {
  let value: unknown;
  readNested(reader, (fieldTag) => {
    switch (fieldTag) {
      case tag(VALUE.text, WIRE.length):
      case tag(VALUE.date, WIRE.length):
      case tag(VALUE.uuid, WIRE.length):
        value = reader.string();
        return true;
      case tag(VALUE.int, WIRE.varint):
        value = Number(reader.int64());
        return true;
      case tag(VALUE.number, WIRE.fixed64):
        value = reader.double();
        return true;
      case tag(VALUE.bool, WIRE.varint):
        value = reader.bool();
        return true;
      case tag(VALUE.list, WIRE.length):
        value = readTexts(reader);
        return true;
      default:
        return false;
    }
  });
  return value;
}

function readProperties(reader: protobuf.Reader): Record<string, unknown> {
  const properties: Record<string, unknown> = {};
  readNested(reader, (resultTag) => {
    if (resultTag !== tag(RESULT_PROPERTIES.plain, WIRE.length)) return false;
    readNested(reader, (entryTag) => {
      if (entryTag !== tag(1, WIRE.length)) return false;
      let name = '';
      let value: unknown;
      readNested(reader, (fieldTag) => {
        if (fieldTag === tag(1, WIRE.length)) name = reader.string();
        else if (fieldTag === tag(2, WIRE.length)) value = readValue(reader);
        else return false;
        return true;
      });
      if (value !== undefined) properties[name] = value;
      return true;
    });
    return true;
  });
  return properties;
}

/** Little-endian, as the processors are that Node runs on. Copied: in the reply they need not begin where floats may. */
function readVector(reader: protobuf.Reader): Float32Array {
  let vector: Float32Array = new Float32Array();
  readNested(reader, (fieldTag) => {
    if (fieldTag !== tag(VECTORS.bytes, WIRE.length)) return false;
    vector = new Float32Array(Uint8Array.from(reader.bytes()).buffer);
    return true;
  });
  return vector;
}

function readObject(reader: protobuf.Reader): ExportedObject {
  let objectId = '';
  let properties: Record<string, unknown> = {};
  let vector: Float32Array = new Float32Array();
  readNested(reader, (fieldTag) => {
    if (fieldTag === tag(RESULT.properties, WIRE.length)) properties = readProperties(reader);
    else if (fieldTag === tag(RESULT.metadata, WIRE.length))
      readNested(reader, (metadataTag) => {
        if (metadataTag === tag(RESULT_METADATA.id, WIRE.length)) objectId = reader.string();
        else if (metadataTag === tag(RESULT_METADATA.vectors, WIRE.length)) vector = readVector(reader);
        else return false;
        return true;
      });
    else return false;
    return true;
  });
  return { objectId, properties, vector };
}

/** The objects of a SearchReply, in their order. @throws Error for bytes that are none */
export function decodePage(reply: Uint8Array): ExportedObject[] {
  return decodeResults(reply, readObject);
}
