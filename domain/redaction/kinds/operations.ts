import { isRandom } from '../rule.ts';
import type { SecretRule } from '../rule.ts';

/** Keys of monitoring, secret managers, networks, and Recollect itself. */
export const OPERATIONS_RULES: readonly SecretRule[] = [
  { kind: 'recollect-key', hints: ['|rcl_', '|rco_', '|rcr_', '|rci_'], pattern: /\brc[lori]_[A-Za-z0-9_-]{40,60}/g },
  { kind: 'vault-token', hints: ['|hvs.', '|hvb.', '|hvr.'], pattern: /\bhv[sbr]\.[A-Za-z0-9_-]{24,300}/g },
  { kind: 'terraform-token', hints: ['.atlasv1.'], pattern: /\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,70}/g },
  {
    kind: 'doppler-token',
    hints: ['|dp.'],
    pattern: /\bdp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}\b/g,
  },
  { kind: 'pulumi-token', hints: ['|pul-'], pattern: /\bpul-[a-f0-9]{40}\b/g },
  { kind: '1password-token', hints: ['|ops_eyJ'], pattern: /\bops_eyJ[A-Za-z0-9+/_-]{100,3000}={0,3}/g },
  {
    kind: '1password-secret-key',
    hints: ['|A3-'],
    pattern: /\bA3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}\b/g,
  },
  { kind: 'tailscale-key', hints: ['|tskey-'], pattern: /\btskey-[a-z]{2,20}-[A-Za-z0-9_]{8,40}-[A-Za-z0-9_]{16,60}/g },
  {
    kind: 'age-key',
    hints: ['|age-secret-key-1'],
    pattern: /\bAGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}\b/gi,
  },
  {
    kind: 'wireguard-key',
    hints: ['|PrivateKey', '|PresharedKey'],
    pattern: /\b(?:PrivateKey|PresharedKey)\s{0,5}=\s{0,5}(?<secret>[A-Za-z0-9+/]{43}=)/g,
  },
  {
    kind: 'datadog-key',
    hints: ['datadog', '|dd_'],
    pattern:
      /(?:datadog|\bdd_)[\w -]{0,20}key\\{0,3}["']?\s{0,3}[=:]\s{0,3}\\{0,3}["']?(?<secret>[a-f0-9]{32}(?:[a-f0-9]{8})?)\b/gi,
    accepts: isRandom,
  },
  {
    kind: 'new-relic-key',
    hints: ['|NRAK-', '|NRII-', '|NRJS-', 'NRAL'],
    pattern: /\b(?:NRAK-[A-Z0-9]{27}|NRII-[A-Za-z0-9_-]{32}|NRJS-[a-f0-9]{19}|[a-f0-9]{36}NRAL)\b/g,
  },
  {
    kind: 'sentry-token',
    hints: ['|sntry'],
    pattern: /\b(?:sntrys_eyJ[A-Za-z0-9+/=_-]{60,1000}|sntry[ua]_[a-f0-9]{64}\b)/g,
  },
  {
    kind: 'grafana-token',
    hints: ['|glsa_', '|glc_'],
    pattern: /\b(?:glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}\b|glc_[A-Za-z0-9+/]{32,400}={0,3})/g,
  },
  {
    kind: 'pagerduty-key',
    hints: ['pagerduty', 'token token='],
    pattern:
      /(?:pagerduty[\w -]{0,20}(?:token|key)\\{0,3}["']?\s{0,3}[=:]\s{0,3}\\{0,3}["']?|\btoken token=)(?<secret>[A-Za-z0-9_+-]{20,32})(?![\w+-])/gi,
    accepts: isRandom,
  },
  { kind: 'honeycomb-key', hints: ['|hc?ik_', '|hc?mk_'], pattern: /\bhc[a-z](?:ik|mk)_[a-z0-9]{50,64}\b/g },
  { kind: 'dynatrace-token', hints: ['|dt0'], pattern: /\bdt0[a-z]\d{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}\b/g },
  { kind: 'posthog-key', hints: ['|phx_'], pattern: /\bphx_[A-Za-z0-9]{40,60}\b/g },
  {
    kind: 'launchdarkly-key',
    hints: ['|sdk-????????-'],
    pattern: /\bsdk-[a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12}\b/g,
  },
];
