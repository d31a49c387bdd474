import type { Command } from 'commander';
import { instanceLayout } from '../../../infra/instance/layout.ts';
import { isAlive } from '../../../infra/supervisor/process-identity.ts';
import { findSupervisor } from '../../../infra/supervisor/stop-instance.ts';
import { type NodeState, readState } from '../../../infra/supervisor/state.ts';
import type { Cli } from '../../cli.ts';
import { table } from '../../output.ts';

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
    .action((options: { dataDir: string; json?: boolean }) => {
      const report = statusReport(options.dataDir);
      cli.print(options.json, report, statusText(report));
      cli.exit(report.running ? 0 : 3);
    });
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
