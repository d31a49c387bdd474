import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { newId } from '../../../../domain/ids.ts';
import type { TestUser } from '../../../setup/database.ts';
import type { TestInstance } from '../../../setup/instance.ts';
import { untilTrue } from '../../../setup/until.ts';
import { bodyOf } from '../answers.ts';
import { noteEvent, promptEvent } from '../events.ts';
import { cursorPageOf } from '../../../../contract/shared.ts';
import { observationSchema } from '../../../../contract/sessions.ts';

/** A word in every private row of all owners; each private row also has the mark of its owner. */
export const PRIVATE_WORD = 'quokka';

/** A person with objects. */
export interface Owner extends TestUser {
  /** A word that only this person's private rows contain. */
  readonly mark: string;
  readonly objects: Objects;
}

/** Kinds of objects that a permitted request may use up, with the rows that create one. Their ids are random. */
const ROWS = {
  session: `INSERT INTO sessions (id, tenant_id, user_id, host, external_id, started_at, last_event_at) VALUES ($1, $2, $3, 'test', $1::uuid::text, now(), now())`,
  learning: `INSERT INTO learnings (id, tenant_id, user_id, fingerprint, category, title, description, tags, confidence, valid_from, origin)
     VALUES ($1, $2, $3, sha256(uuid_send($1::uuid)), 'general', 'A title', $1::uuid::text, '{}', 0.9, now(), 'user')`,
  privateLearning: `INSERT INTO learnings (id, tenant_id, user_id, fingerprint, category, title, description, tags, confidence, valid_from, origin, visibility)
     VALUES ($1, $2, $3, sha256(uuid_send($1::uuid)), 'general', 'A title', $1::uuid::text, '{}', 0.9, now(), 'user', 'private')`,
  apiKey: `INSERT INTO api_keys (id, tenant_id, user_id, prefix, key_sha256, name, scopes) VALUES ($1, $2, $3, 'rcl_', sha256(uuid_send($1::uuid)), 'spare', '{read}')`,
  userSession: `INSERT INTO user_sessions (id, tenant_id, user_id, auth_version, methods, authenticated_at, expires_at)
     SELECT $1, $2, u.id, u.auth_version, '{password}', now(), now() + interval '1 day' FROM users u WHERE u.id = $3`,
  hold: `INSERT INTO legal_holds (id, tenant_id, subject, subject_id, reason, created_by) VALUES ($1, $2, 'session', gen_random_uuid(), 'a case', $3)`,
  run: `INSERT INTO retention_runs (id, tenant_id, group_id, mode, state, policy_hash, reference_time, user_id) VALUES ($1, $2, $1, 'dry_run', 'failed', sha256('x'), now(), $3)`,
  check: `INSERT INTO consistency_checks (id, tenant_id, user_id) VALUES ($1, $2, $3)`,
  import: `INSERT INTO imports (id, tenant_id, user_id, kind, options) VALUES ($1, $2, $3, 'transcripts', '{"directory": "/nowhere", "follow": false}')`,
  request: `INSERT INTO gdpr_requests (id, tenant_id, user_id, requested_by, right_name, kind, state, body, due_at)
     VALUES ($1, $2, $3, $3, 'erase', 'text', 'waiting', '{"text": "words of nobody"}', now() + interval '1 day')`,
  export: `INSERT INTO exports (id, tenant_id, user_id, scope, subject, state, object_key, bytes, expires_at)
     VALUES ($1, $2, $3, 'user', $3, 'completed', 'exports/' || $1::uuid, 4, now() + interval '1 day')`,
  grant: `INSERT INTO oauth_grants (id, tenant_id, user_id, client_id, client_host, scopes, expires_at) VALUES ($1, $2, $3, 'c', 'h', '{read}', now() + interval '1 day')`,
  archive: `WITH old AS (INSERT INTO sessions (id, tenant_id, user_id, host, external_id, started_at, last_event_at, status) VALUES ($1, $2, $3, 'test', $1::uuid::text, now(), now(), 'archived') RETURNING id)
     INSERT INTO archives (id, tenant_id, session_id, user_id, title, heads, started_at, ended_at, counts, object_key, object_bytes, object_sha256, lines_sha256)
     SELECT $1, $2, old.id, $3, 'A title', 'A head', now(), now(), '{}', 'archives/none', 1, sha256('o'), sha256('l') FROM old`,
} as const;

type RowKind = keyof typeof ROWS;
export type MadeKind = RowKind | 'project' | 'person';

/** Ids of the objects of one owner. */
export interface Objects extends Readonly<Record<Exclude<RowKind, 'session'>, string>> {
  readonly person: string;
  readonly tenant: string;
  readonly session: string;
  readonly observation: string;
  readonly eventKey: string;
  readonly summary: string;
  readonly project: string;
  readonly context: string;
  readonly fileImport: string;
  readonly fullValue: string;
}
export type ObjectKind = keyof Objects;

