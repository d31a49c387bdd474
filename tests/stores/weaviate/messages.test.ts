import protobuf from 'protobufjs/minimal.js';
import { expect, test } from 'vitest';
import { decodeFound, decodePage } from '../../../stores/weaviate/messages.ts';

// weaviate-index.integration.test.ts covers requests and responses with a real server.

/** A message of the fields that `write` writes. */
function message(write: (writer: protobuf.Writer) => void): Uint8Array {
  const writer = protobuf.Writer.create();
  write(writer);
  return writer.finish();
}

const nested = (writer: protobuf.Writer, field: number, bytes: Uint8Array) =>
  writer.uint32((field << 3) | 2).bytes(bytes);

function property(name: string, value: Uint8Array): Uint8Array {
  return message((writer) => {
    writer.uint32(10).string(name);
    nested(writer, 2, value);
  });
}

const REPLY = message((writer) => {
  writer.uint32((1 << 3) | 5).float(0.2);
  nested(
    writer,
    2,
    message((result) => {
      nested(
        result,
        1,
        message((properties) => {
          properties.uint32((3 << 3) | 2).string('a field that was not requested');
          nested(
            properties,
            11,
            message((entries) => {
              nested(
                entries,
                1,
                property(
                  'memory_id',
                  message((value) => value.uint32((13 << 3) | 2).string('m-1')),
                ),
              );
              nested(
                entries,
                1,
                property(
                  'chunk',
                  message((value) => value.uint32(8 << 3).int64(3)),
                ),
              );
              nested(
                entries,
                1,
                property(
                  'empty',
                  message((value) => value.uint32(12 << 3).int32(0)),
                ),
              );
            }),
          );
        }),
      );
      nested(
        result,
        2,
        message((metadata) => {
          metadata.uint32(10).string('object id');
          metadata.uint32((7 << 3) | 5).float(0.25);
          metadata.uint32((11 << 3) | 5).float(1.5);
        }),
      );
    }),
  );
});

test('reads the fields of a response and ignores others', () => {
  expect(decodeFound(REPLY)).toEqual([{ objectId: 'object id', score: 1.5, distance: 0.25 }]);
  const [{ properties } = { properties: {} }] = decodePage(REPLY);
  expect(properties).toMatchObject({ memory_id: 'm-1', chunk: 3 });
});

test('an answer without objects is empty, and one that was cut is refused', () => {
  expect(decodeFound(new Uint8Array())).toEqual([]);
  expect(() => decodeFound(REPLY.subarray(0, 40))).toThrow(RangeError);
});
