import { describe, expect, it } from 'vitest';
import { idEnding, MEMORY_HASH, memoryHash } from '../../domain/memory.ts';

describe('memoryHash', () => {
  it.each([
    ['0192f0c1-2345-7abc-8def-000000000000', 'aaaaaaaa'],
    ['0192f0c1-2345-7abc-8def-ffffffffffff', '77777777'],
    ['0192f0c1-2345-7abc-8def-000000000001', 'aaaaaaab'],
    ['0192f0c1-2345-7abc-8def-00000000001f', 'aaaaaaa7'],
    ['0192f0c1-2345-7abc-8def-000000000020', 'aaaaaaba'],
    ['0192f0c1-2345-7abc-8def-008000000000', 'qaaaaaaa'],
  ])('of %s is %s', (id, hash) => {
    expect(memoryHash(id)).toBe(hash);
    expect(hash).toMatch(MEMORY_HASH);
    expect(idEnding(hash)).toBe(id.slice(-10));
  });

  it('reads the last 40 bits alone, in any case', () => {
    expect(memoryHash('ffffffff-ffff-7fff-bfff-ff1234567890')).toBe(memoryHash('00000000-0000-7000-8000-001234567890'));
    expect(memoryHash('0192f0c1-2345-7abc-8def-00abcdef0123')).toBe(memoryHash('0192F0C1-2345-7ABC-8DEF-00ABCDEF0123'));
  });
});
