import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { logsOf } from '../../cli/support-bundle/log-lines.ts';
import { withoutWorkerSettings } from '../../config/config.ts';
import { closedPort } from '../api/support/closed-port.ts';
import { testFolder } from '../infra/support/folder.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { untilTrue } from '../setup/until.ts';
import { freePort, startService } from '../setup/worker-process.ts';

const PLANTED = 'planted-Zq7-secret';
const instance = fileInstance();

/** Returns what a support bundle has of a log of the api. */
function bundled(log: string): unknown {
  const folder = testFolder();
  writeFileSync(path.join(folder, 'api.log'), log);
  return logsOf(folder)['api'];
}

test('errors of a running api have type, codes and place in a support bundle, and nothing of what was captured', async () => {
  // Messages of PostgreSQL can contain captured text, and this can look like a line of a stack.
  await instance.db.owner.query(
    `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION E'%\\n    at planted (/src/api/%.ts:1:1)', NEW.description, NEW.title USING ERRCODE = 'XX001'; END $$;
     CREATE TRIGGER refuse BEFORE INSERT ON learnings FOR EACH ROW EXECUTE FUNCTION refuse();
     REVOKE EXECUTE ON FUNCTION newest_backups FROM recollect_app`,
  );
  const port = await freePort();
  const api = await startService('api/main.ts', {
    ...withoutWorkerSettings(instance.environment),
    RECOLLECT_HTTP_PORT: String(port),
    RECOLLECT_WEAVIATE_URL: `http://127.0.0.1:${await closedPort()}`,
    RECOLLECT_LOG_LEVEL: 'info',
  });
  const call = async (method: string, at: string, body: string | null = null) => {
    const headers = {
      authorization: `Bearer ${instance.admin.key}`,
      'content-type': 'application/json',
      'x-request-id': PLANTED,
    };
    return (await fetch(`http://127.0.0.1:${port}${at}`, { method, body, headers })).status;
  };
  const learning = JSON.stringify({ title: PLANTED, description: `${PLANTED} is remembered` });
  expect(await call('POST', '/api/v1/learnings', learning)).toBe(500);
  await untilTrue(async () => {
    expect(await call('GET', '/metrics')).toBe(200);
    // On a busy machine a check may reach its time limit first.
    return api.log().includes('ECONNREFUSED');
  });
  expect(await api.stop()).toBe(0);

  // The log names the request by the id that its caller chose.
  expect(api.log()).toContain(PLANTED);
  const lines = bundled(api.log());
  expect(JSON.stringify(lines)).not.toContain('planted');
  expect(lines).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        level: 50,
        msg: 'request failed',
        error: expect.stringMatching(/^\w+$/) as string,
        codes: expect.arrayContaining(['XX001']) as string[],
        stack: expect.arrayContaining([expect.stringMatching(/ stores\/postgres\/[\w/-]+\.ts:\d+:\d+$/)]) as string[],
      }),
      expect.objectContaining({ msg: 'answered', method: 'POST', route: '/api/v1/learnings', status: 500 }),
      expect.objectContaining({ msg: 'a dependency is unavailable', dependency: 'weaviate', reason: 'ECONNREFUSED' }),
      expect.objectContaining({ msg: 'figures cannot be read', step: 'backups', error: 'error' }),
    ]),
  );
});
