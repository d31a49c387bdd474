import protobuf from 'protobufjs/minimal.js';
import { nested, readMessage, tag, text, WIRE } from './wire.ts';

// Field numbers: search_get.proto of Weaviate's gRPC API v1.
const REQUEST = { collection: 1, tenant: 10, properties: 20, metadata: 21, limit: 30 };
/** The server answers in its present form only to who says that it knows it (uses_123_api, uses_125_api, uses_127_api). */
const PRESENT_FORM = [100, 101, 102];
const REPLY = { results: 2 };

/** What every SearchRequest says: whose objects, what of each, and how many. */
export interface SearchFrame {
  readonly collection: string;
  readonly tenant: string;
  readonly limit: number;
  readonly properties: (writer: protobuf.Writer) => void;
  readonly metadata: (writer: protobuf.Writer) => void;
  /** Which of the objects, and in what order. */
  readonly rest: (writer: protobuf.Writer) => void;
}

/** A SearchRequest as bytes. */
export function encodeFrame({ collection, tenant, limit, properties, metadata, rest }: SearchFrame): Uint8Array {
  const writer = protobuf.Writer.create();
  text(writer, REQUEST.collection, collection);
  text(writer, REQUEST.tenant, tenant);
  nested(writer, REQUEST.properties, () => properties(writer));
  nested(writer, REQUEST.metadata, () => metadata(writer));
  writer.uint32(tag(REQUEST.limit, WIRE.varint)).uint32(limit);
  rest(writer);
  for (const form of PRESENT_FORM) writer.uint32(tag(form, WIRE.varint)).bool(true);
  return writer.finish();
}

/** The results of a SearchReply, each as `read` reads it, in their order. @throws Error for bytes that are none */
export function decodeResults<Result>(reply: Uint8Array, read: (reader: protobuf.Reader) => Result): Result[] {
  const reader = protobuf.Reader.create(reply);
  const results: Result[] = [];
  readMessage(reader, reader.len, (fieldTag) => {
    if (fieldTag !== tag(REPLY.results, WIRE.length)) return false;
    results.push(read(reader));
    return true;
  });
  return results;
}
