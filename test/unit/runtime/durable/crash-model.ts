/** What two companies do while everything around them breaks, and what must be true of their books in the end. */
import assert from 'node:assert/strict';
import { FabricError } from '@hyperty/runtime';
import { createTestWorld, type TestWorld } from '@hyperty/runtime/testing';
import { createSeededRandom } from '../../../../runtime/src/testing/faults.ts';
import { Company } from '../../../support/crash-company.ts';
import { hold, outside, traps, type Books, type Payments, type Purchases } from '../../../support/crash-party.ts'; // prettier-ignore
import type { Moment } from '../../../support/frail-store.ts';

/** One thing that happens. Companies are 0 (alice at acme) and 1 (bob at partner). */
export type Step =
  | { kind: 'pay'; by: number; to: number; via: number; amounts: readonly number[]; crashes: number }
  | { kind: 'buy'; by: number; to: number; timeoutMs: number; deliveryMs: number }
  | { kind: 'trip'; at: number; via: number; crashes: number }
  | { kind: 'ring'; at: number }
  | { kind: 'wait'; ms: number }
  | { kind: 'partition' }
  | { kind: 'heal' }
  | Harm
  | { kind: 'start'; who: number; skewMs: number };

/** What may befall one of a company's processes. */
type Harm =
  | { kind: 'doom'; who: number; which: number; calls: number; moment: Moment }
  | { kind: 'fail'; who: number; which: number; calls: number; moment: Moment }
  | { kind: 'kill'; who: number; which: number }
  | { kind: 'stop'; who: number; which: number };

/** How bad the days are. */
export interface Weather {
  readonly seed: number;
  readonly drop: number;
  readonly duplicate: number;
  readonly delayMs: number;
  /** Longest time that a call to a store takes. */
  readonly latencyMs: number;
  /** Longest time until a change by others is noticed. */
  readonly noticeMs: number;
  /** Longest time that a message takes in a pipeline. Default: the pipelines have no stage. */
  readonly stageMs?: number | undefined;
  /** After this long a dead process's hyperties go to another one. Default 5 s. */
  readonly leaseMs?: number;
}

const MOST_PROCESSES = 2;
const QUIET_STEP_MS = 20_000;
const LONGEST_MS = 45 * 60_000;
/** How a question of somebody who does not outlive the process may end; anything else is a lie. */
const OUTCOMES = [
  'no-route',
  'offline',
  'timeout',
  'closed',
  'crashed',
  'mailbox-full',
  'storage',
  'cancelled',
];
/** How a question of a durable hyperty may fail. */
const FAILURES = ['offline', 'timeout'];

interface Order {
  readonly order: number;
  readonly by: number;
  outcome: string | undefined;
}

/** Two companies and their world. */
export class Stage {
  readonly world: TestWorld;
  readonly companies: readonly [Company, Company];
  readonly #orders: Order[] = [];
  readonly #lies: string[] = [];
  #rings = 0;
  #asked = 0;

  constructor(weather: Weather) {
    const { seed, drop, duplicate, delayMs, latencyMs, noticeMs, stageMs, ...lease } = weather;
    const random = createSeededRandom(seed);
    const upTo = (most: number) => (): number => Math.floor(random() * (most + 1));
    this.world = createTestWorld({ seed });
    this.world.faults.drop(drop);
    this.world.faults.duplicate(duplicate);
    this.world.faults.delay({ minMs: 0, maxMs: delayMs });
    const options = {
      latencyMs: upTo(latencyMs),
      noticeMs: upTo(noticeMs),
      stageMs: stageMs === undefined ? undefined : upTo(stageMs),
      ...lease,
    };
    this.companies = [
      new Company(this.world, 'alice@acme.example', options),
      new Company(this.world, 'bob@partner.example', options),
    ];
    outside.length = 0;
    traps.clear();
    hold.until = undefined;
  }

  async begin(): Promise<void> {
    for (const company of this.companies) company.start(0);
    await this.world.advance(1000);
  }

  async take(step: Step): Promise<void> {
    const { faults } = this.world;
    if (step.kind === 'wait') await this.world.advance(step.ms);
    else if (step.kind === 'partition') faults.partition('acme.example', 'partner.example');
    else if (step.kind === 'heal') faults.heal();
    else if (step.kind === 'start') this.#start(step.who, step.skewMs);
    else if (step.kind === 'pay') this.#pay(step);
    else if (step.kind === 'buy') this.#buy(step);
    else if (step.kind === 'trip') this.#trip(step);
    else if (step.kind === 'ring') this.#ring(step.at);
    else this.#harm(step);
    await this.world.settle();
  }

