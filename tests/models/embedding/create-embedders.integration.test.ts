import path from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { embeddingConfig, embeddingEnvironment } from '../../../config/embedding-settings.ts';
import { DEFAULT_PRESET, PRESETS } from '../../../domain/embedding-presets.ts';
import { createEmbedders } from '../../../models/embedding/create-embedders.ts';
import { testFolder } from '../../infra/support/folder.ts';
import { writeTinyModel } from './tiny-model.ts';

test('while the preset is changed, the one of the served index still embeds queries', async () => {
  const cacheDir = testFolder();
  const wanted = PRESETS['all-MiniLM-L6-v2'];
  for (const { name } of [wanted, DEFAULT_PRESET]) await writeTinyModel(path.join(cacheDir, 'models', name));
  const environment = z.object(embeddingEnvironment).parse({ RECOLLECT_EMBEDDING_PRESET: 'all-MiniLM-L6-v2' });
  const embedding = embeddingConfig(environment);
  const embedders = createEmbedders({ embedding, cacheDir, maxClass: 'internal' }, { threads: 1 });
  try {
    expect(embedders.wanted.model).toBe(wanted.name);
    const served = embedders.of(DEFAULT_PRESET.name);
    expect(await served?.embed(['alpha'], 'query')).toHaveLength(1);
    expect(await embedders.wanted.embed(['alpha'], 'query')).toHaveLength(1);
    expect(embedders.of('another model')).toBeNull();
  } finally {
    await embedders.close();
  }
});
