import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Session } from '../../../contract/sessions.ts';
import { lostEvents } from '../../../hook/diagnostics.ts';
import { spoolStatus } from '../../../hook/spool/status.ts';
import { instanceLayout } from '../../../infra/instance/layout.ts';
import { isAlive } from '../../../infra/supervisor/process-identity.ts';
import { findSupervisor } from '../../../infra/supervisor/stop-instance.ts';
import { type NodeState, readState } from '../../../infra/supervisor/state.ts';
import type { Environment } from '../../../config/process-environment.ts';
import type { Cli } from '../../cli.ts';
import { table } from '../../output.ts';
import { serverOf } from '../../server/server-client.ts';
import type { ServerClient } from '../../server/server-client.ts';
import { hasHooks } from '../../install/installed.ts';
import { ActivityReader, activityRows, newestSessions } from './activity.ts';
import { gapText } from '../../text/gap-text.ts';
import { integer } from '../../options.ts';
import { interruptible } from '../../waiting.ts';
import { LiveReader, liveRows } from './live-figures.ts';

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
    .option('--watch', 'show rates, backlog and memory, too, again and again until Ctrl-C')
    .option('--interval <seconds>', 'time between two views of --watch', integer(1, 3_600), 2)
    .action(async ({ dataDir, json, watch, interval }: StatusOptions) => {
      const live = watch === true ? new LiveReader() : null;
      const activityReader = new ActivityReader();
      const print = async (): Promise<boolean> => {
        const { report, view, text } = await readStatus(dataDir, cli, activityReader, live);
        const isScreen = live !== null && json !== true && cli.output.columns !== null;
        cli.print(json, view, `${isScreen ? CLEAR_SCREEN : ''}${text}${live === null || isScreen ? '' : '\n'}`);
        return report.running;
      };
      const isRunning =
        live === null ? await print() : await interruptible((signal) => repeat(print, interval, signal));
      cli.exit(isRunning ? 0 : 3);
    });
}

interface StatusOptions {
  readonly dataDir: string;
  readonly json?: boolean;
  readonly watch?: boolean;
  /** In seconds. */
  readonly interval: number;
}

/** Moves to the top of a terminal and removes what is below. */
const CLEAR_SCREEN = '\u001b[H\u001b[J';

/** Calls `print` until the signal aborts. Returns what it returned last. */
async function repeat(print: () => Promise<boolean>, seconds: number, signal: AbortSignal): Promise<boolean> {
  for (;;) {
    const last = await print();
    await sleep(seconds * 1_000, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return last;
  }
}

/** Reads the state of an instance; `live`: with the figures of this moment. */
async function readStatus(dataDir: string, cli: Cli, activityReader: ActivityReader, live: LiveReader | null) {
  const report = statusReport(dataDir);
  const now = Date.now();
  const server = knownServer(dataDir, cli.environment);
  const sessions = await newestSessions(server);
  const isAnswered = report.running && server !== null && sessions !== null;
  const activity = isAnswered ? await activityReader.read(server, sessions, now) : null;
  const figures = (await live?.read(server, report.services)) ?? null;
  const capture = captureStatus(dataDir, sessions);
  const rows = [
    ...(figures === null ? [] : liveRows(figures)),
    ...(activity === null ? [] : activityRows(activity, now, hasHooks(cli.environment))),
  ];
  return {
    report,
    view: { ...report, activity, capture, ...(live === null ? {} : { live: figures }) },
    text: `${statusText(report)}${table(rows)}${captureText(capture)}`,
  };
}

/** Returns the server; null without one, and for invalid credentials: the state of the processes is printed in any case. */
export function knownServer(dataDir: string, environment: Environment): ServerClient | null {
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
