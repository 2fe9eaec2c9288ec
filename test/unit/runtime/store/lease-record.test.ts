/** The rules of leases, whatever the clocks do. */
import assert from 'node:assert/strict';
import {
  holds,
  LeaseObserver,
  released,
  type LeaseRecord,
} from '../../../../runtime/src/store/lease-record.ts';

const TTL_MS = 1000;
const ask = (holder: string): { holder: string; ttlMs: number } => ({ holder, ttlMs: TTL_MS });

function granted(record: LeaseRecord | undefined): LeaseRecord {
  assert.ok(record, 'the lease was refused');
  return record;
}

describe('a lease record', () => {
  const first = granted(new LeaseObserver().decide('l', ask('alpha'), { record: undefined, now: 5000 }));

  it('is refused to others until its time is over', () => {
    const rival = new LeaseObserver();
    assert.equal(rival.decide('l', ask('beta'), { record: first, now: 5000 + TTL_MS - 1 }), undefined);
    const taken = granted(rival.decide('l', ask('beta'), { record: first, now: 5000 + TTL_MS }));
    assert.equal(taken.token, first.token + 1);
  });

  it('is taken over after its whole time unrenewed when the clock was set back by an hour', () => {
    const rival = new LeaseObserver();
    const now = 5000 - 3_600_000;
    assert.equal(rival.decide('l', ask('beta'), { record: first, now }), undefined);
    assert.equal(rival.decide('l', ask('beta'), { record: first, now: now + TTL_MS - 1 }), undefined);
    assert.ok(rival.decide('l', ask('beta'), { record: first, now: now + TTL_MS }));
  });

  it('is not taken over while it is renewed, whatever the rival has seen before', () => {
    const rival = new LeaseObserver();
    const owner = new LeaseObserver();
    let record = first;
    for (let now = 5000; now < 15_000; now += TTL_MS / 2) {
      record = granted(owner.decide('l', ask('alpha'), { record, now }));
      assert.equal(rival.decide('l', ask('beta'), { record, now: now - 60_000 }), undefined);
    }
    assert.equal(record.token, first.token);
  });

  it('waits anew when the clock is set back while it is observed', () => {
    const rival = new LeaseObserver();
    assert.equal(rival.decide('l', ask('beta'), { record: first, now: 4000 }), undefined);
    assert.equal(rival.decide('l', ask('beta'), { record: first, now: 3000 }), undefined);
    assert.equal(rival.decide('l', ask('beta'), { record: first, now: 3999 }), undefined);
    assert.ok(rival.decide('l', ask('beta'), { record: first, now: 4000 }));
  });

  it('keeps its token after the release, and holds no more', () => {
    const lease = { name: 'l', holder: 'alpha', token: first.token };
    assert.ok(holds(lease, first));
    const free = released(first);
    assert.ok(!holds(lease, free));
    assert.equal(
      granted(new LeaseObserver().decide('l', ask('alpha'), { record: free, now: 5000 })).token,
      first.token + 1,
    );
  });
});
