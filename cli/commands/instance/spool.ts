import type { Command } from 'commander';
import { hookEnvironment } from '../../../hook/environment.ts';
import { drainSpool } from '../../../hook/spool/drain.ts';
import type { DrainReport } from '../../../hook/spool/drain.ts';
import { quarantineFolder } from '../../../hook/spool/quarantine.ts';
import { spoolStatus } from '../../../hook/spool/status.ts';
import type { SpoolStatus } from '../../../hook/spool/status.ts';
import { findTarget } from '../../../hook/target.ts';
import type { Cli } from '../../cli.ts';
import type { ExitCode } from '../../command-context.ts';
import { interruptible } from '../../waiting.ts';
import { table } from '../../output.ts';

interface SpoolOptions {
  readonly dataDir: string;
  readonly json?: boolean;
  readonly anyServer?: boolean;
}

export function addSpool(program: Command, cli: Cli): void {
  const spool = program
    .command('spool')
    .description('show or drain the spool: events stored while the server was unreachable');
  cli
    .command(spool, 'status', 'show pending events (exit code 0: none, 1: some)')
    .option('--json', 'print JSON')
    .action((options: SpoolOptions) => cli.exit(showStatus(options, cli)));
  const description =
    'send pending events in order (exit code 0: none remain, 1: some remain, 3: no server is configured)';
  cli
    .command(spool, 'drain', description)
    .option('--json', 'print JSON')
    .option('--any-server', 'include events spooled for other servers')
    .action(async (options: SpoolOptions) => cli.exit(await interruptible((signal) => drain(options, cli, signal))));
}

function statusOf(options: SpoolOptions, { environment }: Cli): SpoolStatus {
  const target = findTarget(options.dataDir, hookEnvironment(environment));
  return spoolStatus(options.dataDir, target?.server ?? null);
}

function showStatus(options: SpoolOptions, cli: Cli): ExitCode {
  const status = statusOf(options, cli);
  cli.print(options.json, status, statusText(status, options.dataDir, cli));
  return status.events + status.elsewhere === 0 ? 0 : 1;
}

async function drain(options: SpoolOptions, cli: Cli, signal: AbortSignal): Promise<ExitCode> {
  const target = findTarget(options.dataDir, hookEnvironment(cli.environment));
  if (target === null) {
    cli.output.err(
      `No server is configured in ${options.dataDir}: start an instance there, or set RECOLLECT_URL and RECOLLECT_API_KEY.\n`,
    );
    return 3;
  }
  const report = await drainSpool({
    dataDir: options.dataDir,
    target,
    signal,
    ...(options.anyServer === true ? { anyServer: true } : {}),
  });
  const remaining = statusOf(options, cli);
  const text = `${drainText(report, target.url)}${statusText(remaining, options.dataDir, cli)}`;
  cli.print(options.json, { ...report, left: remaining }, text);
  const waiting = remaining.events + (options.anyServer === true ? remaining.elsewhere : 0);
  return report.end.kind === 'done' && waiting === 0 ? 0 : 1;
}

function drainText(report: DrainReport, url: string): string {
  const { delivered, forgotten, quarantined, end } = report;
  const rows = [
    ['delivered', String(delivered), `to ${url}`],
    ...(forgotten === 0 ? [] : [['forgotten', String(forgotten), 'forgotten, excluded or capture disabled']]),
    ...(quarantined === 0 ? [] : [['quarantined', String(quarantined), 'rejected by the server']]),
  ];
  const why =
    end.kind === 'stopped'
      ? `Stopped: ${end.reason}.\n`
      : end.kind === 'busy'
        ? 'Another process is draining the spool.\n'
        : '';
  return `${table(rows)}${why}`;
}

function statusText(status: SpoolStatus, dataDir: string, { environment }: Cli): string {
  const maxBytes = hookEnvironment(environment).spoolMaxBytes;
  const { events, sessions, bytes, oldestAt, elsewhere, quarantined } = status;
  const rows = [
    ['pending', String(events), events === 0 ? '' : `of ${sessions} sessions, since ${oldestAt ?? 'an unknown time'}`],
    ...(elsewhere === 0 ? [] : [['other servers', String(elsewhere), 'recollect spool drain --any-server sends them']]),
    ...(quarantined === 0 ? [] : [['quarantined', String(quarantined), `in ${quarantineFolder(dataDir)}`]]),
    ['size', String(bytes), `bytes, of ${maxBytes} at most (RECOLLECT_SPOOL_MAX_BYTES)`],
  ];
  return table(rows);
}
