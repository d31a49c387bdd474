import pg from 'pg';
import type { TestCertificate } from '../../setup/certificate.ts';
import { until } from '../../setup/until.ts';

export interface PostgresTls {
  readonly server: TestCertificate;
  /** Authority of client certificates. */
  readonly clientAuthority: string;
  /** Lines before those of pg_hba.conf. */
  readonly rules: readonly string[];
}

/** Writes lines as the server's user into its data directory: key files of other users are refused. */
async function write(superuser: pg.Client, command: string, lines: readonly string[]): Promise<void> {
  const values = lines.map((line) => `(${superuser.escapeLiteral(line)})`).join(', ');
  await superuser.query(`COPY (VALUES ${values}) TO PROGRAM ${superuser.escapeLiteral(`umask 077; ${command}`)}`);
}

const linesOf = (pem: string) => pem.trim().split('\n');

/** Lets the running PostgreSQL of the suite serve TLS as well; other connections stay as they are. Returns a function that reverts it. */
export async function serveTls(superuserUrl: string, tls: PostgresTls): Promise<() => Promise<void>> {
  const superuser = new pg.Client({ connectionString: superuserUrl });
  await superuser.connect();
  const reload = async (ssl: 'on' | 'off'): Promise<void> => {
    await superuser.query('SELECT pg_reload_conf()');
    const isOn = async () => (await superuser.query(`SELECT WHERE current_setting('ssl') = '${ssl}'`)).rowCount === 1;
    await until(async () => ((await isOn()) ? true : undefined), 20_000, `ssl to be ${ssl}`);
  };
  await write(superuser, 'cat > test-server.crt', linesOf(tls.server.cert));
  await write(superuser, 'cat > test-server.key', linesOf(tls.server.key));
  await write(superuser, 'cat > test-clients.crt', linesOf(tls.clientAuthority));
  await write(
    superuser,
    'cp pg_hba.conf pg_hba.before && cat - pg_hba.before > pg_hba.new && mv pg_hba.new pg_hba.conf',
    tls.rules,
  );
  const settings = {
    ssl_cert_file: 'test-server.crt',
    ssl_key_file: 'test-server.key',
    ssl_ca_file: 'test-clients.crt',
    ssl: 'on',
  };
  for (const [name, value] of Object.entries(settings)) await superuser.query(`ALTER SYSTEM SET ${name} = '${value}'`);
  await reload('on');
  return async () => {
    for (const name of Object.keys(settings)) await superuser.query(`ALTER SYSTEM RESET ${name}`);
    await write(superuser, 'cat > /dev/null; mv pg_hba.before pg_hba.conf', ['']);
    await reload('off');
    await superuser.end();
  };
}
