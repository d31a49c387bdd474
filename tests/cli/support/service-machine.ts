import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { service } from '../../../cli/commands/instance/service.ts';
import type { ServiceOptions } from '../../../cli/commands/instance/service.ts';
import { instanceService } from '../../../cli/service/manage-service.ts';
import type { InstanceService } from '../../../cli/service/manage-service.ts';
import { runCommandIn, serviceDefinition } from '../../../cli/service/service-commands.ts';
import type { RunCommand } from '../../../cli/service/service-commands.ts';
import { serviceManager } from '../../../cli/service/service-manager.ts';
import { testFolder } from '../../infra/support/folder.ts';
import { recordOutput } from './output.ts';

/** The unit's path in the home folder. */
export const UNIT = '.config/systemd/user/recollect.service';

/** A machine whose systemctl and launchctl are scripts that record their arguments and the state of the service. */
export class Machine {
  readonly home = testFolder();
  private readonly platform: NodeJS.Platform;

  constructor(platform: NodeJS.Platform = 'linux') {
    this.platform = platform;
    mkdirSync(path.join(this.home, 'bin'));
  }

  /** Adds a manager to the PATH, which fails on calls that contain `fails`. */
  withManager(fails = 'nothing'): this {
    const script = `#!/bin/sh
echo "$(basename "$0") $*" >> "${this.home}/calls"
case " $* " in *" ${fails} "*) echo "cannot ${fails}" >&2; exit 1;; esac
case " $* " in
  *" enable "*|*" bootstrap "*) : > "${this.home}/running";;
  *" disable "*|*" bootout "*|*" stop "*) [ -e "${this.home}/running" ] || exit 5; rm -f "${this.home}/running";;
  *" is-active "*|*" print "*) test -e "${this.home}/running";;
esac
`;
    for (const name of ['systemctl', 'launchctl'])
      writeFileSync(path.join(this.home, 'bin', name), script, { mode: 0o755 });
    return this;
  }

  get calls(): string[] {
    const file = path.join(this.home, 'calls');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  }

  /** Only its own programs and the shell's, not the service manager of the test machine. */
  private get environment(): Record<'HOME' | 'CLAUDE_CONFIG_DIR' | 'PATH', string> {
    return {
      HOME: this.home,
      CLAUDE_CONFIG_DIR: `${this.home}/claude`,
      PATH: `${path.join(this.home, 'bin')}:/usr/bin/nothing`,
    };
  }

  private readonly execute: RunCommand = (program, args) =>
    runCommandIn({ PATH: `${this.environment.PATH}:/bin` })(only(this.home, program), args);

  run(
    action: 'install' | 'uninstall' | 'status',
    dryRun = false,
    more: Pick<ServiceOptions, 'run'> = {},
  ): { code: number; out: string; err: string } {
    const context = recordOutput(this.environment);
    const code = service(
      action,
      { dataDir: path.join(this.home, 'data'), ...(dryRun ? { dryRun: true } : {}), ...more },
      context,
      { platform: this.platform, userId: 501, run: this.execute },
    );
    return { code, out: context.text(), err: context.errors() };
  }

  /** Returns the service as an upgrade to the program in `/new` finds it. */
  instanceService(dataDir = path.join(this.home, 'data')): InstanceService | null {
    const manager = serviceManager(this.platform, this.environment, 501);
    if (manager === null) throw new Error(`${this.platform} has no service manager.`);
    const definition = { ...serviceDefinition(dataDir, this.environment, null), cli: '/new/main.js' };
    return instanceService(definition, { manager, run: this.execute });
  }
}

/** Resolves a program in this machine's folder only. */
function only(home: string, program: string): string {
  return path.join(home, 'bin', program);
}
