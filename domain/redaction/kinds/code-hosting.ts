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
