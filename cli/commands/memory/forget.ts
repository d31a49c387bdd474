import type { Command } from 'commander';
import type { z } from 'zod';
import { fetchedMemories, forgottenMemory, forgottenSchema } from '../../../contract/memory.ts';
import type { Cli } from '../../cli.ts';
import type { ExitCode } from '../../command-context.ts';
import { confirm } from '../../confirm.ts';
import { isMemoryName } from '../../options.ts';
import type { Output } from '../../output.ts';
import { path } from '../../server/server-client.ts';
import type { ServerClient } from '../../server/server-client.ts';
import { terminalText } from '../../text/terminal-text.ts';
import { short } from '../../text/text-layout.ts';

interface ForgetOptions {
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

function countsText(name: string, { forgotten }: z.output<typeof forgottenSchema>): string {
  const counts = Object.entries(forgotten).filter(([, count]) => count > 0);
  return `${name} loses\n${counts.map(([kind, count]) => `  ${count} ${NAMES[kind] ?? kind}\n`).join('')}`;
}

function eventTarget(server: ServerClient, key: string, session: string | undefined): Target {
  const remove = (dryRun: boolean) =>
    server.request('DELETE', path`/events/${key}`, forgottenSchema, { query: { session, dry_run: dryRun } });
  return {
    preview: async () => {
      const counts = await remove(true);
      return countsText(counts.key ?? key, counts);
    },
    forget: () => remove(false),
  };
}

function sessionTarget(server: ServerClient, session: string): Target {
  const remove = (dryRun: boolean) =>
    server.request('DELETE', path`/sessions/${session}`, forgottenSchema, { query: { dry_run: dryRun } });
  return { preview: async () => countsText('This session', await remove(true)), forget: () => remove(false) };
}

type Memory = z.output<typeof fetchedMemories>['data'][number];

function memoryTarget(server: ServerClient, { id, hash, type, kind, title, content }: Memory): Target {
  const text = terminalText(short(title === '' ? content : title, TITLE_CHARS));
  return {
    preview: () => Promise.resolve(`${hash} loses\n  ${type}/${kind}, all its versions: ${text}\n`),
    forget: () => server.request('DELETE', path`/memories/${id}`, forgottenMemory),
  };
}

/** Resolves each word to a memory by hash or id, else to a captured event. Observations and prompts resolve to their events. */
async function targetsOf(
  server: ServerClient,
  words: readonly string[],
  session: string | undefined,
): Promise<Target[]> {
  if (words.length === 0) return session === undefined ? [] : [sessionTarget(server, session)];
  const ids = session === undefined ? words.filter(isMemoryName) : [];
  const { data } = ids.length === 0 ? { data: [] } : await server.post('/memories/get', fetchedMemories, { ids });
  const known = new Map(data.flatMap((found) => [[found.id, found] as const, [found.hash, found] as const]));
  return words.map((word) => {
    const found = known.get(word.toLowerCase());
    if (found === undefined) return eventTarget(server, word, session);
    const isRow = found.type === 'observation' || found.type === 'prompt';
    return isRow ? eventTarget(server, found.id, undefined) : memoryTarget(server, found);
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

export function addForget(program: Command, cli: Cli): void {
  cli
    .command(program, 'forget', 'forget memories and events permanently, or with --session alone a session')
    .argument('[names...]', 'hashes or ids of memories; tool use ids, delivery ids or keys of events')
    .option('--session <id>', 'session of the event: id or host:id')
    .option('--dry-run', 'show the affected rows and forget nothing')
    .option('--yes', 'skip the confirmation; required without a terminal')
    .action(
      cli.onServer(async (server, words: readonly string[], options: ForgetOptions) =>
        forgetAll(await targetsOf(server, words, options.session), options, cli.output),
      ),
    );
}
