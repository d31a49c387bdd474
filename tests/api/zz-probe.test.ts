import { afterAll, beforeAll, test } from 'vitest';
import { startTestInstance } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
let instance: TestInstance;
beforeAll(async () => {
  instance = await startTestInstance();
});
afterAll(() => instance.close());
test('probe', async () => {
  const out: string[] = [];
  const show = async (method: string, path: string, options = {}) => {
    const a = await instance.call(method, path, options);
    out.push(`${method} ${path.slice(0, 80)} -> ${a.status} ${JSON.stringify(a.body)?.slice(0, 300)}`);
  };
  const base = { session_id: 's1', type: 'observation', text: 'hello' };
  await show('POST', '/events', { body: { ...base, text: 'one constructor', tags: ['constructor'] } });
  await show('POST', '/events', { body: { ...base, text: 'two', tags: ['__proto__'] } });
  await show('POST', '/events', { body: { ...base, text: 'three', tags: ['a\u0000b'] } });
  await show('POST', '/events', { body: { ...base, text: 'four', agent: { id: 'a\u0000b' } } });
  await show('POST', '/events', {
    raw: '{"session_id":"s1","type":"observation","tool":{"name":"x\\ud800","input":{}}}',
  });
  await show('POST', '/events', {
    raw: '{"session_id":"s1","type":"observation","text":"p","__proto__":{"x":1},"constructor":{"prototype":{"y":1}}}',
  });
  await show('POST', '/hooks/Odd', {
    raw: '{"session_id":"s1","__proto__":{"x":1},"constructor":{"prototype":{"y":1}}}',
  });
  await show('POST', '/events', { body: { ...base, text: 'five', occurred_at: '0000-01-01T00:00:00Z' } });
  await show('POST', '/events', { body: { ...base, text: 'five', occurred_at: '2026-01-01T00:00:00+23:59' } });
  const long = Array.from({ length: 400 }, () => crypto.randomUUID())
    .join('/')
    .slice(0, 4000);
  await show('POST', '/events', { body: { ...base, session_id: 's2', project: { path: `/${long}` } } });
  await show('POST', '/hooks/SessionStart', { body: { session_id: 's3', cwd: `/${long}` } });
  await show('POST', '/hooks/PostToolUse', { body: { session_id: 's4', tool_name: 'Bash', tool_use_id: long } });
  for (const p of [
    '/sessions/%00',
    '/sessions?search=%00',
    '/sessions?project=%00',
    '/search?q=a%00b',
    '/search?q=a&project=%00',
    '/search?q=a&tags=%00',
    '/search?q=a&since=0000-01-01T00:00:00Z',
    '/search?q=a&since=2026-01-01T00:00:00%2B23:59',
    '/learnings?tag=%00',
    '/learnings?session=%00',
    '/sessions/%zz',
    `/sessions/${'x'.repeat(600)}`,
    `/sessions/${'x'.repeat(512)}`,
  ])
    await show('GET', p);
  await show('POST', '/context', { body: { purpose: 'session_start', project: 'a\u0000' } });
  await show('POST', '/context', { body: { purpose: 'prompt', prompt: 'a\u0000' } });
  await show('PATCH', '/sessions', { body: {} });
  await show('GET', '/openapi.json');
  await instance.startWorker();
  for (let i = 0; i < 60; i += 1) {
    const r = await instance.db.superuser.query("SELECT count(*)::int n FROM embeddings WHERE state='indexed'");
    if (r.rows[0].n > 1) break;
    await new Promise((ok) => setTimeout(ok, 200));
  }
  await show('GET', '/search?q=constructor');
  process.stdout.write(out.join('\n') + '\n');
  const doc = (await instance.call('GET', '/openapi.json')).body;
  (await import('node:fs')).writeFileSync('/tmp/openapi.json', JSON.stringify(doc, null, 1));
}, 60_000);
