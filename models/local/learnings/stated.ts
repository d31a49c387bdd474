import { hasCue } from './cues.ts';

/** What a sentence states in so many words, whoever says it. */
export type Stated = 'decision' | 'preference' | 'next';

/** Openings of a stated sentence: a bullet, an address, a conjunction. */
const LEAD = String.raw`^(?:[-*•]\s+)?(?:(?:ok(?:ay)?|yes|no|nah|good|great|fine|and|but|so|also|then|well|right|lgtm|noted)[,.;:!]*\s+)*`;
const DECIDED = '(?:decided|agreed|settled|chose|chosen|opted|picked)';

/** Patterns of each kind, in the order in which they are tried: a labelled decision may mention the next time. */
const STATEMENTS: readonly (readonly [Stated, readonly RegExp[]])[] = [
  [
    'decision',
    [
      new RegExp(
        `${LEAD}(?:the |our |my |key |final |design |architecture )*(?:decisions?|decided|agreed|agreement|resolution|resolved)(?:\\s*\\([^)]*\\))?\\s*[:：–—]\\s*\\S`,
        'iu',
      ),
      new RegExp(
        `\\b(?:we|i|you|they|it (?:was|is|has been)|as)(?:['’](?:ve|d)| have| had| all| both| just)* ${DECIDED} (?:to|on|that|for|against|not|in favou?r)\\b`,
        'iu',
      ),
      new RegExp(
        `${LEAD}(?:let['’]?s|we(?:['’]ll| will| shall)?|i(?:['’]ll| will)) (?:always |just |only |rather |not |still )*(?:use|keep|go with|stick (?:with|to)|stay with|drop|avoid|store|represent|treat|settle on|standardi[sz]e on|switch to|leave|exclude|skip|stop)\\b(?! (?:\\w+ing|in mind|an eye)\\b)`,
        'iu',
      ),
      new RegExp(`${LEAD}(?:going|sticking|staying) with \\S`, 'iu'),
      new RegExp(`${LEAD}use \\S.{0,80}\\b(?:instead of|rather than|not|over)\\b`, 'iu'),
      /^(?:[-*•]\s+)?(?:最终|我们的|设计|关键)?(?:决定|决策|结论|约定|共识)(?:是|为)?[:：]\s*\S|(?:我们|最后|最终|已经?|就|那就|一致)(?:决定|商定|约定|选定|敲定|确定)(?!吗|了吗)|^(?:我们|那就|就|还是|以后)?(?:统一(?:用|使用|采用)?|一律|改用|采用|沿用|继续用|保留)\S|(?:金额|时间|日期|数据|字段|接口|代码|文件|配置|\p{Script=Han}{2,6})(?:统一|一律)(?:用|使用|采用|以|为|按)/u,
    ],
  ],
  [
    'preference',
    [
      new RegExp(
        `${LEAD}(?:(?:house|ground|team|project|working) )?(?:rules?|conventions?|preferences?|guidelines?|polic(?:y|ies)|working agreement)\\s*[:：–—]\\s*\\S`,
        'iu',
      ),
      new RegExp(
        `${LEAD}(?:as )?(?:you|the user|the team)(?:['’]d| would| clearly| also| always)* (?:prefers?|dislikes?|wants? (?:me |us )?(?:to (?:always|never)|never|no\\b)|asked (?:me |us )?(?:to (?:always|never)|never|not to)|insists?)\\b`,
        'iu',
      ),
      new RegExp(
        `${LEAD}(?:from now on|going forward|from here on|henceforth|in (?:the )?future),? (?:i|we|you|all|every|no|use|keep|write|run|always|never|please)\\b`,
        'iu',
      ),
      /^(?:偏好|规矩|规则|惯例|规范|用户偏好)[:：]\s*\S|^(?:好的?[，,]?)?(?:以后|今后|往后|从现在起|从今以后)(?:我|我们|都|一律|统一|不|要|请|只|每|提交|所有)|(?:用户|你|您)(?:更?偏好|更?喜欢|不喜欢|希望|要求)\S/u,
    ],
  ],
  [
    'next',
    [
      new RegExp(
        `${LEAD}(?:the )?(?:next(?: steps?| time| session| up)?|to-?dos?|(?:also )?open(?: ends?| points?| questions?| issues?| items?| work)?|remaining(?: work| steps?| tasks?| issues?)?|follow[- ]?ups?|left(?: to do| open)?|still (?:open|to do|missing|needed)|pending|deferred|outstanding|for (?:next time|later|tomorrow)|not (?:yet )?done(?: yet)?)(?:, next time)?\\s*[:：–—]\\s*\\S`,
        'iu',
      ),
      /(?<!\bfor the )\b(?:next time|next session|in the next (?:session|step|phase|iteration)|tomorrow)\b,?(?! (?:is|was|line|the)\b)[^.?!]{4,}|\b(?:let['’]?s|we(?:['’]ll| will| can| should)?|i(?:['’]ll| will| should)?|you (?:can|should)|to be|please|and|then|so)\b[^.?!]{2,80}\b(?:next time|next session|tomorrow|some other time|in a (?:later|future|separate|follow-?up) \w+)\b/iu,
      /\b(?:add|do|handle|fix|implement|tackle|revisit|address|write|cover|decide|deal with|look (?:at|into)|come back to|leave|park|postpone|defer|continue)\b[^.?!]{2,60}\b(?:later|afterwards|another day)\b(?! than)|\b(?:put a pin in|left for later|remind me to|pick (?:this|it|that) up)\b/iu,
      /\b(?:still|also) needs? to\b|\bstill (?:open|missing|failing|to do|pending|have to|has to|need(?:ed|s)?)\b|\bleft to do\b|\bwe(?:['’]ll)? (?:still |also )?need to\b[^.?!]{4,80}\bfirst\b|\bnot (?:yet )?started\b|\bnot yet (?:implemented|done|covered|tested|handled|fixed|supported|started|written|tracked)\b|\b(?:has|have)(?:n['’]t| not)(?: yet)? been (?:\w+ed|written|done)(?: yet)?\b|\bneeds? to be (?:\w+ed|written|done|rebuilt)\b|\b(?:has|have) to be (?:\w+(?:ed|en|t)\b)|\bshould be (?:added|fixed|updated|removed|written) (?:in|before|later|next)\b|\b(?:is|are|remains?|stays?) (?:still )?(?:open|unfinished|unresolved|outstanding|untested|to be (?:done|decided))\b|\b(?:did not|didn['’]t) get to\b|\bremaining (?:work|steps?|tasks?|issues?)\b|\b(?:things?|questions?) to settle\b|\bfollow(?: |-)up\b/iu,
      /下次|下一步|接下来(?:要|可以|需要|还|再)|后续(?:要|需|还|再|可以)|待(?:办|定|完成|处理|修复|补充|确认|解决)|还(?:需要?|得|差|没有?)(?!吗)|尚(?:未|需)|未完成|遗留|(?:明天|回头|稍后|改天|之后|以后)再|留(?:到|待)|有空再|残り|次は/u,
    ],
  ],
];

/** Before the pattern: the sentence supposes, doubts or denies. */
const SUPPOSES =
  /\b(?:if|whether|unless|suppose|supposing|in case|could|would|might|may|should (?:we|i)|had we|before we|until|once|when|did you|do you|can we)\b|如果|假如|要是|万一|是否|要不要|该不该|可能|也许|或许/iu;
/** A sentence that supposes from its start. */
const SUPPOSED_FIRST =
  /^(?:\S+ ){0,3}(?:if|whether|unless|suppose|supposing|could|would|might|may|when|once)\b|^(?:如果|假如|要是|万一|可能|也许|或许)/iu;
const DENIES =
  /\b(?:not|n['’]t|never|nobody|no one|nothing|yet to)(?: \w+){0,2} (?:decided|agreed|settled|chosen|opted|picked)\b|\bno (?:decision|next steps?|open (?:ends?|points?|questions?|issues?)|follow[- ]?ups?|remaining)\b|\bnothing (?:\w+ ){0,2}(?:open|left|missing|remains|to do)\b|(?:还没|尚未|没有|并未|未)(?:\S{0,2})(?:决定|确定|商定)|没有(?:待办|遗留|下一步)|无(?:待办|遗留)/iu;
/** A label without a statement: "Decision: pending", "Open: none". */
const EMPTY_LABEL =
  /[:：–—]\s*(?:none|nothing|n\/a|no|pending|open|tbd|unknown|undecided|deferred|not (?:yet|decided).*|无|没有|暂无|待定|未定)[\s.。!]*$/iu;
const UNDECIDED = /[:：–—]\s*(?:pending|open|tbd|undecided|deferred|not (?:yet|decided).*|待定|未定)[\s.。!]*$/iu;
/** Words between quotation marks are somebody else's. */
const QUOTED = /"[^"\n]{0,400}"|“[^”\n]{0,400}”|「[^」\n]{0,400}」|『[^』\n]{0,400}』|«[^»\n]{0,400}»/gu;
const LABELLED = /^[^:：–—]{1,40}[:：–—]\s/u;

/** Returns what the sentence states; null for questions, quoted, supposed and denied statements. */
export function statedIn(text: string): Stated | null {
  const own = text.replaceAll(QUOTED, '""').trim();
  if (own.startsWith('>') || /[?？:：]["'”’)\]*_`]*\s*$/u.test(own) || DENIES.test(own)) return null;
  if (EMPTY_LABEL.test(own)) return UNDECIDED.test(own) ? 'next' : null;
  for (const [kind, patterns] of STATEMENTS) {
    const found = patterns.map((pattern) => pattern.exec(own)).find((match) => match !== null);
    if (found === undefined) continue;
    if (kind === 'next') return SUPPOSED_FIRST.test(own) ? null : kind;
    // A label states whatever follows it.
    if (LABELLED.test(found[0]) || !SUPPOSES.test(own.slice(0, found.index + found[0].length))) return kind;
  }
  const isReasoned = hasCue(own, 'decision') && hasCue(own, 'reason') && !SUPPOSED_FIRST.test(own);
  return isReasoned ? 'decision' : null;
}
