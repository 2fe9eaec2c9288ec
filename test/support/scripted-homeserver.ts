/** A homeserver that says what a test tells it to say, for the Matrix protostub. */
import { eventually } from './eventually.ts';

/** An answer: JSON of a value, or a text as it is; status 200 unless another is named. */
export interface ScriptedAnswer {
  readonly status?: number;
  readonly json?: unknown;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request as it came. */
export interface ScriptedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly token: string;
  readonly body: unknown;
}

/** The script and what has come of it. */
export interface ScriptedHomeserver {
  readonly fetch: typeof fetch;
  readonly requests: readonly ScriptedRequest[];
  /** Answers to the next polls, the first one first; a poll without an answer is held until its client gives up. */
  readonly polls: (ScriptedAnswer | Error)[];
  /** Answers to other requests by the last word of their path; `whoami` is alice's laptop. */
  readonly answers: Record<string, ScriptedAnswer | Error>;
  /** The polls that have come. */
  polled(): readonly ScriptedRequest[];
  /** Waits until so many polls have come. */
  hasBeenPolled(times: number): Promise<void>;
}

/** Says yes to alice's laptop, and holds every poll. */
export function createScriptedHomeserver(): ScriptedHomeserver {
  const requests: ScriptedRequest[] = [];
  const polls: (ScriptedAnswer | Error)[] = [];
  const answers: Record<string, ScriptedAnswer | Error> = {
    whoami: { json: { user_id: '@alice:acme.example', device_id: 'LAPTOP' } },
  };
  const polled = (): ScriptedRequest[] => requests.filter(({ path }) => path.endsWith('/sync'));
  return {
    requests,
    polls,
    answers,
    polled,
    hasBeenPolled: (times) => eventually(() => polled().length >= times, `${times} polls`, 2000),
    fetch: async (input, init) => {
      init?.signal?.throwIfAborted();
      const url = new URL(input instanceof Request ? input.url : input);
      const headers = new Headers(init?.headers);
      requests.push({
        method: init?.method ?? 'GET',
        path: url.pathname,
        query: url.searchParams,
        token: headers.get('authorization')?.replace('Bearer ', '') ?? '',
        body: typeof init?.body === 'string' ? JSON.parse(init.body) : undefined,
      });
      const isPoll = url.pathname.endsWith('/sync');
      const answer = isPoll ? polls.shift() : (answers[lastWordOf(url)] ?? { json: {} });
      if (answer === undefined) return untilAborted(init?.signal);
      if (answer instanceof Error) throw answer;
      return responseOf(answer);
    },
  };
}

/** A frame of bob's, as an event of a sync. */
export const frameEvent = (content: unknown, sender = '@bob:partner.example'): unknown => ({
  type: 'org.hyperty.frame',
  sender,
  content,
});

/** An answer to a poll. */
export const syncAnswer = (next_batch: string, events: readonly unknown[] = []): ScriptedAnswer => ({
  json: { next_batch, to_device: { events } },
});

/** Waits until nothing is under way any more that needs no clock. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** The path of a send ends with its transaction; the word before the event type names it. */
const lastWordOf = ({ pathname }: URL): string =>
  pathname.includes('/sendToDevice/') ? 'sendToDevice' : (pathname.split('/').at(-1) ?? '');

function responseOf({ status = 200, json, text, headers = {} }: ScriptedAnswer): Response {
  if (text !== undefined) return new Response(text, { status, headers });
  return Response.json(json, { status, headers });
}

function untilAborted(signal: AbortSignal | null | undefined): Promise<Response> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
