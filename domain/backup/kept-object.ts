import type { ExportedObject } from '../ports/vector-index.ts';

/** Returns one line of a vector file: `{"id", "properties", "vector"}` and a newline; the vector is little-endian float32 in base64. */
export function keptLine({ objectId, properties, vector }: ExportedObject): string {
  const bytes = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
  return `${JSON.stringify({ id: objectId, properties, vector: bytes.toString('base64') })}\n`;
}
