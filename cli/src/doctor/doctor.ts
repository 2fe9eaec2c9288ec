/**
 * Checks a Matrix homeserver, and an account on it, for what the fabric needs. Any homeserver: it uses nothing but
 * the public Client-Server API, raw, and removes what it created: the device it logged in is logged out again.
 */
import { failure, warning, type Finding } from './finding.ts';
import { checkMedia } from './media-check.ts';
import { checkFilter, checkToken, type Patient } from './patient.ts';
import { createProbe, describeFailure, type Probe } from './probe.ts';
import { checkLogInFlows, findServer } from './server-checks.ts';
import { checkRate, checkToDevice } from './to-device-checks.ts';

/** With what to log in. */
export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'password'; readonly user: string; readonly password: string };

/** Whom to examine. */
export interface DoctorOptions {
  readonly url: string;
  readonly credentials: Credentials;
  /** Takes each finding as soon as it is known. */
  readonly onFinding?: (finding: Finding) => void;
  readonly signal?: AbortSignal | undefined;
}

/** What the doctor works with; the real things by default. */
export interface DoctorDeps {
  readonly fetch?: typeof fetch;
  readonly now?: () => number;
}

type Note = (...found: readonly Finding[]) => void;

/**
 * Runs all checks that the credentials allow and returns their findings, in order. What the homeserver does wrong is
 * a finding and never thrown.
 * @throws the signal's reason when it is aborted
 */
export async function diagnose(options: DoctorOptions, deps: DoctorDeps = {}): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const note: Note = (...found) => {
    for (const finding of found) {
      findings.push(finding);
      options.onFinding?.(finding);
    }
  };
  const context = { fetch: deps.fetch ?? fetch, now: deps.now ?? Date.now, signal: options.signal };
  const server = await findServer(options.url, context);
  note(...server.findings);
  if (server.baseUrl === undefined) return findings;
  const probe = createProbe(server.baseUrl, context);
  note(await checkLogInFlows(probe));
  const patient = await admit(probe, options.credentials, note);
  if (patient === undefined) return findings;
  try {
    await examine(patient, note);
  } finally {
    // Without the signal: an interrupted diagnosis cleans up too.
    if (patient.isOwnDevice)
      await logOut(createProbe(server.baseUrl, { fetch: context.fetch }), patient.token);
  }
  return findings;
}

async function examine(patient: Patient, note: Note): Promise<void> {
  const { finding, filterId } = await checkFilter(patient);
  note(finding);
  note(...(await checkToDevice(patient, filterId)));
  note(await checkRate(patient));
  note(...(await checkMedia(patient)));
}

/** Gets a device to check with, by log-in or from the token that was given. */
async function admit(probe: Probe, credentials: Credentials, note: Note): Promise<Patient | undefined> {
  if (credentials.kind === 'none') {
    note(
      warning('account', 'no account was given, so messages and media are not checked', {
        nextStep: 'Add --user NAME and --password-file FILE, or --token-file FILE.',
      }),
    );
    return undefined;
  }
  const token = credentials.kind === 'token' ? credentials.token : await logIn(probe, credentials, note);
  if (token === undefined) return undefined;
  const { finding, patient } = await checkToken(probe, token, credentials.kind === 'password');
  note(finding);
  return patient;
}

async function logIn(
  probe: Probe,
  credentials: { user: string; password: string },
  note: Note,
): Promise<string | undefined> {
  const answer = await probe({
    method: 'POST',
    path: '_matrix/client/v3/login',
    body: {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: credentials.user },
      password: credentials.password,
      initial_device_display_name: 'hyperty doctor (logs out by itself)',
    },
  });
  const token = answer.kind === 'answer' ? answer.json['access_token'] : undefined;
  if (typeof token === 'string') return token;
  const isLimited = answer.kind === 'answer' && answer.status === 429;
  const nextStep = isLimited
    ? 'Too many log-ins: wait a minute, or use --token.'
    : 'Check user name and password; where log-in goes through a browser, use --token.';
  note(failure('login', `${credentials.user} cannot log in: ${describeFailure(answer)}`, { nextStep }));
  return undefined;
}

async function logOut(probe: Probe, token: string): Promise<void> {
  await probe({
    method: 'POST',
    path: '_matrix/client/v3/logout',
    token,
    body: {},
    timeoutMs: 5000,
  });
}
