import { writeFileSync } from 'node:fs';
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
import { supportBundle } from '../../support-bundle/bundle.ts';
import { serverEnvironment } from '../server/run.ts';
import { knownServer, statusReport } from './status.ts';

export function addDoctor(program: Command, cli: Cli): void {
  cli
    .command(program, 'doctor', 'check that this machine can run Recollect and show remedies')
    .option('--server', 'check the engines that the settings name instead of this machine')
    .option('--bundle [file]', 'also write a support bundle: versions, settings, states and errors, nothing captured')
    .action(async ({ dataDir, server, bundle }: { dataDir: string; server?: true; bundle?: string | true }) => {
      const findings = server === true ? await serverFindings(dataDir, cli) : await findingsOf(dataDir, cli);
      const code = printFindings(findings, cli);
      const isWritten = bundle === undefined || (await writeBundle(bundle, dataDir, findings, cli));
      cli.exit(isWritten ? code : 1);
    });
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

/** Checks the requirements of a start; leaves no changes. */
async function findingsOf(dataDir: string, context: CommandContext): Promise<readonly Finding[]> {
  const { environment } = context;
  const layout = instanceLayout(dataDir);
  const cacheDir = cacheDirectory(environment);
  return [
    checkNode(process.versions.node),
    checkDataDirectory(layout),
    checkCredentialFiles(layout),
    checkDiskSpace(layout.dataDir),
    ...(namesEngines(environment) ? await checkExternal(environment) : await checkEmbedded(layout, context)),
    checkModelFiles(cacheDir, environment),
  ];
}

/** Checks what the api and the workers need of the engines of the settings. */
async function serverFindings(dataDir: string, { environment }: CommandContext): Promise<readonly Finding[]> {
  const settings = serverEnvironment(environment, dataDir);
  return [checkNode(process.versions.node), ...(await checkExternal(settings))];
}

/** Prints the findings with their remedies. Returns exit code 1 if one prevents the start. */
function printFindings(findings: readonly Finding[], { output }: CommandContext): ExitCode {
  for (const finding of findings) {
    output.out(`${finding.result.padEnd(4)}  ${finding.what}: ${finding.text}\n`);
    if (finding.advice !== undefined) output.out(`      → ${finding.advice}\n`);
  }
  return findings.some((finding) => finding.result === 'fail') ? 1 : 0;
}

/** Checks the requirements of a start and prints what it found. Exit code 1 if a check prevents the start. */
export async function doctor(dataDir: string, context: CommandContext): Promise<ExitCode> {
  return printFindings(await findingsOf(dataDir, context), context);
}

/** Writes a support bundle into a new file. Returns false if it exists or cannot be written. */
async function writeBundle(
  file: string | true,
  dataDir: string,
  findings: readonly Finding[],
  { environment, output }: CommandContext,
): Promise<boolean> {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  const target = file === true ? `recollect-support-${stamp}Z.json` : file;
  const { services } = statusReport(dataDir);
  const server = knownServer(dataDir, environment);
  const bundle = await supportBundle({ layout: instanceLayout(dataDir), environment, findings, services, server });
  try {
    writeFileSync(target, `${JSON.stringify(bundle, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    const why = error.code === 'EEXIST' ? 'exists' : `cannot be written (${String(error.code)})`;
    output.err(`${target} ${why}. Name another file.\n`);
    return false;
  }
  output.out(`\nSupport bundle: ${target}. It contains nothing captured and no keys; read it before you send it.\n`);
  return true;
}
