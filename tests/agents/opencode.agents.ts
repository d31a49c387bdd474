import { expect, test, onTestFinished } from 'vitest';
import { fileInstance } from '../setup/file-instance.ts';
import { Home } from '../cli/install/support/home.ts';
import { capturedOf, learn } from './support/captured.ts';
import { runAgent } from './support/agent.ts';
import { startStreamingMessagesServer } from './support/streaming-messages-server.ts';

const instance = fileInstance();

/** Runs a session with one call of a tool. Returns what the provider was sent. */
async function session(home: Home, prompt: string): Promise<string> {
  const provider = await startStreamingMessagesServer();
  onTestFinished(provider.close);
  provider.script([{ type: 'tool_use', name: 'bash', input: { command: 'echo 12 passing', description: 'Test' } }]);
  const model = 'anthropic/claude-sonnet-4-5';
  home.write(
    '.config/opencode/opencode.json',
    JSON.stringify({
      model,
      small_model: model,
      autoupdate: false,
      share: 'disabled',
      permission: { bash: 'allow' },
      provider: { anthropic: { options: { baseURL: `${provider.url}/v1`, apiKey: 'sk-ant-test' } } },
    }),
  );
  home.write('project/README.md', '# Orchard\n');
  const { code, err } = await runAgent('opencode', ['run', prompt], {
    home: home.folder,
    cwd: home.path('project'),
    environment: { OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_MODELS_FETCH: '1' },
  });
  expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' });
  return JSON.stringify(provider.requests);
}

test('a session is captured once and gets context', async () => {
  const key = (await instance.stranger({ scopes: ['capture', 'read'] })).key;
  const home = new Home({ url: instance.url, agent_api_key: key });
  await home.run('install', 'opencode');
  await session(home, 'How are rows counted?');
  await expect
    .poll(() => capturedOf(instance, 'opencode', home))
    .toEqual({ 'prompt assistant': 1, 'prompt user': 1, 'tool Bash': 1 });
  await learn(instance, 'opencode', 'Rows without a weight are skipped.');
  expect(await session(home, 'Go on.')).toContain('Rows without a weight are skipped.');
});
