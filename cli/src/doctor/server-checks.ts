/**
 * Checks that need no account: is there a Matrix homeserver, which version, how does one log in, does its clock agree.
 */
import { failure, ok, warning, type Finding } from './finding.ts';
import { createProbe, describeFailure, type Answer, type NoAnswer, type Probe } from './probe.ts';

/** A server that answers as a Matrix homeserver, and where. */
export interface FoundServer {
  /** `undefined` when there is none; the findings say why. */
  readonly baseUrl: string | undefined;
  readonly findings: readonly Finding[];
}

/** First version of the specification with authenticated media, which the fabric uses for large messages. */
const NEEDED_MINOR = 11;
const MAX_SKEW_MS = 60_000;
const NOTICEABLE_SKEW_MS = 3000;

/** `text` as a URL: with `https://` when it names no scheme, `http://` for this machine. @throws TypeError */
export function parseServerUrl(text: string): string {
  const isLocal = /^(localhost|127\.|\[::1\])/.test(text);
  const url = new URL(/^https?:\/\//.test(text) ? text : `${isLocal ? 'http' : 'https'}://${text}`);
  return url.href.replace(/\/+$/, '');
}

/**
 * Finds the homeserver at a URL, or the one that the domain in it names in `/.well-known/matrix/client`
 * (Client-Server API, "Server Discovery").
 */
export async function findServer(
  url: string,
  deps: { fetch: typeof fetch; signal?: AbortSignal | undefined; now: () => number },
): Promise<FoundServer> {
  const probe = createProbe(url, deps);
  const askedAt = deps.now();
  const versions = await probe({ path: '_matrix/client/versions' });
  if (isVersions(versions)) {
    return {
      baseUrl: url,
      findings: [...describeVersions(url, versions), clock(versions, askedAt, deps.now())],
    };
  }
  const named = await wellKnownBaseUrl(probe);
  if (named !== undefined && named !== url) {
    const there = await findServer(named, deps);
    const text = `${url} names ${named} as its homeserver`;
    return { ...there, findings: [ok('discovery', text), ...there.findings] };
  }
  return { baseUrl: undefined, findings: [noServer(url, versions)] };
}

/** How one can log in. */
export async function checkLogInFlows(probe: Probe): Promise<Finding> {
  const answer = await probe({ path: '_matrix/client/v3/login' });
  if (answer.kind !== 'answer' || answer.status !== 200) {
    return warning('login-flows', `log-in flows: ${describeFailure(answer)}`, {
      nextStep: 'Use an access token with --token.',
    });
  }
  const { flows } = answer.json;
  const types = (Array.isArray(flows) ? flows : []).map((flow: unknown) =>
    String((flow as { type?: unknown }).type),
  );
  const list = types.join(', ');
  if (types.includes('m.login.password')) return ok('login-flows', `log-in by password is offered (${list})`);
  return warning('login-flows', `log-in by password is not offered (${list === '' ? 'no flows' : list})`, {
    nextStep: 'Log in with a browser or Element, and give the access token with --token.',
  });
}

function isVersions(result: Answer | NoAnswer): result is Answer {
  return result.kind === 'answer' && result.status === 200 && Array.isArray(result.json['versions']);
}

function describeVersions(url: string, answer: Answer): Finding[] {
  const versions = (answer.json['versions'] as unknown[]).map(String);
  const minors = versions.map((version) => Number(/^v1\.(\d+)$/.exec(version)?.[1] ?? -1));
  const newest = Math.max(-1, ...minors);
  const reach = ok('reachable', `${url} is a Matrix homeserver (${answer.durationMs.toFixed(0)} ms)`, {
    roundTripMs: answer.durationMs,
  });
  const name = newest < 0 ? (versions.at(-1) ?? 'none') : `v1.${String(newest)}`;
  if (newest >= NEEDED_MINOR)
    return [reach, ok('versions', `it speaks Matrix up to ${name}`, { newest: name })];
  return [
    reach,
    warning('versions', `it speaks Matrix only up to ${name}`, {
      nextStep: `Upgrade the homeserver: from v1.${NEEDED_MINOR} on (Synapse 1.112) media can be downloaded with a token.`,
      figures: { newest: name },
    }),
  ];
}

function noServer(url: string, result: Answer | NoAnswer): Finding {
  if (result.kind === 'answer') {
    return failure(
      'reachable',
      `${url} answers, but not as a Matrix homeserver (${String(result.status)} for /_matrix/client/versions)`,
      {
        nextStep:
          "Give the homeserver's address for clients, e.g. https://matrix.example.com; a reverse proxy must pass on /_matrix.",
        figures: { status: result.status },
      },
    );
  }
  const { reason, message } = result;
  return failure('reachable', `${url} cannot be reached: ${message}`, {
    nextStep: NEXT_STEPS[reason] ?? unreachableStep(reason),
    figures: { reason },
  });
}

const NEXT_STEPS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Nothing listens there: start the homeserver, or correct the port.',
  ENOTFOUND: 'The name is unknown: correct it, or check DNS.',
  EAI_AGAIN: 'The name cannot be looked up now: check the network and DNS.',
  TIMEOUT: 'Nothing answers: check firewall, address and port.',
  ETIMEDOUT: 'Nothing answers: check firewall, address and port.',
  ECONNRESET: 'The connection is broken off: is it http:// or https://?',
};

function unreachableStep(reason: string): string {
  if (/CERT|SELF_SIGNED|ISSUER|ALTNAME/.test(reason)) {
    return 'Its certificate is not trusted: correct it, or name its authority in the variable NODE_EXTRA_CA_CERTS.';
  }
  if (/SSL|EPROTO|HPE_/.test(reason))
    return 'It does not speak what the URL says: is it http:// or https://?';
  return 'Check address, network and proxy.';
}

async function wellKnownBaseUrl(probe: Probe): Promise<string | undefined> {
  const answer = await probe({ path: '/.well-known/matrix/client' });
  if (answer.kind !== 'answer' || answer.status !== 200) return undefined;
  const homeserver = answer.json['m.homeserver'] as { base_url?: unknown } | undefined;
  const named = homeserver?.base_url;
  return typeof named === 'string' && /^https?:\/\//.test(named) ? named.replace(/\/+$/, '') : undefined;
}

/** The server's clock by its Date header, which has whole seconds, against the middle of the request. */
function clock(answer: Answer, askedAtMs: number, answeredAtMs: number): Finding {
  const serverMs = Date.parse(answer.headers.get('date') ?? '');
  if (Number.isNaN(serverMs)) return ok('clock', 'it does not tell its time');
  const skewMs = Math.round(serverMs + 500 - (askedAtMs + answeredAtMs) / 2);
  const figures = { skewMs };
  if (Math.abs(skewMs) <= NOTICEABLE_SKEW_MS)
    return ok('clock', 'its clock agrees with this machine', figures);
  const text = `its clock is ${(Math.abs(skewMs) / 1000).toFixed(0)} s ${skewMs > 0 ? 'ahead of' : 'behind'} this machine`;
  const advice = {
    nextStep: 'Synchronise both clocks (NTP): deadlines of messages and tokens are points in time.',
    figures,
  };
  return Math.abs(skewMs) > MAX_SKEW_MS ? failure('clock', text, advice) : warning('clock', text, advice);
}
