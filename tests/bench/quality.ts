import { createTokenCounter } from '../../models/tokens/token-counter.ts';
import { option, say } from './command-line.ts';
import { providerModel } from './provider-model.ts';
import { readRubrics } from './quality/rubric.ts';
import { scoreQuality } from './quality/score.ts';
import { readCodingSessions } from './summarise/coding-sessions.ts';
import { understand } from './summarise/local-quality.ts';

// What the model derives from the shared sessions, against a list of what a colleague wants to know. Prints one JSON line; no database, no engines.
// `--half A` scores one half; `--provider anthropic`, `openai` or `claude-cli` uses that provider with the key, address and models of the environment: about
// 140 paid requests.

async function main(): Promise<object> {
  const { count } = createTokenCounter();
  const data = readCodingSessions(count);
  if (data === null) return { skipped: 'no shared data' };
  const half = option('half')?.toUpperCase();
  const rubrics = readRubrics().filter((rubric) => half === undefined || rubric.half === half);
  if (rubrics.length === 0) throw new Error(`no half ${half ?? ''}; there are A, B`);
  const model = providerModel(option('provider') ?? 'local', count);
  const understood = [];
  for (const rubric of rubrics) {
    const session = data.sessions.find(({ name }) => name === rubric.session);
    if (session === undefined) throw new Error(`no session ${rubric.session} in the shared data`);
    say(rubric.session);
    understood.push({ rubric, of: await understand(model, session) });
  }
  return { model: model.name, ...scoreQuality(understood) };
}

process.stdout.write(`${JSON.stringify({ bench: 'quality', ...(await main()) })}\n`);
