import { isMixed, isRandom } from '../rule.ts';
import type { SecretRule } from '../rule.ts';

/** Keys of payment, mail, messaging, office and design services. */
export const SERVICE_RULES: readonly SecretRule[] = [
  {
    kind: 'stripe-key',
    hints: ['k_live_', 'k_test_', '|whsec_'],
    pattern: /\b(?:[rs]k_(?:live|test)_[A-Za-z0-9]{16,200}\b|whsec_[A-Za-z0-9+/]{32,80}={0,2})/g,
  },
  {
    kind: 'square-token',
    hints: ['|sq0atp-', '|sq0csp-', '|sq0idp-', '|EAAA'],
    pattern: /\b(?:sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{22,60}|EAAA[A-Za-z0-9_-]{60}(?![\w-]))/g,
  },
  {
    kind: 'braintree-token',
    hints: ['access_token$'],
    pattern: /\baccess_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}\b/g,
  },
  {
    kind: 'paypal-secret',
    hints: ['paypal'],
    pattern: /paypal[\w -]{0,20}secret\\{0,3}["']?\s{0,3}[=:]\s{0,3}\\{0,3}["']?(?<secret>E[A-Za-z0-9_-]{40,90})/gi,
  },
  { kind: 'shopify-token', hints: ['|shp??_'], pattern: /\bshp(?:at|ca|pa|ss|ua|tka)_[a-fA-F0-9]{32,64}\b/g },
  { kind: 'razorpay-key', hints: ['|rzp_'], pattern: /\brzp_(?:live|test)_[A-Za-z0-9]{14}\b/g },
  {
    kind: 'plaid-token',
    hints: ['|access-sandbox-', '|access-production-', '|access-development-'],
    pattern: /\baccess-(?:sandbox|development|production)-[a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12}\b/g,
  },
  { kind: 'flutterwave-key', hints: ['|FLWSECK'], pattern: /\bFLWSECK(?:_TEST)?-[a-zA-Z0-9]{12,64}(?:-X)?\b/g },
  {
    kind: 'slack-token',
    hints: ['|xox?-', '|xoxe.', '|xapp-'],
    pattern: /\b(?:xox[abeoprs]-|xoxe\.xox[bp]-|xapp-\d-)[A-Za-z0-9-]{10,200}/g,
  },
  {
    kind: 'slack-webhook',
    hints: ['hooks.slack.com/'],
    pattern: /hooks\.slack\.com\/(?:services|workflows|triggers)\/(?<secret>[A-Za-z0-9/_-]{20,120})/g,
  },
  {
    kind: 'discord-webhook',
    hints: ['/api/webhooks/'],
    pattern: /discord(?:app)?\.com\/api\/webhooks\/(?<secret>\d{17,20}\/[A-Za-z0-9_-]{60,80})/g,
  },
  {
    kind: 'teams-webhook',
    hints: ['.webhook.office.com/'],
    pattern: /\.webhook\.office\.com\/(?<secret>webhookb2\/[A-Za-z0-9/@_-]{60,300})/g,
  },
  { kind: 'telegram-bot-token', hints: ['#:AA'], pattern: /(?<!\d)\d{8,10}:AA[A-Za-z0-9_-]{33}(?![\w-])/g },
  { kind: 'twilio-key', hints: ['twilio'], pattern: /(?<![A-Za-z0-9])SK[0-9a-f]{32}\b/g },
  {
    kind: 'twilio-key',
    hints: ['twilio'],
    pattern:
      /twilio[\w -]{0,20}(?:token|secret|key)\\{0,3}["']?\s{0,3}[=:]\s{0,3}\\{0,3}["']?(?<secret>[A-Za-z0-9]{32})\b/gi,
  },
  { kind: 'sendgrid-key', hints: ['|SG.'], pattern: /\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}(?![\w-])/g },
  { kind: 'mailgun-key', hints: ['|key-'], pattern: /\bkey-[0-9a-f]{32}\b/g },
  { kind: 'mailchimp-key', hints: ['-us#'], pattern: /\b[0-9a-f]{32}-us\d{1,2}\b/g },
  {
    kind: 'brevo-key',
    hints: ['|xkeysib-', '|xsmtpsib-'],
    pattern: /\bx(?:key|smtp)sib-[a-f0-9]{64}-[A-Za-z0-9]{16}\b/g,
  },
  { kind: 'resend-key', hints: ['|re_'], pattern: /\bre_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}\b/g, accepts: isMixed },
  { kind: 'linear-key', hints: ['|lin_'], pattern: /\blin_(?:api|oauth)_[A-Za-z0-9]{32,128}\b/g },
  {
    kind: 'notion-token',
    hints: ['|ntn_', '|secret_'],
    pattern: /\b(?:ntn_[0-9]{11}[A-Za-z0-9]{35}|secret_[A-Za-z0-9]{43})\b/g,
    accepts: isMixed,
  },
  {
    kind: 'asana-token',
    hints: ['1/##', '2/##'],
    pattern: /(?<![\w/.])[12]\/\d{12,20}(?:\/\d{12,20})?:[0-9a-f]{32}\b/g,
  },
  { kind: 'airtable-token', hints: ['|pat??????????????.'], pattern: /\bpat[A-Za-z0-9]{14}\.[a-f0-9]{64}\b/g },
  { kind: 'figma-token', hints: ['|fig?_'], pattern: /\bfig[dur]_[A-Za-z0-9_-]{40,200}/g },
  { kind: 'dropbox-token', hints: ['|sl.'], pattern: /\bsl\.(?:u\.)?[A-Za-z0-9_-]{130,2000}/g, accepts: isMixed },
  {
    kind: 'hubspot-token',
    hints: ['|pat-na', '|pat-eu', '|pat-ap'],
    pattern: /\bpat-(?:na|eu|ap)\d-[a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12}\b/g,
  },
  { kind: 'contentful-token', hints: ['|CFPAT-'], pattern: /\bCFPAT-[A-Za-z0-9_-]{43}/g },
  { kind: 'typeform-token', hints: ['|tfp_'], pattern: /\btfp_[A-Za-z0-9_-]{40,60}/g },
  { kind: 'mapbox-token', hints: ['|sk.eyJ'], pattern: /\bsk\.eyJ[A-Za-z0-9_-]{40,500}\.[A-Za-z0-9_-]{20,60}/g },
  { kind: 'facebook-token', hints: ['|EAA'], pattern: /\bEAA[A-Za-z0-9]{100,400}\b/g },
  {
    kind: 'algolia-key',
    hints: ['algolia'],
    pattern: /algolia[\w -]{0,20}key\\{0,3}["']?\s{0,3}[=:]\s{0,3}\\{0,3}["']?(?<secret>[a-f0-9]{32})\b/gi,
    accepts: isRandom,
  },
];