  /** All is well again: what remains to be done is done, by those that live, or by new ones alone (`anew`). */
  async end({ anew }: { readonly anew: boolean }): Promise<void> {
    const { faults } = this.world;
    faults.none();
    faults.heal();
    for (const company of this.companies) {
      company.spare();
      for (const { store } of anew ? company.processes : []) store.kill();
    }
    let waitedMs = 0;
    do {
      for (const company of this.companies) if (company.processes.length === 0) company.start(0);
      await this.world.advance(QUIET_STEP_MS);
      waitedMs += QUIET_STEP_MS;
    } while (!this.#isQuiet() && waitedMs < LONGEST_MS);
    await this.world.advance(QUIET_STEP_MS);
  }

  /** @throws AssertionError for what must not be */
  check(): void {
    for (const [index, company] of this.companies.entries()) {
      assert.deepEqual(company.keysOf('m/', 'o/', 'c/'), [], `left at ${company.name}`);
      this.#checkAlarms(company);
      this.#checkBooks(index);
      this.#checkOrders(index);
    }
    this.#checkDeliveries();
    assert.deepEqual(this.#lies, [], 'untrue answers');
  }

  async stop(): Promise<void> {
    await this.world.stop();
  }

  #start(who: number, skewMs: number): void {
    const company = this.#company(who);
    if (company.processes.length < MOST_PROCESSES) company.start(skewMs);
  }

  #harm(step: Harm): void {
    const company = this.#company(step.who);
    const process = company.processes[step.which] ?? company.processes[0];
    if (!process) return;
    if (step.kind === 'kill') process.store.kill();
    else if (step.kind === 'stop') void company.stop(process);
    else if (step.kind === 'doom') process.store.dieIn(step.calls, step.moment);
    else process.store.failNext(step.calls, step.moment);
  }

