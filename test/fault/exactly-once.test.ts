/** A short round of the fault harness; `npm run soak` plays long ones. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { requireSynapse } from '../support/synapse.ts';
import { sharedWorld, type TestWorld } from '../support/world.ts';
import { playRound } from './round.ts';

const LOGS = join(import.meta.dirname, '../../out/faults');
/** Two processes share the store of acme; they and all else are hit: homeservers, network, disks, clocks. */
const SEED = 22;

describe('durable hyperties of two companies', function () {
  this.timeout(90_000);
  let world: TestWorld;

  before(async function () {
    await requireSynapse(this);
    world = await sharedWorld();
  });

  it('count every message once and in order, whatever is killed, frozen, cut, filled and set meanwhile', async () => {
    const outcome = await playRound({
      world,
      seed: SEED,
      logs: LOGS,
      messages: 2000,
      windowMs: 8000,
      everyMs: 800,
      deadlineMs: 60_000,
    });
    const { problems, faults, folder, summary, recoveryMs } = outcome;
    assert.deepEqual(problems, [], `seed ${SEED}; logs in ${folder}\n${faults.join('\n')}`);
    console.log(`      seed ${SEED}: quiet ${Math.round(recoveryMs)} ms after the last fault; ${summary}`);
  });
});
