import { cutMiddle, wellFormed } from '../../domain/capture/well-formed.ts';
import { Redactor } from '../../domain/redaction/redact.ts';

type Body = Readonly<Record<string, unknown>>;

/** Fields that link an event to its session, call and project: not redacted, as on the server. */
const IDENTITY = new Set([
  'session_id',
  'conversation_id',
  'hook_event_name',
  'tool_use_id',
  'agent_id',
  'event_id',
  'timestamp',
  'cwd',
  'root',
  'git_remote',
  'machine_id',
  'repository',
]);
const IDENTITY_CHARS = 4_096;

/** A hook's body as it may be written to disk: private text and secrets taken out, well-formed, long values cut. */
export function redactBody(body: Body): Body {
  const redacted: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(body)) {
    const redactor = new Redactor();
    if (IDENTITY.has(name) && typeof value === 'string' && value.length <= IDENTITY_CHARS)
      redacted[name] = wellFormed(value);
    else Object.assign(redacted, redactor.json({ [name]: value }));
  }
  return redacted;
}

/** Cuts the longest fields of a redacted body until it fits; null when it cannot. */
export function fitBody(body: Body, maxBytes: number): Body | null {
  const texts = Object.entries(body)
    .map(([name, value]) => ({ name, text: typeof value === 'string' ? value : JSON.stringify(value) }))
    .sort((a, b) => b.text.length - a.text.length);
  let bytes = Buffer.byteLength(JSON.stringify(body));
  const fitting: Record<string, unknown> = { ...body };
  for (const { name, text } of texts) {
    if (bytes <= maxBytes) break;
    const cut = cutMiddle(text);
    bytes -= Buffer.byteLength(JSON.stringify(fitting[name])) - Buffer.byteLength(JSON.stringify(cut));
    fitting[name] = cut;
  }
  return bytes <= maxBytes ? fitting : null;
}
