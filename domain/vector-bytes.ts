const BYTES_PER_FLOAT = 2;

/**
 * Encodes a vector as little-endian 16-bit floats. A component loses at most 2⁻¹¹ (0.05 %) (IEEE 754 binary16: 11 bits of significand), so
 * the cosine of a vector and its copy is above 1 − 2⁻²².
 */
export function encodeVector(vector: Float32Array): Buffer {
  const bytes = Buffer.alloc(vector.length * BYTES_PER_FLOAT);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  vector.forEach((value, at) => view.setFloat16(at * BYTES_PER_FLOAT, value, true));
  return bytes;
}

/** Decodes a vector and normalises it. */
export function decodeVector(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const vector = new Float32Array(Math.floor(bytes.byteLength / BYTES_PER_FLOAT));
  let squares = 0;
  for (let at = 0; at < vector.length; at += 1) {
    const value = view.getFloat16(at * BYTES_PER_FLOAT, true);
    vector[at] = value;
    squares += value * value;
  }
  const length = Math.sqrt(squares);
  return length === 0 ? vector : vector.map((value) => value / length);
}
