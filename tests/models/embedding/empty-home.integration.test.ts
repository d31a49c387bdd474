import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, inject, test } from 'vitest';
import { processEnvironment } from '../../../config/process-environment.ts';
import { DEFAULT_PRESET } from '../../../domain/embedding-presets.ts';
import { testFolder } from '../../infra/support/folder.ts';

const EMBEDDER = path.resolve(import.meta.dirname, '../../../models/embedding/onnx-embedder.ts');
const PRESETS = path.resolve(import.meta.dirname, '../../../domain/embedding-presets.ts');

test('embedding writes nothing to an empty home, despite the telemetry of its library', () => {
  const home = testFolder();
  const modelDir = path.join(inject('cacheDir'), 'models', DEFAULT_PRESET.name);
  const script = `
    const { createOnnxEmbedder } = await import(${JSON.stringify(EMBEDDER)});
    const { DEFAULT_PRESET } = await import(${JSON.stringify(PRESETS)});
    const embedder = createOnnxEmbedder({ preset: DEFAULT_PRESET, modelDir: ${JSON.stringify(modelDir)}, threads: 1 });
    process.stdout.write(String((await embedder.embed(['a text'], 'query'))[0].length));
    await embedder.close();`;
  const { PATH } = processEnvironment();
  const file = path.join(testFolder(), 'embed.mjs');
  writeFileSync(file, script);
  const dimension = execFileSync(process.execPath, [file], {
    env: { PATH, HOME: home },
    encoding: 'utf8',
  });
  expect(Number(dimension)).toBe(DEFAULT_PRESET.dimension);
  expect(readdirSync(home, { recursive: true })).toEqual([]);
});
