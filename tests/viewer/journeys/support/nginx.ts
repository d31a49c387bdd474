import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { untilTrue } from '../../../setup/until.ts';
import { freePort } from '../../../setup/worker-process.ts';
import { programPath } from './programs.ts';

export interface Nginx {
  readonly url: string;
  close(): Promise<void>;
}

/** A proxy with the defaults of nginx, buffering included, except for the name of the server that browsers use. */
const configuration = (folder: string, port: number, target: string): string => `
daemon off;
pid ${folder}/pid;
error_log stderr crit;
events {}
http {
  access_log off;
${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `  ${name}_temp_path ${folder}/${name};`).join('\n')}
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass ${target};
      proxy_set_header Host $http_host;
    }
  }
}
`;

/** Starts nginx before a server. @throws Error if it is not installed or does not start */
export async function startNginx(target: string): Promise<Nginx> {
  const program = programPath(['nginx'], 'nginx is missing: install it with "apt-get install nginx-light"');
  const folder = mkdtempSync(path.join(tmpdir(), 'recollect-nginx-'));
  // Its processes have another user when root starts it.
  chmodSync(folder, 0o755);
  const port = await freePort();
  const file = path.join(folder, 'nginx.conf');
  writeFileSync(file, configuration(folder, port, target));
  const running = spawn(program, ['-p', folder, '-c', file, '-e', 'stderr'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(running, 'exit');
  let output = '';
  running.stderr.setEncoding('utf8').on('data', (part: string) => {
    output += part;
  });
  const url = `http://127.0.0.1:${port}`;
  await untilTrue(
    async () => {
      if (running.exitCode !== null) throw new Error(`nginx ended: ${output}`);
      return fetch(url).then(
        () => true,
        () => false,
      );
    },
    30_000,
    'nginx',
  );
  return {
    url,
    async close() {
      running.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
