import { PrismaPg } from '@prisma/adapter-pg';
import type pg from 'pg';
import type { Bounds } from '../../../domain/access.ts';
import type { TenantId } from '../../../domain/ids.ts';
import { PrismaClient } from '../../../prisma/generated/client.ts';
import type { Prisma } from '../../../prisma/generated/client.ts';
import { createPool, together } from './pool.ts';
import type { PoolOptions } from './pool.ts';

/** Prisma inside one transaction of one tenant: policies limit it to that tenant's rows. */
export type TenantTransaction = Prisma.TransactionClient;

/** A read whose plan PostgreSQL caches under its name, on every connection. */
export interface NamedRead {
  readonly name: string;
  readonly text: string;
  readonly values: unknown[];
}

/** Reads rows inside one transaction of one tenant. */
export type TenantRead = (statement: NamedRead) => Promise<unknown[]>;

/** Returns reads that run in a transaction. */
export function readIn(transaction: TenantTransaction): TenantRead {
  return ({ text, values }) => transaction.$queryRawUnsafe<unknown[]>(text, ...values);
}

/** What a transaction shows of a tenant. */
export interface TenantView {
  readonly tenantId: TenantId;
  /** The user whose private rows are visible beside the shared ones; undefined: those of every user, for admins. */
  readonly viewerId: string | undefined;
  /** Rows outside are neither visible nor written; null: no bounds. */
  readonly bounds: Bounds | null;
}

/** Returns what one user may see of a tenant, without the bounds of a key; without a user, what admins see. */
export function viewOfUser(tenantId: TenantId, viewerId?: string): TenantView {
  return { tenantId, viewerId, bounds: null };
}

/** The facade over PostgreSQL. Repositories in this folder take it, or the transaction that it gives. */
export interface Database {
  /** For the raw statements of the hot paths; policies bind it like everything else. */
  readonly pool: pg.Pool;
  /**
   * Runs `work` in a transaction bound to that tenant. Without a viewer, private rows are visible to processes that were opened for them only. No
   * network calls inside: it occupies a connection.
   */
  asTenant<Result>(
    scope: TenantId | TenantView,
    work: (transaction: TenantTransaction) => Promise<Result>,
  ): Promise<Result>;
  /**
   * Runs reads in a transaction bound to that tenant, past Prisma: for the hot paths, where planning a statement anew costs more than
   * running it (2.8 ms against 0.6 ms for the heads of a hundred memories). PostgreSQL cancels each read after `statementMs`, if given.
   */
  readAsTenant<Result>(
    scope: TenantId | TenantView,
    work: (read: TenantRead) => Promise<Result>,
    statementMs?: number,
  ): Promise<Result>;
  /** Round trip in milliseconds. */
  ping(): Promise<number>;
  close(): Promise<void>;
}

/** How long a transaction waits for a connection, and how long it may then take, in milliseconds. */
export interface TransactionBounds {
  readonly maxWait: number;
  readonly timeout: number;
}

const BOUNDS: TransactionBounds = { maxWait: 10_000, timeout: 30_000 };

/** Private rows that a scope without a viewer shows: none, in a process that answers users, or of every user. */
export type PrivateRows = 'none' | 'all';

const ALL_VIEWERS = '*';
/** Settings that the policies compare, by name; all of them end with the transaction. */
function settingsOf(scope: TenantId | TenantView, privateRows: PrivateRows): readonly (readonly [string, string])[] {
  if (typeof scope === 'string')
    return [
      ['app.tenant_id', scope],
      ['app.user_id', privateRows === 'all' ? ALL_VIEWERS : ''],
    ];
  const { tenantId, viewerId, bounds } = scope;
  const listed = (name: string, values: readonly string[] = []) =>
    values.length === 0 ? [] : [[name, arrayOf(values)] as const];
  return [
    ['app.tenant_id', tenantId],
    ['app.user_id', viewerId ?? ALL_VIEWERS],
    ...listed('app.namespaces', bounds?.namespaces),
    ...listed('app.projects', bounds?.projects),
  ];
}

/** Returns a PostgreSQL array of texts. */
function arrayOf(values: readonly string[]): string {
  return `{${values.map((value) => `"${value.replaceAll(/["\\]/g, '\\$&')}"`).join(',')}}`;
}

/** Transactions that are bound to one tenant, within bounds. */
export function tenantTransactions(
  prisma: PrismaClient,
  bounds: TransactionBounds,
  privateRows: PrivateRows,
): Database['asTenant'] {
  return (scope, work) => {
    const settings = settingsOf(scope, privateRows);
    const set = settings.map((_, index) => `set_config($${2 * index + 1}, $${2 * index + 2}, true)`).join(', ');
    return prisma.$transaction(async (transaction) => {
      await transaction.$queryRawUnsafe(`SELECT ${set}`, ...settings.flat());
      return work(transaction);
    }, bounds);
  };
}

/**
 * Shows `work` the private rows of every user, within a transaction of one viewer: for what must reach all of them once the right to it was checked,
 * such as the removal of a forgotten row's quotes.
 */
export async function amongAllUsers<Result>(
  transaction: TenantTransaction,
  work: () => Promise<Result>,
): Promise<Result> {
  const [before] = await transaction.$queryRaw<
    { viewer: string | null }[]
  >`SELECT current_setting('app.user_id', true) AS viewer`;
  await transaction.$executeRaw`SELECT set_config('app.user_id', ${ALL_VIEWERS}, true)`;
  const result = await work();
  // A failure has ended the transaction, and the setting with it.
  await transaction.$executeRaw`SELECT set_config('app.user_id', ${before?.viewer ?? ''}, true)`;
  return result;
}

/** Opens PostgreSQL lazily: the first query connects. */
export function createDatabase({
  privateRows,
  ...options
}: PoolOptions & { readonly privateRows: PrivateRows }): Database {
  const pool = createPool({ ...options, pipeline: true });
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  return {
    pool,
    asTenant: tenantTransactions(prisma, BOUNDS, privateRows),
    readAsTenant: async (scope, work, statementMs) => {
      const set = [...settingsOf(scope, privateRows), ['plan_cache_mode', 'force_generic_plan'] as const];
      const timeout =
        statementMs === undefined ? '' : `; SET LOCAL statement_timeout = ${Math.max(1, Math.ceil(statementMs))}`;
      const client = await pool.connect();
      try {
        const result = await together(client, async () => {
          // Left to itself, PostgreSQL plans a read anew for as long as fewer ids than it guesses look cheaper: 1.9 ms a search.
          const begin = client.query(
            `BEGIN READ ONLY; SELECT ${set.map(([name, value]) => `set_config('${name}', ${client.escapeLiteral(value)}, true)`).join(', ')}${timeout}`,
          );
          // Awaited with every read, unless `work` fails first.
          begin.catch(() => undefined);
          return work(async (statement) => {
            const [, { rows }] = await Promise.all([begin, client.query<Record<string, unknown>>(statement)]);
            return rows;
          });
        });
        // Nothing was written: only the connection waits for the commit.
        void client.query('COMMIT').then(
          () => client.release(),
          () => client.release(true),
        );
        return result;
      } catch (error) {
        // A connection in an unknown state is not reused.
        client.release(true);
        throw error;
      }
    },
    ping: async () => {
      const started = performance.now();
      await pool.query('SELECT 1');
      return performance.now() - started;
    },
    close: async () => {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}
