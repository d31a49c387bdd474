import { randomUUID } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import { ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import type pg from 'pg';

export interface DatabaseAddress {
  /** With its parameters, such as those of TLS. */
  readonly connectionString: string;
  /** Options of the connection, as `-c role=…`. */
  readonly options?: string;
}

/** Returns the address of another database of the same server, for the same role and with the same parameters. */
export function atDatabase(url: string, database: string): string {
  const other = new URL(url);
  other.pathname = `/${encodeURIComponent(database)}`;
  return other.href;
}

type Adapter = Awaited<ReturnType<PrismaPg['connect']>>;

/** PostgreSQL's internal one-byte type "char" (pg_type.oid 18) and `text`. */
const CHAR_OID = 18;
const TEXT_OID = 25;

/**
 * adapter-pg 7.10 for the schema engine, with four of its faults fixed: the shadow database is really another database; a
 * script is sent as one instead of being split at semicolons; the catalogue's type "char" is readable; pools are closed.
 */
export class MigrationAdapterFactory extends PrismaPg {
  private readonly address: DatabaseAddress;
  private readonly opened: Adapter[] = [];
  /** PostgreSQL's error for the last failed script: the engine reports only that one failed. */
  scriptError: unknown;

  constructor(address: DatabaseAddress) {
    super({ ...address });
    this.address = address;
  }

  override connect(): Promise<Adapter> {
    return this.open(this.address.connectionString);
  }

  override async connectToShadowDb(): Promise<Adapter> {
    const name = `prisma_migrate_shadow_db_${randomUUID()}`;
    const main = await this.connect();
    await main.executeScript(`CREATE DATABASE "${name}"`);
    const shadow = await this.open(atDatabase(this.address.connectionString, name));
    const close = shadow.dispose.bind(shadow);
    let disposed = false;
    shadow.dispose = async () => {
      if (disposed) return;
      disposed = true;
      await close();
      await main.executeScript(`DROP DATABASE "${name}" WITH (FORCE)`);
    };
    return shadow;
  }

  /** Closes every pool: the engine's own `free()` leaves them open, and the process would wait for their idle time. */
  async dispose(): Promise<void> {
    for (const adapter of this.opened.reverse()) await adapter.dispose();
  }

  private async open(connectionString: string): Promise<Adapter> {
    const adapter = await new PrismaPg({ ...this.address, connectionString }).connect();
    this.opened.push(adapter);
    const pool = adapter.underlyingDriver();
    let charColumns: boolean[] = [];
    const original = pool.query.bind(pool);
    const query = (...values: unknown[]): Promise<pg.QueryResult> => Reflect.apply(original, pool, values);
    const typed = async (...values: unknown[]): Promise<pg.QueryResult> => {
      const result = await query(...values);
      charColumns = result.fields.map((field) => {
        const isChar = field.dataTypeID === CHAR_OID;
        if (isChar) field.dataTypeID = TEXT_OID;
        return isChar;
      });
      return result;
    };
    Object.assign(pool, { query: typed });
    const queryRaw = adapter.queryRaw.bind(adapter);
    adapter.queryRaw = async (params) => {
      const result = await queryRaw(params);
      charColumns.forEach((isChar, column) => {
        if (isChar) result.columnTypes[column] = ColumnTypeEnum.Character;
      });
      return result;
    };
    adapter.executeScript = async (sql) => {
      await query(sql).catch((error: unknown) => {
        this.scriptError = error;
        throw error;
      });
    };
    return adapter;
  }
}
