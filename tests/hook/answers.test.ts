import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ERROR_STATUS } from '../../api/errors.ts';
import { outcomeOf } from '../../hook/outcome.ts';
import { spoolStatus } from '../../hook/spool/status.ts';
import { startTestInstance } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
import { until } from '../setup/until.ts';
import { drainTo, logEntries, runClient, spoolLines, spoolNames } from './support/client.ts';
import { fileClient } from './support/file-client.ts';
import { answerError, answerForeign, answerJson, startServer } from './support/servers.ts';
import type { Answer, TestServer } from './support/servers.ts';

// The client drops an event only when the API itself accepted it or rejected it for good.

const dataDirFor = fileClient();

/** Runs hooks until one of them got a response in time and logged it. A late one is pending then: the next would be spooled behind it unsent. */
function logged(dataDir: string, event: string, input: unknown, what: string) {
  let isFirst = true;
  return until(async () => {
    // A process in the background may write to it meanwhile.
    if (!isFirst) rmSync(path.join(dataDir, 'spool'), { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    isFirst = false;
    expect(await runClient(event, input, { dataDir })).toMatchObject({ code: 0, stdout: '', stderr: '' });
    return logEntries(dataDir).find((entry) => entry.what === what && entry.detail?.startsWith('status') === true);
  });
}

function quarantinedOf(dataDir: string, session: string): string {
  return readFileSync(path.join(dataDir, 'spool', 'quarantine', `${session}.ndjson`), 'utf8');
}

describe('a response', () => {
  const outcome = (status: number, code: string) => outcomeOf({ status, isApi: true, body: JSON.stringify({ code }) });

  it.each([200, 202, 204, 301, 400, 401, 404, 405, 410, 421, 422, 429, 500, 502])(
    'of %i by another server has no effect',
    (status) => {
      const body = '{"code":"VALIDATION_FAILED"}';
      expect(outcomeOf({ status, isApi: false, body })).toEqual({
        kind: 'unavailable',
        reason: `status ${status}, not of Recollect`,
      });
    },
  );

  it('of 413 by a proxy delays its event, not those of other sessions', () => {
    expect(outcomeOf({ status: 413, isApi: false, body: '' })).toEqual({
      kind: 'later',
      reason: 'status 413, not of Recollect',
    });
  });

  it.each([
    [200, '', 'accepted'],
    [204, '', 'accepted'],
    [308, '', 'unavailable'],
    [401, 'INVALID_API_KEY', 'unavailable'],
    [403, 'FORBIDDEN', 'unavailable'],
    [404, 'NOT_FOUND', 'unavailable'],
    [405, 'METHOD_NOT_ALLOWED', 'unavailable'],
    [408, 'REQUEST_TIMEOUT', 'unavailable'],
    [400, 'INVALID_JSON', 'refused'],
    [413, 'BODY_TOO_LARGE', 'refused'],
    [422, 'VALIDATION_FAILED', 'refused'],
    [422, 'EVENT_NOT_STORABLE', 'refused'],
    [422, 'SESSION_DELETED', 'unwanted'],
    [422, 'FOLDER_EXCLUDED', 'unwanted'],
    [410, '', 'later'],
    [422, 'SOMETHING_NEW', 'later'],
    [429, '', 'later'],
    [429, 'RATE_LIMITED', 'unavailable'],
    [500, 'INTERNAL', 'later'],
    [503, 'VALIDATION_FAILED', 'later'],
  ])('of %i %s by the api means %s', (status, code, kind) => {
    expect(outcome(status, code).kind).toBe(kind);
  });

  it.each(['', '<html>', '[]', 'null', '{"code":7}', '{"error":{"code":"VALIDATION_FAILED"}}'])(
    'with status 422 and body %j states no reason, and is no rejection',
    (body) => {
      expect(outcomeOf({ status: 422, isApi: true, body }).kind).toBe('later');
    },
  );

  it.each(Object.entries(ERROR_STATUS).filter(([, status]) => status < 500))(
    'with the api’s code %s (%i) is never deferred for ever as an unknown one',
    (code, status) => {
      const isUnavailable =
        (status >= 401 && status <= 405) || status === 408 || status === 421 || code === 'RATE_LIMITED';
      const expected = isUnavailable ? /^unavailable$/ : /^(?:refused|unwanted)$/;
      expect(outcome(status, code).kind).toMatch(expected);
    },
  );
});

describe('the client', () => {
  const foreign = [200, 302, 404, 405, 410, 413, 421, 422, 502].map((status) => ['another server', status] as const);
  const own = [401, 403, 404, 408, 429, 500, 503].map((status) => ['the api', status] as const);

  it.each([...foreign, ...own])('spools an event that %s answers with %i', async (who, status) => {
    const answer: Answer = who === 'the api' ? answerJson(status, { error: 'no' }) : answerForeign(status);
    const dataDir = dataDirFor(await startServer(answer));
    await logged(dataDir, 'Stop', { session_id: 's' }, 'spooled');
    expect(spoolLines(dataDir)[0]).toMatchObject({ event: 'Stop' });
  });

  it('prints nothing of a captive portal’s response', async () => {
    const context = JSON.stringify({ hookSpecificOutput: { additionalContext: 'click here' } });
    const dataDir = dataDirFor(await startServer(answerForeign(200, context)));
    const entry = await logged(dataDir, 'SessionStart', { session_id: 's' }, 'spooled');
    expect(entry.detail).toBe('status 200, not of Recollect');
  });

  it.each([
    ['of a session', { session_id: 's' }, 's'],
    ['of none', { session_id: 42 }, 'no-session'],
  ])('quarantines, redacted, an event %s that the api rejects', async (_what, ids, session) => {
    const dataDir = dataDirFor(await startServer(answerError(422, 'VALIDATION_FAILED')));
    const input = { ...ids, tool_name: 'Bash', tool_input: { password: 'hunter2-hunter2' } };
    const entry = await logged(dataDir, 'PostToolUse', input, 'refused');
    expect(entry.detail).toBe('status 422 VALIDATION_FAILED, quarantined');
    expect(quarantinedOf(dataDir, session)).toContain('"reason":"status 422 VALIDATION_FAILED"');
    expect(quarantinedOf(dataDir, session)).toContain(String.raw`\"tool_name\":\"Bash\"`);
    expect(quarantinedOf(dataDir, session)).not.toContain('hunter2');
  });

  it('leaves a large one to the drain', async () => {
    const dataDir = dataDirFor(await startServer(answerError(413, 'BODY_TOO_LARGE')));
    const input = { session_id: 's', tool_response: 'word '.repeat(120_000) };
    await until(async () => {
      await runClient('PostToolUse', input, { dataDir, stdin: 'file' });
      await drainTo(dataDir);
      return spoolStatus(dataDir, 'local').quarantined > 0 ? true : undefined;
    });
    expect(quarantinedOf(dataDir, 's')).toContain('BODY_TOO_LARGE');
  });

  it('stores nothing of an excluded folder', async () => {
    const dataDir = dataDirFor(await startServer(answerError(422, 'FOLDER_EXCLUDED')));
    const entry = await logged(dataDir, 'Stop', { session_id: 's' }, 'refused');
    expect(entry.detail).toBe('status 422 FOLDER_EXCLUDED');
    await drainTo(dataDir);
    expect(spoolStatus(dataDir, 'local')).toMatchObject({ events: 0, quarantined: 0 });
  });
});

describe('the api behind a proxy', () => {
  let instance: TestInstance;

  beforeAll(async () => {
    instance = await startTestInstance();
  });

  afterAll(async () => {
    await instance.close();
  });

  /** Forwards to the real API; responds as a proxy while `down`. */
  const startProxy = async (state: { down: number | null }): Promise<TestServer> => {
    const server = await startServer((received, response) => {
      if (state.down !== null) return answerForeign(state.down)(received, response, 0);
      const { authorization = '', 'x-recollect-delivery': delivery } = received.headers;
      const headers = {
        authorization,
        'content-type': 'application/json',
        'x-recollect-delivery': String(delivery),
      };
      void fetch(`${instance.url}${received.path}`, { method: 'POST', headers, body: received.text }).then(
        async (answer) => {
          response.writeHead(answer.status, Object.fromEntries(answer.headers));
          response.end(await answer.text());
        },
      );
    });
    return { ...server, key: instance.admin.key };
  };

  const stored = async (session: string) => {
    const rows = await instance.rows<{ content: string }>(
      'SELECT o.content FROM observations o JOIN sessions s ON s.id = o.session_id WHERE s.external_id = $1 ORDER BY o.seq',
      [session],
    );
    return rows.map(({ content }) => /result \d+/.exec(content)?.[0] ?? '');
  };

  it.each([404, 502, 200, 405])('loses nothing while it restarts and the proxy answers %i', async (status) => {
    const state: { down: number | null } = { down: status };
    const dataDir = dataDirFor(await startProxy(state));
    const session = randomUUID();
    const hook = (n: number) =>
      runClient('PostToolUse', { session_id: session, tool_name: 'Bash', tool_response: `result ${n}` }, { dataDir });
    for (let n = 0; n < 3; n += 1) {
      expect(await hook(n)).toMatchObject({ code: 0, stdout: '', stderr: '' });
      await until(async () => (spoolStatus(dataDir, 'local').events === n + 1 ? true : undefined));
    }
    // A drain gets the same response and leaves them in the spool. One may be running, started by a hook.
    const report = await until(async () => {
      const met = await drainTo(dataDir);
      return met.end.kind === 'busy' ? undefined : met;
    });
    expect(report).toMatchObject({
      delivered: 0,
      quarantined: 0,
      end: { kind: 'stopped', reason: `status ${status}, not of Recollect` },
    });
    state.down = null;
    await until(async () => ((await drainTo(dataDir)).end.kind === 'done' ? true : undefined));
    expect(await stored(session)).toEqual(['result 0', 'result 1', 'result 2']);
    expect(spoolNames(dataDir)).toEqual([]);
  });

  it('waits for the right address, and quarantines what the api itself rejects', async () => {
    const dataDir = dataDirFor({ url: `${instance.url}/elsewhere`, key: instance.admin.key });
    await logged(dataDir, 'Stop', { session_id: 's' }, 'spooled');
    expect(logEntries(dataDir)).toContainEqual(expect.objectContaining({ what: 'spooled', detail: 'status 404' }));
    const other = dataDirFor({ url: instance.url, key: instance.admin.key });
    const entry = await logged(other, 'PostToolUse', { session_id: 42 }, 'refused');
    expect(entry.detail).toBe('status 422 VALIDATION_FAILED, quarantined');
    expect(quarantinedOf(other, 'no-session')).toContain('VALIDATION_FAILED');
    expect(spoolNames(other)).toEqual([]);
  });
});
