import { localTarget } from '../../../hook/target.ts';
import { drainSpool } from '../../../hook/spool/drain.ts';
import type { Home } from '../../cli/install/support/home.ts';
import type { TestInstance } from '../../setup/instance.ts';

/** Rows of the sessions of a project by kind and type, with their number. */
export type Captured = Readonly<Record<string, number>>;

/** Returns what is captured of the sessions of a host, after the events that clients spooled were sent. */
export async function capturedOf(instance: TestInstance, host: string, home: Home): Promise<Captured> {
  const dataDir = home.path('.recollect');
  const target = localTarget(dataDir);
  if (target !== null) await drainSpool({ dataDir, target });
  const rows = await instance.rows<{ kind: string; rows: number }>(
    `SELECT kind, count(*)::int AS rows FROM (
       SELECT 'prompt ' || p.type AS kind FROM prompts p JOIN sessions s ON s.id = p.session_id WHERE s.host = $1
       UNION ALL
       SELECT 'tool ' || o.tool FROM observations o JOIN sessions s ON s.id = o.session_id WHERE s.host = $1
     ) all_rows GROUP BY kind ORDER BY kind`,
    [host],
  );
  return Object.fromEntries(rows.map((row) => [row.kind, row.rows]));
}

/** Stores a learning of the project of the host's newest session, for context. */
export async function learn(instance: TestInstance, host: string, text: string): Promise<void> {
  await instance.write(
    `INSERT INTO learnings (id, tenant_id, project_id, user_id, session_id, fingerprint, category, title, description, confidence, valid_from)
     SELECT gen_random_uuid(), s.tenant_id, s.project_id, s.user_id, s.id, convert_to(gen_random_uuid()::text, 'UTF8'), 'general', 'Rows', $2, 0.9, now()
     FROM sessions s WHERE s.host = $1 ORDER BY s.id DESC LIMIT 1`,
    [host, text],
  );
}
