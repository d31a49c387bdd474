import { createHash } from 'node:crypto';

/** Pages of log-in and consent. They work without scripts and load nothing. */

const STYLE = `
:root{color-scheme:light dark}
body{font:1rem/1.5 system-ui,sans-serif;margin:0 auto;padding:1rem;max-width:26rem;overflow-wrap:anywhere}
h1{font-size:1.375rem;line-height:1.25}
label{display:block;margin:1rem 0 .25rem}
input:not([type=checkbox]){font:inherit;box-sizing:border-box;width:100%;padding:.5rem}
fieldset{border:1px solid;margin:1rem 0;padding:.5rem 1rem}
fieldset label{margin:.5rem 0}
button{font:inherit;padding:.5rem 1rem;margin:1rem .5rem 0 0}
.error{border-left:.25rem solid;padding-left:.75rem;font-weight:600}
dt{font-weight:600}dd{margin:0 0 .5rem}
`;
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** A page with its headers. */
export interface Page {
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text that is HTML already. */
class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | Html | readonly Html[];

/** Returns HTML; strings among the values are escaped. */
function html(strings: TemplateStringsArray, ...values: readonly Part[]): Html {
  const textOf = (value: Part): string => {
    if (value instanceof Html) return value.text;
    if (typeof value === 'string') return value.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
    return value.map(({ text }) => text).join('');
  };
  return new Html(strings.reduce((text, part, index) => text + textOf(values[index - 1] ?? '') + part));
}

const NOTHING = new Html('');

/** `formTargets`: where a form may lead, beside this server: the redirect address after a consent. */
function page(title: string, body: Html, formTargets: readonly string[] = []): Page {
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} – Recollect</title>
        <style>
          ${new Html(STYLE)}
        </style>
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html> `;
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${STYLE_HASH}'`,
    `form-action ${["'self'", ...formTargets].join(' ')}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    html: document.text,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy.join(';'),
      'cache-control': 'no-store',
      // With less, browsers send the forms without their origin.
      'referrer-policy': 'same-origin',
      'x-frame-options': 'DENY',
    },
  };
}

const errorLine = (error: string | null): Html =>
  error === null ? NOTHING : html`<p class="error" role="alert">${error}</p>`;

/** The client that requests access. */
export interface ClientShown {
  /** As the client calls itself; anybody may use any name. */
  readonly name: string | null;
  readonly host: string;
}

const nameOf = ({ name, host }: ClientShown): string => name ?? host;

/** Returns the page for name and password. */
export function loginPage(
  client: ClientShown,
  given: { readonly error: string | null; readonly username: string },
): Page {
  return page(
    'Log in',
    html`<p><strong>${nameOf(client)}</strong> (${client.host}) requests access to your memory. Log in to decide.</p>
      ${errorLine(given.error)}
      <form method="post">
        <label for="username">Username or email address</label>
        <input
          id="username"
          name="username"
          autocomplete="username"
          autocapitalize="none"
          spellcheck="false"
          maxlength="254"
          required
          value="${given.username}"
        />
        <label for="password">Password</label>
        <input
          id="password"
          name="password"
          type="password"
          autocomplete="current-password"
          maxlength="1024"
          required
        />
        <details>
          <summary>Another tenant</summary>
          <label for="tenant">Tenant</label><input id="tenant" name="tenant" maxlength="128" />
        </details>
        <button name="action" value="password">Log in</button
        ><button name="action" value="cancel" formnovalidate>Cancel</button>
      </form>`,
  );
}

/** Returns the page for the second factor. `mfaToken` continues the log-in. */
export function codePage(
  client: ClientShown,
  given: { readonly error: string | null; readonly mfaToken: string },
): Page {
  return page(
    'Confirm your log-in',
    html`<p><strong>${nameOf(client)}</strong> (${client.host}) requests access to your memory.</p>
      ${errorLine(given.error)}
      <form method="post">
        <input type="hidden" name="mfa_token" value="${given.mfaToken}" />
        <label for="code">Code of your authenticator app, or a recovery code</label>
        <input
          id="code"
          name="code"
          autocomplete="one-time-code"
          autocapitalize="none"
          spellcheck="false"
          maxlength="64"
          required
        />
        <button name="action" value="code">Confirm</button
        ><button name="action" value="cancel" formnovalidate>Cancel</button>
      </form>`,
  );
}

/** What the scopes mean. */
const SCOPE_TEXTS: Readonly<Record<string, string>> = {
  read: 'Search and read your memory, and the memory that your team shares',
  write: 'Store memories, change them and forget them, in your name',
};

/** Returns the page for the consent. */
export function consentPage(
  client: ClientShown,
  given: {
    readonly username: string;
    readonly scopes: readonly string[];
    readonly redirectHost: string;
    readonly formTarget: string;
    readonly error: string | null;
  },
): Page {
  const scopes = given.scopes.map(
    (scope) =>
      html`<label
        ><input type="checkbox" name="scope" value="${scope}" checked /> ${SCOPE_TEXTS[scope] ?? scope}</label
      >`,
  );
  return page(
    'Allow access?',
    html`<p>You are logged in as <strong>${given.username}</strong>.</p>
      <dl>
        <dt>Client</dt>
        <dd>${nameOf(client)}</dd>
        <dt>Published by</dt>
        <dd>${client.host}</dd>
        <dt>The answer goes to</dt>
        <dd>${given.redirectHost}</dd>
      </dl>
      <p>A client chooses its own name. Allow access only if you started this yourself and know the host.</p>
      ${errorLine(given.error)}
      <form method="post">
        <fieldset>
          <legend>The client may</legend>
          ${scopes}
        </fieldset>
        <p>You can end the access at any time: <code>recollect grants revoke</code>.</p>
        <button name="action" value="allow">Allow</button><button name="action" value="cancel">Deny</button>
      </form>`,
    [given.formTarget],
  );
}

/** Returns the page for a request that cannot continue. */
export function errorPage(reason: string): Page {
  return page(
    'This request cannot continue',
    html`<p>${reason}</p>
      <p>Return to the client and connect again.</p>`,
  );
}
