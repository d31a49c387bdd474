import { alnum, digits, hex, lowerAlnum, upperAlnum } from './made-up.ts';
import type { KindSamples } from './made-up.ts';

const b64 = (length: number) => alnum(length);

/** Clouds, code hosts, registries and operations: a secret of each kind, and lookalikes. */
export const PLATFORM_SAMPLES: readonly KindSamples[] = [
  {
    kind: 'recollect-key',
    yes: [{ secret: `rcl_${alnum(43)}` }, { secret: `rco_${alnum(43)}` }],
    no: ['rcl_short', `arcl_${alnum(43)}`],
  },
  {
    kind: 'vault-token',
    yes: [{ secret: `hvs.${alnum(90)}` }, { secret: `hvb.${alnum(30)}` }],
    no: ['hvs.short', 'the hvs.prototype'],
  },
  {
    kind: 'terraform-token',
    yes: [{ secret: `${alnum(14)}.atlasv1.${alnum(67)}` }],
    no: [`${alnum(14)}.atlasv2.${alnum(67)}`],
  },
  {
    kind: 'doppler-token',
    yes: [{ secret: `dp.pt.${alnum(43)}` }, { secret: `dp.st.dev_a.${alnum(40)}` }],
    no: ['dp.pt.short', 'dp.table[i][j]'],
  },
  { kind: 'pulumi-token', yes: [{ secret: `pul-${hex(40)}` }], no: [`pul-${hex(39)}z`] },
  { kind: '1password-token', yes: [{ secret: `ops_eyJ${alnum(250)}` }], no: [`ops_eyJ${alnum(20)}`] },
  {
    kind: '1password-secret-key',
    yes: [{ secret: `A3-${upperAlnum(6)}-${upperAlnum(6)}-${[5, 5, 5, 5].map(upperAlnum).join('-')}` }],
    no: ['A3-SIZE-PAPER', `A3-${upperAlnum(6)}-${upperAlnum(5)}`],
  },
  {
    kind: 'tailscale-key',
    yes: [{ secret: `tskey-auth-${alnum(16)}-${alnum(32)}` }],
    no: ['tskey-auth-', `tskey-${alnum(10)}`],
  },
  {
    kind: 'age-key',
    yes: [{ secret: `AGE-SECRET-KEY-1${'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L'.repeat(2).slice(0, 58)}` }],
    no: ['AGE-SECRET-KEY-1SHORT'],
  },
  {
    kind: 'wireguard-key',
    yes: [{ before: 'PrivateKey = ', secret: `${b64(43)}=`, after: '\nAddress = 10.0.0.2/24' }],
    no: [`PublicKey = ${b64(43)}=`],
  },
  {
    kind: 'datadog-key',
    yes: [
      { before: 'DD_API_KEY=', secret: hex(32) },
      { before: 'datadog app_key: ', secret: hex(40) },
    ],
    no: [`datadog commit ${hex(40)}`],
  },
  {
    kind: 'new-relic-key',
    yes: [{ secret: `NRAK-${upperAlnum(27)}` }, { secret: `${hex(36)}NRAL` }, { secret: `NRJS-${hex(19)}` }],
    no: ['NRAK-SHORT', `${hex(35)}NRAL`],
  },
  {
    kind: 'sentry-token',
    yes: [{ secret: `sntryu_${hex(64)}` }, { secret: `sntrys_eyJ${alnum(80)}` }],
    no: [`sntryu_${hex(20)}`],
  },
  {
    kind: 'grafana-token',
    yes: [{ secret: `glsa_${alnum(32)}_${hex(8)}` }, { secret: `glc_${alnum(60)}` }],
    no: ['glsa_short', 'glc_context'],
  },
  {
    kind: 'pagerduty-key',
    yes: [
      { before: 'Authorization: Token token=', secret: alnum(20) },
      { before: 'pagerduty_api_key = "', secret: alnum(20), after: '"' },
    ],
    no: ['pagerduty token rotation', 'Token token=abc'],
  },
  { kind: 'honeycomb-key', yes: [{ secret: `hcaik_${lowerAlnum(58)}` }], no: [`hcaik_${lowerAlnum(20)}`] },
  {
    kind: 'dynatrace-token',
    yes: [{ secret: `dt0c01.${upperAlnum(24)}.${upperAlnum(64)}` }],
    no: [`dt0c01.${upperAlnum(24)}`],
  },
  { kind: 'posthog-key', yes: [{ secret: `phx_${alnum(43)}` }], no: [`phc_${alnum(43)}`] },
  {
    kind: 'launchdarkly-key',
    yes: [{ secret: `sdk-${hex(8)}-${hex(4)}-${hex(4)}-${hex(4)}-${hex(12)}` }],
    no: ['sdk-12345678-latest'],
  },
  {
    kind: 'aws-access-key-id',
    yes: [{ secret: `AKIA${upperAlnum(16)}` }, { secret: `ASIA${upperAlnum(16)}` }],
    no: [`AKIA${upperAlnum(8)}`, 'ASIAN MARKETS ARE OPEN'],
  },
  {
    kind: 'aws-secret-key',
    yes: [{ before: 'aws_secret_access_key = "', secret: alnum(40), after: '"' }],
    no: [`aws_secret_access_key_id: ${alnum(12)}`, 'aws_secret_access_key: see the vault'],
  },
  {
    kind: 'aws-session-token',
    yes: [{ before: 'aws_session_token=', secret: alnum(300) }],
    no: ['aws_session_token = ""'],
  },
  { kind: 'aws-bedrock-key', yes: [{ secret: `ABSK${alnum(120)}` }], no: ['ABSK is a prefix'] },
  { kind: 'google-api-key', yes: [{ secret: `AIza${alnum(35)}` }], no: ['AIzaShort'] },
  { kind: 'google-oauth-secret', yes: [{ secret: `GOCSPX-${alnum(28)}` }], no: ['GOCSPX-short'] },
  { kind: 'google-oauth-token', yes: [{ secret: `ya29.${alnum(60)}` }], no: ['ya29.short'] },
  {
    kind: 'gcp-service-account-key',
    yes: [{ before: '{"type": "service_account", "private_key_id": "', secret: hex(40), after: '"}' }],
    no: ['{"private_key_id": "none"}'],
  },
  {
    kind: 'azure-storage-key',
    yes: [
      {
        before: 'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=',
        secret: `${b64(86)}==`,
        after: ';EndpointSuffix=x',
      },
    ],
    no: ['AccountKey=<key>'],
  },
  {
    kind: 'azure-shared-access-key',
    yes: [{ before: 'Endpoint=sb://a/;SharedAccessKeyName=n;SharedAccessKey=', secret: `${b64(43)}=` }],
    no: ['SharedAccessKeyName=RootManage'],
  },
  {
    kind: 'azure-sas',
    yes: [{ before: 'https://a.blob/c?sv=2024-01-01&sig=', secret: `${b64(43)}%3D`, after: '&se=2' }],
    no: ['?sig=short&x=1', '&sig=readable-signature'],
  },
  { kind: 'azure-client-secret', yes: [{ secret: `${alnum(3)}8Q~${alnum(34)}` }], no: ['a8Q~short', `Q~${alnum(34)}`] },
  { kind: 'azure-devops-token', yes: [{ secret: `${alnum(76)}AZDO${alnum(4)}` }], no: [`${alnum(20)}AZDO${alnum(4)}`] },
  { kind: 'alibaba-key-id', yes: [{ secret: `LTAI${alnum(20)}` }], no: ['LTAI short'] },
  { kind: 'tencent-key-id', yes: [{ secret: `AKID${alnum(32)}` }], no: [`AKID${alnum(10)}`] },
  {
    kind: 'digitalocean-token',
    yes: ['dop', 'doo', 'dor'].map((start) => ({ secret: `${start}_v1_${hex(64)}` })),
    no: [`dop_v1_${hex(20)}`],
  },
  { kind: 'heroku-token', yes: [{ secret: `HRKU-AA${alnum(58)}` }], no: ['HRKU-AAshort'] },
  {
    kind: 'cloudflare-token',
    yes: [
      { secret: `v1.0-${hex(24)}-${hex(146)}` },
      { before: 'CLOUDFLARE_API_TOKEN=', secret: alnum(40) },
      { secret: `cfut_${alnum(44)}` },
    ],
    no: ['v1.0-beta', 'cloudflare api token: ask ops'],
  },
  {
    kind: 'fastly-token',
    yes: [{ before: 'fastly_api_token = "', secret: alnum(32), after: '"' }],
    no: ['fastly token: see the wiki'],
  },
  { kind: 'fly-token', yes: [{ secret: `fm2_${alnum(100)}` }], no: ['fm2_short'] },
  { kind: 'netlify-token', yes: [{ secret: `nfp_${alnum(36)}` }], no: ['nfp_short'] },
  {
    kind: 'vercel-token',
    yes: [{ secret: `vcp_${alnum(56)}` }, { before: 'vercel --token: VERCEL_TOKEN=', secret: alnum(24) }],
    no: ['vcp_project', 'vercel token expired'],
  },
  {
    kind: 'supabase-key',
    yes: [{ secret: `sbp_${hex(40)}` }, { secret: `sb_secret_${alnum(31)}` }],
    no: [`sb_publishable_${alnum(31)}`],
  },
  {
    kind: 'planetscale-token',
    yes: [{ secret: `pscale_tkn_${alnum(43)}` }, { secret: `pscale_pw_${alnum(43)}` }],
    no: ['pscale_tkn_short'],
  },
  { kind: 'neon-key', yes: [{ secret: `napi_${lowerAlnum(64)}` }], no: ['napi_create_function'] },
  { kind: 'render-key', yes: [{ secret: `rnd_${alnum(32)}` }], no: ['rnd_seed'] },
  {
    kind: 'databricks-token',
    yes: [{ secret: `dapi${hex(32)}` }, { secret: `dapi${hex(32)}-3` }],
    no: ['dapi-core', `dapi${hex(12)}`],
  },
  {
    kind: 'github-token',
    yes: [
      ...['ghp', 'gho', 'ghu', 'ghs', 'ghr'].map((start) => ({ secret: `${start}_${alnum(36)}` })),
      { secret: `github_pat_${alnum(22)}_${alnum(59)}` },
    ],
    no: ['ghp_abc', 'github_pattern'],
  },
  {
    kind: 'gitlab-token',
    yes: [
      ...['glpat', 'gldt', 'glrt', 'glcbt', 'glptt', 'glft', 'glimt', 'glagent', 'glsoat', 'gloas', 'glffct'].map(
        (start) => ({ secret: `${start}-${alnum(20)}` }),
      ),
      { secret: `GR1348941${alnum(20)}` },
    ],
    no: ['glpat-short', 'glft-image'],
  },
  {
    kind: 'bitbucket-token',
    yes: [{ secret: `ATBB${alnum(32)}` }, { secret: `ATCTT3${alnum(180)}` }],
    no: ['ATBBshort'],
  },
  { kind: 'atlassian-token', yes: [{ secret: `ATATT3${alnum(186)}` }], no: ['ATATT3short'] },
  {
    kind: 'npm-token',
    yes: [{ secret: `npm_${alnum(36)}` }, { before: '//registry/:_authToken=', secret: alnum(36) }],
    no: ['npm_config_registry', '_authToken=${NPM_TOKEN}'],
  },
  { kind: 'pypi-token', yes: [{ secret: `pypi-AgEIcHlwaS5vcmc${alnum(80)}` }], no: ['pypi-Agent'] },
  { kind: 'rubygems-key', yes: [{ secret: `rubygems_${hex(48)}` }], no: ['rubygems_version'] },
  { kind: 'crates-io-token', yes: [{ secret: `cio${alnum(32)}` }], no: ['cioppino', `cio${alnum(20)}`] },
  { kind: 'docker-hub-token', yes: [{ secret: `dckr_pat_${alnum(27)}` }], no: ['dckr_pat_short'] },
  {
    kind: 'docker-registry-auth',
    yes: [{ before: '{"auths":{"h":{"auth": "', secret: `${alnum(30)}==`, after: '"}}}' }],
    no: ['{"auth": "none"}'],
  },
  { kind: 'nuget-key', yes: [{ secret: `oy2${lowerAlnum(43)}` }], no: ['oy2short'] },
  { kind: 'clojars-token', yes: [{ secret: `CLOJARS_${lowerAlnum(60)}` }], no: ['CLOJARS_TOKEN'] },
  {
    kind: 'artifactory-token',
    yes: [{ secret: `cmVmdGtu${alnum(56)}` }, { secret: `AKCp${alnum(69)}` }],
    no: [`AKCp${alnum(10)}`],
  },
  { kind: 'buildkite-token', yes: [{ secret: `bkua_${hex(40)}` }], no: ['bkua_short'] },
  { kind: 'circleci-token', yes: [{ secret: `CCIPAT_${alnum(22)}_${hex(40)}` }], no: ['CCIPAT_short'] },
  { kind: 'sonar-token', yes: [{ secret: `sqp_${hex(40)}` }], no: ['sqp_short'] },
  { kind: 'sourcegraph-token', yes: [{ secret: `sgp_${hex(16)}_${hex(40)}` }], no: ['sgp_short'] },
  { kind: 'postman-key', yes: [{ secret: `PMAK-${hex(24)}-${hex(34)}` }], no: [`PMAK-${digits(4)}`] },
];
