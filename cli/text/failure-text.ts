import path from 'node:path';
import type { Command } from 'commander';
import type { RecollectError } from '../../client/index.ts';
import { NO_TIMESTAMP } from '../../contract/shared.ts';
import { inertText } from '../../domain/recalled/inert-text.ts';
import { terminalText } from './terminal-text.ts';
import { short } from './text-layout.ts';

/** The command that lists the names of a kind. */
const LISTS: Readonly<Record<string, string>> = {
  memory: 'recollect search WORDS finds memories',
  event: 'recollect search WORDS finds memories',
  learning: 'recollect learnings lists them',
  session: 'recollect sessions lists them',
  project: 'recollect projects lists them',
  backup: 'recollect backup list shows them',
  job: 'recollect jobs lists them',
  import: 'recollect jobs --kind import lists them',
  hold: 'recollect legal-hold list shows them',
  run: 'recollect retention runs lists them',
  archive: 'recollect archive list shows them',
  user: 'recollect users list shows them',
  key: 'recollect keys list shows them',
  grant: 'recollect grants list shows them',
  tenant: 'recollect tenants list shows them',
};
/** Commands whose argument is a thing of another name. */
const KINDS: Readonly<Record<string, string>> = {
  'legal-hold': 'hold',
  retention: 'run',
  into: 'project',
  users: 'user',
  keys: 'key',
  grants: 'grant',
  tenants: 'tenant',
};
/** Fields of requests that commands have other names for. */
const FIELDS: Readonly<Record<string, string>> = { q: 'The query', content: 'The text' };
const NAME_CHARS = 80;
const NO_ANSWER: ReadonlySet<string> = new Set(['UNREACHABLE', 'TIMEOUT']);

/** Returns the sentence for something that does not exist, with the command that lists what does. */
export function missingText(kind: string, name: string | undefined): string {
  const named = name === undefined ? '' : ` ${terminalText(short(name, NAME_CHARS))}`;
  const list = LISTS[kind];
  return `No ${kind}${named}.${list === undefined ? '' : ` ${list}.`}\n`;
}

/** Returns true if the server did not answer. */
export function isUnavailable({ code }: RecollectError): boolean {
  return NO_ANSWER.has(code);
}

/** Returns how to reach a server that did not answer: the instance of `dataDir`, or another server if `isElsewhere`. */
function unavailableText({ message }: RecollectError, dataDir: string, isElsewhere: boolean): string {
  const remedy = isElsewhere
    ? `Check the server and its address (RECOLLECT_URL, or ${path.join(dataDir, 'client.json')}).`
    : `Start it with recollect up; recollect status shows its state. Its data are in ${dataDir}.`;
  return `${message}. ${remedy}\n`;
}

/** Returns the option of a command that sets a field of a request, else the argument that was given for it, else the field. */
function fieldName(field: string, command: Command | undefined): string {
  const long = `--${field.replaceAll('_', '-')}`;
  if (command?.options.some((option) => option.long === long) === true) return long;
  const place = command?.registeredArguments.findIndex((argument) => argument.name() === field);
  const given = command?.args[Number(/^ids\.(\d+)$/.exec(field)?.[1] ?? place)];
  return given === undefined || given === '' ? (FIELDS[field] ?? field) : terminalText(short(given, NAME_CHARS));
}

/** Returns the fault of a field in the words of a command. */
function faultText({ field, message }: RecollectError['details'][number], command: Command | undefined): string {
  const name = fieldName(field, command);
  if (message !== NO_TIMESTAMP || !name.startsWith('--')) return `${name} ${message}.\n`;
  const words =
    command?.name() === 'search' && field !== 'as_of' ? `; words belong into the query, as ${field}:yesterday` : '';
  return `${name} takes a day (2026-01-02) or a time (2026-01-02T03:04:05Z)${words}.\n`;
}

/** Returns the kind of thing that a command's only argument names. */
function kindOf(command: Command): string {
  const { parent } = command;
  const isSubcommand = parent !== null && parent.parent !== null;
  const name = isSubcommand ? parent.name() : command.name();
  return KINDS[name] ?? name;
}

/** Returns the name given for a thing: by its option, else by the argument that names it. */
function givenName(kind: string, command: Command | undefined): string | undefined {
  const option: unknown = command?.getOptionValue(kind);
  if (command === undefined || typeof option === 'string') return typeof option === 'string' ? option : undefined;
  const { args, registeredArguments: known } = command;
  const places = [kind, 'id', 'what', 'from'].map((name) => known.findIndex((argument) => argument.name() === name));
  const place = places.find((index) => index >= 0) ?? -1;
  return args.length === 1 ? args[0] : args[place];
}

/** Returns the fault and its details, one line each: invalid fields or matching memories. */
export function failureText(
  error: RecollectError,
  { command, dataDir, isElsewhere }: { command: Command | undefined; dataDir: string; isElsewhere: boolean },
): string {
  const { code, message, details } = error;
  if (isUnavailable(error)) return unavailableText(error, dataDir, isElsewhere);
  const [first] = details;
  if (code === 'NOT_FOUND' && first !== undefined)
    return missingText(KINDS[first.field] ?? first.field, givenName(first.field, command));
  if (code === 'VALIDATION_FAILED') {
    // Names of other things than memories are ids.
    if (first?.field === 'backup_id') return missingText('backup', givenName('backup', command));
    if (first?.field === 'id' && command?.args.length === 1) return missingText(kindOf(command), command.args[0]);
  }
  if (details.length > 0 && (code === 'VALIDATION_FAILED' || first?.field === 'into'))
    return details.map((detail) => faultText(detail, command)).join('');
  const lines = details.map(({ field, message: fault, id, type, preview }) =>
    id === undefined ? `  ${field}: ${fault}\n` : `  ${id}  ${type ?? ''}  ${inertText(preview ?? '')}\n`,
  );
  return `${message} (${code})\n${lines.join('')}`;
}
