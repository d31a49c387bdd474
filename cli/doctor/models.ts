import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import { modelConfig, modelEnvironment } from '../../config/model-settings.ts';
import type { Environment } from '../../config/process-environment.ts';
import { claudeEnvironment } from '../../models/claude-cli/program.ts';
import type { ModelProvider } from '../../domain/ports/model.ts';
import { finding } from './machine.ts';
import type { Finding } from './machine.ts';

const run = promisify(execFile);
const PROGRAM_MS = 10_000;
/** First version of Claude Code with `--safe-mode`. */
const LEAST_VERSION = [2, 1, 169] as const;

/** Returns which providers write summaries, in order, and what each of them lacks. Sends no model request. */
export async function checkModels(environment: Environment): Promise<readonly Finding[]> {
  const parsed = z.object(modelEnvironment).safeParse(environment);
  if (!parsed.success) {
    const names = [...new Set(parsed.error.issues.map(({ path }) => path.join('.')))].join(', ');
    return [finding('fail', 'model providers', `${names} cannot be used`, 'Correct them: docs/configuration.md.')];
  }
  const config = modelConfig(parsed.data);
  const { small, large } = config.providers;
  const isSame = small.join(' ') === large.join(' ');
  const order = isSame ? large.join(', then ') : `${large.join(', then ')}; small windows: ${small.join(', then ')}`;
  const of = await Promise.all(
    [...new Set([...large, ...small])].map((name) => checkProvider(name, config, environment)),
  );
  return [finding('ok', 'model providers', order), ...of];
}

async function checkProvider(
  provider: ModelProvider,
  { apiKey, baseUrl, openai, claudeCli, small, large, maxOutputTokens }: ReturnType<typeof modelConfig>,
  environment: Environment,
): Promise<Finding> {
  const what = `provider ${provider}`;
  switch (provider) {
    case 'local':
      return finding('ok', what, 'on this machine');
    case 'anthropic': {
      const text = `${small.name}, ${large.name} at ${baseUrl ?? 'the public address'}`;
      return apiKey === undefined
        ? finding('fail', what, `${text}, without a key`, 'Set ANTHROPIC_API_KEY.')
        : finding('ok', what, text);
    }
    case 'openai':
      return openai.baseUrl === undefined || openai.large === undefined
        ? finding('fail', what, 'not complete', 'Set RECOLLECT_OPENAI_BASE_URL and RECOLLECT_OPENAI_LARGE_MODEL.')
        : finding(
            'ok',
            what,
            `${[...new Set([openai.small, openai.large])].join(', ')} at ${new URL(openai.baseUrl).origin}`,
          );
    case 'claude-cli':
      return checkClaude(what, claudeCli.command, claudeEnvironment(environment, maxOutputTokens));
  }
}

async function checkClaude(what: string, command: string, env: Record<string, string>): Promise<Finding> {
  const options = { env, timeout: PROGRAM_MS };
  const version = await run(command, ['--version'], options).then(
    ({ stdout }) => /\d+\.\d+\.\d+/u.exec(stdout)?.[0],
    () => undefined,
  );
  if (version === undefined)
    return finding(
      'warn',
      what,
      `${command} does not run`,
      'Install Claude Code, or set RECOLLECT_CLAUDE_CLI_COMMAND.',
    );
  if (isOlder(version))
    return finding('warn', what, `Claude Code ${version}`, `Update it to ${LEAST_VERSION.join('.')} or newer.`);
  const isLoggedIn = await run(command, ['auth', 'status'], options).then(
    () => true,
    () => false,
  );
  return isLoggedIn
    ? finding('ok', what, `Claude Code ${version}, for the sessions of this machine’s user`)
    : finding('warn', what, `Claude Code ${version}, not logged in`, 'Run claude and log in.');
}

function isOlder(version: string): boolean {
  const parts = version.split('.').map(Number);
  const at = LEAST_VERSION.findIndex((least, n) => parts[n] !== least);
  return at >= 0 && (parts[at] ?? 0) < (LEAST_VERSION[at] ?? 0);
}