const rowsOf = cursorPageOf(observationSchema);

/** Creates objects of people of an instance whose folders are `files` (archive store) and set for full values. */
export function objectsOf(instance: TestInstance, files: string) {
  const insert = async (kind: RowKind, { tenantId, userId }: TestUser): Promise<string> => {
    const id = randomUUID();
    await instance.write(ROWS[kind], [id, tenantId, userId]);
    return id;
  };

  /** Creates an object that a request may use up. Returns its id. */
  const make = async (kind: MadeKind, owner: TestUser): Promise<string> => {
    if (kind === 'person') return (await instance.db.createUser({ tenantId: owner.tenantId })).userId;
    if (kind !== 'project') return insert(kind, owner);
    const project = await instance.db.createProject(owner, randomUUID());
    const session = await insert('session', owner);
    await instance.write('UPDATE sessions SET project_id = $1 WHERE id = $2', [project, session]);
    return project;
  };

  /** Creates an object of every kind, of a user whose key has all scopes. */
  const own = async (user: TestUser): Promise<Owner> => {
    const mark = `mark${newId().replaceAll('-', '')}`;
    const external = `session-${user.userId}`;
    const text = `The ${PRIVATE_WORD} ${mark}`;
    const eventKey = `key-${user.userId}`;
    const project = { path: `/src/${external}` };
    const events = [
      promptEvent(external, text, { project }),
      noteEvent(external, `${text} `.repeat(2_000), { project, infer: false }),
      noteEvent(external, text, { project, key: eventKey }),
    ];
    await instance.post('/events/batch', events, user.key);
    const [{ session, project: projectId } = { session: '', project: '' }] = await instance.rows<{
      session: string;
      project: string;
    }>('SELECT id AS session, project_id AS project FROM sessions WHERE external_id = $1', [external]);
    const listed = await instance.get(`/sessions/${session}/observations?full=true`, user.key);
    const observations = bodyOf(rowsOf, listed).data;
    const rows = Object.fromEntries(
      await Promise.all(
        (
          [
            'learning',
            'privateLearning',
            'apiKey',
            'userSession',
            'hold',
            'run',
            'check',
            'import',
            'request',
            'export',
            'grant',
            'archive',
          ] as const
        ).map(async (kind) => [kind, await insert(kind, user)] as const),
      ),
    );
    await instance.write('UPDATE learnings SET title = $2, description = $2, tags = ARRAY[$3] WHERE id = $1', [
      rows['privateLearning'],
      text,
      mark,
    ]);
    const made = z.record(z.enum(Object.keys(ROWS) as [RowKind]), z.string()).parse({ ...rows, session });
    await mkdir(path.join(files, 'exports'), { recursive: true });
    await writeFile(path.join(files, `exports/${made.export}`), mark.slice(0, 4));
    const [summary, context, fileImport] = [newId(), newId(), newId()];
    const { tenantId, userId } = user;
    await instance.write(
      `INSERT INTO summaries (id, tenant_id, session_id, project_id, user_id, slot, type, title, content, tags, model, input_tokens, output_tokens, cost_usd, from_seq, to_seq, occurred_at)
       VALUES ($1, $2, $3, $4, $5, 'session', 'session', 'A title', 'A summary', '{}', 'local', 1, 1, 0, 1, 2, now())`,
      [summary, tenantId, session, projectId, userId],
    );
    await instance.write(
      `INSERT INTO contexts (id, tenant_id, user_id, purpose, tokens, item_ids, item_types) VALUES ($1, $2, $3, 'session_start', 1, ARRAY[$4::uuid], '{learning}')`,
      [context, tenantId, userId, made.learning],
    );
    await instance.write(
      `INSERT INTO imports (id, tenant_id, user_id, kind, options) VALUES ($1, $2, $3, 'file', '{"objectKey": "imports/none", "bytes": 1, "sha256": "none"}')`,
      [fileImport, tenantId, userId],
    );
    const observation = observations.find(({ content }) => content === text)?.id ?? '';
    const fullValue = /sha256:([0-9a-f]{64})/.exec(JSON.stringify(observations))?.[1] ?? '';
    // The session is a job of Temporal once its workflow runs.
    await untilTrue(
      async () => (await instance.post(`/jobs/session.${session}/retry`, undefined, user.key)).status === 202,
    );
    const objects = {
      ...made,
      session,
      person: userId,
      tenant: tenantId,
      observation,
      eventKey,
      summary,
      project: projectId,
      context,
      fileImport,
      fullValue,
    };
    return { ...user, mark, objects };
  };

  return { make, own };
}
