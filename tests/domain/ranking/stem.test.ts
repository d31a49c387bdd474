import { expect, test } from 'vitest';
import { stem } from '../../../domain/ranking/stem.ts';

// Of the tables of Porter's paper, rule by rule.
test.each([
  ['caresses', 'caress'],
  ['ponies', 'poni'],
  ['caress', 'caress'],
  ['cats', 'cat'],
  ['feed', 'feed'],
  ['agreed', 'agre'],
  ['plastered', 'plaster'],
  ['bled', 'bled'],
  ['motoring', 'motor'],
  ['sing', 'sing'],
  ['conflated', 'conflat'],
  ['troubled', 'troubl'],
  ['hopping', 'hop'],
  ['falling', 'fall'],
  ['hissing', 'hiss'],
  ['failing', 'fail'],
  ['filing', 'file'],
  ['happy', 'happi'],
  ['sky', 'sky'],
  ['relational', 'relat'],
  ['rational', 'ration'],
  ['digitizer', 'digit'],
  ['radically', 'radic'],
  ['vietnamization', 'vietnam'],
  ['operator', 'oper'],
  ['decisiveness', 'decis'],
  ['sensibility', 'sensibl'],
  ['possibly', 'possibl'],
  ['technology', 'technolog'],
  ['triplicate', 'triplic'],
  ['formative', 'form'],
  ['electrical', 'electr'],
  ['goodness', 'good'],
  ['revival', 'reviv'],
  ['inference', 'infer'],
  ['gyroscopic', 'gyroscop'],
  ['replacement', 'replac'],
  ['adoption', 'adopt'],
  ['decision', 'decis'],
  ['communism', 'commun'],
  ['probate', 'probat'],
  ['rate', 'rate'],
  ['cease', 'ceas'],
  ['controlled', 'control'],
  ['roll', 'roll'],
  ['conditional', 'condit'],
  ['hesitancy', 'hesit'],
  ['conformably', 'conform'],
  ['differently', 'differ'],
  ['vilely', 'vile'],
  ['analogously', 'analog'],
  ['predication', 'predic'],
  ['feudalism', 'feudal'],
  ['hopefulness', 'hope'],
  ['callousness', 'callous'],
  ['formality', 'formal'],
  ['sensitivity', 'sensit'],
  ['formalize', 'formal'],
  ['electricity', 'electr'],
  ['hopeful', 'hope'],
])('%s becomes %s', (word, expected) => {
  expect(stem(word)).toBe(expected);
});

test.each([
  ['y after a consonant is a vowel', 'crying', 'cry'],
  ['y after a vowel is a consonant', 'deployment', 'deploy'],
  ['no e is added after x', 'fixing', 'fix'],
  ['no e is added after two consonants', 'hosting', 'host'],
  ['two vowels are not a double consonant', 'seeing', 'see'],
  ['-eed needs a stem with a vowel and a consonant', 'speed', 'speed'],
  ['-e needs a stem with a vowel and a consonant', 'tree', 'tree'],
  ['adjacent vowels are one sequence', 'queue', 'queue'],
  ['three letters are enough', 'ids', 'id'],
  ['32 letters are not too long', `${'b'.repeat(31)}s`, 'b'.repeat(31)],
])('%s', (_, word, expected) => {
  expect(stem(word)).toBe(expected);
});

test('forms of one word meet', () => {
  for (const forms of [
    ['install', 'installs', 'installed', 'installing', 'installer'],
    ['fail', 'fails', 'failed', 'failing'],
    ['configure', 'configured', 'configuring', 'configures'],
    ['dependency', 'dependencies'],
  ])
    expect(new Set(forms.map(stem)).size).toBe(1);
});

test.each(['ts', 'e0277', 'src/a.ts', 'größen', '数据', 'v1.2', 'a'.repeat(33) + 'ing', ''])('%j stays', (word) => {
  expect(stem(word)).toBe(word);
});