  #pay({ amounts, ...step }: Extract<Step, { kind: 'pay' }>): void {
    for (const amount of amounts) this.#payOne(step, amount);
  }

  #payOne({ by, to, via, crashes }: Omit<Extract<Step, { kind: 'pay' }>, 'amounts'>, amount: number): void {
    const order: Order = { order: this.#orders.length + 1, by, outcome: undefined };
    const trap = `pay ${order.order}`;
    const [me, shop] = [this.#company(by).at('payer'), this.#company(to).at('ledger')];
    const asked = this.#ask(via, me, { type: 'pay', amount, to: shop, order: order.order, me, trap });
    if (!asked) return;
    traps.set(trap, crashes);
    this.#orders.push(order);
    void asked.then((outcome) => (order.outcome = outcome));
  }

  #buy({ by, to, timeoutMs, deliveryMs }: Extract<Step, { kind: 'buy' }>): void {
    const { clock } = this.world;
    hold.until = deliveryMs === 0 ? undefined : new Promise((end) => void clock.setTimeout(end, deliveryMs));
    const [me, shop] = [this.#company(by).at('shopper'), this.#company(to).at('ledger')];
    void this.#ask(by, me, { type: 'buy', me, shop, timeoutMs });
  }

  #trip({ at, via, crashes }: Extract<Step, { kind: 'trip' }>): void {
    this.#rings += 1;
    const trap = `trip ${this.#rings}`;
    traps.set(trap, crashes);
    void this.#ask(via, this.#company(at).at('ledger'), { type: 'trip', trap });
  }

  #ring(at: number): void {
    void this.#ask(at, this.#company(at).at('alarm'), { type: 'start' });
  }

  /** Asks in the name of a company's processes, in turn; undefined when it has none. */
  #ask(
    via: number,
    to: string,
    event: { readonly type: string; readonly [field: string]: unknown },
  ): Promise<string> | undefined {
    const { processes } = this.#company(via);
    const process = processes[this.#asked++ % Math.max(1, processes.length)];
    const isThere = this.companies.some((company) => company.hasKept(to));
    return process?.runtime.ask(to, event, { timeoutMs: 20_000 }).then(
      () => 'answered',
      (caught: unknown) => {
        const { code } = FabricError.from(caught);
        if (isThere && event.type === 'pay' && !OUTCOMES.includes(code))
          this.#lies.push(`${event.type} to ${to}: ${String(caught)}`);
        return code;
      },
    );
  }

  #company(index: number): Company {
    return this.companies[index] ?? this.companies[0];
  }

  #isQuiet(): boolean {
    return this.companies.every((company) => company.keysOf('m/', 'o/', 'w/', 'c/').length === 0);
  }

  /** Each ledger has all that was paid to it, once, in order, and nothing else. */
  #checkBooks(index: number): void {
    const company = this.#company(index);
    const shop = company.at('ledger');
    const { total, tickets } = (company.contextOf('ledger') as Books | undefined) ?? {
      total: 0,
      tickets: {},
    };
    let expected = 0;
    for (const buyer of this.companies) {
      const { paid = {}, sent = {} } = (buyer.contextOf('payer') as Payments | undefined) ?? {};
      expected += paid[shop] ?? 0;
      const numbers = Array.from({ length: sent[shop] ?? 0 }, (_, at) => at + 1);
      assert.deepEqual(tickets[buyer.at('payer')] ?? [], numbers, `${buyer.name} paid ${shop}`);
      expected += this.#checkPurchases(buyer, shop, tickets[buyer.at('shopper')] ?? []);
    }
    assert.equal(total, expected, `total of ${shop}`);
  }

  /** Returns how much the ledger has of a shopper. */
  #checkPurchases(buyer: Company, shop: string, heard: readonly number[]): number {
    const { answered = [], failed = [] } = (buyer.contextOf('shopper') as Purchases | undefined) ?? {};
    const open = failed.filter((one) => one.shop === shop).map(({ number }) => number);
    const done = answered.filter((one) => one.shop === shop).map(({ number }) => number);
    for (const { code } of failed) assert.ok(FAILURES.includes(code), `${buyer.name} heard ${code}`);
    assert.deepEqual(
      heard.filter((number) => !open.includes(number)),
      done,
      `${buyer.name} bought of ${shop}`,
    );
    assert.deepEqual(heard, heard.toSorted((a, b) => a - b), `order of ${buyer.name}`); // prettier-ignore
    assert.equal(new Set(heard).size, heard.length, `repeats of ${buyer.name}`);
    return heard.length;
  }

  /** What was acknowledged to somebody who asked for it is done, and nothing is done twice. */
  #checkOrders(index: number): void {
    const { orders = [] } = (this.#company(index).contextOf('payer') as Payments | undefined) ?? {};
    assert.equal(new Set(orders).size, orders.length, 'orders carried out twice');
    for (const { order, by, outcome } of this.#orders)
      if (by === index && outcome === 'answered')
        assert.ok(orders.includes(order), `order ${order} was lost`);
  }

  #checkDeliveries(): void {
    const keys = new Set(outside.map(({ key }) => key));
    const first = outside.filter(({ isRetry }) => !isRetry).map(({ key }) => key);
    assert.equal(new Set(first).size, first.length, 'first tries of one key');
    const bought = this.companies.map(
      (company) => (company.contextOf('shopper') as Purchases | undefined)?.bought ?? 0,
    );
    const answered = this.companies.map(
      (company) => (company.contextOf('shopper') as Purchases | undefined)?.answered.length ?? 0,
    );
    assert.deepEqual(bought, answered, 'all that was answered is delivered');
    assert.equal(keys.size, bought[0]! + bought[1]!, 'one key for each delivery'); // eslint-disable-line
  }

  /** Each row that wakes a hyperty says what its record says. */
  #checkAlarms(company: Company): void {
    const [rows, wanted]: string[][] = [[], []];
    for (const [key, value] of company.medium.values) {
      if (key.startsWith('t/') || key.startsWith('w/')) rows?.push(key.replace(/^(.)\/../, '$1'));
      if (!key.startsWith('d/')) continue;
      const { alarmMs, isBusy } = JSON.parse(value) as { alarmMs?: number; isBusy: boolean };
      const address = key.slice('d/00/'.length);
      if (alarmMs !== undefined) wanted?.push(`t/${String(alarmMs).padStart(16, '0')}|${address}`);
      if (isBusy) wanted?.push(`w/${address}`);
    }
    assert.deepEqual(rows?.sort(), wanted?.sort(), `what wakes at ${company.name}`);
  }
}
