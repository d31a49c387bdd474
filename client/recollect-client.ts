import { z } from 'zod';

/** Parts of the answers that callers rely on; what the server adds later passes through unseen. */
const citedText = z.object({ text: z.string() });

const hookAnswer = z.object({ hookSpecificOutput: z.object({ additionalContext: z.string() }).optional() });

const session = z.object({
  id: z.string(),
  status: z.string(),
  phase: z.string(),
  title: z.string().nullable(),
  waiting_reason: z.string().nullable(),
  counts: z.object({
    prompts: z.number(),
    observations: z.number(),
    tokens: z.number(),
    summaries: z.number(),
    learnings: z.number(),
  }),
  pending: z.object({ summarise: z.number(), learn: z.number(), embed: z.number() }),
});
export type SessionAnswer = z.output<typeof session>;

const summary = z.object({
  type: z.string(),
  kind: z.string().nullable(),
  title: z.string(),
  content: z.string(),
  request: z.string().nullable(),
  investigated: z.string().nullable(),
  learned: z.string().nullable(),
  completed: z.string().nullable(),
  next_steps: z.string().nullable(),
  notes: z.string().nullable(),
  key_points: z.array(citedText),
  action_items: z.array(citedText),
  files_read: z.array(z.string()),
  files_modified: z.array(z.string()),
  tokens_in: z.number(),
  tokens_out: z.number(),
});
export type SummaryAnswer = z.output<typeof summary>;

const learning = z.object({
  category: z.string(),
  title: z.string(),
  description: z.string(),
  confidence: z.number(),
  evidence: z.array(z.object({ row_id: z.string(), quote: z.string() })),
});
export type LearningAnswer = z.output<typeof learning>;

const found = z.object({
  hash: z.string(),
  type: z.string(),
  kind: z.string(),
  title: z.string(),
  preview: z.string(),
  score: z.number(),
  highlights: z.array(z.string()),
  explain: z
    .object({
      keyword: z.object({ rank: z.number(), score: z.number() }).nullable(),
      vector: z.object({ rank: z.number(), score: z.number() }).nullable(),
    })
    .optional(),
});
export type FoundAnswer = z.output<typeof found>;

const searchAnswer = z.object({ data: z.array(found), degraded: z.array(z.string()), took_ms: z.number() });
const contextAnswer = z.object({
  text: z.string(),
  tokens: z.number(),
  items: z.array(z.object({ hash: z.string(), reason: z.string() })),
  omitted: z.number(),
});
const errorAnswer = z.object({ error: z.string(), code: z.string() });

export interface ClientOptions {
  readonly url: string;
  readonly apiKey: string;
  /** Bound of one request. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 30_000;

/** The server said no, with its machine code; or it did not answer at all (`UNREACHABLE`). */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status: number, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.status = status;
  }
}

/** A running server as the command line uses it. Every method rejects with ClientError. */
export class RecollectClient {
  private readonly options: ClientOptions;

  constructor(options: ClientOptions) {
    this.options = options;
  }

  /** Delivers one hook; answers the context that the server gives for it, '' for none. */
  async hook(event: string, payload: unknown, deliveryId: string): Promise<string> {
    const answer = await this.request('POST', `/hooks/${event}`, hookAnswer, payload, {
      'x-recollect-delivery': deliveryId,
    });
    return answer.hookSpecificOutput?.additionalContext ?? '';
  }

  session(id: string): Promise<SessionAnswer> {
    return this.request('GET', `/sessions/${encodeURIComponent(id)}`, session);
  }

  /** Everything that was written of a session. */
  summaries(sessionId: string): Promise<SummaryAnswer[]> {
    return this.summariesAs(sessionId, summary);
  }

  /** The same, read page by page, with the fields that a caller asks for. */
  async summariesAs<Row>(sessionId: string, row: z.ZodType<Row>): Promise<Row[]> {
    const schema = z.object({ data: z.array(row), pagination: z.object({ next_cursor: z.string().nullable() }) });
    const all: Row[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const query = new URLSearchParams({ limit: '100', ...(cursor === '' ? {} : { cursor }) });
      const path = `/sessions/${encodeURIComponent(sessionId)}/summaries?${query.toString()}`;
      const page: z.output<typeof schema> = await this.request('GET', path, schema);
      all.push(...page.data);
      cursor = page.pagination.next_cursor;
    }
    return all;
  }

  async learnings(sessionId: string): Promise<LearningAnswer[]> {
    const query = new URLSearchParams({ session: sessionId, limit: '100' });
    return (await this.request('GET', `/learnings?${query.toString()}`, z.object({ data: z.array(learning) }))).data;
  }

  search(q: string, limit: number): Promise<z.output<typeof searchAnswer>> {
    const query = new URLSearchParams({ q, limit: String(limit), explain: 'true' });
    return this.request('GET', `/search?${query.toString()}`, searchAnswer);
  }

  /** The block that the next session in that project would be given. */
  context(project: string, budgetTokens?: number): Promise<z.output<typeof contextAnswer>> {
    return this.request('POST', '/context', contextAnswer, {
      purpose: 'session_start',
      project,
      ...(budgetTokens === undefined ? {} : { budget_tokens: budgetTokens }),
    });
  }

  /** One request to a route under `/api/v1`; answers what the schema knows of its answer. */
  async request<Answer>(
    method: string,
    path: string,
    schema: z.ZodType<Answer>,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const { url, apiKey, timeoutMs } = this.options;
    let response: Response;
    let answer: unknown;
    try {
      response = await fetch(`${url}/api/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${apiKey}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(timeoutMs ?? TIMEOUT_MS),
      });
      answer = await response.json();
    } catch (error) {
      throw new ClientError('UNREACHABLE', `${url} does not answer`, 0, error);
    }
    if (response.ok) return schema.parse(answer);
    const said = errorAnswer.safeParse(answer);
    throw new ClientError(
      said.data?.code ?? 'UNKNOWN',
      said.data?.error ?? `answered ${response.status}`,
      response.status,
    );
  }
}
