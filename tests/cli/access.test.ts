import { execFile } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openOffer } from '../../cli/commands/access/open.ts';
import { agentAccess } from '../../cli/server/access.ts';
import { ServerClient } from '../../cli/server/server-client.ts';
import { meSchema } from '../../contract/access.ts';
import { bodyOf } from '../api/support/answers.ts';
import { cookieOf } from '../api/support/log-in.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { Home } from './install/support/home.ts';
import { testFolder } from '../infra/support/folder.ts';
import { longLivedFolder } from '../infra/support/long-lived-folder.ts';
import { recordOutput, runProgram, writeCredentials } from './support/output.ts';
import type { Ran } from './support/output.ts';
import { runCli } from './support/run-cli.ts';

const instance = fileInstance();
const dataDir = longLivedFolder();
const run = (...args: string[]): Promise<Ran> => runProgram([...args, '--data-dir', dataDir]);
const clientSchema = z.object({
  url: z.string(),
  api_key: z.string(),
  agent_api_key: z.string(),
  agent_write_api_key: z.string(),
});
const clientOf = (folder: string) =>
  clientSchema.parse(JSON.parse(readFileSync(path.join(folder, 'client.json'), 'utf8')));

/** Adds a user; returns the printed link. */
async function invited(...args: string[]): Promise<string> {
  const { code, text, errors } = await run('users', 'add', ...args);
  expect([code, errors]).toEqual([0, '']);
  return /recollect join '([^']+)'/.exec(text)?.[1] ?? '';
}

beforeAll(() => writeCredentials(dataDir, instance));

describe('open', () => {
  const signedIn = async (address: string): Promise<string> => {
    const [url = '', code = ''] = address.split('/#code=');
    expect(url).toBe(instance.url);
    const answer = await instance.call('POST', '/auth/browser', { key: null, body: { code } });
    if (answer.status !== 200) throw new Error(`the sign-in was answered with ${answer.status}`);
    const me = await instance.call('GET', '/auth/me', { key: null, headers: { cookie: cookieOf(answer) } });
    return bodyOf(meSchema, me).user.id;
  };

  test('prints an address that signs in once', async () => {
    const { code, text } = await run('open', '--print');
    expect(code).toBe(0);
    expect(await signedIn(text.trim())).toBe(instance.admin.userId);
    await expect(signedIn(text.trim())).rejects.toThrow('401');
  });

  test.skipIf(process.platform === 'darwin')(
    'starts the browser, or prints the address where there is none',
    async () => {
      const folder = testFolder();
      const opener = path.join(folder, 'xdg-open');
      const start = () => runProgram(['open', '--data-dir', dataDir], null, { PATH: `${folder}:/usr/bin:/bin` });
      writeFileSync(opener, `#!/bin/sh\nprintf %s "$1" > ${folder}/opened\n`, { mode: 0o755 });
      const opened = await start();
      expect([opened.code, opened.text]).toEqual([0, `Opening ${instance.url} …\n`]);
      expect(await signedIn(readFileSync(path.join(folder, 'opened'), 'utf8'))).toBe(instance.admin.userId);
      writeFileSync(opener, '#!/bin/sh\nexit 3\n');
      const failed = await start();
      expect([failed.code, failed.errors]).toEqual([1, expect.stringContaining('No browser can be started here.')]);
      expect(await signedIn(failed.errors.trim().split('\n').at(-1) ?? '')).toBe(instance.admin.userId);
    },
  );

  test('gives an offer to terminals alone: other output may be a log', async () => {
    const server = new ServerClient({ url: instance.url, apiKey: instance.admin.key });
    expect(await openOffer(server, recordOutput({}, 80).output)).toMatch(/^open http:\/\/\S+\/#code=[\w-]{43} /);
    expect(await openOffer(server, recordOutput({}).output)).not.toContain('code=');
  });
});

describe('join', () => {
  test('writes the keys of the user, for the owner only, and install uses the agent key', async () => {
    const link = await invited('ada', '--email', 'ada@example.org');
    expect(link).toMatch(new RegExp(`^${instance.url}/#rci_[\\w-]{43}$`));
    const home = new Home(null);
    const joined = runCli(['join', link, '--data-dir', home.path('.recollect')]);
    const { exitCode, output } = await joined.ended;
    expect([exitCode, output]).toEqual([0, expect.stringContaining(`You are ada (user) on ${instance.url}.`)]);
    const client = clientOf(home.path('.recollect'));
    expect(client.url).toBe(instance.url);
    expect(home.mode('.recollect/client.json')).toBe(0o600);
    for (const key of [client.api_key, client.agent_api_key, client.agent_write_api_key])
      expect(output).not.toContain(key);
    expect(agentAccess(home.path('.recollect'), {}, false)?.apiKey).toBe(client.agent_api_key);
    expect(agentAccess(home.path('.recollect'), {}, true)?.apiKey).toBe(client.agent_write_api_key);
    const before = home.read('.recollect/client.json');
    await home.run('install', 'claude-code', '--transport', 'http');
    expect(home.json('.claude/settings.json')).toMatchObject({ env: { RECOLLECT_API_KEY: client.agent_api_key } });
    expect(home.read('.recollect/client.json')).toBe(before);
    const me = await runProgram(['whoami', '--data-dir', home.path('.recollect')]);
    expect(me.text).toMatch(/^ada in .*\nrole {2}user\nkey {3}own: capture, read, write\n$/);
  });

  test('works once, and replaces a known server only with --overwrite, before the invite is used', async () => {
    const link = await invited('bob');
    const refused = await run('join', link);
    expect(refused).toMatchObject({ code: 1, errors: expect.stringContaining('credentials.json exists') });
    const folder = testFolder();
    const join = (...more: string[]) => runProgram(['join', link, '--data-dir', folder, ...more]);
    const unasked = await join('--password');
    expect(unasked).toMatchObject({ code: 1, errors: expect.stringContaining('prompts on a terminal') });
    expect(await join()).toMatchObject({ code: 0 });
    const first = clientOf(folder);
    expect(await join()).toMatchObject({ code: 1, errors: expect.stringContaining('--overwrite') });
    expect(await join('--overwrite')).toMatchObject({
      code: 1,
      errors: 'The invite is unknown, accepted or expired. Ask an admin for another: recollect users invite USER.\n',
    });
    expect(clientOf(folder)).toEqual(first);
    const again = /recollect join '([^']+)'/.exec((await run('users', 'invite', 'bob')).text)?.[1] ?? '';
    expect((await runProgram(['join', again, '--data-dir', folder, '--overwrite'])).code).toBe(0);
    expect(clientOf(folder).api_key).not.toBe(first.api_key);
    expect(statSync(path.join(folder, 'client.json')).mode & 0o777).toBe(0o600);
  });

  test.each([
    ['http://10.1.2.3:37700/#rci_x', 'plain HTTP exposes the key'],
    ['https://memory.example.org', 'the part after # is missing'],
    ['memory', 'expected a URL'],
  ])('rejects %s without sending anything', async (link, why) => {
    const { code, errors } = await runProgram(['join', link, '--data-dir', testFolder()]);
    expect([code, errors]).toEqual([1, expect.stringContaining(why)]);
    expect(errors).not.toContain('rci_');
  });
});

