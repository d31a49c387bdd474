import type { HookPayload } from '../capture/hook-payload.ts';
import { endTurn, newChain, unfinishedSince } from './chain.ts';
import type { Chain, OpenCall, Place } from './chain.ts';
import { noCounts } from './counts.ts';
import type { CountName } from './counts.ts';
import { lineKey, toolKey } from './items.ts';
import type { TranscriptItem } from './items.ts';
import { readLine } from './line.ts';
import type { ReadLine, ToolResult, TranscriptLine } from './line.ts';
import { LINE_BYTES } from './lines.ts';
import type { FileLine } from './lines.ts';

export interface ReaderOptions {
  /** Session that the file is named after; for lines that name none. */
  readonly session: string;
  /** Sub-agent that the file is named after; null for a session's own transcript. */
  readonly agentId: string | null;
  /** Reading begins at the file's first line. */
  readonly atStart: boolean;
  /** Lines before this offset were counted when they were first read. */
  readonly countedOffset: number;
}

/** How the file stands at the end of what was read. */
export interface FileEnd {
  /** Nothing was written to it for so long. */
  readonly quietMs: number;
  /** A session that is quiet for so long is over, unless a call is waited for. */
  readonly idleMs: number;
}

/** A call that waits so long is waited for by nobody: a permission may be asked for in the evening and given in the morning. */
const ABANDONED_MS = 24 * 3_600_000;
const MAX_DURATION_MS = 2_147_483_647;

/**
 * Makes of a transcript's lines what hooks would have told. Holds what is unfinished (a turn, a call without its result) and says from
 * where the file has to be read again for it, so that nothing but an offset needs to be kept between two readings.
 */
export class TranscriptReader {
  readonly items: TranscriptItem[] = [];
  readonly counts = noCounts();
  private readonly options: ReaderOptions;
  private readonly chains = new Map<string, Chain>();
  /** Root of each line of a sidechain that names no agent. */
  private readonly roots = new Map<string, string>();
  private readonly seen = new Set<string>();
  private session: string;
  private at: string | null = null;
  private cwd: string | undefined;
  private start: Record<string, unknown> | null = null;

  constructor(options: ReaderOptions) {
    this.options = options;
    this.session = options.session;
  }

  /** Reads the next whole line, unless it was `given` as it was read elsewhere. */
  feed({ bytes, offset }: FileLine, given: ReadLine | null = null): void {
    const count = (name: CountName) => {
      if (offset >= this.options.countedOffset) this.counts[name] += 1;
    };
    if (bytes.length <= 1 && !/[^\s]/.test(Buffer.from(bytes).toString('latin1'))) return;
    count('lines');
    if (bytes.length > LINE_BYTES) return count('too_large');
    const read = given ?? readLine(bytes);
    if (read.kind === 'skipped') return count(read.reason);
    const { line } = read;
    if (this.seen.has(line.uuid)) return count('repeated');
    this.seen.add(line.uuid);
    this.session = line.session ?? this.session;
    this.at = line.at ?? this.at;
    this.cwd = line.cwd ?? this.cwd;
    this.tell(line, offset);
  }

  /** Closes what the end of the file closes. Only to be called where nothing follows. */
  finish({ quietMs, idleMs }: FileEnd): void {
    const abandoned = quietMs >= ABANDONED_MS;
    for (const chain of this.chains.values()) {
      if (abandoned) this.interrupt(chain, () => true);
      if (chain.calls.size === 0 && (chain.over || quietMs >= idleMs)) this.close(chain);
    }
  }

  /** From where the file has to be read again for what is unfinished; null when nothing is. */
  unfinishedSince(): number | null {
    const offsets = [...this.chains.values()].flatMap((chain) => unfinishedSince(chain) ?? []);
    return offsets.length === 0 ? null : Math.min(...offsets);
  }

  /** When the last line that has a time was written. */
  get lastAt(): string | null {
    return this.at;
  }

