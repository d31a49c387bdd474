import type pg from 'pg';
import { z } from 'zod';

/** Ids of an export that differ here: of the tenant, of users matched by name, of projects matched by an alias. */
export type IdMap = Map<string, string>;

const personLine = z.object({
  row: z.object({
    id: z.uuid(),
    username: z.string().min(1).max(1_000),
    role: z.enum(['admin', 'user', 'viewer']),
    preferences: z.json().optional(),
    created_at: z.string().max(64),
  }),
});

const projectLine = z.object({
  row: z.object({
    id: z.uuid(),
    display_name: z.string().max(4_096),
    git_remote: z.string().max(4_096).nullable(),
    created_at: z.string().max(64),
    aliases: z.array(z.string().max(8_192)).max(100_000),
  }),
});

const idRows = z.array(z.object({ id: z.string() }));

/** Returns true if another tenant has a row of this id: then a new id is used. */
async function isTaken(client: pg.ClientBase, table: 'users' | 'projects', tenantId: string, id: string) {
  const { rowCount } = await client.query(`SELECT FROM ${table} WHERE id = $1 AND tenant_id <> $2`, [id, tenantId]);
  return (rowCount ?? 0) > 0;
}

function remember(map: IdMap, from: string, to: string): void {
  if (from !== to) map.set(from, to);
}

/** Maps a user to the existing one of that name, else creates an inactive one without a password. Returns true if one was created. */
export async function importUser(client: pg.ClientBase, tenantId: string, line: string, map: IdMap): Promise<boolean> {
  const { row } = personLine.parse(JSON.parse(line));
  const find = async () =>
    idRows.parse(
      (await client.query('SELECT id FROM users WHERE tenant_id = $1 AND username = $2', [tenantId, row.username]))
        .rows,
    )[0];
  const known = await find();
  if (known !== undefined) {
    remember(map, row.id, known.id);
    return false;
  }
  const taken = await isTaken(client, 'users', tenantId, row.id);
  // A new name with a known id: renamed since the export.
  const { rowCount } = await client.query(
    `INSERT INTO users (id, tenant_id, username, password_hash, role, preferences, active, created_at)
     VALUES (CASE WHEN $7 THEN uuidv7() ELSE $1::uuid END, $2, $3, NULL, $4, $5, false, $6) ON CONFLICT DO NOTHING`,
    [row.id, tenantId, row.username, row.role, JSON.stringify(row.preferences ?? {}), row.created_at, taken],
  );
  const made = await find();
  if (made !== undefined) remember(map, row.id, made.id);
  return (rowCount ?? 0) > 0;
}

/** Maps a project to an existing one by its remote, else by another alias, else creates it. Returns true if one was created. */
export async function importProject(
  client: pg.ClientBase,
  tenantId: string,
  line: string,
  map: IdMap,
): Promise<boolean> {
  const { row } = projectLine.parse(JSON.parse(line));
  const { rows } = await client.query(
    `SELECT project_id AS id FROM project_aliases WHERE tenant_id = $1 AND alias = ANY ($2::text[]) ORDER BY alias NOT LIKE 'remote:%', alias LIMIT 1`,
    [tenantId, row.git_remote === null ? row.aliases : [`remote:${row.git_remote}`, ...row.aliases]],
  );
  const [known] = idRows.parse(rows);
  if (known !== undefined) {
    remember(map, row.id, known.id);
    return false;
  }
  const taken = await isTaken(client, 'projects', tenantId, row.id);
  const made = await client.query(
    `INSERT INTO projects (id, tenant_id, display_name, git_remote, created_at) VALUES (CASE WHEN $6 THEN uuidv7() ELSE $1::uuid END, $2, $3, $4, $5)
     ON CONFLICT DO NOTHING RETURNING id`,
    [row.id, tenantId, row.display_name, row.git_remote, row.created_at, taken],
  );
  const [fresh] = idRows.parse(made.rows);
  if (fresh !== undefined) {
    remember(map, row.id, fresh.id);
    // At once, so that a resumed import finds it under its new id.
    if (taken)
      await client.query(
        'INSERT INTO project_aliases (tenant_id, alias, project_id) SELECT $1, alias, $3 FROM unnest($2::text[]) AS alias ON CONFLICT DO NOTHING',
        [tenantId, row.aliases, fresh.id],
      );
  }
  return fresh !== undefined;
}
