import { expect, test } from 'vitest';
import { decodeVector, encodeVector } from '../../domain/vector-bytes.ts';

/** A vector of length one, the same for the same seed. */
function vectorOf(seed: number, dimension = 384): Float32Array {
  let state = seed;
  const values = Float32Array.from({ length: dimension }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return state / 0x4000_0000 - 1;
  });
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}

test('decodes a vector with little loss from half of its bytes', () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const vector = vectorOf(seed);
    const bytes = encodeVector(vector);
    expect(bytes.length).toBe(vector.length * 2);
    const decoded = decodeVector(bytes);
    expect(decoded.reduce((sum, value, at) => sum + value * (vector[at] ?? 0), 0)).toBeGreaterThan(1 - 2 ** -22);
    expect(Math.hypot(...decoded)).toBeCloseTo(1, 6);
    decoded.forEach((value, at) => {
      const was = vector[at] ?? 0;
      // Below 2⁻¹⁴ the 16-bit floats are 2⁻²⁴ apart.
      expect(Math.abs(value - was)).toBeLessThanOrEqual(Math.max(Math.abs(was) * 2 ** -10.5, 2 ** -24));
    });
  }
});

test('bytes in the middle of a larger buffer are read from their place', () => {
  const bytes = encodeVector(new Float32Array([0.6, 0.8]));
  const shared = Buffer.concat([Buffer.from([1, 2, 3]), bytes]);
  expect(Array.from(decodeVector(shared.subarray(3)), (value) => value.toFixed(3))).toEqual(['0.600', '0.800']);
  expect(decodeVector(Buffer.alloc(4))).toEqual(new Float32Array([0, 0]));
});