  private tell(line: TranscriptLine, offset: number): void {
    const { says } = line;
    const chain = this.chainOf(line);
    const follows = says.kind === 'assistant' && says.messageId !== null && says.messageId === chain.messageId;
    if (chain.over && says.kind !== 'nothing' && !follows) this.close(chain);
    const speaks = says.kind === 'user' || says.kind === 'assistant';
    if (speaks && this.options.atStart && this.start === null && chain.agentId === null)
      this.started(line, chain, offset);
    switch (says.kind) {
      case 'nothing':
        return;
      case 'turn_over':
        chain.over = chain.turnStart !== null && chain.calls.size === 0;
        return;
      case 'compaction':
        // At the head of a file a summary is the title of another session.
        if (line.at !== null || chain.prompts > 0)
          this.add('compaction', line.uuid, offset, chain, 'PreCompact', { trigger: says.trigger });
        return;
      case 'user':
        this.begin(line, chain, says.text, offset);
        return;
      case 'results':
        for (const result of says.results) this.answer(result, line, chain, offset);
        return;
      case 'assistant': {
        chain.turnStart ??= offset;
        // The model is known from the first answer, after the start was told.
        if (this.start !== null && says.model !== null) this.start['model'] ??= says.model;
        if (says.texts.length > 0) {
          chain.lastTexts = follows ? [...chain.lastTexts, ...says.texts] : [...says.texts];
          chain.texts.push(...says.texts);
          chain.words = { uuid: line.uuid, offset, ...this.place() };
        }
        chain.messageId = says.messageId;
        for (const use of says.uses)
          chain.calls.set(use.id, { ...use, offset, ...this.place(), prompts: chain.prompts });
        chain.over = says.stopped && chain.calls.size === 0;
      }
    }
  }

  /** A prompt: it ends the turn before it. In a sub-agent's chain it is the call of its parent, which is told there. */
  private begin(line: TranscriptLine, chain: Chain, text: string, offset: number): void {
    this.close(chain);
    const own = chain.agentId === null;
    if (own) for (const other of this.chains.values()) if (other.agentGuessed) this.close(other);
    // Calls of the turn before the last one will not be answered any more.
    this.interrupt(chain, (call) => call.prompts < chain.prompts);
    chain.turnStart = offset;
    chain.turn = line.uuid;
    chain.prompts += 1;
    if (own)
      this.add('user', line.uuid, offset, chain, 'UserPromptSubmit', { prompt: text }, { alternatives: [text.trim()] });
    else if (chain.prompts === 1) this.add('agent_start', `${line.uuid}:start`, offset, chain, 'SubagentStart', {});
  }

  /** The session's start, told before its first prompt. */
  private started(line: TranscriptLine, chain: Chain, offset: number): void {
    this.start = this.add('start', `${line.uuid}:start`, offset, chain, 'SessionStart', { source: 'startup' });
  }

  private answer(result: ToolResult, line: TranscriptLine, chain: Chain, offset: number): void {
    const holder = chain.calls.has(result.useId)
      ? chain
      : ([...this.chains.values()].find((other) => other.calls.has(result.useId)) ?? chain);
    const call = holder.calls.get(result.useId);
    holder.calls.delete(result.useId);
    holder.turnStart ??= offset;
    // The hook of a failed call tells no duration.
    const outcome =
      result.error === null
        ? { tool_response: result.response, ...durationOf(call?.at ?? null, this.at) }
        : { error: result.error };
    const asked = call ?? { id: result.useId, name: 'unknown', input: null };
    this.toolItem(asked, line.uuid, offset, holder, outcome, this.place());
  }

  /** Tells calls that nobody answered as interrupted. */
  private interrupt(chain: Chain, which: (call: OpenCall) => boolean): void {
    for (const call of chain.calls.values()) {
      if (!which(call)) continue;
      chain.calls.delete(call.id);
      this.toolItem(call, call.id, call.offset, chain, { error: 'interrupted' }, call);
    }
  }

