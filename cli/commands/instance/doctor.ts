import type { Command } from 'commander';
import { cacheDirectory, instanceLayout } from '../../../infra/instance/layout.ts';
import type { InstanceLayout } from '../../../infra/instance/layout.ts';
import type { Cli } from '../../cli.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import {
  checkCredentialFiles,
  checkDataDirectory,
  checkDiskSpace,
  checkNode,
  checkModelFiles,
  checkPorts,
} from '../../doctor/machine.ts';
import type { Finding } from '../../doctor/machine.ts';
import { checkEngine, checkPostgres } from '../../doctor/engines.ts';
import { checkExternal, namesEngines } from '../../doctor/external.ts';
import { TEMPORAL, WEAVIATE } from '../../../infra/engines/pinned.ts';

export function addDoctor(program: Command, cli: Cli): void {
  cli
    .command(program, 'doctor', 'check that this machine can run Recollect and show remedies')
    .action(async (options: { dataDir: string }) => cli.exit(await doctor(options.dataDir, cli)));
}

/** Checks that this machine can run the engines itself. */
async function checkEmbedded(layout: InstanceLayout, { environment }: CommandContext): Promise<Finding[]> {
  const cacheDir = cacheDirectory(environment);
  return [
    await checkPostgres(layout, environment),
    await checkEngine(TEMPORAL, { cacheDir, environment }),
    await checkEngine(WEAVIATE, { cacheDir, environment }),
    await checkPorts(layout),
  ];
}

/** Checks the requirements of a start; leaves no changes. Exit code 1 if a check prevents the start. */
export async function doctor(dataDir: string, context: CommandContext): Promise<ExitCode> {
  const { environment, output } = context;
  const layout = instanceLayout(dataDir);
  const cacheDir = cacheDirectory(environment);
  const findings: Finding[] = [
    checkNode(process.versions.node),
    checkDataDirectory(layout),
    checkCredentialFiles(layout),
    checkDiskSpace(layout.dataDir),
    ...(namesEngines(environment) ? await checkExternal(environment) : await checkEmbedded(layout, context)),
    checkModelFiles(cacheDir, environment),
  ];
  for (const finding of findings) {
    output.out(`${finding.result.padEnd(4)}  ${finding.what}: ${finding.text}\n`);
    if (finding.advice !== undefined) output.out(`      → ${finding.advice}\n`);
  }
  return findings.some((finding) => finding.result === 'fail') ? 1 : 0;
}
