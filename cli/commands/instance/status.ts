import type { Command } from 'commander';
import type { Session } from '../../../contract/sessions.ts';
import { lostEvents } from '../../../hook/diagnostics.ts';
import { spoolStatus } from '../../../hook/spool/status.ts';
import { instanceLayout } from '../../../infra/instance/layout.ts';
import { isAlive } from '../../../infra/supervisor/process-identity.ts';
import { findSupervisor } from '../../../infra/supervisor/stop-instance.ts';
import { type NodeState, readState } from '../../../infra/supervisor/state.ts';
import type { Cli } from '../../cli.ts';
import { table } from '../../output.ts';
import { serverOf } from '../../server/server-client.ts';
import type { ServerClient } from '../../server/server-client.ts';
import { hasHooks } from '../../install/install-hooks.ts';
import { activityText, newestSessions, readActivity } from './activity.ts';
import { gapText } from '../../text/gap-text.ts';

/** A server that is busy must not delay the state of its processes for long. */
const TIMEOUT_MS = 5_000;
/** Newest sessions whose gaps are shown. */
const GAP_SESSIONS = 20;

export interface StatusReport {
  readonly running: boolean;
  readonly phase: string;
  readonly dataDir: string;
  readonly url: string | null;
  readonly supervisorPid: number | null;
  readonly error: string | null;
  readonly services: readonly ServiceReport[];
}

interface ServiceReport {
  readonly name: string;
  readonly status: string;
  readonly pid: number | null;
  readonly restarts: number;
  readonly since: string;
  readonly detail: string | null;
}

export function addStatus(program: Command, cli: Cli): void {
  cli
    .command(program, 'status', 'show the state of the instance (exit code 0: running, 3: not running)')
    .option('--json', 'print JSON')
    .action(async ({ dataDir, json }: { dataDir: string; json?: boolean }) => {
      const report = statusReport(dataDir);
      const now = Date.now();
      const server = knownServer(dataDir, cli);
      const sessions = await newestSessions(server);
      const isAnswered = report.running && server !== null && sessions !== null;
      const activity = isAnswered ? await readActivity(server, sessions, now) : null;
      const capture = captureStatus(dataDir, sessions);
      const text = activity === null ? '' : activityText(activity, now, hasHooks(cli.environment));
      cli.print(json, { ...report, activity, capture }, `${statusText(report)}${text}${captureText(capture)}`);
      cli.exit(report.running ? 0 : 3);
    });
}

/** Returns the server; null without one, and for invalid credentials: the state of the processes is printed in any case. */
function knownServer(dataDir: string, { environment }: Cli): ServerClient | null {
  try {
    return serverOf(dataDir, environment, TIMEOUT_MS);
  } catch {
    return null;
  }
}

/** What may be missing of sessions. */
interface CaptureStatus {
  /** Events that wait in the spool of this machine, and the time of the oldest. */
  readonly spooled: number;
  readonly spooled_since: string | null;
  /** Events that the client could neither send nor spool, by its log, and the time of the newest. */
  readonly lost: number;
  readonly last_lost_at: string | null;
  /** The newest sessions with gaps that no transcript filled; null without a server. */
  readonly gaps: Session[] | null;
}

function captureStatus(dataDir: string, sessions: readonly Session[] | null): CaptureStatus {
  const spool = spoolStatus(dataDir, null);
  const lost = lostEvents(dataDir);
  return {
    spooled: spool.events,
    spooled_since: spool.oldestAt,
    lost: lost.length,
    last_lost_at: lost.at(-1) ?? null,
    gaps: sessions === null ? null : unfilledGaps(sessions.slice(0, GAP_SESSIONS)),
  };
}

function unfilledGaps(sessions: readonly Session[]): Session[] {
  return sessions
    .map((session) => ({ ...session, gaps: session.gaps.filter(({ transcript }) => transcript !== 'read') }))
    .filter(({ gaps }) => gaps.length > 0);
}

function captureText({ spooled, spooled_since, lost, last_lost_at, gaps }: CaptureStatus): string {
  const waiting = `spool: ${spooled} events wait since ${spooled_since ?? 'an unknown time'} (recollect spool drain sends them)\n`;
  const lostText = `hooks: ${lost} events were lost, the last at ${last_lost_at} (recollect logs hook)\n`;
  return `${spooled === 0 ? '' : waiting}${lost === 0 ? '' : lostText}${gapText(gaps ?? [])}`;
}

/** Returns the supervisor's last state, corrected by the processes that are alive. */
export function statusReport(dataDir: string): StatusReport {
  const layout = instanceLayout(dataDir);
  const state = readState(layout.stateFile);
  const supervisor = findSupervisor(layout);
  const nodes = Object.entries(state?.nodes ?? {}).filter(([, node]) => node.kind === 'service');
  return {
    running: supervisor !== null && state?.phase === 'running',
    phase: supervisor === null ? deadPhase(state?.phase) : (state?.phase ?? 'starting'),
    dataDir: layout.dataDir,
    url: supervisor === null ? null : (state?.url ?? null),
    supervisorPid: supervisor?.pid ?? null,
    error: state?.error ?? null,
    services: nodes.map(([name, node]) => serviceReport(name, node, supervisor !== null)),
  };
}

function serviceReport(name: string, node: NodeState, supervised: boolean): ServiceReport {
  const alive = node.process !== undefined && isAlive(node.process);
  const status =
    supervised || node.status === 'stopped' || node.status === 'failed' ? node.status : alive ? 'left over' : 'stopped';
  return {
    name,
    status,
    pid: alive ? (node.process?.pid ?? null) : null,
    restarts: node.restarts,
    since: node.since,
    detail: node.detail ?? null,
  };
}

/** Returns the phase of an instance whose supervisor is dead. */
function deadPhase(phase: string | undefined): string {
  if (phase === undefined) return 'never started';
  return phase === 'stopped' || phase === 'failed' ? phase : 'killed';
}

function statusText(report: StatusReport): string {
  const where = report.url === null ? '' : ` at ${report.url}`;
  const killed =
    report.phase === 'killed'
      ? ' (the supervisor was killed: run recollect up to recover, recollect down to clean up)'
      : '';
  const head = `Recollect: ${report.phase}${where}${killed}\ndata: ${report.dataDir}\n`;
  const rows = report.services.map((service) => [
    `  ${service.name}`,
    service.status,
    service.pid === null ? '-' : `process ${service.pid}`,
    service.restarts === 0 ? '' : `restarted ${service.restarts} times`,
    service.detail ?? '',
  ]);
  return `${head}${table(rows)}${report.error === null ? '' : `error: ${report.error}\n`}`;
}
