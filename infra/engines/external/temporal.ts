import type { Client } from '@temporalio/client';
import type { Config } from '../../../config/config.ts';
import { compareVersions } from '../../../config/version.ts';
import { createTemporalClient } from '../../../stores/temporal/client.ts';
import { ATTRIBUTES } from '../../../workflows/registry.ts';
import { compareAttributes, retypingAdvice } from '../../bootstrap/search-attributes.ts';
import { TEMPORAL } from '../pinned.ts';
import { codeOf, complete, TIMEOUT_SECONDS, unreachable } from './engine-finding.ts';
import type { EngineFinding } from './engine-finding.ts';

/** Codes of gRPC. */
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const UNIMPLEMENTED = 12;
const UNAUTHENTICATED = 16;

const CREDENTIALS =
  'Check RECOLLECT_TEMPORAL_API_KEY or the client certificate, and that it may use RECOLLECT_TEMPORAL_NAMESPACE.';

/** Returns the finding of a version of a server that is not the pinned one. */
export function comparedWithPinned(name: string, version: string, pinned: string): EngineFinding {
  if (compareVersions(version, pinned) >= 0) return { name, result: 'ok', text: version };
  return {
    name,
    result: 'warn',
    text: `${version} is older than the tested ${pinned}`,
    advice: `Use ${pinned} or newer.`,
  };
}

/** Compares the search attributes. A hosted server may not list them. */
async function checkAttributes({ connection }: Client, namespace: string): Promise<EngineFinding> {
  const name = 'Temporal search attributes';
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    const { missing, mistyped } = compareAttributes(customAttributes);
    if (mistyped.length > 0)
      return {
        name,
        result: 'fail',
        text: `of another type than Keyword: ${mistyped.join(', ')}`,
        advice: retypingAdvice(namespace, mistyped),
      };
    const commands = missing.map((each) => `--name ${each} --type Keyword`).join(' ');
    return complete(
      name,
      missing,
      `Run recollect migrate, or temporal operator search-attribute create --namespace ${namespace} ${commands}.`,
    );
  } catch (error) {
    const code = codeOf(error);
    if (code !== PERMISSION_DENIED && code !== UNIMPLEMENTED) throw error;
    const names = Object.values(ATTRIBUTES).map((key) => key.name);
    const advice = `Check that the namespace has the keyword attributes ${names.join(', ')}.`;
    return { name, result: 'warn', text: 'the server does not list them for these credentials', advice };
  }
}

/** Checks connection, namespace, search attributes and version. Changes nothing; never rejects. */
export async function checkTemporal({ temporal }: Config): Promise<EngineFinding[]> {
  const client = createTemporalClient(temporal);
  const { namespace } = temporal;
  const adviceOf = (error: unknown): string | null => {
    const code = codeOf(error);
    if (code === NOT_FOUND)
      return `Create the namespace: recollect migrate, or temporal operator namespace create --namespace ${namespace} --retention 7d.`;
    return code === PERMISSION_DENIED || code === UNAUTHENTICATED ? CREDENTIALS : null;
  };
  try {
    return await client.withDeadline(Date.now() + TIMEOUT_SECONDS * 1_000, async () => {
      await client.workflowService.describeNamespace({ namespace });
      const { serverVersion } = await client.workflowService.getSystemInfo({});
      return [
        { name: 'Temporal', result: 'ok', text: `reachable, ${temporal.tls === undefined ? 'without TLS' : 'TLS'}` },
        await checkAttributes(client, namespace),
        ...(serverVersion ? [comparedWithPinned('Temporal version', serverVersion, TEMPORAL.version)] : []),
      ];
    });
  } catch (error) {
    return [unreachable('Temporal', error, adviceOf)];
  } finally {
    await client.connection.close();
  }
}
