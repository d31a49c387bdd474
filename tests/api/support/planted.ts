import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import type { TestInstance } from '../../setup/instance.ts';

/** Secrets by name, as a flow learned them. */
export class Planted {
  private readonly secrets: [string, string][] = [];

  /** Notes a secret; returns it. */
  note(name: string, secret: string): string {
    if (secret.length < 8) throw new Error(`${name} is too short to be found`);
    this.secrets.push([name, secret]);
    return secret;
  }

  /** Returns the names of the secrets that a text contains: as they are, in hexadecimal digits, and in base 64. */
  foundIn(text: string): string[] {
    const forms = (secret: string): string[] => {
      const bytes = Buffer.from(secret);
      return [secret, encodeURIComponent(secret), bytes.toString('hex'), bytes.toString('base64').replace(/=+$/, '')];
    };
    return [...new Set(this.secrets.filter(([, secret]) => forms(secret).some((form) => text.includes(form))))].map(
      ([name]) => name,
    );
  }
}

/** Returns every row of every table and partition of a database as JSON; bytes are hexadecimal digits. */
export async function dumpOf({ db }: TestInstance): Promise<string> {
  const { rows } = await db.superuser.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')`,
  );
  const texts: string[] = [];
  for (const { name } of rows) {
    const table = await db.superuser.query<{ text: string }>(`SELECT to_jsonb(t)::text AS text FROM ${name} t`);
    texts.push(...table.rows.map(({ text }) => text));
  }
  return texts.join('\n');
}

/** Returns the files below a folder, decompressed if they are. */
export function filesBelow(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const bytes = readFileSync(path.join(entry.parentPath, entry.name));
      return (entry.name.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes).toString('utf8');
    })
    .join('\n');
}

/** Returns the histories of all workflows of an instance, with their payloads as text. */
export async function historiesOf({ temporal }: TestInstance): Promise<string> {
  const texts: string[] = [];
  for await (const { workflowId, runId } of temporal.workflow.list()) {
    const history = await temporal.workflow.getHandle(workflowId, runId).fetchHistory();
    texts.push(
      JSON.stringify(history, (_, value: unknown) =>
        value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value,
      ),
    );
  }
  return texts.join('\n');
}
