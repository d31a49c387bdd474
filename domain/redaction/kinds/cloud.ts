import type { SecretRule } from '../rule.ts';
import { isMixed, isRandom } from '../rule.ts';

/** Keys of clouds, application hosts and data stores, in their issuers' known formats. */
export const CLOUD_RULES: readonly SecretRule[] = [
  {
    kind: 'aws-access-key-id',
    hints: ['|AKIA', '|ASIA', '|ABIA', '|ACCA'],
    pattern: /\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b/g,
  },
  {
    kind: 'aws-secret-key',
    hints: ['aws_secret', 'awssecret', 'secret_access_key', 'secretaccesskey'],
    pattern:
      /secret_?(?:access_?)?key\\{0,3}["']?\s{0,5}[=:]\s{0,5}\\{0,3}["']?(?<secret>[A-Za-z0-9/+=]{40})(?![A-Za-z0-9/+=])/gi,
    accepts: isMixed,
  },
  {
    kind: 'aws-session-token',
    hints: ['session_token', 'sessiontoken'],
    pattern: /session_?token\\{0,3}["']?\s{0,5}[=:]\s{0,5}\\{0,3}["']?(?<secret>[A-Za-z0-9/+=]{100,2000})/gi,
  },
  { kind: 'aws-bedrock-key', hints: ['|ABSK'], pattern: /\bABSK[A-Za-z0-9+/]{100,300}={0,2}/g },
  { kind: 'google-api-key', hints: ['|AIza'], pattern: /\bAIza[A-Za-z0-9_-]{35}/g },
  { kind: 'google-oauth-secret', hints: ['|GOCSPX-'], pattern: /\bGOCSPX-[A-Za-z0-9_-]{28}/g },
  { kind: 'google-oauth-token', hints: ['|ya29.'], pattern: /\bya29\.[A-Za-z0-9_-]{20,500}/g },
  {
    kind: 'gcp-service-account-key',
    hints: ['private_key_id'],
    pattern: /private_key_id\\{0,3}"\s{0,5}:\s{0,5}\\{0,3}"(?<secret>[0-9a-f]{40})\b/g,
  },
  {
    kind: 'azure-storage-key',
    hints: ['accountkey='],
    pattern: /AccountKey=(?<secret>[A-Za-z0-9+/]{86}==)/gi,
  },
  {
    kind: 'azure-shared-access-key',
    hints: ['sharedaccesskey='],
    pattern: /SharedAccessKey=(?<secret>[A-Za-z0-9+/]{43}=)/gi,
  },
  {
    kind: 'azure-sas',
    hints: ['?sig=', '&sig=', ';sig='],
    pattern: /[?&;]sig=(?<secret>(?:[A-Za-z0-9+/]|%[0-9a-f]{2}){42,60}(?:=|%3d))/gi,
  },
  {
    kind: 'azure-client-secret',
    hints: ['#Q~'],
    pattern: /(?<![\w~.-])[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}(?![\w~-])/g,
  },
  { kind: 'azure-devops-token', hints: ['AZDO'], pattern: /\b[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}\b/g },
  { kind: 'alibaba-key-id', hints: ['|LTAI'], pattern: /\bLTAI[A-Za-z0-9]{12,20}\b/g },
  { kind: 'tencent-key-id', hints: ['|AKID'], pattern: /\bAKID[A-Za-z0-9]{32}\b/g },
  { kind: 'digitalocean-token', hints: ['|do?_v1_'], pattern: /\bdo[opr]_v1_[a-f0-9]{64}\b/g },
  { kind: 'heroku-token', hints: ['|HRKU-'], pattern: /\bHRKU-AA[A-Za-z0-9_-]{58}/g },
  {
    kind: 'cloudflare-token',
    hints: ['|v1.0-', '|cfk_', '|cfut_', '|cfat_'],
    pattern: /\b(?:v1\.0-[a-f0-9]{24}-[a-f0-9]{146}|cf(?:k|ut|at)_[A-Za-z0-9]{40,60})\b/g,
  },
  {
    kind: 'cloudflare-token',
    hints: ['cloudflare', '|cf_api_'],
    pattern:
      /(?:cloudflare|\bcf_api_)[\w -]{0,20}(?:token|key)\\{0,3}["']?\s{0,3}[=:]\s{0,3}\\{0,3}["']?(?<secret>[A-Za-z0-9_-]{37,45})\b/gi,
    accepts: isRandom,
  },
  {
    kind: 'fastly-token',
    hints: ['fastly'],
    pattern:
      /fastly[\w -]{0,20}(?:token|key)\\{0,3}["']?\s{0,3}[=:]\s{0,3}\\{0,3}["']?(?<secret>[A-Za-z0-9_-]{32})\b/gi,
    accepts: isRandom,
  },
  {
    kind: 'fly-token',
    hints: ['fm1_', 'fm2_', '|fm1r_', '|fm1a_'],
    pattern: /\bfm[12][ra]?_[A-Za-z0-9+/=_-]{50,2000}/g,
  },
  {
    kind: 'netlify-token',
    hints: ['|nfp_', '|nfc_', '|nfo_', '|nfu_', '|nfb_'],
    pattern: /\bnf[pcoub]_[A-Za-z0-9]{36}\b/g,
  },
  {
    kind: 'vercel-token',
    hints: ['|vcp_', '|vci_', '|vca_', '|vcr_', '|vck_'],
    pattern: /\bvc[pciark]_[A-Za-z0-9]{24,80}\b/g,
    accepts: isMixed,
  },
  {
    kind: 'vercel-token',
    hints: ['vercel'],
    pattern: /vercel[\w -]{0,20}token\\{0,3}["']?\s{0,3}[=:]\s{0,3}\\{0,3}["']?(?<secret>[A-Za-z0-9]{24})\b/gi,
    accepts: isRandom,
  },
  {
    kind: 'supabase-key',
    hints: ['|sbp_', '|sb_secret_'],
    pattern: /\b(?:sbp_(?:v0_)?[a-f0-9]{40}|sb_secret_[A-Za-z0-9_-]{20,60})\b/g,
  },
  { kind: 'planetscale-token', hints: ['|pscale_'], pattern: /\bpscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{32,64}/g },
  { kind: 'neon-key', hints: ['|napi_'], pattern: /\bnapi_[a-z0-9]{60,70}\b/g },
  { kind: 'render-key', hints: ['|rnd_'], pattern: /\brnd_[A-Za-z0-9]{32}\b/g },
  { kind: 'databricks-token', hints: ['|dapi'], pattern: /\bdapi[a-f0-9]{32}(?:-\d)?\b/g },
];
