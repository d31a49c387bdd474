import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Tokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { readCredentials } from '../../../cli/server/access.ts';
import { processEnvironment } from '../../../config/process-environment.ts';
import { findModelFiles, presetIn } from '../../../infra/bootstrap/model-files.ts';
import { cacheDirectory } from '../../../infra/instance/layout.ts';
import { prepareDataDirectory } from '../../../infra/instance/instance.ts';
import { createOnnxEmbedder } from '../../../models/embedding/onnx-embedder.ts';
import { startInstanceProcess } from '../instance-process.ts';
import type { RecallFigures } from '../figures.ts';
import { say } from '../command-line.ts';

const DOCS = fileURLToPath(new URL('../../../docs', import.meta.url));
const TEXTS = 2_000;
const TOKENS = 128;
const SESSIONS = 20;
/** The worker's settings: the embedder's own rate is the reference. */
const EMBEDDER = { threads: 2 };
const BARE_TEXTS = 500;
const TARGET_PER_S = 80;
const TARGET_SHARE = 0.65;
const POLL_MS = 200;
const LONGEST_MS = 600_000;

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const rounded = (value: number) => Math.round(value * 100) / 100;

/** Returns distinct texts of this many model tokens, from the words of this repository's documents. */
function textsOf(tokenizer: Tokenizer, count: number): string[] {
  const words = readdirSync(DOCS)
    .filter((name) => name.endsWith('.md'))
    .flatMap((name) => readFileSync(path.join(DOCS, name), 'utf8').match(/[A-Za-z]{2,}/gu) ?? []);
  let state = 42;
  const next = (): string => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return words[state % words.length] ?? '';
  };
  const tokensOf = new Map<string, number>();
  const cost = (word: string): number => {
    const known = tokensOf.get(word) ?? tokenizer.encode(word).ids.length - 2;
    tokensOf.set(word, known);
    return known;
  };
  return Array.from({ length: count }, () => {
    const text: string[] = [];
    // [CLS] and [SEP] count, too.
    for (let tokens = 2, word = next(); tokens + cost(word) <= TOKENS; tokens += cost(word), word = next())
      text.push(word);
    return text.join(' ');
  });
}

const indexes = z.object({ serving: z.object({ waiting: z.number(), indexed: z.number(), failed: z.number() }) });

/** Measures vectors per second from the first capture to the last indexed vector on `recollect up`, and of the embedder alone. */
export async function runIndexRate(): Promise<RecallFigures> {
  const environment = processEnvironment();
  const files = await findModelFiles({ cacheDir: cacheDirectory(environment), environment });
  if (files === null || !existsSync(files.tokenizer)) return { skipped: 'no embedding model' };
  const texts = textsOf(new Tokenizer(JSON.parse(readFileSync(files.tokenizer, 'utf8')), {}), TEXTS);

  const bare = async (): Promise<number> => {
    const embedder = createOnnxEmbedder({ preset: presetIn(environment), modelDir: files.directory, ...EMBEDDER });
    await embedder.embed(texts.slice(0, 16), 'passage');
    const started = performance.now();
    await embedder.embed(texts.slice(0, BARE_TEXTS), 'passage');
    const rate = BARE_TEXTS / ((performance.now() - started) / 1_000);
    await embedder.close();
    return rate;
  };

  const dataDir = mkdtempSync(path.join(tmpdir(), 'recollect-bench-'));
  chmodSync(dataDir, 0o755);
  say(`data in ${dataDir}`);
  const instance = await startInstanceProcess(dataDir);
  try {
    const { url, apiKey } = readCredentials(prepareDataDirectory(dataDir).credentialsFile);
    const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
    const counts = async () => {
      const answer = await fetch(`${url}/api/v1/admin/reindex`, { headers });
      return indexes.parse(await answer.json()).serving;
    };
    const before = await bare();
    say(`bare embedder: ${rounded(before)}/s`);
    const started = performance.now();
    for (let session = 0; session < SESSIONS; session += 1) {
      const some = texts.slice((session * TEXTS) / SESSIONS, ((session + 1) * TEXTS) / SESSIONS);
      const answer = await fetch(`${url}/api/v1/events/batch`, {
        method: 'POST',
        headers,
        body: JSON.stringify(
          some.map((text) => ({
            host: 'bench',
            session_id: `index-${session}`,
            infer: false,
            type: 'observation',
            text,
          })),
        ),
      });
      if (answer.status !== 202) throw new Error(`the batch returned ${answer.status}: ${await answer.text()}`);
    }
    const capturedMs = performance.now() - started;
    for (let indexed = 0; indexed < TEXTS;) {
      await wait(POLL_MS);
      const now = await counts();
      if (now.failed > 0) throw new Error(`${now.failed} chunks were refused`);
      if (performance.now() - started > LONGEST_MS) throw new Error(`only ${now.indexed} chunks were indexed`);
      indexed = now.indexed;
    }
    const perSecond = TEXTS / ((performance.now() - started) / 1_000);
    const after = await bare();
    const bareRate = (before + after) / 2;
    const share = perSecond / bareRate;
    return {
      texts: TEXTS,
      tokens_each: TOKENS,
      captured_s: rounded(capturedMs / 1_000),
      per_s: rounded(perSecond),
      bare_per_s: { before: rounded(before), after: rounded(after) },
      share_of_bare: rounded(share),
      missed: [
        ...(perSecond < TARGET_PER_S ? [`${rounded(perSecond)} texts/s, wanted ${TARGET_PER_S}`] : []),
        ...(share < TARGET_SHARE ? [`${rounded(share)} of the bare embedder, wanted ${TARGET_SHARE}`] : []),
      ],
    };
  } finally {
    await instance.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}
