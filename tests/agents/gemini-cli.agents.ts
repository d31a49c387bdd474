import { expect, test, onTestFinished } from 'vitest';
import { fileInstance } from '../setup/file-instance.ts';
import { Home } from '../cli/install/support/home.ts';
import { capturedOf, learn } from './support/captured.ts';
import { runAgent } from './support/agent.ts';
import { startGeminiServer } from './support/gemini-server.ts';

const instance = fileInstance();
const LEARNED = 'Rows without a weight are skipped.';

/** Runs a session with one call of a tool. Returns what the provider was sent. */
async function session(home: Home, prompt: string): Promise<string> {
  const call = { name: 'run_shell_command', args: { command: 'echo 12 passing', description: 'Test' } };
  const provider = await startGeminiServer([{ functionCall: call }]);
  onTestFinished(provider.close);
  const args = ['-p', prompt, '--yolo', '--skip-trust', '-m', 'gemini-2.5-flash'];
  const { code, err } = await runAgent('gemini-cli', args, {
    home: home.folder,
    cwd: home.path('project'),
    environment: { GEMINI_API_KEY: 'test', GOOGLE_GEMINI_BASE_URL: provider.url },
  });
  expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' });
  return provider.requests.join('\n');
}

test('a session is captured once and gets context, which is not captured again', async () => {
  const key = (await instance.stranger({ scopes: ['capture', 'read'] })).key;
  const home = new Home({ url: instance.url, agent_api_key: key });
  home.write('project/README.md', '# Orchard\n');
  home.write(
    '.gemini/settings.json',
    JSON.stringify({
      general: { enableAutoUpdate: false },
      privacy: { usageStatisticsEnabled: false },
      security: { auth: { selectedType: 'gemini-api-key' } },
    }),
  );
  await home.run('install', 'gemini-cli');
  await session(home, 'How are rows counted?');
  await expect
    .poll(() => capturedOf(instance, 'gemini-cli', home))
    .toEqual({ 'prompt assistant': 1, 'prompt user': 1, 'tool Bash': 1 });
  await learn(instance, 'gemini-cli', LEARNED);
  expect(await session(home, 'Go on.')).toContain(LEARNED);
  await expect
    .poll(() => capturedOf(instance, 'gemini-cli', home))
    .toEqual({ 'prompt assistant': 2, 'prompt user': 2, 'tool Bash': 2 });
  const prompts = await instance.rows<{ content: string }>(
    `SELECT content FROM prompts WHERE type = 'user' ORDER BY id`,
  );
  expect(prompts.map(({ content }) => content.trim())).toEqual(['How are rows counted?', 'Go on.']);
});