  private toolItem(
    call: Pick<OpenCall, 'id' | 'name' | 'input'>,
    uuid: string,
    offset: number,
    chain: Chain,
    fields: Record<string, unknown>,
    place: Place,
  ): void {
    this.add(
      'tool',
      uuid,
      offset,
      chain,
      'error' in fields ? 'PostToolUseFailure' : 'PostToolUse',
      { tool_name: call.name, tool_input: call.input, tool_use_id: call.id, ...fields },
      { key: toolKey(call.id), place },
    );
  }

  /** Ends a chain's turn: the assistant's last words, as the host tells them when it stops. */
  private close(chain: Chain): void {
    const { words, texts, lastTexts } = chain;
    const own = chain.agentId === null;
    if (chain.turnStart !== null && (words !== null || !own)) {
      const last = lastTexts.join('\n\n');
      const all = [lastTexts.join('\n'), lastTexts.at(-1) ?? '', texts.join('\n\n'), texts.join('\n'), texts.join('')];
      this.add(
        own ? 'words' : 'agent_stop',
        words?.uuid ?? `${chain.turn ?? String(chain.turnStart)}:stop`,
        words?.offset ?? chain.turnStart,
        chain,
        own ? 'Stop' : 'SubagentStop',
        words === null ? {} : { last_assistant_message: last },
        {
          ...(words === null ? {} : { place: words }),
          alternatives: [...new Set([...all, last.trim(), ...all.map((text) => text.trim())])],
        },
      );
    }
    endTurn(chain);
  }

  private add(
    kind: TranscriptItem['kind'],
    uuid: string,
    offset: number,
    chain: Chain,
    hook: string,
    fields: Record<string, unknown>,
    more: { readonly key?: string; readonly place?: Place; readonly alternatives?: readonly string[] } = {},
  ): Record<string, unknown> {
    const { at, cwd, session } = more.place ?? this.place();
    const payload = {
      ...fields,
      session_id: session,
      hook_event_name: hook,
      ...(cwd === undefined ? {} : { cwd }),
      ...(at === null ? {} : { timestamp: at }),
      ...(chain.agentId === null ? {} : { agent_id: chain.agentId }),
    } satisfies HookPayload;
    this.items.push({
      kind,
      uuid,
      offset,
      session,
      at,
      key: more.key ?? lineKey(uuid),
      hook,
      payload,
      alternatives: more.alternatives ?? [],
      agentId: chain.agentId,
      agentGuessed: chain.agentGuessed,
      turn: chain.agentGuessed ? this.chain(null, false).turn : chain.turn,
    });
    return payload;
  }

  /** Of the line that is being read. */
  private place(): Place {
    return { at: this.at, session: this.session, cwd: this.cwd };
  }

  private chain(agentId: string | null, agentGuessed: boolean): Chain {
    const known = this.chains.get(agentId ?? '');
    if (known !== undefined) return known;
    const chain = newChain(agentId, agentGuessed);
    this.chains.set(agentId ?? '', chain);
    return chain;
  }

  private chainOf(line: TranscriptLine): Chain {
    const agentId = line.agentId ?? this.options.agentId;
    if (agentId !== null) return this.chain(agentId, false);
    if (!line.isSidechain) return this.chain(null, false);
    const root = (line.parentUuid === null ? undefined : this.roots.get(line.parentUuid)) ?? line.uuid;
    this.roots.set(line.uuid, root);
    return this.chain(`sidechain-${root}`, true);
  }
}

function durationOf(from: string | null, to: string | null): { readonly duration_ms?: number } {
  if (from === null || to === null) return {};
  const ms = Date.parse(to) - Date.parse(from);
  return ms >= 0 && ms <= MAX_DURATION_MS ? { duration_ms: ms } : {};
}
