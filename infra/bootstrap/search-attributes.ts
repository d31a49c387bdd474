import proto from '@temporalio/proto';
import { ATTRIBUTES } from '../../workflows/registry.ts';

const { IndexedValueType } = proto.temporal.api.enums.v1;

/** Type of every search attribute of the workflows. */
export const ATTRIBUTE_TYPE = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD;

export interface AttributeDifferences {
  readonly missing: readonly string[];
  /** Names with another type: filters by them do not match exactly, and no start or update can set them. */
  readonly mistyped: readonly string[];
}

/** Compares the custom search attributes of a namespace, types by name, with those that the workflows set. */
export function compareAttributes(known: Readonly<Record<string, unknown>>): AttributeDifferences {
  const names = Object.values(ATTRIBUTES).map(({ name }) => name);
  return {
    missing: names.filter((name) => known[name] === undefined),
    mistyped: names.filter((name) => known[name] !== undefined && known[name] !== ATTRIBUTE_TYPE),
  };
}

/** Returns what to do about search attributes of another type. */
export function retypingAdvice(namespace: string, mistyped: readonly string[]): string {
  const names = mistyped.map((name) => `--name ${name}`).join(' ');
  return `Remove them: temporal operator search-attribute remove --namespace ${namespace} ${names}. Then run recollect migrate.`;
}
