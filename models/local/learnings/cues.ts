import { endsAsQuestion } from '../../../domain/text/questions.ts';

/** Patterns for the function of a sentence. English first, with the most common Chinese and Japanese signals. */
const CUES = {
  cause:
    /\b(?:root cause|caused by|the (?:real |actual |underlying )?(?:problem|issue|bug|culprit|reason)(?: here)? (?:was|is|seems to be)\b|due to|turn(?:s|ed) out|(?:fails?|failed|breaks?|broke|happens?|happened|crash(?:es|ed)) (?:\w+ ){0,3}(?:because|when|since)|was (?:missing|stale|never \w+ed)|is missing|doesn['’]t exist|overr(?:ode|id(?:es|den)(?! to))|that(?:['’]s| is) why|went wrong because)\b|^(?:the |root |likely )*cause\s*:|\b(?:trap|gotcha|caveat|pitfall)\s*:|根本原因|原因是|由于|导致|が原因|ため[にで]?/iu,
  fix: /\b(?:fix(?:ed|es)|resolv(?:ed|es)|solv(?:ed|es)|correct(?:ed|s) the|now (?:passes|works|pass|work|succeeds)|repaired)\b|修复|已解决|解决了|修正/iu,
  decision:
    /^(?:the )?decision\s*:|^why \S+ (?:and not|rather than|instead of|over)\b|\b(?:(?<!n['’]t (?:yet )?)decided (?:to|on|against|that)|as decided|let['’]s (?:use|go with|keep|stick|drop|avoid|not|just (?:use|keep))|we(?:['’]ll| will| should)? (?:use|keep(?! \w+ing)|go with|stick with|stay with)|chos(?:e|en)|going with|go with|opt(?:ed)? for|settled on|agreed (?:to|on|that)|(?:use|using|keep|keeping|prefer|switch(?:ed)? to|rely|relies) [^.,;]{1,60}(?:instead of|rather than|in favou?r of|not \w+))\b|决定|改用|采用|选择|ことにし/iu,
  reason:
    /^why \S+ .*?: |\b(?:because|since|so that|so (?:it|we|they|that|the)\b|to (?:avoid|prevent|keep|make sure|stay)|otherwise|the reasons?|reasons?\s*:|due to|in order to|as (?:it|we|this|that|they) |that way|which (?:means|keeps|avoids|lets|would))|因为|以便|避免|否则|ので|から/iu,
  rule: /\b(?:at most \d+|always|never|must(?: not|n['’]t)?|from now on|in (?:the )?future|every time|whenever|do(?: not|n['’]t) ever|prefer|remember to|make sure|required to|no matter)\b|必须|务必|总是|始终|永远不要|不要|以后|必ず|常に/iu,
  done: /^(?:(?:i|we)(?:['’]ve| have)? )?(?:also |now |just |successfully |both |all )*(?:(?!need|based|suppos|relat|combin|unus)\p{L}{3,}ed|wrote|written|set up|split|made|built)\b|\b(?:has|have) (?:now |already |also )?been (?:\p{L}+ed|written|made|set|built)\b|\bsuccessfully \p{L}+ed\b|已(?:添加|更新|修复|实现|创建|删除)|しました/iu,
  security:
    /\b(?:vulnerab\w+|CVE-\d{4}-\d+|XSS|CSRF|SSRF|(?:sql|command|code|prompt|header) injection|leak(?:s|ed|ing)? (?:\w+ )?(?:token|secret|credential|password|key)s?|(?:token|secret|credential|password|api key)s? (?:\w+ ){0,3}(?:leak|expos|logged|plain ?text|committed)\w*|path traversal|privilege escalation|timing[- ]safe|timing attack|(?:auth\w*|permission) bypass|unauthori[sz]ed access|sanitiz\w+|open redirect)\b|漏洞|安全问题|脆弱性/iu,
  config:
    /\b(?:config(?:ured|uration|s)?|settings?|env(?:ironment)? var(?:iable)?s?|[A-Z][A-Z0-9]+_[A-Z0-9_]+|ports? \d+|requires-python|\.env|package\.json|tsconfig\S*|pyproject\.toml|[\w.-]+\.(?:toml|ya?ml|ini|cfg|conf))\b|配置|環境変数|环境变量/u,
  probe:
    /\b(?:found|checked|looked (?:at|into)|compared(?! to)|measured|searched|traced|reproduced|hypothes[ie]s|investigat\w+|confirmed|what i see|analy[sz]ed|(?:only|still) (?:\S+ ){1,12}fails?|made (?:things|it) worse)\b|发现|调查|確認/iu,
  goal: /^(?:please\b|can you\b|could you\b|help\b|let['’]?s\b|we (?:need|should|want)\b|i(?:['’]d| would) like\b|i (?:want|need)\b|our goal\b|the (?:goal|task|problem|bug|issue)\b|next\s*:|(?:\w+ly )?(?:fix|add|implement|update|create|write|make|remove|rename|refactor|investigate|find|debug|change|move|set up|build|improve|explain|review|check|upgrade|migrate|document|test|replace|extract|clean|convert|put|store|save|place|rename|call|use|run|read|note|leave|go on|consider|move|switch|design|plan|look)\b)|\b(?:i want you to|goal (?:for|of|is)|is (?:red|broken|failing|wrong)|fails?|does(?:n['’]t| not) work)\b|请|帮我|修复|实现|添加|してください/iu,
  apology:
    /\b(?:apologi[sz]e|sorry|my (?:mistake|bad|error)|i (?:mistakenly|misunderstood|misread|was (?:wrong|incorrectly|mistaken|confused))|you (?:rightly|were right|are right)|you['’]re (?:absolutely )?right|leeroy)\b|抱歉|申し訳/iu,
  label:
    /^(?:the )?(?:root cause|cause|decision|(?:\w+ )?(?:house |ground )?rules?|conclusion|lesson|(?:one )?(?:trap|gotcha|caveat|pitfall))\b[^.:]{0,80}:|^(?:根本原因|结论|决定|原因)[:：]/iu,
  verdict:
    /\b(?:problematic|violat\w+|anti-?patterns?|unnecessary|not (?:actually |really |strictly )?(?:needed|necessary)|over-?(?:engineer\w*|kill|complicat\w*)|redundant|no (?:clear|real) (?:benefit|need)s?|without (?:clear|any|real) (?:benefit|need|reason)s?|premature|yagni|too (?:complex|early|broad|brittle|fragile)|misconfigur\w+|incompatib\w+|not (?:supported|possible|allowed))\b|没有必要|多余|不需要|不支持|违反/iu,
  dislike:
    /\bi(?:['’]m| am)? (?:just |really |very )*(?:dis-?like|hate|can['’]t stand|don['’]t (?:want|like)|(?:very |so )?affraid|afraid|worried)\b|讨厌|不喜欢|嫌い/iu,
  pointing: /^(?:\w+ ){0,2}(?:that|this|it|these|those)\b|\bhere[.!]?$/iu,
  hedge:
    /\b(?:maybe|perhaps|probably|might|possibly|seems?|i think|i guess|not sure|could be|looks like|presumably|apparently|hypothes[ie]s)\b|可能|也许|かもしれ|たぶん/iu,
  narration:
    /^(?:(?:first|next|now|then|finally|also|so|and|ok|okay)?,? ?(?:let me|let['’]s (?:see|check|look|run|start|try|first|now|create|update|add|fix|commit|proceed|continue|test|verify|take)|i['’]ll|i will|i['’]m (?:going|now|about)|i need to|i should|i can see|i see|i understand|i want to|we can see))\b|^(?:here['’]s|here (?:is|are)|looking at|checking|running|would you|do you|shall|should (?:i|we)|want me|is there anything|please (?:let me|review)|what would|how (?:does|do) (?:this|that|it) (?:look|sound)|does (?:this|that)|ready (?:for|to))\b|让我|我来|我将/iu,
} as const;

export type Cue = keyof typeof CUES;

/** Returns true if the sentence has the cue. */
export function hasCue(text: string, cue: Cue): boolean {
  return CUES[cue].test(text);
}

export { endsAsQuestion as isQuestion };

/** Corrections of the agent by the user. */
const CORRECTION =
  /^(?:no[,.!]|nope\b|wait\b|stop\b|hold on\b|not (?:like|what)|that(?:['’]s| is) (?:wrong|not)|i disagree|wrong\b|i (?:thought|said|asked|told)|you (?:should(?: not|n['’]t)|forgot|ignored|missed|broke|must)|why (?:did|are|do) you|actually,|不对|不是|错了|違う)|\b(?:was|were) supposed to\b|\bi (?:meant|asked (?:you|for)|told you)\b|\bshould(?:n['’]t| not)? have\b|\b(?:isn['’]t|is not|doesn['’]t|does not) (?:correct|right|what)|\b(?:revert|undo|roll back)\b|本来应该|应该是|撤销|回退/iu;
/** General requests of a user. */
const PREFERENCE =
  /\b(?:i (?:prefer|like|want|need|don['’]t (?:want|like|need)|hate|expect)\b|supposed to|\b(?:at|for|on) (?:each|every)\b|we (?:use|prefer|don['’]t|follow)\b|do(?: not|n['’]t) (?:run|write|create|put|touch|change|rush|include)\b|instead of|rather than|make sure|remember to|keep (?:it|them|the)\b|avoid|must(?:n['’]t| not)?\b|should(?:n['’]t| not)?\b|no need (?:to|for)\b|at most \d+|no more than \d+)|请用/iu;
const STRONG_PREFERENCE =
  /(?:^|[,;:.] ?|\b(?:and|please|should|must|to|i|we|you|but|or) )(?:always|never)\b|\b(?:from now on|in (?:the )?future|i (?:prefer|hate)|we (?:use|prefer) \S+ (?:for|not|instead)|do(?: not|n['’]t) (?:ever|use|commit|add|push|mention)|stop (?:using|adding|doing|writing)|(?:stop|wait|ask|pause|run|commit|show) (?:\w+ ){0,3}(?:at|for|on|before|after) (?:each|every)|use \S+ (?:instead of|rather than|not|over)|(?<!\bi )must (?:not|never|always)|(?:house|ground) rules?)\b|必须|总是|始终|永远|不要|以后|必ず|使わない|しないで/iu;

/** Returns true if a user's sentence corrects the agent. */
export function isCorrection(text: string): boolean {
  return CORRECTION.test(text);
}

/** Returns the generality of a user's request: 0 (none), 1 (weak: "should"), 2 (strong: "always", "never", "use X instead of Y"). */
export function preferenceStrength(text: string): 0 | 1 | 2 {
  if (STRONG_PREFERENCE.test(text)) return 2;
  return PREFERENCE.test(text) ? 1 : 0;
}

/** Prompts that only continue the work ("yes", "commit and push", "/hi"). */
const THIN =
  /^(?:\/\w+|yes|yep|y|no|ok(?:ay)?|sure|lgtm|go(?: ahead| on)?|continue|proceed|next|thanks?(?: you)?|good|great|perfect|nice|done|commit(?: and push)?|push|run (?:the )?tests?|\d+|hi|hello|hey|please|do it|let(?:['’]s)? (?:do that|go|do it)|try again|again|retry|good,? let(?:['’]?s)? do that|继续|好的?|是的?|はい)[\s.!,]*$/iu;

/** Conversational words without content. */
const TALK =
  /\b(?:what do you think|sounds? good|looks? (?:good|ok(?:ay)?|right)|think (?:very |really |super ?)?hard(?:er)?|ultra ?think|well done|good (?:job|progress|work|point)|i agree|agreed|exactly|thank(?:s| you|x)|please|pl[sz]|ok(?:ay)?|yes|no|hey|hi|hello|wow|great|nice|perfect|lgtm|proceed|continue|commit(?: (?:this|it|these|now))?|push|let['’]?s|go (?:on|ahead)|try again|retry|you|your|it|that|this)\b/giu;

/** Returns true for a prompt without a request of its own. */
export function isThin(text: string): boolean {
  const trimmed = text.trim();
  return trimmed.length < 4 || THIN.test(trimmed) || !/\p{L}{2}/u.test(trimmed.replaceAll(TALK, ''));
}

/** Returns true if the sentence requests or decides something, so that it can be a title. */
export function isRequest({ text }: { readonly text: string }): boolean {
  return hasCue(text, 'goal') || hasCue(text, 'label') || endsAsQuestion(text);
}
