/** A browser as far as log-ins need it: cookies by origin, and redirects one by one. */
export class Browser {
  private readonly jars = new Map<string, Map<string, string>>();
  private readonly hosts: Readonly<Record<string, string>>;

  /** `hosts`: servers that answer for public origins. */
  constructor(hosts: Readonly<Record<string, string>>) {
    this.hosts = hosts;
  }

  /** Returns a browser with the same cookies. */
  copy(): Browser {
    const copy = new Browser(this.hosts);
    for (const [origin, jar] of this.jars) copy.jars.set(origin, new Map(jar));
    return copy;
  }

  /** Sends a GET request. Returns the answer and the absolute address of its redirect, empty if it has none. */
  async get(address: string): Promise<{
    readonly status: number;
    readonly headers: Headers;
    readonly body: unknown;
    readonly location: string;
  }> {
    const url = new URL(address);
    const jar = this.jars.get(url.origin) ?? new Map<string, string>();
    this.jars.set(url.origin, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(`${this.hosts[url.origin] ?? url.origin}${url.pathname}${url.search}`, {
      redirect: 'manual',
      headers: { ...(cookie !== '' && { cookie }) },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') jar.delete(name);
      else jar.set(name, value);
    }
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    const given = response.headers.get('location');
    return {
      status: response.status,
      headers: response.headers,
      body: isJson ? JSON.parse(text) : text,
      location: given === null ? '' : new URL(given, url).href,
    };
  }

  /** Follows redirects until one leads to an address that starts with `until`, and returns that address. */
  async follow(address: string, until: string): Promise<string> {
    let next = address;
    for (let steps = 0; steps < 10; steps++) {
      if (next.startsWith(until)) return next;
      const { location, status, body } = await this.get(next);
      if (location === '') throw new Error(`${next} answers ${status} without a redirect: ${JSON.stringify(body)}`);
      next = location;
    }
    throw new Error(`too many redirects from ${address}`);
  }
}
