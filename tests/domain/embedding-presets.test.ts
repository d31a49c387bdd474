import { expect, test } from 'vitest';
import { DEFAULT_PRESET, likenessOf, PRESET_NAMES, PRESETS } from '../../domain/embedding-presets.ts';

test('every preset has a name in the setting, the default first, and an index of its own', () => {
  expect([...PRESET_NAMES].sort()).toEqual(Object.keys(PRESETS).sort());
  expect(PRESETS[PRESET_NAMES[0]]).toBe(DEFAULT_PRESET);
  expect(new Set(Object.values(PRESETS).map(({ name }) => name)).size).toBe(PRESET_NAMES.length);
});

test('a likeness is 1 for equal texts and that of the default preset for unrelated ones, in order between', () => {
  for (const preset of Object.values(PRESETS)) {
    expect(likenessOf(preset, 1)).toBe(1);
    expect(likenessOf(preset, preset.unrelated)).toBeCloseTo(DEFAULT_PRESET.unrelated, 10);
    expect(likenessOf(preset, 0.9)).toBeLessThan(likenessOf(preset, 0.91));
  }
  expect(likenessOf(DEFAULT_PRESET, 0.72)).toBeCloseTo(0.72, 10);
});
