import { z } from 'zod';
import { newId } from '../../../domain/ids.ts';
import type { TestInstance } from '../../setup/instance.ts';

/** A word that is in everything derived from one session, and nowhere else. */
export const MARK = 'lighthouse';
export const MARKED_PROJECT = '/src/harbour';

/** What was made of the session, by id. */
export interface Marked {
  readonly session: string;
  readonly summary: string;
  readonly learning: string;
  readonly quoting: string;
  readonly prompt: string;
}

/** Derives every kind of memory from a captured session with `MARK`, as its workflow and retention would. */
export async function seedMarked(instance: TestInstance, session: string, other: string): Promise<Marked> {
  const { tenantId } = instance.admin;
  const idOf = async (text: string, values: unknown[]) =>
    z.object({ id: z.string() }).parse((await instance.write(text, values))[0]).id;
  const own = 'SELECT id FROM sessions WHERE external_id = $1 AND tenant_id = $2';
  const sessionId = await idOf(own, [session, tenantId]);
  const prompt = await idOf(
    'SELECT p.id FROM prompts p JOIN sessions s ON s.id = p.session_id WHERE s.external_id = $1 AND s.tenant_id = $2',
    [session, tenantId],
  );
  const summary = await idOf(
    `INSERT INTO summaries (id, tenant_id, session_id, project_id, user_id, slot, type, title, content, completed, tags, model, input_tokens, output_tokens, cost_usd, from_seq, to_seq, occurred_at)
     SELECT $1, tenant_id, id, project_id, user_id, 'session', 'session', 'The ${MARK} of old', 'Of the ${MARK}', 'The ${MARK} was found', '{${MARK}}', 'local', 1, 1, 0, 1, 2, now()
       FROM sessions WHERE external_id = $2 AND tenant_id = $3 RETURNING id`,
    [newId(), session, tenantId],
  );
  const learn = (of: string, title: string, description: string) =>
    idOf(
      `INSERT INTO learnings (id, tenant_id, project_id, user_id, session_id, fingerprint, category, title, description, tags, confidence, valid_from)
       SELECT $1, tenant_id, project_id, user_id, id, sha256(convert_to($5, 'UTF8')), 'general', $4, $5, '{}', 0.9, now() FROM sessions WHERE external_id = $2 AND tenant_id = $3 RETURNING id`,
      [newId(), of, tenantId, title, description],
    );
  const learning = await learn(session, `A ${MARK} to know`, `Every ${MARK} has a keeper`);
  // Of a session that stays to be seen, and quotes the other one, too.
  const quoting = await learn(other, 'Of birds', 'Pelicans nest at the coast');
  await instance.write(
    `INSERT INTO learning_evidence (learning_id, row_id, quote_sha256, tenant_id, session_id, quote)
     SELECT $1, $2, sha256('q'), tenant_id, id, 'a quote of the ${MARK}' FROM sessions WHERE external_id = $3 AND tenant_id = $4`,
    [quoting, prompt, session, tenantId],
  );
  const entity = (name: string) =>
    idOf(
      `INSERT INTO entities (id, tenant_id, project_id, type, name, label, first_seen, last_seen)
       SELECT $1, tenant_id, project_id, 'concept', $2, $2, now(), now() FROM sessions WHERE external_id = $3 AND tenant_id = $4 RETURNING id`,
      [newId(), name, session, tenantId],
    );
  const [tower, coast] = [await entity(`${MARK} tower`), await entity('coast')];
  const mention = (id: string, of: string) =>
    instance.write(
      `INSERT INTO entity_mentions (entity_id, session_id, source_id, source_type, tenant_id, quote, occurred_at)
       SELECT $1, s.id, $4, 'summary', s.tenant_id, 'by the ' || $2, now() FROM sessions s WHERE s.external_id = $2 AND s.tenant_id = $3`,
      [id, of, tenantId, newId()],
    );
  await mention(tower, session);
  await mention(coast, session);
  await mention(coast, other);
  await instance.write(
    `WITH made AS (INSERT INTO relations (id, tenant_id, from_id, to_id, type, first_seen, last_seen) VALUES ($1, $2, $3, $4, 'part_of', now(), now()) RETURNING id, tenant_id)
     INSERT INTO relation_evidence (relation_id, session_id, source_id, source_type, tenant_id, quote, occurred_at)
     SELECT made.id, s.id, $5, 'summary', made.tenant_id, 'the ${MARK} at the coast', now() FROM made JOIN sessions s ON s.external_id = $6 AND s.tenant_id = made.tenant_id`,
    [newId(), tenantId, tower, coast, summary, session],
  );
  await instance.write(
    `INSERT INTO archives (id, tenant_id, session_id, user_id, title, heads, started_at, ended_at, counts, object_key, object_bytes, object_sha256, lines_sha256)
     SELECT $1, tenant_id, id, user_id, 'The ${MARK} archive', '', now(), now(), '{}', 'archives/none', 1, sha256('o'), sha256('l') FROM sessions WHERE external_id = $2 AND tenant_id = $3`,
    [newId(), session, tenantId],
  );
  return { session: sessionId, summary, learning, quoting, prompt };
}

/** Every read of people and agents: the address, and the body of a POST. */
export function reads(
  session: string,
  { session: id, summary, learning, quoting, prompt }: Marked,
): [string, object?][] {
  const project = encodeURIComponent(MARKED_PROJECT);
  return [
    [`/search?q=${MARK}&limit=20`],
    [`/search?q=latest&project=${project}&limit=20`],
    [`/search/suggest?q=${MARK.slice(0, 5)}`],
    ['/context', { purpose: 'session_start', project: MARKED_PROJECT }],
    ['/context', { purpose: 'prompt', prompt: `Which ${MARK} is the oldest?`, project: MARKED_PROJECT }],
    [`/timeline?q=nest&project=${project}`],
    [`/timeline?anchor=${prompt}`],
    [`/memories/${prompt}`],
    [`/memories/${learning}`],
    ['/feed?limit=100'],
    [`/feed?limit=100&project=${project}`],
    ['/sessions'],
    [`/sessions/test:${session}`],
    [`/sessions/test:${session}/prompts`],
    [`/sessions/test:${session}/summaries`],
    [`/summaries/${summary}`],
    ['/learnings'],
    [`/learnings?q=${MARK}`],
    [`/learnings/${learning}`],
    [`/learnings/${quoting}`],
    ['/graph'],
    [`/graph?q=${MARK}`],
    ['/graph?q=coast'],
    ['/profile'],
    ['/archives'],
    [`/archives?q=${MARK}`],
    [`/trace?key=${prompt}`],
    [`/jobs?kind=session&project=${project}`],
    [`/jobs/session.${id}`],
  ];
}

/** The addresses at which something of the marked session is shown. */
export async function shownAt(instance: TestInstance, session: string, marked: Marked): Promise<string[]> {
  const shown: string[] = [];
  for (const [address, body] of reads(session, marked)) {
    const answer = await instance.call(
      body === undefined ? 'GET' : 'POST',
      address,
      body === undefined ? {} : { body },
    );
    // An error quotes nothing; the requested text may be returned under `query`.
    const text = JSON.stringify(answer.body, (key, value: unknown) => (key === 'query' ? undefined : value));
    if (text.toLowerCase().includes(MARK)) shown.push(address);
  }
  return shown;
}
