import { expect } from 'vitest';

interface Cookie {
  readonly value: string;
  readonly path: string;
}

/** A page, or the address outside the server to which the browser was sent. */
export interface Seen {
  readonly status: number;
  readonly html: string;
  readonly headers: Headers;
  readonly location: URL | null;
}

const MAX_REDIRECTS = 10;

/** A browser without scripts: cookies by path, redirects, forms of the page that it shows. */
export class Browser {
  readonly cookies = new Map<string, Cookie>();
  private readonly origin: string;
  /** Address of the page that it shows. */
  address = '';

  constructor(origin: string) {
    this.origin = origin;
  }

  /** Opens an address, and follows redirects on the server. */
  open(address: string | URL, headers: Readonly<Record<string, string>> = {}): Promise<Seen> {
    return this.follow(String(address), { headers });
  }

  /** Sends the form of the page, as a page of `from` would. */
  submit(fields: readonly (readonly [string, string])[], from = this.origin): Promise<Seen> {
    const isOwn = from === this.origin;
    return this.follow(this.address, {
      method: 'POST',
      body: new URLSearchParams(fields.map(([name, value]): [string, string] => [name, value])),
      headers: { origin: from, 'sec-fetch-site': isOwn ? 'same-origin' : 'cross-site' },
    });
  }

  private async follow(address: string, first: RequestInit): Promise<Seen> {
    let init = first;
    for (let count = 0; count < MAX_REDIRECTS; count++) {
      this.address = address;
      const response = await fetch(address, { ...init, redirect: 'manual', headers: this.headersFor(address, init) });
      this.keep(response.headers.getSetCookie());
      const html = await response.text();
      const { status, headers } = response;
      const location = headers.get('location');
      if (location === null) return { status, html, headers, location: null };
      const next = new URL(location, address);
      if (next.origin !== this.origin) return { status, html, headers, location: next };
      address = next.href;
      init = {};
    }
    return expect.fail('the server redirects without end');
  }

  private headersFor(address: string, init: RequestInit): Headers {
    const { pathname } = new URL(address);
    const sent = [...this.cookies].filter(([, { path }]) => pathname === path || pathname.startsWith(`${path}/`));
    const headers = new Headers(init.headers);
    if (sent.length > 0) headers.set('cookie', sent.map(([name, { value }]) => `${name}=${value}`).join('; '));
    return headers;
  }

  private keep(lines: readonly string[]): void {
    for (const line of lines) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      const path = /; ?path=([^;]+)/i.exec(line)?.[1] ?? '/';
      if (value === '' || /expires=Thu, 01 Jan 1970/i.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, { value, path: path.replace(/(.)\/$/, '$1') });
    }
  }
}
