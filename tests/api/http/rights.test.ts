import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RouteAccess } from '../../../api/auth.ts';
import { nameOf, ROUTE_RIGHTS } from '../support/route-rights.ts';
import { AUDITED_ROUTES } from '../support/route-audit.ts';
import { fileInstance } from '../../setup/file-instance.ts';

/** With every route that a setting adds. */
const instance = fileInstance({
  RECOLLECT_OAUTH: 'true',
  RECOLLECT_OAUTH_REGISTRATION: 'true',
  RECOLLECT_PUBLIC_URL: 'https://memory.example.org',
});

const rightOf = ({ access, writes }: RouteAccess) => (writes ? `${access}, writes` : access);
/** The framework derives HEAD from GET. */
const decided = () => instance.routes.filter(({ method, url }) => method !== 'HEAD' && !url.startsWith('/docs'));

test('every route has a decision, and its documented level', () => {
  expect(Object.fromEntries(decided().map((route) => [nameOf(route), rightOf(route)]))).toEqual(ROUTE_RIGHTS);
});

test('every route has a decision whether its requests are recorded in the audit log', () => {
  const audited = decided().filter(({ isAudited }) => isAudited);
  expect(audited.map(nameOf).toSorted()).toEqual(AUDITED_ROUTES.toSorted());
});

test('nothing under api/ reads the role of a key but the one file that joins it with the scope', () => {
  const folder = join(import.meta.dirname, '../../../api');
  const asking = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (file) =>
      file.endsWith('.ts') &&
      file !== 'auth.ts' &&
      /\bprincipal\.role\b|\brole\b[^=\n]*= principalOf/.test(readFileSync(join(folder, file), 'utf8')),
  );
  expect(asking).toEqual([]);
  expect(readFileSync(join(folder, 'auth.ts'), 'utf8')).toContain('principal.role');
});

test('a viewer’s hooks and tools are refused, clearly, and nothing is written', async () => {
  const { key, userId } = await instance.user({ role: 'viewer' });
  const hook = { session_id: 'watched', prompt: 'hello', cwd: '/src' };
  const answer = await instance.post('/hooks/UserPromptSubmit', hook, key);
  expect(answer.body).toMatchObject({ code: 'FORBIDDEN', error: expect.stringContaining('viewer') });
  const tool = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'remember', arguments: { content: 'x' } },
  };
  const response = await instance.call('POST', '/mcp', {
    key,
    body: tool,
    headers: { accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-06-18' },
  });
  expect(JSON.stringify(response.body)).not.toMatch(/"hash"/);
  for (const table of ['sessions', 'learnings', 'prompts'])
    expect((await instance.rows(`SELECT FROM ${table} WHERE user_id = $1`, [userId])).length).toBe(0);
});
