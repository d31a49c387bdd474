import type { Instance } from '../infra/instance/instance.ts';
import type { SupervisorState } from '../infra/supervisor/state.ts';
import { table } from './output.ts';

/** What `up` shows when everything is ready: where to go, and what runs where. */
export function readySummary(state: SupervisorState, instance: Instance, credentialsPath: string): string {
  const { ports, layout } = instance;
  const places: Readonly<Record<string, string>> = {
    api: state.url ?? '',
    postgres: `127.0.0.1:${ports.postgres}`,
    temporal: `127.0.0.1:${ports.temporalFrontend}`,
    weaviate: `http://127.0.0.1:${ports.weaviateHttp}`,
  };
  const services = Object.entries(state.nodes).filter(([, node]) => node.kind === 'service');
  const rows = services.map(([name, node]) => [
    ` ${name}`,
    node.status,
    places[name] ?? '',
    `process ${node.process?.pid ?? '-'}`,
  ]);
  return `\nRecollect is ready at ${state.url ?? 'an unknown address'}\n${table(rows)} credentials  ${credentialsPath}\n data         ${layout.dataDir}\n logs         ${layout.logs}\n`;
}
