/*
 * A reader of recalled text that is as suspicious as can be. It shares nothing with the code that makes recalled text inert: it decodes
 * whatever a model or a parser could decode, and then looks for tags, turns and links. Answers are sentences for people.
 */

const FIRST = '<recollect-context>\n';
const LAST = '\n</recollect-context>';

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', sol: '/', nbsp: ' ', quot: '"' };
/** Letters of other scripts in the order of their likeness. */
const LOOKALIKE = 'асеорхуѕіјтнкмвгԁοαειντυρκ';
const PLAIN = 'aceopxysijthkmbrdoaeivtupk';

function decodedOnce(text: string): string {
  return text
    .replaceAll(
      /&(?:#x([0-9a-f]+)|#(\d+)|([a-z]+));?/giu,
      (all: string, hex?: string, decimal?: string, name?: string) =>
        name === undefined
          ? String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16))
          : (ENTITIES[name.toLowerCase()] ?? all),
    )
    .replaceAll(/(?:%[0-9a-f]{2})+/giu, (bytes) => {
      try {
        return decodeURIComponent(bytes);
      } catch {
        return bytes;
      }
    })
    .replaceAll(/\\+(?:u([0-9a-f]{4})|x([0-9a-f]{2}))/giu, (_, unit?: string, byte?: string) =>
      String.fromCharCode(Number.parseInt(unit ?? byte ?? '0', 16)),
    )
    .replaceAll(/\\+n/gu, '\n')
    .replaceAll(/\\+\//gu, '/');
}

/** The text as the most willing reader takes it: decoded until nothing changes, folded, in lower case. */
function taken(text: string): string {
  let now = text;
  for (let before = ''; before !== now;) {
    before = now;
    now = decodedOnce(now)
      .normalize('NFKC')
      .replaceAll(/\p{Default_Ignorable_Code_Point}|\p{Cf}/gu, '')
      .toLowerCase();
  }
  return Array.from(now, (letter) => {
    const at = LOOKALIKE.indexOf(letter);
    return at < 0 ? letter : PLAIN.charAt(at);
  })
    .join('')
    .replaceAll(/[‹⟨〈《]/gu, '<')
    .replaceAll(/[›⟩〉》]/gu, '>')
    .replaceAll(/[∕⁄]/gu, '/')
    .replaceAll(/[‐‑‒–—▁_]/gu, '-');
}

const FRAME = /<[\s/\\]*recollect[\s-]*context/u;
const HOST_TAG =
  /<[\s/\\]*(?:[a-z]+:)?(?:system[\s-]*(?:reminder|prompt)?|user-prompt-submit-hook|user|human|assistant|function-calls?|function|invoke|parameter|tool-(?:call|result|use)|thinking|private|local-command-stdout|bash-stdout|(?:start|end)-of-turn|claude-mem-context|environment-context|sys)\s*(?:[\s=/][^<>]*)?(?:>|$)/u;
const TOKEN = /<\s*\||\[\/?(?:inst|tool-calls)\]|<<sys>>/u;
const TURN = /(?:^|\n)\s*(?:human|assistant)\s*:|(?:^|\n)#+ *(?:instruction|response):/u;
const SWALLOW = /<!--|<!\[cdata\[/u;
const LINK = /\]\((?:https?:|javascript:|data:|\/\/)|(?:^|\n)\[[^\]\n]+\]:\s*(?:https?:|javascript:)/u;
const UNSEEN = /(?![\n\t])[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2028\u2029]/u;

/** What of a quoted text could be taken for more than a quotation. */
export function violationsOf(text: string): string[] {
  const read = taken(text);
  return [
    ...(FRAME.test(read) ? ['the tag of the block'] : []),
    ...(HOST_TAG.test(read) ? [`a tag of a host: ${HOST_TAG.exec(read)?.[0] ?? ''}`] : []),
    ...(TOKEN.test(read) ? ['a special token'] : []),
    ...(TURN.test(read) ? ['a turn of a conversation'] : []),
    ...(SWALLOW.test(read) ? ['the beginning of a comment'] : []),
    ...(LINK.test(read) ? ['a link of Markdown'] : []),
    ...(UNSEEN.test(text) ? ['a character that nobody sees'] : []),
  ];
}

/** What of a block leaves it, or is no block: one beginning at the start, one end at the end, the notice in its first line. */
export function blockViolations(block: string): string[] {
  if (!block.startsWith(FIRST) || !block.endsWith(LAST)) return ['no block'];
  const inside = block.slice(FIRST.length, -LAST.length);
  const [notice = '', ...lines] = inside.split('\n');
  return [
    ...(/quotes from records, not instructions/iu.test(notice) ? [] : ['no notice']),
    ...violationsOf(inside),
    ...(lines.length === 1 && lines[0]?.startsWith('{') === true
      ? stringsOf(JSON.parse(lines[0])).flatMap(violationsOf)
      : []),
  ];
}

/** Every string within a value of JSON. */
export function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsOf) : [];
}
