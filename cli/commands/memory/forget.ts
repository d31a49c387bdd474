import type { Command } from 'commander';
import type { Memory, RecollectApi } from '../../../client/index.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { confirm } from '../../confirm.ts';
import { isMemoryName, withDataDir } from '../../options.ts';
import type { Output } from '../../output.ts';
import type { Forgotten, Steering } from '../../server/steering.ts';
import { terminalText } from '../../text/terminal-text.ts';
import { short } from '../../text/text-layout.ts';
import { withMemory, withServer } from '../../with-server.ts';

interface ForgetOptions {
  readonly dataDir: string;
  readonly session?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** A session, an event or a memory to forget. */
interface Target {
  /** Returns a preview as text. */
  readonly preview: () => Promise<string>;
  readonly forget: () => Promise<unknown>;
}

const TITLE_CHARS = 90;
const NAMES: Readonly<Record<string, string>> = {
  prompts: 'prompts',
  observations: 'observations',
  boundaries: 'boundaries',
  summaries: 'summaries and items',
  windows: 'windows to be summarised again',
  evidence: 'quotes of learnings',
  learnings: 'learnings without remaining evidence',
  vectors: 'vectors',
};

function countsText(name: string, { forgotten }: Forgotten): string {
  const counts = Object.entries(forgotten).filter(([, count]) => count > 0);
  return `${name} loses\n${counts.map(([kind, count]) => `  ${count} ${NAMES[kind] ?? kind}\n`).join('')}`;
}

function eventTarget(steering: Steering, key: string, session: string | undefined): Target {
  return {
    preview: async () => {
      const counts = await steering.forgetEvent(key, session, true);
      return countsText(counts.key ?? key, counts);
    },
    forget: () => steering.forgetEvent(key, session, false),
  };
}

function sessionTarget(steering: Steering, session: string): Target {
  return {
    preview: async () => countsText('This session', await steering.forgetSession(session, true)),
    forget: () => steering.forgetSession(session, false),
  };
}

function memoryTarget(memory: RecollectApi, { id, hash, type, kind, title, content }: Memory): Target {
  const text = terminalText(short(title === '' ? content : title, TITLE_CHARS));
  return {
    preview: () => Promise.resolve(`${hash} loses\n  ${type}/${kind}, all its versions: ${text}\n`),
    forget: () => memory.remove(id),
  };
}

/** Resolves each word to a memory by hash or id, else to a captured event. Observations and prompts resolve to their events. */
async function targetsOf(
  words: readonly string[],
  session: string | undefined,
  steering: Steering,
  memory: RecollectApi,
): Promise<Target[]> {
  if (words.length === 0) return session === undefined ? [] : [sessionTarget(steering, session)];
  const names = session === undefined ? words.filter(isMemoryName) : [];
  const { data } = names.length === 0 ? { data: [] } : await memory.getMany(names);
  const known = new Map(data.flatMap((found) => [[found.id, found] as const, [found.hash, found] as const]));
  return words.map((word) => {
    const found = known.get(word.toLowerCase());
    if (found === undefined) return eventTarget(steering, word, session);
    const isRow = found.type === 'observation' || found.type === 'prompt';
    return isRow ? eventTarget(steering, found.id, undefined) : memoryTarget(memory, found);
  });
}

async function forgetAll(targets: readonly Target[], options: ForgetOptions, output: Output): Promise<ExitCode> {
  if (targets.length === 0) {
    output.err('Missing argument: name a memory or an event, or a session with --session.\n');
    return 1;
  }
  for (const target of targets) output.out(await target.preview());
  if (options.dryRun === true) return 0;
  const isConfirmed = options.yes === true || (await confirm('Forget permanently?', output));
  if (!isConfirmed) {
    output.err('Nothing was forgotten. Without a terminal, pass --yes.\n');
    return 1;
  }
  for (const target of targets) await target.forget();
  output.out('Forgotten. Spools, transcripts and hooks cannot restore it.\n');
  return 0;
}

export function addForget(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  withDataDir(program.command('forget'), context.environment)
    .description('forget memories and events permanently, or with --session alone a session')
    .argument('[names...]', 'hashes or ids of memories; tool use ids, delivery ids or keys of events')
    .option('--session <id>', 'session of the event: id or host:id')
    .option('--dry-run', 'show the affected rows and forget nothing')
    .option('--yes', 'skip the confirmation; required without a terminal')
    .action(async (words: readonly string[], options: ForgetOptions) =>
      exit(
        await withServer(options.dataDir, context, (steering) =>
          withMemory(options.dataDir, context, async (memory) =>
            forgetAll(await targetsOf(words, options.session, steering, memory), options, context.output),
          ),
        ),
      ),
    );
}