describe('users', () => {
  test('are listed, get another role, are deactivated and activated', async () => {
    await invited('carol', '--role', 'viewer');
    expect((await run('users', 'list', '--search', 'carol')).text).toMatch(
      /^USER +ROLE +STATE +EMAIL +CREATED\ncarol +viewer +invited +- +\d+[sm]\n$/,
    );
    expect((await run('users', 'set-role', 'carol', 'user')).text).toBe('carol is user now.\n');
    expect((await run('users', 'deactivate', 'carol')).text).toBe(
      'carol is inactive: no key of this user works. The data remain.\n',
    );
    expect((await run('users', 'list', '--search', 'carol')).text).toMatch(/carol +user +inactive/);
    expect((await run('users', 'activate', 'carol')).code).toBe(0);
    const owner = (await instance.user()).userId;
    expect((await run('users', 'transfer', 'carol', '--to', owner, '--dry-run')).text).toBe(
      `${owner} would own what carol owned: 0 learnings of sessions, 0 by hand, 0 closed.\n`,
    );
    expect((await run('users', 'transfer', 'carol', '--to', 'carol')).errors).toContain('to is the same user');
    expect(JSON.parse((await run('users', 'list', '--search', 'carol', '--json')).text)).toMatchObject([
      { username: 'carol', active: true },
    ]);
  });

  test('report what is wrong', async () => {
    expect((await run('users', 'add', 'carol')).errors).toContain('username is taken (CONFLICT)');
    expect((await run('users', 'add', 'Carol Smith')).errors).toBe(
      'Carol Smith must be small letters, digits, dot, dash and underscore.\n',
    );
    expect((await run('users', 'deactivate', 'unknown')).errors).toBe(
      'No user unknown. recollect users list shows them.\n',
    );
    expect((await run('users', 'deactivate', instance.admin.userId)).errors).toContain('without an active admin');
  });
});

