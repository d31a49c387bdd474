import { randomUUID } from 'node:crypto';
import { captureEvents } from '../../../../stores/postgres/capture/capture.ts';
import type { TestDatabase, TestUser } from '../../../setup/database.ts';
import { ended, event, noted, promptPart } from './captures.ts';
import { appendRows } from './audit-rows.ts';

/** Rows that capture does not write, one a table; `$fresh` is a new id each time. */
const SEEDS = [
  "INSERT INTO windows (session_id, n, tenant_id, from_seq, to_seq, tokens, reason) VALUES ($session, 1, $tenant, 1, 2, 10, 'turn')",
  "INSERT INTO trace_marks (session_id, seq, tenant_id, mark) VALUES ($session, 1, $tenant, decode(repeat('01', 25), 'hex'))",
  `INSERT INTO summaries (id, tenant_id, session_id, project_id, user_id, slot, type, title, content, model, input_tokens, output_tokens, cost_usd, from_seq, to_seq, occurred_at)
    VALUES ($fresh, $tenant, $session, $project, $user, 'topic:1', 'topic', 'A title', 'What was done', 'local', 1, 1, 0, 1, 2, now())`,
  `INSERT INTO learnings (id, tenant_id, project_id, user_id, session_id, fingerprint, category, title, description, confidence, valid_from)
    VALUES ($fresh, $tenant, $project, $user, $session, 'f', 'general', 'A title', 'What is known', 0.5, now())`,
  "INSERT INTO learning_evidence (learning_id, row_id, quote_sha256, tenant_id, session_id, quote) SELECT id, $fresh, 'q', $tenant, $session, 'quoted' FROM learnings WHERE tenant_id = $tenant",
  `INSERT INTO embeddings (id, tenant_id, session_id, resource_type, resource_id, chunk, model, dimension, content_hash, object_id)
    VALUES ($fresh, $tenant, $session, 'prompt', $fresh, 0, 'm', 3, 'h', $fresh)`,
  "INSERT INTO embedding_removals (tenant_id, resource_id, id, model, object_id) VALUES ($tenant, $fresh, $fresh, 'm', $fresh)",
  "INSERT INTO embedding_indexes (tenant_id, serving_model, serving_dimension) VALUES ($tenant, 'm', 3) ON CONFLICT DO NOTHING",
  "INSERT INTO embedding_cache (tenant_id, model, content_hash, vector) VALUES ($tenant, 'm', sha256('h'), 'v')",
  "INSERT INTO embedding_counts (tenant_id, model) VALUES ($tenant, 'm')",
  `INSERT INTO usage_ledger (id, tenant_id, user_id, session_id, operation, provider, model, input_tokens, output_tokens, tokens_cached, cost_usd, latency_ms)
    VALUES ($fresh, $tenant, $user, $session, 'summarise', 'local', 'm', 1, 1, 0, 0, 1)`,
  "INSERT INTO usage_reservations (id, tenant_id, user_id, tokens, provider, expires_at) VALUES ($fresh, $tenant, $user, 1, 'anthropic', now())",
  `INSERT INTO model_response_cache (id, tenant_id, session_id, prompt_version, request_sha256, response, provider, model, tokens, expires_at)
    VALUES ($fresh, $tenant, $session, 'v', sha256('q'), 'an answer', 'anthropic', 'm', 1, now())`,
  'INSERT INTO model_response_bands (tenant_id, key, response_id) SELECT tenant_id, 1, id FROM model_response_cache WHERE tenant_id = $tenant',
  "INSERT INTO system_alerts (id, tenant_id, user_id, type, day) VALUES ($fresh, $tenant, $user, 'budget_threshold', now())",
  'INSERT INTO model_batches (id, tenant_id, n) VALUES ($fresh, $tenant, 1)',
  'INSERT INTO model_batch_calls (batch_id, session_id, window_n, tenant_id, user_id) SELECT id, $session, 1, $tenant, $user FROM model_batches WHERE tenant_id = $tenant',
  "INSERT INTO settings (id, scope, tenant_id, scope_id, key, value) VALUES ($fresh, 'tenant', $tenant, $tenant, 'colour', '1')",
  `INSERT INTO tombstones (tenant_id, host, external_id, user_id, key_sha256) VALUES ($tenant, 'test', 'seeded', $user, sha256(convert_to($fresh, 'UTF8')))`,
  `INSERT INTO excluded_sessions (tenant_id, name_sha256) VALUES ($tenant, sha256(convert_to($fresh, 'UTF8')))`,
  "INSERT INTO imports (id, tenant_id, user_id, kind) VALUES ($fresh, $tenant, $user, 'transcripts')",
  "INSERT INTO imported_rows (tenant_id, source, source_table, source_id) VALUES ($tenant, 's', 'observations', 1)",
  `INSERT INTO transcript_files (id, tenant_id, user_id, path_sha256, path, fingerprint, modified_at)
    VALUES ($fresh, $tenant, $user, sha256(convert_to($fresh, 'UTF8')), 'a.jsonl', 'f', now())`,
  "INSERT INTO transcript_prompts (tenant_id, user_id, uuid, session_id, hashes) VALUES ($tenant, $user, $fresh, $session, '{}')",
  `INSERT INTO contexts (id, tenant_id, user_id, session_id, purpose, tokens, item_ids, item_types) VALUES ($fresh, $tenant, $user, $session, 'prompt', 1, '{}', '{}')`,
  "INSERT INTO memory_uses (context_id, resource_id, kind, tenant_id, user_id, resource_type) SELECT id, $fresh, 'useful', $tenant, $user, 'learning' FROM contexts WHERE tenant_id = $tenant",
  `INSERT INTO entities (id, tenant_id, project_id, type, name, label, first_seen, last_seen) VALUES ($fresh, $tenant, $project, 'file', 'a.ts', 'a.ts', now(), now()),
    ($fresh, $tenant, $project, 'project', 'app', 'app', now(), now())`,
  `INSERT INTO entity_mentions (entity_id, session_id, source_id, source_type, tenant_id, occurred_at)
    SELECT id, $session, $fresh, 'observation', $tenant, now() FROM entities WHERE tenant_id = $tenant`,
  `INSERT INTO relations (id, tenant_id, from_id, to_id, type, first_seen, last_seen)
    SELECT $fresh, $tenant, f.id, p.id, 'part_of', now(), now() FROM entities f JOIN entities p ON p.type = 'project' AND p.tenant_id = f.tenant_id WHERE f.type = 'file' AND f.tenant_id = $tenant`,
  `INSERT INTO relation_evidence (relation_id, session_id, source_id, source_type, tenant_id, occurred_at)
    SELECT id, $session, $fresh, 'observation', $tenant, now() FROM relations WHERE tenant_id = $tenant`,
  'INSERT INTO consistency_checks (id, tenant_id, found) VALUES ($fresh, $tenant, \'{"missing": 1}\')',
  "INSERT INTO stats_snapshots (id, tenant_id, date, metric, value) VALUES ($fresh, $tenant, current_date, 'sessions', 1)",
  "INSERT INTO project_glossaries (project_id, day, tenant_id, names) VALUES ($project, current_date, $tenant, '{a.ts}')",
  "INSERT INTO retention_policies (id, tenant_id, resource, age_days, action) VALUES ($fresh, $tenant, 'prompt', 30, 'keep')",
  "INSERT INTO legal_holds (id, tenant_id, subject, subject_id, reason, created_by) VALUES ($fresh, $tenant, 'user', $fresh, 'a case', $user)",
  "INSERT INTO retention_runs (id, tenant_id, group_id, mode, policy_hash, reference_time) VALUES ($fresh, $tenant, $fresh, 'dry_run', sha256('h'), now())",
  "INSERT INTO expired_full_values (tenant_id, sha256) VALUES ($tenant, repeat('a', 64))",
  `INSERT INTO retention_counts (run_id, tenant_id, rule, resource, action, month, rows, bytes)
    SELECT id, $tenant, 'default', 'context', 'delete', current_date, 1, 1 FROM retention_runs WHERE tenant_id = $tenant`,
  `INSERT INTO archives (id, tenant_id, session_id, project_id, user_id, title, heads, started_at, ended_at, counts, object_key, object_bytes, object_sha256, lines_sha256)
    VALUES ($fresh, $tenant, $session, $project, $user, 'A title', '', now(), now(), '{}', 'archives/a', 1, sha256('o'), sha256('l'))`,
  "INSERT INTO erasures (id, tenant_id, requested_by, kind, subject, state) VALUES ($fresh, $tenant, $user, 'session', $fresh, 'completed')",
  "INSERT INTO user_invites (id, tenant_id, user_id, token_sha256, created_by, expires_at) VALUES ($fresh, $tenant, $user, sha256(convert_to($fresh, 'UTF8')), $user, now())",
  `INSERT INTO user_sessions (id, tenant_id, user_id, auth_version, methods, authenticated_at, expires_at) VALUES ($fresh, $tenant, $user, 1, '{password}', now(), now() + interval '1 day')`,
  "INSERT INTO refresh_tokens (token_sha256, tenant_id, session_id) SELECT sha256(convert_to(id::text, 'UTF8')), tenant_id, id FROM user_sessions WHERE tenant_id = $tenant",
  "INSERT INTO mfa_totp (user_id, tenant_id, sealed_secret) VALUES ($user, $tenant, 's')",
  "INSERT INTO mfa_recovery (user_id, code_sha256, tenant_id) VALUES ($user, sha256('c'), $tenant)",
  "INSERT INTO oauth_grants (id, tenant_id, user_id, client_id, client_host, scopes, expires_at) VALUES ($fresh, $tenant, $user, 'c', 'h', '{read}', now() + interval '1 day')",
  "INSERT INTO gdpr_requests (id, tenant_id, user_id, requested_by, right_name, kind, state, due_at) VALUES ($fresh, $tenant, $user, $user, 'export', 'user', 'running', now())",
  "INSERT INTO user_identities (id, tenant_id, user_id, issuer, subject) VALUES ($fresh, $tenant, $user, 'https://login.example.org', $fresh)",
  "INSERT INTO passkeys (id, tenant_id, user_id, credential_id, public_key, name, synced) VALUES ($fresh, $tenant, $user, convert_to($fresh, 'UTF8'), 'key', 'laptop', false)",
  "INSERT INTO exports (id, tenant_id, user_id, scope, object_key, expires_at) VALUES ($fresh, $tenant, $user, 'tenant', 'exports/seeded', now())",
  'INSERT INTO audit_anchors (tenant_id, seq, hash, anchored_at) SELECT tenant_id, seq, hash, now() FROM audit_heads WHERE tenant_id = $tenant',
];

