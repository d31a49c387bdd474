import { createHash } from 'node:crypto';
import { folded } from './statements.ts';

// Whether a statement is worth reading for a colleague, without a model: it is no bare echo of a tool, no question and no exclamation, it does not
// depend on its neighbour, it has a verb with an object, and it names something of the project. Strict: a doubt counts as not useful.
// `labels.json` has the judgement of a reader on a sample of statements, by hash, to measure the agreement.

const ECHOES = [
  /^`[^`]*`$/u,
  /^(?:wrote|updated|read|created|listed|edited)\s+(?:\d+ lines?\s+(?:to\s+)?)?\S+(?:\s+with\s+\d+.*)?$/iu,
  /^(?:bash|read|write|edit|multiedit|grep|glob|ls|task|webfetch|todowrite|shell|readfile)\s*[:(]/iu,
  /^(?:files?|hook id|exit code|duration|error|cause|traceback|rootdir|platform)\s*:\s*\S*\s*\S*$/iu,
];

const MOST_WORDS = 90;
const LEAST_WORDS = 5;

const DEPENDENT =
  /^(?:it|its|this|that|these|those|they|them|he|she|or|and|but|because|so|which|then|also|here|there|yes|yeah|no|ok|okay|nah|ah|oh|hey|hi|hmm|ugh|wow|w8|wait|perfect|great|good|excellent|thanks|thank|sorry|well|very good|you're (?:absolutely )?right|you are (?:absolutely )?right)\b/iu;
const DEMAND =
  /\b(?:think hard(?:er)?|ultrathink|let me|let's (?:see|check|look|review|try|do|run|talk)|show me|explain to me|please (?:review|proceed|check|read))\b|^(?:read|review|reflect|check)\b/iu;
const DOUBT = /\b(?:dunno|i guess|maybe|i should probably|i'm not sure|i wonder|if you recall|philosophy)\b/iu;
const FAILED_RUN = /^`[^`]*` failed\b/u;
const VERB =
  /\b(?:is|are|was|were|isn't|aren't|wasn't|has|have|had|do|does|did|don't|doesn't|didn't|can|can't|cannot|must|should|shouldn't|will|won't|need|needs|never|always|use|uses|add|adds|fix|fixes|remove|removes|update|implement|implements|enhance|improve|create|connect|commit|push|move|moves|make|makes|made|run|runs|ran|set|keep|keeps|write|drop|rename|revert|migrate|replace|extract|inline|convert|document|reorganize|consolidate|switch|want|wants|prefer|like|dislike|put|get|gets|show|shows|found|built|wrote|fails?|\p{L}{3,}(?:ed|ing|ises|izes|ifies))\b(?:\W+[\p{L}\p{N}_]\S*){2,}/iu;
const NAME =
  /`[^`]+`|[\w-]+\.[a-z]{1,6}\b|\w_\w|\w\/\w|(?<!\S)--\w|\p{Ll}\p{Lu}|\b\p{Lu}{2,}|(?<=\S\s)\p{Lu}\p{Ll}{2,}|\d\.\d|\p{L}\d|\b(?:uv|ruff|git|gh|pytest|pip|mypy|python|sqlite|specs?|commits?|tests?|coverage|fixtures?|branch|readme|docstrings?)\b/u;

/** Returns whether the statement only repeats a tool call or its output. */
export function isEcho(statement: string): boolean {
  return ECHOES.some((echo) => echo.test(statement.trim()));
}

/** Returns whether the statement is a question; "…, right?" is an assertion. */
export function isQuestion(statement: string): boolean {
  return /[?？]\W*$/u.test(statement) && !/\bright\s*\?\W*$/iu.test(statement);
}

/** Returns whether the statement is worth reading by the mechanical rubric. */
export function isUseful(statement: string): boolean {
  const words = statement.split(/\s+/u).length;
  return (
    words >= LEAST_WORDS &&
    words <= MOST_WORDS &&
    !isEcho(statement) &&
    !isQuestion(statement) &&
    !DEPENDENT.test(statement) &&
    !DEMAND.test(statement) &&
    !DOUBT.test(statement) &&
    !FAILED_RUN.test(statement) &&
    VERB.test(statement) &&
    NAME.test(statement)
  );
}

/** Returns whether a session's title and results say what happened: neither echo, question nor slash command; a title of three words or more. */
export function saysWhatHappened(title: string, results: readonly string[]): boolean {
  const isStatement = (text: string) => !isEcho(text) && !isQuestion(text);
  return (
    title.trim().split(/\s+/u).length >= 3 && !title.startsWith('/') && isStatement(title) && results.some(isStatement)
  );
}

/** Returns the key of a statement in `labels.json`: half of its SHA-256. */
export function hashOf(statement: string): string {
  return createHash('sha256').update(folded(statement)).digest('hex').slice(0, 16);
}
