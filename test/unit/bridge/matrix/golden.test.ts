/** Frames on Matrix as the golden file has them: what is asked of the homeserver, and what its answer means. */
import assert from 'node:assert/strict';
import { createMatrixProtostub, type Session } from '@hyperty/bridge';
import type { FrameContent, Protostub, RuntimeAddress } from '@hyperty/runtime';
import { goldenExample } from '../../../support/golden.ts';

const SESSION: Session = {
  baseUrl: 'https://matrix.acme.example',
  userId: '@alice:acme.example',
  deviceId: 'LAPTOP',
  accessToken: 'secret',
};

describe('frames on Matrix', () => {
  let requests: { readonly path: string; readonly body: unknown }[];
  let events: unknown[];
  let protostub: Protostub;

  beforeEach(() => {
    requests = [];
    events = [];
    protostub = createMatrixProtostub({ session: SESSION, fetch: homeserver });
  });

  afterEach(() => protostub.stop());

  for (const [name, frame] of [
    ['matrix-request', 'hello'],
    ['matrix-request-locate', 'locate'],
  ] as const) {
    it(`puts a ${frame} as the body of one sendToDevice request`, async () => {
      const content = goldenExample(frame).value as FrameContent;
      await protostub.start();
      await protostub.send(content, content['to'] as RuntimeAddress);
      const sent = requests.filter(({ path }) => path.includes('/sendToDevice/'));
      assert.deepEqual(
        sent.map(({ body }) => body),
        [goldenExample(name).value],
      );
      assert.match(sent[0]?.path ?? '', /^\/_matrix\/client\/v3\/sendToDevice\/org\.hyperty\.frame\/[^/]+$/);
    });
  }

  it('hands an event of /sync on as a frame of the sending account', async () => {
    const event = goldenExample('matrix-event').value as { readonly content: unknown };
    const heard: unknown[] = [];
    protostub.onFrame((frame, sender) => heard.push([frame, sender]));
    events = [event];
    await protostub.start();
    await new Promise(setImmediate);
    assert.deepEqual(heard, [[event.content, 'runtime://acme.example/alice/*']]);
  });

  const homeserver: typeof fetch = async (input, init) => {
    const { pathname: path } = new URL(input instanceof Request ? input.url : input);
    requests.push({ path, body: typeof init?.body === 'string' ? JSON.parse(init.body) : undefined });
    if (path.endsWith('/whoami'))
      return Response.json({ user_id: SESSION.userId, device_id: SESSION.deviceId });
    if (!path.endsWith('/sync')) return Response.json({});
    if (requests.filter((request) => request.path === path).length > 1) await aborted(init?.signal);
    return Response.json({ next_batch: 's1', to_device: { events } });
  };
});

/** A poll with nothing to tell: it is held until the other side gives up. */
function aborted(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error));
  });
}
