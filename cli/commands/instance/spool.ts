import type { Command } from 'commander';
import { hookEnvironment } from '../../../hook/environment.ts';
import { drainSpool } from '../../../hook/spool/drain.ts';
import type { DrainReport } from '../../../hook/spool/drain.ts';
import { quarantineFolder } from '../../../hook/spool/quarantine.ts';
import { spoolStatus } from '../../../hook/spool/status.ts';
import type { SpoolStatus } from '../../../hook/spool/status.ts';
import { findTarget } from '../../../hook/target.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { withDataDir } from '../../options.ts';
import { listenForInterrupts } from '../../waiting.ts';
import { table } from '../../output.ts';

interface SpoolOptions {
  readonly dataDir: string;
  readonly json?: boolean;
  readonly anyServer?: boolean;
}

export function addSpool(program: Command, context: CommandContext, exit: (code: ExitCode) => void): void {
  const spool = program
    .command('spool')
    .description('show or drain the spool: events stored while the server was unreachable');
  withDataDir(spool.command('status'), context.environment)
    .description('show pending events (exit code 0: none, 1: some)')
    .option('--json', 'print JSON')
    .action((options: SpoolOptions) => exit(showStatus(options, context)));
  withDataDir(spool.command('drain'), context.environment)
    .description('send pending events in order (exit code 0: none remain, 1: some remain, 3: no server is configured)')
    .option('--json', 'print JSON')
    .option('--any-server', 'include events spooled for other servers')
    .action(async (options: SpoolOptions) => {
      const interrupts = listenForInterrupts(() => process.exit(130));
      try {
        exit(await drain(options, context, interrupts.signal));
      } finally {
        interrupts.dispose();
      }
    });
}

function statusOf(options: SpoolOptions, context: CommandContext): SpoolStatus {
  const target = findTarget(options.dataDir, hookEnvironment(context.environment));
  return spoolStatus(options.dataDir, target?.server ?? null);
}

function showStatus(options: SpoolOptions, context: CommandContext): ExitCode {
  const status = statusOf(options, context);
  context.output.out(
    options.json === true ? `${JSON.stringify(status)}\n` : statusText(status, options.dataDir, context),
  );
  return status.events + status.elsewhere === 0 ? 0 : 1;
}

async function drain(options: SpoolOptions, context: CommandContext, signal: AbortSignal): Promise<ExitCode> {
  const target = findTarget(options.dataDir, hookEnvironment(context.environment));
  if (target === null) {
    context.output.err(
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
  const remaining = statusOf(options, context);
  if (options.json === true) context.output.out(`${JSON.stringify({ ...report, left: remaining })}\n`);
  else context.output.out(`${drainText(report, target.url)}${statusText(remaining, options.dataDir, context)}`);
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

function statusText(status: SpoolStatus, dataDir: string, { environment }: CommandContext): string {
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