/** Returns the id of a key of another user. */
async function otherKey(): Promise<string> {
  const { userId } = await instance.user();
  const [key] = await instance.rows<{ id: string }>('SELECT id FROM api_keys WHERE user_id = $1', [userId]);
  return key?.id ?? '';
}

test('keys are created, listed, rotated and revoked; each is printed once', async () => {
  const made = await run('keys', 'create', 'build', '--scopes', 'read,write', '--expires-at', '2999-01-02');
  expect(made.text).toMatch(/with read, write\. It is not shown again:\n {2}rcl_[\w-]{43}\n$/);
  const listed = (await run('keys', 'list')).text;
  expect(listed).toMatch(/^KEY +NAME +USER +SCOPES +BEGINS WITH +USED +ENDS \(UTC\)\n/);
  const line = listed.split('\n').find((each) => each.includes(' build ')) ?? '';
  expect(line).toMatch(/ read,write +rcl_\S{8} +never +2999-01-02 23:59$/);
  const id = line.split(' ')[0] ?? '';
  const rotated = await run('keys', 'rotate', id, '--overlap-s', '60');
  expect(rotated.text).toMatch(/rcl_[\w-]{43}\nThe old key ends at \d{4}-\d\d-\d\d \d\d:\d\d UTC\.\n$/);
  expect((await run('keys', 'revoke', id)).text).toMatch(/^Revoked: build of /);
  expect((await run('keys', 'list')).text).not.toContain(id);
  expect((await run('keys', 'list', '--ended')).text).toMatch(new RegExp(`${id}.* revoked\n`));
  const own = (await run('keys', 'list', '--own', '--json')).text;
  const [mine] = z.array(z.object({ id: z.string(), user_id: z.string() })).parse(JSON.parse(own));
  expect(mine?.user_id).toBe(instance.admin.userId);
  expect((await run('keys', 'revoke', '--own', await otherKey())).errors).toContain('recollect keys list shows them');
  expect((await run('keys', 'revoke', 'none')).errors).toBe('No key none. recollect keys list shows them.\n');
});

test('grants of OAuth clients are listed and revoked', async () => {
  expect((await run('grants', 'list')).text).toBe('No grants.\n');
  const id = '0190a2c4-0000-7000-8000-000000000001';
  const { tenantId, userId } = instance.admin;
  await instance.write(
    "INSERT INTO oauth_grants (id, tenant_id, user_id, client_id, client_name, client_host, scopes, expires_at) VALUES ($1, $2, $3, 'c', 'An editor', 'editor.example.org', '{read}', '2999-01-02')",
    [id, tenantId, userId],
  );
  expect((await run('grants', 'list', '--all')).text).toMatch(
    new RegExp(`${id} +\\S+ +An editor +editor\\.example\\.org +read +never +2999-01-02 00:00\n`),
  );
  expect((await run('grants', 'revoke', id)).text).toMatch(/^Revoked: An editor of /);
  expect((await run('grants', 'list')).text).toBe('No grants.\n');
  expect((await run('grants', 'list', '--ended')).text).toMatch(/ revoked\n$/);
  expect((await run('grants', 'revoke', 'none')).errors).toBe('No grant none. recollect grants list shows them.\n');
});

test('tenants are added, listed, suspended and resumed', async () => {
  const added = await run('tenants', 'add', 'north', '--admin', 'nora');
  expect(added.text).toMatch(/^Tenant north added \([0-9a-f-]{36}\)\.\nnora joins with this link, once, until /);
  const id = /\(([0-9a-f-]{36})\)/.exec(added.text)?.[1] ?? '';
  expect((await run('tenants', 'list')).text).toMatch(new RegExp(`${id} +north +1 +active `));
  expect((await run('tenants', 'invite', id)).text).toMatch(/^nora joins with this link, once, until /);
  expect((await run('tenants', 'suspend', id)).text).toBe('north is suspended: no key of it works.\n');
  expect((await run('tenants', 'list')).text).toMatch(/north +1 +suspended /);
  expect((await run('tenants', 'resume', id)).text).toBe('north is active.\n');
  expect((await run('tenants', 'suspend', instance.admin.tenantId)).errors).toContain('tenant of the operators');
});

test('join reads a link from stdin', async () => {
  const link = await invited('stdin');
  const main = path.resolve(import.meta.dirname, '../../cli/main.ts');
  const running = promisify(execFile)(process.execPath, [main, 'join', '-', '--data-dir', testFolder()]);
  running.child.stdin?.end(`${link}\n`);
  expect((await running).stdout).toContain('You are stdin (user)');
});
