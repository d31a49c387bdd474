import { v7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { usageText } from '../../cli/commands/operations/usage.ts';
import type { Usage } from '../../contract/usage.ts';
import { longLivedFolder } from '../infra/support/long-lived-folder.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { type Ran, runProgram, writeCredentials } from './support/output.ts';

const dataDir = longLivedFolder();
const instance = fileInstance();

const run = (...args: string[]): Promise<Ran> => runProgram([...args, '--data-dir', dataDir]);

beforeAll(async () => {
  writeCredentials(dataDir, instance);
});

async function booked(model: string, tokens: number, usd: number, daysAgo = 0): Promise<void> {
  const at = new Date(Date.now() - daysAgo * 86_400_000);
  await instance.write(
    `INSERT INTO usage_ledger (id, tenant_id, user_id, operation, provider, model, input_tokens, output_tokens, tokens_cached, cost_usd, latency_ms, created_at)
     VALUES ($1, $2, $3, 'summarise_window', 'anthropic', $4, $5, 10, 0, $6, 1, $7)`,
    [v7({ msecs: at.getTime() }), instance.admin.tenantId, instance.admin.userId, model, tokens, usd, at],
  );
}

describe('recollect usage', () => {
  test('reports that there was none', async () => {
    const { code, text } = await run('usage');
    expect(code).toBe(0);
    expect(text).toMatch(
      /^No model calls since \d{4}-\d\d-\d\d\.\nbudget of paid models today: 0 of 1,000,000 tokens \(0 %\), until \d{4}-\d\d-\d\d 00:00 UTC; the local model is free\n$/u,
    );
  });

  test('is a table by model or by another group, of the requested days', async () => {
    await booked('a-small-model', 12_345, 0.012345);
    await booked('a-large-model', 1_000, 1.5, 10);
    const { text } = await run('usage');
    expect(text.split('\n')).toEqual([
      expect.stringMatching(/^MODEL +CALLS +FROM CACHE +TOKENS IN +PROMPT-CACHED +TOKENS OUT +COST$/u),
      expect.stringMatching(/^a-large-model +1 +0 +1,000 +0 +10 +\$1\.50$/u),
      expect.stringMatching(/^a-small-model +1 +0 +12,345 +0 +10 +\$0\.012$/u),
      expect.stringMatching(/^all +2 +0 +13,345 +0 +20 +\$1\.51$/u),
      expect.stringMatching(/^budget of paid models today: /u),
      '',
    ]);
    const week = (await run('usage', '--days', '7', '--group-by', 'operation')).text;
    expect(week).toMatch(/^OPERATION .*\nsummarise_window +1 +0 +12,345 .*\nall +1 /u);
    expect(JSON.parse((await run('usage', '--group-by', 'day', '--json')).text)).toMatchObject({
      totals: { calls: 2 },
      groups: [{ calls: 1 }, { calls: 1 }],
    });
  });

  test('reports an unknown user', async () => {
    expect(await run('usage', '--user', 'unknown')).toMatchObject({
      code: 1,
      errors: 'No user unknown. recollect users list shows them.\n',
    });
  });
});

test('shows pending tokens, groups without a name and alerts', () => {
  const sums = {
    calls: 1,
    cache_hits: 2,
    batch_calls: 0,
    input_tokens: 3,
    output_tokens: 4,
    tokens_cached: 5,
    tokens_cache_written: 0,
    tokens_batch: 0,
    usd: 0,
    latency_ms: null,
  };
  const usage: Usage = {
    scope: { user: null },
    since: '2026-01-01T00:00:00Z',
    until: '2026-01-31T00:00:00Z',
    totals: sums,
    group_by: 'project',
    groups: [
      { ...sums, key: null, name: null, day: null },
      { ...sums, key: 'p', name: 'tally', day: '2026-01-02' },
    ],
    more_groups: true,
    budget: {
      quota_tokens: 0,
      used_tokens: 5,
      reserved_tokens: 7,
      share: null,
      alert_share: 0.8,
      resets_at: '2026-02-01T00:00:00Z',
    },
    alerts: [
      {
        type: 'budget_threshold',
        day: '2026-01-30',
        user: { id: 'u', username: 'mika' },
        used_tokens: 8,
        quota_tokens: 10,
        share: 0.8,
        created_at: '2026-01-30T12:00:00Z',
      },
    ],
  };
  expect(usageText(usage, 'project').split('\n').slice(1)).toEqual([
    '(none)             1      2           3          5              4           $0',
    '2026-01-02  tally  1      2           3          5              4           $0',
    'all                1      2           3          5              4           $0',
    'More groups exist.',
    'budget of paid models today: 5 of 0 tokens, 7 reserved, until 2026-02-01 00:00 UTC; the local model is free',
    'alert: mika used 80 % of the daily tokens on 2026-01-30',
    '',
  ]);
});
