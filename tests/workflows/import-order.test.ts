import { expect, test } from 'vitest';
import { fileInstance } from '../setup/file-instance.ts';
import { settled } from '../setup/demo-session.ts';
import { until } from '../setup/until.ts';

const SESSIONS = 60;
const PROMPTS = 10;
const DAY_MS = 86_400_000;
const TEXT = 'Unpaid baskets of the web shop expire after twenty minutes, because stock stays reserved for them.';
const instance = fileInstance();

async function capture(session: string, prompts: readonly string[], ageMs: number): Promise<void> {
  const occurredAt = new Date(Date.now() - ageMs).toISOString();
  const common = { host: 'test', session_id: session, infer: false, occurred_at: occurredAt };
  const body = [
    ...prompts.map((content) => ({ ...common, type: 'prompt', content })),
    { ...common, type: 'session.ended' },
  ];
  const answer = await instance.call('POST', '/events/batch', { body });
  expect(answer.body).toMatchObject({ accepted: body.length });
}

const pendingOf = (pattern: string) =>
  instance.count(
    "embeddings e JOIN sessions s ON s.id = e.session_id WHERE s.external_id LIKE $1 AND (e.state = 'pending' OR s.consumed_seq < s.last_seq)",
    [pattern],
  );

test(
  'a session that ends during an import is searchable by meaning while the import is indexed',
  { timeout: 240_000 },
  async () => {
    for (let n = 0; n < SESSIONS; n += 1)
      await capture(
        `old-${n}`,
        Array.from({ length: PROMPTS }, (_, row) => `note ${n} ${row}: ${`step ${row} of session ${n}; `.repeat(40)}`),
        90 * DAY_MS,
      );
    await instance.startWorker();
    await until(async () => ((await pendingOf('old-%')) > SESSIONS ? true : undefined));
    await capture('today', [TEXT], 0);
    await settled(instance, 'test:today');
    const { body: found } = await until(async () => {
      const { body } = await instance.call(
        'GET',
        '/search?q=how+long+does+a+cart+survive+without+checkout&limit=5&nearest=true',
      );
      return JSON.stringify(body).includes(TEXT) ? { body } : undefined;
    });
    expect(found).toMatchObject({ degraded: [] });
    // The seconds are a figure of bench:imports. Not what is pending now: a busy machine may settle the session and search after the import.
    const later = await instance.count(
      `embeddings e JOIN sessions s ON s.id = e.session_id WHERE s.external_id LIKE 'old-%' AND (e.indexed_at IS NULL OR e.indexed_at >
         (SELECT max(t.indexed_at) FROM embeddings t JOIN sessions r ON r.id = t.session_id WHERE r.external_id = 'today'))`,
    );
    expect(later).toBeGreaterThan(SESSIONS);
  },
);
