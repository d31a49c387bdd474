import type { Command } from 'commander';
import type { Memory, RecollectApi } from '../../../client/index.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { confirm } from '../../confirm.ts';
import { withDataDir } from '../../data-dir.ts';
import { isMemoryName } from '../../memory-name.ts';
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

/** One thing to forget. */
interface Target {
  /** What would go, as text. */
  readonly would: () => Promise<string>;
  readonly forget: () => Promise<unknown>;
}

const TITLE_CHARS = 90;
const NAMES: Readonly<Record<string, string>> = {
  prompts: 'prompts',
  observations: 'observations',
  boundaries: 'boundaries',
  summaries: 'summaries and items',
  windows: 'windows to be summed up anew',
  evidence: 'quotes of learnings',
  learnings: 'learnings that no quote is left for',
  vectors: 'vectors',
};

function countsText(name: string, { forgotten }: Forgotten): string {
  const counts = Object.entries(forgotten).filter(([, count]) => count > 0);
  return `${name}: what goes\n${counts.map(([kind, count]) => `  ${count} ${NAMES[kind] ?? kind}\n`).join('')}`;
}

function eventTarget(steering: Steering, key: string, session: string | undefined): Target {
  return {
    would: async () => {
      const would = await steering.forgetEvent(key, session, true);
      return countsText(would.key ?? key, would);
    },
    forget: () => steering.forgetEvent(key, session, false),
  };
}

function sessionTarget(steering: Steering, session: string): Target {
  return {
    would: async () => countsText('This session', await steering.forgetSession(session, true)),
    forget: () => steering.forgetSession(session, false),
  };
}

function memoryTarget(memory: RecollectApi, { id, hash, type, kind, title, content }: Memory): Target {
  const said = terminalText(short(title === '' ? content : title, TITLE_CHARS));
  return {
    would: () => Promise.resolve(`${hash}: what goes\n  ${type}/${kind}, all its versions: ${said}\n`),
    forget: () => memory.remove(id),
  };
}

/** What each word means: a memory by its hash or id, else a captured event. Rows are events, which are counted before they go. */
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
    output.err('Name a memory or an event, or a session with --session.\n');
    return 1;
  }
  for (const target of targets) output.out(await target.would());
  if (options.dryRun === true) return 0;
  const sure = options.yes === true || (await confirm('Forget it for good?', output));
  if (!sure) {
    output.err('Nothing was forgotten. Say --yes where nobody can be asked.\n');
    return 1;
  }
  for (const target of targets) await target.forget();
  output.out('Forgotten. It does not come back by spool, transcript or hook.\n');
  return 0;
}

export function addForget(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  withDataDir(program.command('forget'), context.environment)
    .description('forget memories and events, or with --session alone a whole session, for good')
    .argument('[names...]', 'hashes or ids of memories; of events: a tool use id, a delivery id, a key as stored')
    .option('--session <id>', 'the session of an event: its own id, or host:id of its host')
    .option('--dry-run', 'only show what would go')
    .option('--yes', 'do not ask; needed where nobody can be asked')
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
