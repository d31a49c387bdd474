import type pg from 'pg';
import { z } from 'zod';
import { rowOf } from '../connection/rows.ts';

const tableRow = rowOf({
  name: z.string(),
  columns: z.array(
    z.object({
      name: z.string(),
      /** As PostgreSQL writes it: `uuid`, `text[]`. */
      type: z.string(),
      isGenerated: z.boolean(),
      isNullable: z.boolean(),
    }),
  ),
  primary_key: z
    .array(z.string())
    .nullable()
    .transform((columns) => columns ?? []),
  foreign_keys: z
    .array(z.object({ columns: z.array(z.string()), parent: z.string(), parentColumns: z.array(z.string()) }))
    .nullable()
    .transform((keys) => keys ?? []),
});

/** A table with a tenant, from the catalog. */
export type TenantTable = z.output<typeof tableRow>;

/** Columns of a constraint's list of attribute numbers, in its order. */
const NAMES_OF = (relation: string, numbers: string) =>
  `(SELECT json_agg(a.attname ORDER BY place.n) FROM unnest(${numbers}) WITH ORDINALITY AS place(number, n) JOIN pg_attribute a ON a.attrelid = ${relation} AND a.attnum = place.number)`;

/** Excludes months that retention detached but has not dropped yet. */
const TABLES = `
  SELECT c.relname AS name,
         (SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'isGenerated', a.attgenerated <> '', 'isNullable', NOT a.attnotnull) ORDER BY a.attnum)
            FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
         (SELECT ${NAMES_OF('k.conrelid', 'k.conkey')} FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p') AS primary_key,
         (SELECT json_agg(json_build_object('columns', ${NAMES_OF('k.conrelid', 'k.conkey')}, 'parent', p.relname, 'parentColumns', ${NAMES_OF('k.confrelid', 'k.confkey')}))
            FROM pg_constraint k JOIN pg_class p ON p.oid = k.confrelid WHERE k.conrelid = c.oid AND k.contype = 'f' AND p.oid <> c.oid) AS foreign_keys
    FROM pg_class c
   WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname !~ '^(prompts|observations|usage_ledger|audit_log)_[0-9]{4}_[0-9]{2}$'
     AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped)
   ORDER BY c.relname`;

/** Order that no foreign key enforces: rows need their key first, and rows of a session its keys. */
const ALSO_AFTER: Readonly<Record<string, readonly string[]>> = {
  prompts: ['capture_keys'],
  observations: ['capture_keys'],
  boundaries: ['capture_keys'],
  learnings: ['sessions'],
  learning_evidence: ['capture_keys'],
  entity_mentions: ['sessions'],
  relation_evidence: ['sessions'],
  contexts: ['sessions'],
  embeddings: ['prompts', 'observations', 'summaries', 'learnings'],
};

/** Parents before children; of those that may stand in any order, by name. @throws Error when foreign keys run in a circle */
function inOrder(tables: readonly TenantTable[]): TenantTable[] {
  const byName = new Map(tables.map((table) => [table.name, table]));
  const ordered: TenantTable[] = [];
  const state = new Map<string, 'open' | 'completed'>();
  const visit = (table: TenantTable): void => {
    if (state.get(table.name) === 'completed') return;
    if (state.get(table.name) === 'open') throw new Error(`foreign keys run in a circle at ${table.name}`);
    state.set(table.name, 'open');
    for (const parent of [...table.foreignKeys.map((key) => key.parent), ...(ALSO_AFTER[table.name] ?? [])]) {
      const found = byName.get(parent);
      if (found !== undefined) visit(found);
    }
    state.set(table.name, 'completed');
    ordered.push(table);
  };
  for (const table of tables) visit(table);
  return ordered;
}

/** Every table with a tenant, in the order in which its rows can be inserted. From the catalog: a new table is never forgotten. */
export async function tenantTables(client: pg.ClientBase | pg.Pool): Promise<TenantTable[]> {
  const { rows } = await client.query(TABLES);
  return inOrder(z.array(tableRow).parse(rows));
}
