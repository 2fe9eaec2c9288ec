/** One small piece of business between two companies, with the death of either at every call that it makes to its store. */
import assert from 'node:assert/strict';
import type { Moment } from '../../../support/frail-store.ts';
import { Stage } from './crash-model.ts';

const LEASE_MS = 30_000; // few calls are renewals
const CALM = { seed: 1, drop: 0, duplicate: 0, delayMs: 0, latencyMs: 0, noticeMs: 0, leaseMs: LEASE_MS };
const PAY = { kind: 'pay', by: 0, to: 1, via: 0, amounts: [2], crashes: 0 } as const;
const BUY = { kind: 'buy', by: 0, to: 1, timeoutMs: 600_000, deliveryMs: 0 } as const;
const BUSINESS = [PAY, PAY, BUY, PAY];

interface Death {
  readonly who: 0 | 1;
  readonly calls: number;
  readonly moment: Moment;
}

/** Dies in the midst of business, and starts again. Returns false when it did not come to that. */
async function inBusiness({ who, calls, moment }: Death): Promise<boolean> {
  const stage = new Stage(CALM);
  await stage.begin();
  const [first] = stage.companies[who].processes;
  first?.store.dieIn(calls, moment);
  for (const step of BUSINESS) await stage.take(step);
  await stage.world.advance(2000);
  const hasDied = first?.store.isDead ?? false;
  await finish(stage, who);
  return hasDied;
}

/** Dies while it starts, with business waiting on both sides, and starts again. */
async function atTheStart({ who, calls, moment }: Death): Promise<boolean> {
  const stage = new Stage(CALM);
  await stage.begin();
  await stage.take({ kind: 'partition' });
  for (const step of BUSINESS) await stage.take(step);
  await stage.world.advance(100);
  await stage.take({ kind: 'kill', who, which: 0 });
  await stage.take({ kind: 'heal' });
  await stage.world.advance(LEASE_MS);
  const second = stage.companies[who].start(0);
  second.store.dieIn(calls, moment);
  await stage.world.advance(2000);
  const hasDied = second.store.isDead;
  await finish(stage, who);
  return hasDied;
}

async function finish(stage: Stage, who: 0 | 1): Promise<void> {
  if (stage.companies[who].processes.length === 0) stage.companies[who].start(0);
  await stage.world.advance(LEASE_MS);
  for (const step of BUSINESS) await stage.take(step);
  await stage.world.advance(2000);
  await stage.end({ anew: false });
  stage.check();
  await stage.stop();
}

const SCENES = [
  { scene: inBusiness, name: 'in the midst of business', least: 10, stride: 1 },
  // Most calls at a start ask for one of 64 leases, or for what one of 64 shards has waiting.
  { scene: atTheStart, name: 'while it starts', least: 150, stride: Number(process.env['STRIDE'] ?? 11) },
];

describe('a durable hyperty whose process dies at a call to its store', () => {
  for (const { scene, name, least, stride } of SCENES)
    for (const who of [0, 1] as const)
      for (const moment of ['before', 'after'] as const)
        it(`has books that agree: ${who === 0 ? 'who pays' : 'who is paid'} dies ${name}, ${moment} the call takes effect`, async function () {
          this.timeout(process.env['STRIDE'] === undefined ? 60_000 : 0);
          let calls = 1;
          for (; await died(scene, { who, calls, moment }); calls += stride);
          assert.ok(calls > least, `it was alive after ${calls} calls`);
        });
});

async function died(scene: (death: Death) => Promise<boolean>, death: Death): Promise<boolean> {
  try {
    return await scene(death);
  } catch (cause) {
    throw new Error(`Books do not agree after ${JSON.stringify(death)}.`, { cause });
  }
}
