import type { ExportedObject } from '../ports/vector-index.ts';

/** One line of a file of vectors, with its end: `{"id", "properties", "vector"}`, the vector as little-endian float32 in base64. */
export function keptLine({ objectId, properties, vector }: ExportedObject): string {
  const bytes = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
  return `${JSON.stringify({ id: objectId, properties, vector: bytes.toString('base64') })}\n`;
}
