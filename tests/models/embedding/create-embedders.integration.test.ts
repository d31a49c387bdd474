import path from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { embeddingConfig, embeddingEnvironment } from '../../../config/embedding-settings.ts';
import { DEFAULT_PRESET, PRESETS } from '../../../domain/embedding-presets.ts';
import { TextsRefused } from '../../../domain/ports/embedder.ts';
import { createEmbedders } from '../../../models/embedding/create-embedders.ts';
import { testFolder } from '../../infra/support/folder.ts';
import { startEmbeddingsServer } from './embeddings-server.ts';
import { tinyPreset, writeTinyModel } from './tiny-model.ts';

test('while the preset is changed, the one of the served index still embeds queries', async () => {
  const cacheDir = testFolder();
  const wanted = PRESETS['all-MiniLM-L6-v2'];
  for (const { name } of [wanted, DEFAULT_PRESET]) await writeTinyModel(path.join(cacheDir, 'models', name));
  const environment = z.object(embeddingEnvironment).parse({ RECOLLECT_EMBEDDING_PRESET: 'all-MiniLM-L6-v2' });
  const embedding = { ...embeddingConfig(environment), preset: tinyPreset(wanted) };
  const presets = Object.values(PRESETS).map((preset) => tinyPreset(preset));
  const embedders = createEmbedders({ embedding, cacheDir, maxClass: 'internal' }, { threads: 1 }, presets);
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

test('a provider gets no text above the class of the setting', async () => {
  const provider = await startEmbeddingsServer();
  const environment = z.object(embeddingEnvironment).parse({
    RECOLLECT_EMBEDDING_PROVIDER: 'http',
    RECOLLECT_EMBEDDING_URL: provider.url,
    RECOLLECT_EMBEDDING_API_KEY: 'embedding-key',
    RECOLLECT_EMBEDDING_MODEL: 'one',
    RECOLLECT_EMBEDDING_DIMENSION: '32',
  });
  const embedders = createEmbedders(
    { embedding: embeddingConfig(environment), cacheDir: testFolder(), maxClass: 'internal' },
    { threads: 1 },
  );
  try {
    await embedders.wanted.embed(['alpha'], 'passage');
    await expect(embedders.wanted.embed(['Ask heron@birdwatch.io'], 'passage')).rejects.toBeInstanceOf(TextsRefused);
    expect(provider.requests.flatMap(({ input }) => input)).toEqual(['alpha']);
  } finally {
    await embedders.close();
    await provider.close();
  }
});