const PRIVATE_SEEDS = SEEDS.filter((sql) => /^INSERT INTO (?:contexts|imports|exports) /.test(sql));

/** A tenant with at least one row in every table that is a tenant's. */
export async function seedTenant(db: TestDatabase): Promise<TestUser> {
  const user = await db.createUser();
  const ids = await seedSession(db, user);
  await appendRows(db, user, 1);
  await seed(db, user, ids, SEEDS);
  return user;
}

/** Another user of a tenant, with at least one row in every table with private rows. */
export async function seedColleague(db: TestDatabase, { tenantId }: TestUser): Promise<TestUser> {
  const user = await db.createUser({ tenantId });
  await seed(db, user, await seedSession(db, user), PRIVATE_SEEDS);
  return user;
}

interface SeededSession {
  readonly session: string;
  readonly project: string;
}

async function seedSession(db: TestDatabase, user: TestUser): Promise<SeededSession> {
  const project = { remote: `git@example.org:team/${randomUUID()}.git`, path: '/src/app' };
  await captureEvents(db.database.pool, [
    event(user, 'seeded', [promptPart('A question'), noted('A note'), ended()], { project }),
  ]);
  const [ids] = await db.rows<{ session: string; project: string }>(
    'SELECT id AS session, project_id AS project FROM sessions WHERE user_id = $1',
    [user.userId],
  );
  if (ids === undefined) throw new Error('the seeded session is missing');
  return ids;
}

async function seed(db: TestDatabase, user: TestUser, ids: SeededSession, seeds: readonly string[]): Promise<void> {
  // Every placeholder is an id made here: written into the text, a table may use as many of them as it needs, as whatever type it needs.
  const given: Readonly<Record<string, string>> = {
    $tenant: user.tenantId,
    $user: user.userId,
    $session: ids.session,
    $project: ids.project,
  };
  for (const sql of seeds) await db.write(sql.replaceAll(/\$[a-z]+/g, (name) => `'${given[name] ?? randomUUID()}'`));
}
