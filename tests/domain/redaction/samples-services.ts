import { alnum, digits, hex, letters, lowerAlnum, uuid } from './made-up.ts';
import type { KindSamples } from './made-up.ts';

const jwt = `eyJhbGciOiJIUzI1NiJ9.eyJ${alnum(30)}.${alnum(30)}`;
const keyLine = (name: string) => ['-----BEGIN', name, 'KEY-----'].join(' ');

/** Models, services and context-based rules: a secret of each kind, and lookalikes. */
export const SERVICE_SAMPLES: readonly KindSamples[] = [
  { kind: 'anthropic-key', yes: [{ secret: `sk-ant-api03-${alnum(95)}` }], no: ['sk-ant-short'] },
  { kind: 'openrouter-key', yes: [{ secret: `sk-or-v1-${hex(64)}` }], no: ['sk-or-v1-short'] },
  { kind: 'langfuse-key', yes: [{ secret: `sk-lf-${uuid()}` }], no: ['sk-lf-short'] },
  {
    kind: 'openai-key',
    yes: [{ secret: `sk-${alnum(48)}` }, { secret: `sk-proj-${alnum(120)}` }, { secret: `sk-admin-${alnum(60)}` }],
    no: ['sk-short', 'sk-this-is-a-very-long-name-of-a-branch-of-work'],
  },
  {
    kind: 'hugging-face-token',
    yes: [{ secret: `hf_${letters(34)}` }, { secret: `api_org_${letters(34)}` }],
    no: ['hf_hub_download'],
  },
  { kind: 'groq-key', yes: [{ secret: `gsk_${alnum(52)}` }], no: ['gsk_renderer'] },
  { kind: 'xai-key', yes: [{ secret: `xai-${alnum(80)}` }], no: ['xai-model'] },
  { kind: 'perplexity-key', yes: [{ secret: `pplx-${alnum(48)}` }], no: ['pplx-api'] },
  { kind: 'replicate-token', yes: [{ secret: `r8_${alnum(37)}` }], no: ['r8_unorm'] },
  { kind: 'together-key', yes: [{ secret: `tgp_v1_${alnum(43)}` }], no: ['tgp_v1_short'] },
  { kind: 'fireworks-key', yes: [{ secret: `fw_${alnum(24)}` }], no: ['fw_update_in_progress_and_more'] },
  { kind: 'cerebras-key', yes: [{ secret: `csk-${lowerAlnum(48)}` }], no: ['csk-short'] },
  { kind: 'nvidia-key', yes: [{ secret: `nvapi-${alnum(64)}` }], no: ['nvapi-client'] },
  { kind: 'voyage-key', yes: [{ secret: `pa-${alnum(43)}` }], no: ['pa-system', `spa-${alnum(43)}`] },
  { kind: 'pinecone-key', yes: [{ secret: `pcsk_${alnum(70)}` }], no: ['pcsk_short'] },
  { kind: 'tavily-key', yes: [{ secret: `tvly-dev-${alnum(32)}` }], no: ['tvly-dev-short'] },
  { kind: 'langsmith-key', yes: [{ secret: `lsv2_pt_${hex(32)}_${hex(10)}` }], no: [`lsv2_pt_${hex(32)}`] },
  { kind: 'elevenlabs-key', yes: [{ secret: `sk_${hex(48)}` }], no: ['sk_buff_alloc'] },
  {
    kind: 'model-provider-key',
    yes: [
      { before: 'COHERE_API_KEY=', secret: alnum(40) },
      { before: 'mistral api key: "', secret: alnum(32), after: '"' },
    ],
    no: ['mistral key: value stores', 'the cohere api'],
  },
  {
    kind: 'stripe-key',
    yes: [
      ...['sk_live', 'rk_live', 'sk_test', 'rk_test'].map((start) => ({ secret: `${start}_${alnum(24)}` })),
      { secret: `whsec_${alnum(32)}` },
    ],
    no: ['sk_test_mode', `pk_live_${alnum(24)}`],
  },
  {
    kind: 'square-token',
    yes: [{ secret: `sq0atp-${alnum(22)}` }, { secret: `EAAA${alnum(60)}` }],
    no: ['sq0atp-short'],
  },
  {
    kind: 'braintree-token',
    yes: [{ secret: `access_token$production$${lowerAlnum(16)}$${hex(32)}` }],
    no: ['access_token$production$x'],
  },
  {
    kind: 'paypal-secret',
    yes: [{ before: 'PAYPAL_CLIENT_SECRET=', secret: `E${alnum(79)}` }],
    no: ['paypal secret: E2E'],
  },
  {
    kind: 'shopify-token',
    yes: ['shpat', 'shpca', 'shppa', 'shpss'].map((start) => ({ secret: `${start}_${hex(32)}` })),
    no: ['shpat_short'],
  },
  { kind: 'razorpay-key', yes: [{ secret: `rzp_live_${alnum(14)}` }], no: ['rzp_live_x'] },
  { kind: 'plaid-token', yes: [{ secret: `access-production-${uuid()}` }], no: ['access-production-data'] },
  { kind: 'flutterwave-key', yes: [{ secret: `FLWSECK_TEST-${hex(32)}-X` }], no: ['FLWPUBK_TEST-x'] },
  {
    kind: 'slack-token',
    yes: [
      { secret: `xoxb-${digits(12)}-${digits(12)}-${alnum(24)}` },
      { secret: `xapp-1-${alnum(40)}` },
      { secret: `xoxe.xoxp-1-${alnum(40)}` },
    ],
    no: ['xoxb-short', 'xapp-x-y'],
  },
  {
    kind: 'slack-webhook',
    yes: [{ before: 'https://hooks.slack.com/services/', secret: `T${alnum(8)}/B${alnum(8)}/${alnum(24)}` }],
    no: ['https://hooks.slack.com/docs'],
  },
  {
    kind: 'discord-webhook',
    yes: [{ before: 'https://discord.com/api/webhooks/', secret: `${digits(18)}/${alnum(68)}` }],
    no: ['https://discord.com/api/webhooks/123'],
  },
  {
    kind: 'discord-bot-token',
    yes: [{ secret: `M${alnum(23)}.${alnum(6)}.${alnum(38)}` }],
    no: ['Module.client.connect', `K${alnum(23)}.${alnum(6)}.${alnum(38)}`],
  },
  {
    kind: 'teams-webhook',
    yes: [
      { before: 'https://x.webhook.office.com/', secret: `webhookb2/${uuid()}@${uuid()}/IncomingWebhook/${hex(32)}` },
    ],
    no: ['https://x.webhook.office.com/help'],
  },
  {
    kind: 'telegram-bot-token',
    yes: [{ secret: `${digits(10)}:AA${alnum(33)}` }],
    no: ['12:AAPL', `${digits(10)}:AAshort`],
  },
  {
    kind: 'twilio-key',
    yes: [
      { before: 'twilio key ', secret: `SK${hex(32)}` },
      { before: 'TWILIO_AUTH_TOKEN=', secret: hex(32) },
    ],
    no: [`SK${hex(32)}`, 'twilio token: rotate'],
  },
  { kind: 'sendgrid-key', yes: [{ secret: `SG.${alnum(22)}.${alnum(43)}` }], no: ['SG.short.name'] },
  { kind: 'mailgun-key', yes: [{ secret: `key-${hex(32)}` }], no: ['key-value', `key-${hex(12)}`] },
  { kind: 'mailchimp-key', yes: [{ secret: `${hex(32)}-us12` }], no: ['host-us1', `${hex(12)}-us12`] },
  { kind: 'brevo-key', yes: [{ secret: `xkeysib-${hex(64)}-${alnum(16)}` }], no: ['xkeysib-short'] },
  {
    kind: 'resend-key',
    yes: [{ secret: `re_${alnum(8)}_${alnum(24)}` }],
    no: ['re_compile_pattern', `feature_${alnum(8)}_${alnum(24)}`],
  },
  { kind: 'linear-key', yes: [{ secret: `lin_api_${alnum(40)}` }], no: ['lin_api_short'] },
  {
    kind: 'notion-token',
    yes: [{ secret: `ntn_${digits(11)}${alnum(35)}` }, { secret: `secret_${alnum(43)}` }],
    no: ['secret_name', 'ntn_short'],
  },
  { kind: 'asana-token', yes: [{ secret: `1/${digits(16)}:${hex(32)}` }], no: ['1/2026: 5', 'page 1/20'] },
  {
    kind: 'airtable-token',
    yes: [{ secret: `pat${alnum(14)}.${hex(64)}` }],
    no: ['path.resolve', 'patternMatchingIs.fun'],
  },
  { kind: 'figma-token', yes: [{ secret: `figd_${alnum(40)}` }], no: ['figd_short'] },
  { kind: 'dropbox-token', yes: [{ secret: `sl.u.${alnum(140)}` }], no: ['sl.short'] },
  { kind: 'hubspot-token', yes: [{ secret: `pat-na1-${uuid()}` }], no: ['pat-na1-x'] },
  { kind: 'contentful-token', yes: [{ secret: `CFPAT-${alnum(43)}` }], no: ['CFPAT-short'] },
  { kind: 'typeform-token', yes: [{ secret: `tfp_${alnum(44)}` }], no: ['tfp_short'] },
  {
    kind: 'mapbox-token',
    yes: [{ secret: `sk.eyJ${alnum(80)}.${alnum(22)}` }],
    no: [`pk.eyJ${alnum(80)}.${alnum(22)}`],
  },
  { kind: 'facebook-token', yes: [{ secret: `EAA${alnum(150)}` }], no: ['EAA countries'] },
  { kind: 'algolia-key', yes: [{ before: 'ALGOLIA_ADMIN_KEY=', secret: hex(32) }], no: ['algolia key: public'] },
  { kind: 'jwt', yes: [{ secret: jwt }], no: [jwt.split('.').slice(0, 2).join('.')] },
  {
    kind: 'private-key',
    yes: [{ secret: `${keyLine('RSA PRIVATE')}\n${alnum(64)}\n-----END RSA PRIVATE KEY-----` }],
    no: [`${keyLine('PUBLIC')}\n${alnum(64)}\n-----END PUBLIC KEY-----`],
  },
  {
    kind: 'encoded-private-key',
    yes: [
      {
        before: 'client-key-data: ',
        secret: Buffer.from(`${keyLine('RSA PRIVATE')}\n${alnum(200)}`).toString('base64'),
      },
    ],
    no: [`certificate-data: ${Buffer.from(`-----BEGIN CERTIFICATE-----\n${alnum(99)}`).toString('base64')}`],
  },
  {
    kind: 'url-password',
    yes: [
      { before: 'postgres://me:', secret: 'pa:ss-w0rd', after: '@db/app' },
      { before: 'redis://:', secret: 's3cretpw', after: '@cache:6379' },
    ],
    no: [
      'http://localhost:3000/a@b',
      'ssh://git@h/o',
      'postgres://u:${PASSWORD}@h/d',
      'postgres://{user}:{password}@h',
    ],
  },
  {
    kind: 'url-secret',
    yes: [
      { before: 'https://h/p?user=a&access_token=', secret: alnum(20), after: '&x=1' },
      { before: '?X-Amz-Signature=', secret: hex(64) },
    ],
    no: ['?token=short', 'https://h/?page_token_size=100', '?token=<your token>'],
  },
  {
    kind: 'connection-string',
    yes: [
      { before: 'Server=h;User Id=sa;Password=', secret: 'hunter2', after: ';Encrypt=true' },
      { before: 'host=h; pwd=', secret: 'abc', after: '"' },
    ],
    no: ['Server=h;Password=${PW};', '; pwd = ""'],
  },
  {
    kind: 'basic-auth',
    yes: [
      { before: 'Authorization: Basic ', secret: `${alnum(22)}==` },
      { before: 'curl -s -u admin:', secret: 'hunter2', after: ' https://h' },
    ],
    no: ['BASIC PROGRAMMING', 'docker run -u 1000:1000 x', 'curl -u $USER:$PASS h'],
  },
  {
    kind: 'bearer-token',
    yes: [{ before: 'Authorization: Bearer ', secret: alnum(40) }],
    no: ['the bearer of good news', 'bearer authentication-and-authorisation'],
  },
  {
    kind: 'session-cookie',
    yes: [{ before: 'Set-Cookie: ', secret: `sid=${alnum(32)}; Path=/`, after: '; HttpOnly' }],
    no: ['Cookie: a=b', 'the cookie: sweet=and-fresh-from-the-oven'],
  },
  {
    kind: 'netrc-password',
    yes: [{ before: 'machine h.example login me password ', secret: 'hunter2' }],
    no: ['machine learning login page password reset'],
  },
  {
    kind: 'password-hash',
    yes: [
      { secret: `$2b$12$${alnum(53)}` },
      { secret: `$argon2id$v=19$m=65536,t=3,p=4$${alnum(22)}$${alnum(43)}` },
      { secret: `$6$${alnum(8)}$${alnum(86)}` },
    ],
    no: ['costs $5$ or $6$', '$2b$12$short'],
  },
  {
    kind: 'assigned-secret',
    yes: [
      { before: 'export DB_PASSWORD=', secret: 'hunter2hunter', after: '\nPORT=1' },
      { before: 'GITHUB_TOKEN=', secret: alnum(20) },
      { before: '{"client_secret": "', secret: 'hunter2 hunter', after: '"}' },
      { before: String.raw`"{\\\"password\\\":\\\"`, secret: 'hunter2hunter', after: String.raw`\\\"}"` },
      { before: 'tool --password ', secret: 'hunter2hunter', after: ' --verbose' },
      { before: 'curl -H "X-Api-Key: ', secret: alnum(24), after: '"' },
      { before: 'const token = "', secret: alnum(32), after: '";' },
      { before: 'password: "', secret: 'optional1-Pass', after: '"' },
      { before: 'DB_PASSWORD = ', secret: 'correct1horse', after: '\n' },
      { before: 'DB_PASSWORD=', secret: 'correcthorse', after: '\n' },
      { before: 'password: "', secret: 'Correct horse battery', after: '"' },
    ],
    no: [
      'API_KEY=process.env.API_KEY',
      'password: "your password"',
      'password = "changeme"',
      'SECRET_KEY: str',
      'api_key: "OPENAI_API_KEY"',
      'const token = "identifier"',
      'REFRESH_TOKEN = "refresh_token"',
      'PASSWORD=${DB_PASSWORD}',
      '--token $GITHUB_TOKEN',
      'MAX_TOKENS=4096000000',
      'CHALLENGE_PASSWORD = ObjectIdentifier("1.2")',
      'START_TOKEN = makePredicate;',
      'WRONG_PASSWORD: "Wrong password for key"',
      'PRIVATE_KEY="$KEY_DIR/key.pem"',
      'LONG_PASSWORD = 0x00000001;',
      'secret: "xxxxxxxxxxxx"',
      'password="********"',
      "secret: 'app-secret'",
      'token: "next-page-of-the-results"',
    ],
  },
];
