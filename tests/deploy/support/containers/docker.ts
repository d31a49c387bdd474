import { userInfo } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { ComposeServer } from './compose-server.ts';

/** Runs `docker` with these arguments on a server. Returns the output of `run`. @throws Error for a call that has no meaning here, and if it fails */
export async function docker(server: ComposeServer, [command, ...args]: readonly string[]): Promise<string> {
  if (command === 'compose') return compose(server, args);
  if (command === 'run') return runContainer(server, args);
  throw new Error(`docker ${command} has no meaning here`);
}

async function compose(server: ComposeServer, [command = '', ...args]: readonly string[]): Promise<string> {
  // Behind the service, options are those of its program.
  const at = args.findIndex((word) => !word.startsWith('--'));
  const [given, words] = at < 0 ? [args, []] : [args.slice(0, at), args.slice(at)];
  const optionsOf = (...known: string[]): Readonly<Record<string, unknown>> =>
    parseArgs({ args: [...given], options: Object.fromEntries(known.map((name) => [name, { type: 'boolean' }])) })
      .values;
  switch (command) {
    case 'up': {
      const options = optionsOf('detach', 'wait', 'no-deps', 'force-recreate');
      await server.up(words, { alone: options['no-deps'] === true, force: options['force-recreate'] === true });
      return '';
    }
    case 'run': {
      optionsOf('rm');
      const [name = '', ...rest] = words;
      return server.run(name, rest);
    }
    case 'pull':
      server.pull();
      return '';
    case 'create':
      server.create();
      return '';
    default:
      throw new Error(`docker compose ${command} has no meaning here`);
  }
}

/** Runs a container with folders of this machine, and volumes by their names. Files belong to the user of all processes here. */
function runContainer(server: ComposeServer, args: readonly string[]): Promise<string> {
  const at = args.findIndex((word) => /^[\w.-]+\/[\w./-]+:[\w.-]+$/.test(word));
  const { values } = parseArgs({
    args: args.slice(0, at),
    options: {
      rm: { type: 'boolean' },
      user: { type: 'string' },
      volume: { type: 'string', multiple: true },
      entrypoint: { type: 'string' },
    },
  });
  const folders = (values.volume ?? []).map((volume) => {
    const [from = '', to = ''] = volume.split(':');
    return [
      to,
      from.startsWith('/') ? from : path.join(server.volumes, from.replace(`${server.project}_`, '')),
    ] as const;
  });
  const { uid, gid } = userInfo();
  return server.runAlone({
    image: args[at] ?? '',
    entrypoint: [values.entrypoint ?? ''],
    command: args.slice(at + 1).map((word) => word.replace('10001:10001', `${uid}:${gid}`)),
    environment: {},
    files: {},
    folders: Object.fromEntries(folders),
  });
}
