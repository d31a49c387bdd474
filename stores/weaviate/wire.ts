import type protobuf from 'protobufjs/minimal.js';

/** How a field's value is written: protobuf's wire types. */
export const WIRE = { varint: 0, fixed64: 1, length: 2, fixed32: 5 } as const;

/** What stands before a field's value. */
export function tag(field: number, wire: number): number {
  return (field << 3) | wire;
}

/** Writes a message inside the one under way. */
export function nested(writer: protobuf.Writer, field: number, write: () => void): void {
  writer.uint32(tag(field, WIRE.length)).fork();
  write();
  writer.ldelim();
}

export function text(writer: protobuf.Writer, field: number, value: string): void {
  writer.uint32(tag(field, WIRE.length)).string(value);
}

/** Reads a message that follows, field by field; what `take` does not know (it answers false) is passed over. */
export function readMessage(reader: protobuf.Reader, end: number, take: (fieldTag: number) => boolean): void {
  while (reader.pos < end) {
    const fieldTag = reader.uint32();
    if (!take(fieldTag)) reader.skipType(fieldTag & 7);
  }
}

/** Reads a nested message, whose length comes first. */
export function readNested(reader: protobuf.Reader, take: (fieldTag: number) => boolean): void {
  const bytes = reader.uint32();
  readMessage(reader, reader.pos + bytes, take);
}
