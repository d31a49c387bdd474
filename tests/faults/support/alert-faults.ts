import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { familyOf } from '../../bench/process-tree.ts';
import { agedId } from '../../setup/aged-id.ts';
import { untilTrue } from '../../setup/until.ts';
import type { FaultInstance } from './fault-instance.ts';
import { flipBit } from './operations-damage.ts';
import { done, ended, JOBS, request, start } from './operations-jobs.ts';
import { expectVerified } from './operations-steps.ts';

const DAY_S = 86_400;
/** Good requests beside a failing one, so that fewer than a fifth fail. */
const GOOD = 9;
const CONSUMED_MS = 90_000;

/** A cause of alerts on a running instance. */
export interface AlertFault {
  readonly alerts: readonly string[];
  /** Causes the fault. */
  make(): Promise<void>;
  /** Repeated until the alerts arrive: requests that meet the fault, or the next kill. */
  readonly meet?: () => Promise<void>;
  /** Resolves when the cause is removed. */
  repair(): Promise<void>;
}

/** The supervisor restarts the api: it is killed again until the repair. */
function killedApi(instance: FaultInstance): AlertFault {
  let killed: ReturnType<FaultInstance['kill']> = new Map();
  const kill = async (): Promise<void> => {
    if (instance.isRunning('api')) killed = instance.kill(['api']);
  };
  return { alerts: ['RecollectDown'], make: kill, meet: kill, repair: () => instance.recovered(killed) };
}

/** PostgreSQL does not respond: all of its processes are suspended. */
function suspendedDatabase(instance: FaultInstance): AlertFault {
  let pids: readonly number[] = [];
  return {
    alerts: ['RecollectDatabaseDown'],
    make: async () => {
      pids = familyOf(instance.pid('postgres'));
      for (const pid of pids) process.kill(pid, 'SIGSTOP');
    },
    repair: async () => {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
      await instance.recovered(new Map());
    },
  };
}

/** The application lacks a right, as after an incomplete restore by other means. */
function missingRight(
  { query }: FaultInstance,
  right: string,
  fault: Pick<AlertFault, 'alerts'> & Partial<AlertFault>,
): AlertFault {
  return {
    ...fault,
    make: async () => {
      await query(`REVOKE ${right} FROM recollect_app`);
      await fault.make?.();
    },
    repair: async () => {
      await query(`GRANT ${right} TO recollect_app`);
      await fault.repair?.();
    },
  };
}

const prompt = (session: string, content: string) => ({
  host: 'test',
  session_id: session,
  project: { path: '/src/alerts' },
  type: 'prompt',
  content,
});

/** Captured rows that no workflow can consume for six minutes. */
function unconsumedRows(instance: FaultInstance): AlertFault {
  const session = 'unfindable';
  return missingRight(instance, 'EXECUTE ON FUNCTION advance_consumption', {
    alerts: ['RecollectUnfindable'],
    make: async () => {
      const event = prompt(session, 'Where is this sentence?');
      expect(await request(instance, 'POST', '/events', event)).toMatchObject({ status: 202 });
      const aged = await instance.query(
        `UPDATE capture_keys SET row_id = ${agedId('row_id', 360)} WHERE session_id = (SELECT id FROM sessions WHERE external_id = $1) RETURNING 1`,
        [session],
      );
      expect(aged.length).toBeGreaterThan(0);
    },
    repair: () =>
      untilTrue(
        async () =>
          (await instance.query('SELECT FROM sessions WHERE external_id = $1 AND consumed_seq = last_seq', [session]))
            .length === 1,
        CONSUMED_MS,
        'the rows to be consumed',
      ),
  });
}

/** The only backup is nine days old, and a bit of it has flipped since: its drill fails. */
function damagedBackup(instance: FaultInstance): AlertFault {
  return {
    alerts: ['RecollectBackupOld', 'RecollectBackupUnverified'],
    make: async () => {
      const backup = await done(instance, JOBS.backup);
      await expectVerified(instance, backup.id);
      const set = path.join(instance.dataDir, 'backups', 'sets', backup.id);
      const [table = ''] = readdirSync(set, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.includes('tables/') && name.endsWith('.zst'))
        .toSorted();
      const bytes = readFileSync(path.join(set, table));
      flipBit(bytes, () => 0.5);
      writeFileSync(path.join(set, table), bytes);
      const { id } = await start(instance, JOBS.drill, { backup_id: backup.id });
      expect(await ended(instance, JOBS.drill, id)).toMatchObject({ state: 'failed', error: 'BackupCorrupted' });
      await instance.query("UPDATE backups SET snapshot_at = snapshot_at - interval '9 days' WHERE id = $1", [
        backup.id,
      ]);
    },
    repair: async () => {
      const { id } = await done(instance, JOBS.backup);
      await done(instance, JOBS.drill, { backup_id: id });
    },
  };
}

/** A superuser of PostgreSQL has changed a row of the audit log. */
function changedAuditLog(instance: FaultInstance): AlertFault {
  const change = async (by: number): Promise<void> => {
    const changed = await instance.query(
      'UPDATE audit_log SET status = status + $1 WHERE seq = (SELECT min(seq) FROM audit_log) RETURNING 1',
      [by],
    );
    expect(changed.length).toBe(1);
  };
  return {
    alerts: ['RecollectAuditBroken'],
    make: async () => {
      await change(1);
      expect(await request(instance, 'POST', '/schedules/audit-verification/run')).toMatchObject({ status: 202 });
    },
    repair: async () => {
      await change(-1);
      expect(await request(instance, 'POST', '/admin/audit-log/verify')).toMatchObject({ body: { ok: true } });
      // The alert remains for a day.
      await instance.query(`UPDATE system_alerts SET id = ${agedId('id', 2 * DAY_S)} WHERE type = 'audit_log_fault'`);
    },
  };
}

/** Returns the faults that cause the alerts of priority P0. */
export function alertFaults(instance: FaultInstance) {
  return {
    api: killedApi(instance),
    database: suspendedDatabase(instance),
    capture: missingRight(instance, 'EXECUTE ON FUNCTION capture_events', {
      alerts: ['RecollectCaptureFails'],
      meet: async () => {
        const good = Array.from({ length: GOOD }, () => request(instance, 'GET', '/health/live'));
        expect(await request(instance, 'POST', '/events', prompt('failing', 'x'))).toMatchObject({ status: 500 });
        await Promise.all(good);
      },
    }),
    requests: missingRight(instance, 'SELECT ON learnings', {
      alerts: ['RecollectErrorRate'],
      meet: async () => expect(await request(instance, 'GET', '/learnings')).toMatchObject({ status: 500 }),
    }),
    rows: unconsumedRows(instance),
    backups: damagedBackup(instance),
    audit: changedAuditLog(instance),
  } satisfies Record<string, AlertFault>;
}
