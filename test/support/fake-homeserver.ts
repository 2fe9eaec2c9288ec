/** A homeserver in memory, as far as the doctor looks; each of its qualities can be spoilt. */

/** The fake and what can be changed about it. */
export interface FakeHomeserver {
  readonly fetch: typeof fetch;
  versions: string[];
  flows: string[];
  clockAheadMs: number;
  uploadLimit: number;
  maxBodyBytes: number;
  /** After so many to-device messages it asks to slow down. */
  sendsBeforeLimit: number;
  /** Answers requests whose last words contain this with a status and body. */
  refuse: readonly [path: string, status: number, body: Record<string, unknown>] | undefined;
  /** A domain whose `.well-known` names this homeserver. */
  wellKnownFor: string | undefined;
  /** Tokens that were logged out. */
  readonly loggedOut: string[];
  /** True once somebody has synced from a place, which lets a homeserver delete what came before. */
  readonly acknowledged: boolean;
}

const ORIGIN = 'https://matrix.acme.example';

interface Call {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly token: string;
  readonly body: Uint8Array;
}

/** A homeserver at `https://matrix.acme.example` where alice's token is `good` and her password `right`. */
export function createFakeHomeserver(nowMs: number): FakeHomeserver {
  const inbox: unknown[] = [];
  const media = new Map<string, Uint8Array>();
  const state = {
    versions: ['v1.1', 'v1.15'],
    flows: ['m.login.password'],
    clockAheadMs: 0,
    uploadLimit: 50 * 1024 * 1024,
    maxBodyBytes: 65_536,
    sendsBeforeLimit: 1000,
    refuse: undefined as FakeHomeserver['refuse'],
    wellKnownFor: undefined as string | undefined,
    loggedOut: [] as string[],
    acknowledged: false,
  };
  let sends = 0;

  const answer = (status: number, body: unknown): Response =>
    new Response(body instanceof Uint8Array ? body.slice() : JSON.stringify(body), {
      status,
      headers: { date: new Date(nowMs + state.clockAheadMs).toUTCString() },
    });

  const routes: [RegExp, (call: Call, match: RegExpExecArray) => Response][] = [
    [/client\/versions$/, () => answer(200, { versions: state.versions })],
    [/v3\/login$/, ({ body }) => logIn(body)],
    [/v3\/logout$/, ({ token }) => (state.loggedOut.push(token), answer(200, {}))],
    [
      /whoami$/,
      ({ token }) => answer(200, { user_id: '@alice:acme.example', device_id: token.toUpperCase() }),
    ],
    [/filter$/, () => answer(200, { filter_id: '1' })],
    [/sendToDevice\/([^/]+)\/[^/]+$/, ({ body }, match) => send(body, String(match[1]))],
    [/v3\/sync$/, ({ query }) => sync(query)],
    [
      /v3\/upload$/,
      ({ body }) => (media.set('m1', body), answer(200, { content_uri: 'mxc://acme.example/m1' })),
    ],
    [/media\/download\/acme.example\/(.+)$/, (_call, match) => answer(200, media.get(String(match[1])))],
    [/media\/config$/, () => answer(200, { 'm.upload.size': state.uploadLimit })],
  ];
  const logIn = (body: Uint8Array): Response => {
    if (body.length === 0) return answer(200, { flows: state.flows.map((type) => ({ type })) });
    return parse(body)['password'] === 'right'
      ? answer(200, { access_token: 'fresh' })
      : answer(403, { errcode: 'M_FORBIDDEN' });
  };
  const send = (body: Uint8Array, type: string): Response => {
    sends += 1;
    if (body.length > state.maxBodyBytes) return answer(413, { errcode: 'M_TOO_LARGE' });
    if (sends > state.sendsBeforeLimit) return answer(429, { errcode: 'M_LIMIT_EXCEEDED' });
    const messages = parse(body)['messages'] as Record<string, Record<string, unknown>>;
    for (const content of Object.values(messages['@alice:acme.example'] ?? {})) inbox.push({ type, content });
    return answer(200, {});
  };
  const sync = (query: URLSearchParams): Response => {
    if (query.has('since')) state.acknowledged = true;
    return answer(200, { next_batch: String(inbox.length), to_device: { events: inbox } });
  };

  const fetchFake = async (input: Parameters<typeof fetch>[0], init: RequestInit = {}): Promise<Response> => {
    init.signal?.throwIfAborted();
    const { origin, pathname, searchParams } = new URL(input instanceof Request ? input.url : input);
    if (origin !== ORIGIN) {
      const isNamed = origin === state.wellKnownFor && pathname === '/.well-known/matrix/client';
      return isNamed ? answer(200, { 'm.homeserver': { base_url: ORIGIN } }) : answer(404, {});
    }
    const [refused, status = 500, reason] = state.refuse ?? [];
    if (
      refused !== undefined &&
      pathname.includes(refused) &&
      !(refused === 'login' && init.body === undefined)
    ) {
      return answer(status, reason);
    }
    const token = new Headers(init.headers).get('authorization')?.replace('Bearer ', '') ?? '';
    const body = new Uint8Array(await new Response(init.body ?? null).arrayBuffer());
    for (const [pattern, handle] of routes) {
      const match = pattern.exec(pathname);
      if (match !== null) return handle({ path: pathname, query: searchParams, token, body }, match);
    }
    return answer(404, { errcode: 'M_UNRECOGNIZED' });
  };
  return Object.assign(state, { fetch: fetchFake });
}

function parse(body: Uint8Array): Record<string, unknown> {
  return JSON.parse(new TextDecoder().decode(body)) as Record<string, unknown>;
}
