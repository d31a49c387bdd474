import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ImportApi } from '../../../cli/import/import-api.ts';
import { streamDatabase } from '../../../cli/import/stream-database.ts';
import { openClaudeMem } from '../../../stores/claude-mem/source.ts';
import { buildClaudeMem } from '../../claude-mem/build-database.ts';
import type { Row } from '../../claude-mem/build-database.ts';

export interface ClaudeMemFigures {
  /** Observations only; every twenty of them have a session, two prompts and two summaries. */
  readonly observationsPerSecond: number;
  readonly rows: number;
  readonly accounted: boolean;
}

const BEGAN = Date.parse('2025-01-01T00:00:00Z');
const PER_SESSION = 20;
const PROJECTS = 20;
const WORDS =
  'cache retry index cursor socket parser schema bundle token window lease shard worker queue batch router session prompt'.split(
    ' ',
  );

/** Returns words that differ between rows and are the same in every run. */
function words(seed: number, count: number): string {
  const chosen: string[] = [];
  for (let state = seed + 1, n = 0; n < count; n += 1) {
    state = (state * 48_271) % 2_147_483_647;
    chosen.push(n % 9 === 8 ? `item${state % 9_973}` : (WORDS[state % WORDS.length] ?? ''));
  }
  return chosen.join(' ');
}

function* range(count: number, rowOf: (n: number) => Row): Generator<Row> {
  for (let n = 1; n <= count; n += 1) yield rowOf(n);
}

/** Creates a database of claude-mem's newest version; observations have a realistic size of 1 KB. Each `name` has its own sessions. */
export function createClaudeMem(file: string, observations: number, name = 'bench'): void {
  const sessions = Math.ceil(observations / PER_SESSION);
  const database = buildClaudeMem(file, 49, `${name} ${observations}`);
  const at = (n: number) => BEGAN + n * 1_000;
  database.insert(
    'sdk_sessions',
    range(sessions, (n) => ({
      id: n,
      content_session_id: `${name}-session-${n}`,
      memory_session_id: `${name}-memory-${n}`,
      project: `project-${n % PROJECTS}`,
      platform_source: 'claude',
      user_prompt: words(2 * n, 30),
      started_at_epoch: at(n * PER_SESSION),
      completed_at_epoch: at((n + 1) * PER_SESSION),
      status: 'completed',
    })),
  );
  database.insert(
    'user_prompts',
    range(sessions * 2, (n) => ({
      content_session_id: `${name}-session-${Math.ceil(n / 2)}`,
      session_db_id: Math.ceil(n / 2),
      prompt_number: 2 - (n % 2),
      prompt_text: words(n, 30),
      created_at_epoch: at(n * 10),
    })),
  );
  database.insert(
    'observations',
    range(observations, (n) => ({
      memory_session_id: `${name}-memory-${Math.ceil(n / PER_SESSION)}`,
      project: `project-${Math.ceil(n / PER_SESSION) % PROJECTS}`,
      type: ['bugfix', 'feature', 'discovery', 'decision'][n % 4] ?? '',
      title: words(n, 6),
      subtitle: words(n + 1, 12),
      facts: JSON.stringify([words(n + 2, 12), words(n + 3, 12), words(n + 4, 12)]),
      narrative: words(n + 5, 70),
      concepts: JSON.stringify(['how-it-works', 'gotcha']),
      files_read: JSON.stringify([`src/${WORDS[n % WORDS.length] ?? ''}.ts`]),
      files_modified: '[]',
      prompt_number: 1,
      discovery_tokens: 900 + (n % 50),
      created_at_epoch: at(n),
      content_hash: `hash-${n}`,
      generated_by_model: 'bench',
    })),
  );
  database.insert(
    'session_summaries',
    range(sessions * 2, (n) => ({
      memory_session_id: `${name}-memory-${Math.ceil(n / 2)}`,
      project: `project-${Math.ceil(n / 2) % PROJECTS}`,
      request: words(n, 10),
      learned: words(n + 1, 30),
      completed: words(n + 2, 20),
      next_steps: words(n + 3, 10),
      created_at_epoch: at(n * 10),
    })),
  );
  database.close();
}

/** Imports a database into a running instance through the public API, and checks that every row is accounted for. */
export async function benchClaudeMem(
  access: { readonly url: string; readonly apiKey: string },
  observations: number,
): Promise<ClaudeMemFigures> {
  const folder = mkdtempSync(path.join(tmpdir(), 'recollect-bench-claude-mem-'));
  const file = path.join(folder, 'claude-mem.db');
  try {
    createClaudeMem(file, observations);
    const signal = new AbortController().signal;
    const started = performance.now();
    const source = await openClaudeMem(file);
    const api = new ImportApi(access, signal);
    const sent = await streamDatabase({ api, source, dryRun: false, signal, onProgress: () => undefined });
    await source.close();
    const seconds = (performance.now() - started) / 1_000;
    return {
      observationsPerSecond: Math.round(observations / seconds),
      rows: sent.rows.done,
      accounted: sent.tables.every(
        ({ unaccounted, imported, source_rows }) => unaccounted === 0 && imported === source_rows,
      ),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
