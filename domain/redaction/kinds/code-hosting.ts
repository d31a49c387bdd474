import { isRandom } from '../rule.ts';
import type { SecretRule } from '../rule.ts';

/** Keys of code hosts, package registries and build servers. */
export const CODE_RULES: readonly SecretRule[] = [
  {
    kind: 'github-token',
    hints: ['|ghp_', '|gho_', '|ghu_', '|ghs_', '|ghr_', '|github_pat_'],
    pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{60,255})\b/g,
  },
  {
    kind: 'gitlab-token',
    hints: [
      '|glpat-',
      '|gldt-',
      '|glrt-',
      '|glrtr-',
      '|glcbt-',
      '|glptt-',
      '|glft-',
      '|glimt-',
      '|glagent-',
      '|glsoat-',
      '|gloas-',
      '|glffct-',
      '|GR1348941',
    ],
    pattern:
      /\b(?:gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|soat|oas|ffct)-|GR1348941)[A-Za-z0-9_-]{20,300}(?:\.[a-z0-9]{2,4}\.?[a-z0-9]{7,9}\b)?/g,
  },
  {
    kind: 'bitbucket-token',
    hints: ['|ATBB', '|ATCTT3'],
    pattern: /\b(?:ATBB[A-Za-z0-9_=]{28,60}|ATCTT3[A-Za-z0-9_=-]{150,250})/g,
  },
  { kind: 'atlassian-token', hints: ['|ATATT3', '|ATSTT3'], pattern: /\bAT[AS]TT3[A-Za-z0-9_=-]{150,250}/g },
  { kind: 'npm-token', hints: ['|npm_'], pattern: /\bnpm_[A-Za-z0-9]{36}\b/g },
  {
    kind: 'npm-token',
    hints: ['_authtoken', '|_auth'],
    pattern: /_auth(?:token)?\s{0,3}=\s{0,3}["']?(?<secret>[A-Za-z0-9+/=_-]{16,500})/gi,
    accepts: (secret) => /\d/.test(secret),
  },
  { kind: 'pypi-token', hints: ['|pypi-Ag'], pattern: /\bpypi-Ag[A-Za-z0-9_-]{50,1000}/g },
  { kind: 'rubygems-key', hints: ['|rubygems_'], pattern: /\brubygems_[a-f0-9]{48}\b/g },
  {
    kind: 'crates-io-token',
    hints: ['|cio'],
    pattern: /\bcio[A-Za-z0-9]{32}\b/g,
    accepts: (secret) => /\d/.test(secret),
  },
  { kind: 'docker-hub-token', hints: ['|dckr_'], pattern: /\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{27,60}/g },
  {
    kind: 'docker-registry-auth',
    hints: ['"auth'],
    pattern: /"auth\\?"\s{0,5}:\s{0,5}\\?"(?<secret>[A-Za-z0-9+/]{16,500}={0,2})\\?"/g,
  },
  { kind: 'nuget-key', hints: ['|oy2'], pattern: /\boy2[a-z0-9]{43}\b/g },
  { kind: 'clojars-token', hints: ['|CLOJARS_'], pattern: /\bCLOJARS_[a-z0-9]{60}\b/g },
  {
    kind: 'artifactory-token',
    hints: ['|cmVmdGtu', '|AKCp'],
    pattern: /\b(?:cmVmdGtu[A-Za-z0-9]{56}|AKCp[A-Za-z0-9]{60,80})\b/g,
  },
  { kind: 'buildkite-token', hints: ['|bkua_'], pattern: /\bbkua_[a-f0-9]{40}\b/g },
  {
    kind: 'circleci-token',
    hints: ['|CCIPAT_', '|CCIPRJ_'],
    pattern: /\bCCIP(?:AT|RJ)_[A-Za-z0-9]{15,30}_[a-f0-9]{40}\b/g,
  },
  { kind: 'sonar-token', hints: ['|sqp_', '|squ_', '|sqa_'], pattern: /\bsq[apu]_[a-f0-9]{40}\b/g },
  { kind: 'sourcegraph-token', hints: ['|sgp_'], pattern: /\bsgp_(?:[a-f0-9]{16}_|local_)?[a-f0-9]{40}\b/g },
  { kind: 'postman-key', hints: ['|PMAK-'], pattern: /\bPMAK-[a-f0-9]{24}-[a-f0-9]{34}\b/g },
];

/** Keys of monitoring, secret managers, networks, and Recollect itself. */
export const OPERATIONS_RULES: readonly SecretRule[] = [
  { kind: 'recollect-key', hints: ['|rcl_'], pattern: /\brcl_[A-Za-z0-9_-]{40,60}/g },
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
