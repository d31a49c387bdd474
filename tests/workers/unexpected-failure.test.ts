import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { logsOf } from '../../cli/support-bundle/log-lines.ts';
import { testFolder } from '../infra/support/folder.ts';
import { providerSettings, startMessagesServer } from '../models/claude/messages-server.ts';
import type { MessagesServer } from '../models/claude/messages-server.ts';
import { settled } from '../setup/demo-session.ts';
import { startTestInstance, SWEEPS } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
import { captured, smallSession } from '../setup/small-session.ts';
import { until, untilTrue } from '../setup/until.ts';
import { startWorkerProcess } from '../setup/worker-process.ts';
import type { ServiceProcess } from '../setup/worker-process.ts';

let provider: MessagesServer;
let instance: TestInstance;
let worker: ServiceProcess;

beforeAll(async () => {
  provider = await startMessagesServer({ author: true });
  instance = await startTestInstance(
    { ...providerSettings(provider), RECOLLECT_SESSION_RETRY_MS: '300', RECOLLECT_LOG_LEVEL: 'info' },
    SWEEPS,
  );
  worker = await startWorkerProcess(instance.environment);
});
afterAll(async () => {
  await worker.stop();
  await instance.close();
  await provider.close();
});

const line = z.object({
  msg: z.literal('Activity failed'),
  activityType: z.string(),
  error: z.object({ type: z.string(), message: z.string(), frames: z.array(z.string()) }),
});

/** Returns the failures of activities in the worker's log. */
function failures() {
  return worker
    .log()
    .split('\n')
    .flatMap((text) => {
      const parsed = text.startsWith('{') && text.endsWith('}') ? line.safeParse(JSON.parse(text)) : null;
      return parsed?.success === true ? [parsed.data] : [];
    });
}

test(
  'logs class, codes and place of an unexpected failure without content, releases its reservation, and clears the error after success',
  { timeout: 240_000 },
  async () => {
    // Its message contains content, as those of PostgreSQL do.
    await instance.db.owner.query(
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '% at file:///src/small/money.ts:1:1', NEW.response USING ERRCODE = '22P05'; END $$;
       CREATE TRIGGER refuse BEFORE INSERT ON model_response_cache FOR EACH ROW EXECUTE FUNCTION refuse()`,
    );
    await captured(instance, smallSession('refused'));
    // A busy machine may delay other steps until they fail.
    const found = await until(async () => failures().find(({ activityType }) => activityType === 'summariseWindows'));
    expect(found).toMatchObject({ activityType: 'summariseWindows', error: { type: 'Unexpected' } });
    expect(found.error.message).toMatch(/^Unexpected \w+ P2010 22P05$/u);
    expect(found.error.frames).toContainEqual(
      expect.stringMatching(/^stores\/postgres\/usage\/model-response-cache\.ts:\d+$/u),
    );
    for (const frame of found.error.frames) expect(frame).toMatch(/^(?!node_modules)(?!src)[\w/.-]+\.ts:\d+$/u);
    expect(worker.log()).not.toMatch(/round|invoice|money/iu);
    const folder = testFolder();
    writeFileSync(path.join(folder, 'worker.log'), worker.log());
    expect(logsOf(folder)['worker']).toContainEqual(
      expect.objectContaining({
        msg: 'Activity failed',
        activityType: 'summariseWindows',
        attempt: expect.any(Number) as number,
        error: { type: 'Unexpected', frames: found.error.frames.slice(0, 6) },
      }),
    );

    // Between two attempts. What an attempt leaves would expire after three minutes.
    const usage = z.object({ budget: z.object({ reserved_tokens: z.number(), used_tokens: z.number() }) });
    await untilTrue(async () => {
      const { budget } = usage.parse((await instance.get('/usage')).body);
      return budget.used_tokens > 0 && budget.reserved_tokens === 0;
    });
    expect(await instance.count('usage_ledger')).toBeGreaterThan(0);
    const waiting = await until(async () => {
      const rows = await instance.rows<{ last_error: string | null }>('SELECT last_error FROM sessions');
      return rows[0]?.last_error ?? undefined;
    });
    expect(waiting).toBe('Unexpected');

    await instance.db.owner.query('DROP TRIGGER refuse ON model_response_cache');
    expect(await settled(instance, 'test:refused')).toMatchObject({ waiting_reason: null, last_error: null });
  },
);
