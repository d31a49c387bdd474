import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { RouteAccess } from '../../../api/auth.ts';
import { callRoute, nameOf, PROOF_ROUTES, ROUTE_RIGHTS, WITHOUT_PROOF } from '../support/route-rights.ts';
import { AUDITED_ROUTES } from '../support/route-audit.ts';
import { expectError } from '../support/answers.ts';
import { logIn, withPassword } from '../support/log-in.ts';
import { fileInstance } from '../../setup/file-instance.ts';

/** With every route that a setting adds. */
const instance = fileInstance({
  RECOLLECT_OAUTH: 'true',
  RECOLLECT_OAUTH_REGISTRATION: 'true',
  RECOLLECT_PUBLIC_URL: 'https://memory.example.org',
});

const openapi = z.looseObject({
  paths: z.record(
    z.string(),
    z.record(z.string(), z.looseObject({ responses: z.record(z.string(), z.unknown()).optional() })),
  ),
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

test('every route that deletes or returns a key or an invite needs a recent proof of a session, or has a reason', async () => {
  const { paths } = openapi.parse((await instance.get('/openapi.json', null)).body);
  const gives = ({ method, url }: RouteAccess) => {
    const { responses = {} } = paths[url.replaceAll(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()] ?? {};
    return /"(?:api_key|invite)":/.test(JSON.stringify([responses[200], responses[201]]));
  };
  expect(decided().filter(gives).map(nameOf)).toContain('POST /admin/tenants/:id/invite');
  const due = decided().filter((route) => route.method === 'DELETE' || gives(route));
  const missing = due.map(nameOf).filter((name) => !PROOF_ROUTES.includes(name) && !(name in WITHOUT_PROOF));
  expect(missing).toEqual([]);
  const guarded = decided().filter(({ stepUp }) => stepUp);
  expect(guarded.map(nameOf).toSorted()).toEqual(PROOF_ROUTES.toSorted());

  const operator = await instance.user({ role: 'admin' });
  const { access_token: token } = await logIn(instance, await withPassword(instance, operator));
  await instance.write("UPDATE user_sessions SET authenticated_at = now() - interval '6 minutes'");
  for (const route of guarded) expectError(await callRoute(instance, route, token), 'STEP_UP_REQUIRED');
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
