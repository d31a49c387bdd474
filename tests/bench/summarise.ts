import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createTokenCounter } from '../../models/tokens/token-counter.ts';
import { runMode, runOutage } from './summarise/claude.ts';
import { readCodingSessions } from './summarise/coding-sessions.ts';
import { measureFalseHits } from './summarise/false-hits.ts';
import { scoreModel } from './summarise/local-quality.ts';
import { runLocal } from './summarise/local.ts';
import { measureSpeed } from './summarise/speed.ts';
import { option, say, selected } from './command-line.ts';
import { providerModel } from './provider-model.ts';
import { benchEmbedder } from './embedder.ts';

// Quality and cost of summaries of the shared coding sessions. Prints one JSON line; progress goes to stderr.
// `--only speed,local,direct,batch,outage,cache` runs some of the stages. `--provider anthropic`, `openai` or `claude-cli` instead measures what that
// provider writes, with the key, address and models of the environment: about 140 paid requests.

const STAGES = ['speed', 'local', 'direct', 'batch', 'outage', 'cache'] as const;
type Stage = (typeof STAGES)[number];

const SHARED = fileURLToPath(new URL('../../../shared/data/coding-sessions/events', import.meta.url));

/** Runs a stage if selected. */
async function stage<Result>(
  stages: ReadonlySet<Stage>,
  name: Stage,
  work: () => Promise<Result>,
): Promise<{ readonly [Name in Stage]?: Result }> {
  if (!stages.has(name)) return {};
  say(name);
  return { [name]: await work() };
}

async function main(): Promise<void> {
  const tokens = createTokenCounter();
  const countTokens = (text: string): number => tokens.count(text);
  const data = existsSync(SHARED) ? readCodingSessions(countTokens) : null;
  if (data === null) {
    process.stdout.write(`${JSON.stringify({ bench: 'understand', skipped: 'no shared data' })}\n`);
    return;
  }
  const provider = option('provider');
  if (provider !== undefined) {
    const model = providerModel(provider, countTokens);
    const figures = await scoreModel(model, data.sessions, data.questions, countTokens);
    process.stdout.write(`${JSON.stringify({ bench: 'understand', provider, model: model.name, ...figures })}\n`);
    return;
  }
  const embedder = benchEmbedder({ threads: 2 });
  const embed = (texts: readonly string[]) => embedder.embed(texts, 'passage', new AbortController().signal);
  const stages = new Set(selected(STAGES));
  try {
    const figures = {
      ...(await stage(stages, 'speed', () => measureSpeed(data.sessions, tokens))),
      ...(await stage(stages, 'local', () => runLocal(tokens, data.questions, embed))),
      ...(await stage(stages, 'direct', () => runMode('direct'))),
      ...(await stage(stages, 'batch', () => runMode('batch'))),
      ...(await stage(stages, 'outage', runOutage)),
      ...(await stage(stages, 'cache', () => measureFalseHits(data.sessions, countTokens))),
    };
    process.stdout.write(`${JSON.stringify({ bench: 'understand', ...figures })}\n`);
  } finally {
    await embedder.close();
  }
}

await main();
