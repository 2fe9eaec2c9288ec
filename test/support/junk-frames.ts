/** Frames that make no sense, as a hostile runtime may send them. */
import { range } from './notebook.ts';

type Content = Record<string, unknown>;

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

/** Contents that are no frames, made from one that is. */
export function junkFrames(valid: Content): unknown[] {
  const without = Object.keys(valid).map((key) => ({ ...valid, [key]: undefined }));
  const wrong = Object.keys(valid).flatMap((key) =>
    [null, -1, 'x', [], {}, true, 2 ** 53 - 1].map((value) => ({ ...valid, [key]: value })),
  );
  return [
    {},
    { kind: 'data' },
    { kind: 'nonsense', from: valid['from'], to: valid['to'] },
    { kind: '__proto__' },
    { text: 'x'.repeat(60_000) },
    { ...valid, capabilities: range(1, 10_000) },
    { ...valid, versions: range(1, 1000) },
    { ...valid, from: `runtime://${'a'.repeat(50_000)}/x/y` },
    { ...valid, deep: JSON.parse(nested(90)) as unknown },
    { ...valid, versions: [99] },
    ...without,
    ...wrong,
  ];
}

/** Data frames of an open session that make no sense. */
export function junkDataFrames(data: Content): Content[] {
  const frame = (entries: string, more: Content = {}): Content => ({ ...data, entries, ...more });
  const event = { id: 'z', from: data['from'], to: data['to'], type: 'event' };
  return [
    frame('{'),
    frame('null'),
    frame('{"length":3}'),
    frame('[1,"two",null]'),
    frame(nested(25_000)),
    frame(`[${nested(12_000)}]`),
    frame(`[${JSON.stringify(event).slice(0, -1)},"body":${nested(12_000)}}]`),
    frame(`[${Array.from({ length: 15_000 }, () => '{}').join(',')}]`),
    frame('[{"__proto__":{"from":"x"},"constructor":{}}]'),
    frame('[]', { first: 2 ** 53 - 1 }),
    frame(JSON.stringify([event]), { first: 2 ** 53 - 1 }),
    frame(JSON.stringify([event]), { first: 0 }),
    { ...data, ack: 2 ** 53 - 1, limit: 2 ** 53 - 1 },
    { ...data, ask: true },
    { ...data, kind: 'bye', ack: 2 ** 53 - 1 },
  ];
}
