import type { SecretRule } from '../rule.ts';
import { isNotPlaceholder, isRandom } from '../rule.ts';

const PASSWORD_HINTS = ['passw', 'pwd'];
const KEY_HINTS = ['api_key', 'api-key', 'apikey', 'private_key', 'private-key', 'privatekey'];
const TOKEN_HINTS = ['s_token', 's-token', 'stoken', 'h_token', 'h-token', 'htoken'];

/** Secrets recognised by context instead of an issuer's format. Tried last: an issuer's format names the kind. */
export const GENERAL_RULES: readonly SecretRule[] = [
  // Starts at the start of a character run, not at each `eyJ` inside it, which would rescan the run.
  {
    kind: 'jwt',
    hints: ['.eyJ'],
    pattern: /(?<![\w-])(?=[\w-]{0,2000}eyJ)[\w-]{13,4000}\.eyJ[\w-]{10,8000}\.[\w-]{10,1000}/g,
  },
  {
    kind: 'encoded-private-key',
    hints: ['LS0tLS1CRUdJTi'],
    pattern: /LS0tLS1CRUdJTi(?:BSU0Eg|BQUklW|BFQyBQ|BPUEVO|BFTkNS|BFTkMg|BQR1Ag)[A-Za-z0-9+/=]{40,20000}/g,
  },
  {
    kind: 'url-password',
    hints: ['://'],
    pattern: /:\/\/(?<=[a-z][a-z0-9+.-]{1,20}:\/\/)[^\s:/@"'<>]{0,100}:(?<secret>[^\s/@"'<>]{3,200})@/gi,
    accepts: isNotPlaceholder,
  },
  {
    kind: 'url-secret',
    hints: ['token=', 'secret=', 'password=', 'api_key=', 'apikey=', 'signature=', 'x-amz-security-token'],
    pattern:
      /[?&;](?:[a-z0-9_-]{0,30}[_-])?(?:token|secret|password|api_?key|signature)=(?<secret>[^\s&"'<>#;\\[\](){}]{8,2000})/gi,
    accepts: isNotPlaceholder,
  },
  {
    kind: 'connection-string',
    hints: ['pwd=', 'password='],
    pattern: /;\s{0,3}(?:password|pwd)\s{0,2}=\s{0,2}(?<secret>[^\s;"'<>[\]]{3,200})(?=;|["'\s]|$)/gi,
    accepts: isNotPlaceholder,
  },
  {
    kind: 'basic-auth',
    hints: ['basic '],
    pattern:
      /authorization\\{0,3}["']?\s{0,3}[:=]\s{0,3}\\{0,3}["'`]?basic\s{1,3}(?<secret>[A-Za-z0-9+/]{8,500}={0,2})/gi,
  },
  {
    kind: 'basic-auth',
    hints: ['|curl'],
    pattern: /\s(?:-u|--user)[ =]\s?["']?[^\s:"'$]{1,100}:(?<=\bcurl\b[^\n]{0,300})(?<secret>[^\s"'$<]{3,200})/g,
  },
  {
    kind: 'bearer-token',
    hints: ['bearer'],
    pattern: /\bbearer\s{1,3}(?<secret>[A-Za-z0-9._~+/=-]{20,2000})/gi,
    accepts: (secret) => /\d/.test(secret),
  },
  {
    kind: 'session-cookie',
    hints: ['cookie:'],
    pattern:
      /\bcookie:\s{0,3}(?<secret>[\w.-]{1,100}=[^\s;,"'<>]{16,4000}(?:; ?[\w.-]{1,100}=[^\s;,"'<>]{1,4000}){0,20})/gi,
    accepts: (secret) => /\d/.test(secret),
  },
  {
    kind: 'netrc-password',
    hints: ['|machine'],
    pattern:
      /\bmachine\s{1,5}[\w-]{1,60}(?:\.[\w-]{1,60}){1,5}\s{1,5}login\s{1,5}\S{1,200}\s{1,5}password\s{1,5}(?<secret>\S{3,200})/g,
  },
  {
    kind: 'password-hash',
    hints: ['$2a$', '$2b$', '$2y$', '$argon2', '$5$', '$6$'],
    pattern:
      /\$(?:2[aby]\$\d{2}\$[A-Za-z0-9./]{53}|argon2(?:id|i|d)\$v=\d{1,3}\$[a-z0-9=,]{5,60}\$[A-Za-z0-9+/]{8,100}\$[A-Za-z0-9+/]{20,200}|[56]\$(?:rounds=\d{1,9}\$)?[A-Za-z0-9./]{1,16}\$[A-Za-z0-9./]{43,86})/g,
  },
  {
    kind: 'discord-bot-token',
    hints: [],
    pattern: /(?<![\w.-])[MNO][A-Za-z0-9_-]{22,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}(?![\w.-])/g,
  },
  {
    kind: 'assigned-secret',
    hints: ['--pass', '--token', '--secret', '--api-key', '--apikey', '--auth-token', '--access-token'],
    pattern:
      /--(?:password|passwd|token|secret|api-?key|auth-token|access-token)(?:=|\s{1,3})["']?(?<secret>[^\s"'$<>(){}|&;`-][^\s"'<>(){}|&;`]{7,499})/g,
    accepts: isNotPlaceholder,
  },
  {
    // An environment variable or a line of a settings file: name in capitals, value possibly without quotes.
    kind: 'assigned-secret',
    hints: ['PASS', 'PWD', 'SECRET', 'API_KEY', 'APIKEY', 'TOKEN', '_KEY'],
    pattern:
      /(?:(?:PASSWORD|PASSWD|PASSPHRASE|_PASS|_PWD|SECRET|API_?KEY|(?:PRIVATE|ENCRYPTION|SIGNING|MASTER|ACCESS)_?KEY)(?:_[A-Z0-9_]{1,30})?|(?:ACCESS|AUTH|_)_?TOKEN)[0-9]{0,3}\s{0,2}[=:]\s{0,2}["']?(?<secret>(?<=")[^"\r\n]{8,500}|(?<=')[^'\r\n]{8,500}|(?!(?<= = )[A-Za-z_.]{1,60}(?:[^\w$.!@#%^*-]|$))[^\s"'$<>(){}[`,|/][^\s"'<>(){}`,|]{7,499})/g,
    accepts: isNotPlaceholder,
  },
  {
    // A quoted value in JSON, YAML or code, with names in any case.
    kind: 'assigned-secret',
    hints: [...PASSWORD_HINTS, 'secret', ...KEY_HINTS, ...TOKEN_HINTS],
    pattern:
      /(?:password|passwd|passphrase|secret|api[_-]?key|access[_-]?token|auth[_-]?token|refresh[_-]?token|private[_-]?key)\\{0,7}["']?\s{0,2}[=:]\s{0,2}\\{0,7}["'](?<secret>(?<=")[^"\r\n]{8,2000}?(?=\\{0,7}")|(?<=')[^'\r\n]{8,2000}?(?=\\{0,7}'))/gi,
    accepts: isNotPlaceholder,
  },
  {
    // A request header: its value has no quotes of its own.
    kind: 'assigned-secret',
    hints: ['x-api-key', 'api-key:', 'x-auth-token', 'private-token:'],
    pattern: /\b(?:x-)?(?:api-key|auth-token|private-token)\s{0,2}:\s{0,2}(?<secret>[A-Za-z0-9._~+/=-]{8,500})/gi,
    accepts: isNotPlaceholder,
  },
  {
    // An ambiguous name: only random-looking values.
    kind: 'assigned-secret',
    hints: ['token'],
    pattern: /\btoken\\{0,7}["']?\s{0,2}[=:]\s{0,2}\\{0,7}["'](?<secret>[A-Za-z0-9._~+/=-]{16,2000}?)(?=\\{0,7}["'])/gi,
    accepts: isRandom,
  },
];
