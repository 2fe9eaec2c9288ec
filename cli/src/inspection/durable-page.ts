/** What a store has of durable hyperties as a person reads it: those in memory and those that are not, what waits, what is parked. */
import { printable, type DurableObservation, type Observation } from '@hyperty/runtime/node';
import { cutEnd, cutMiddle } from './line-width.ts';
import { counted, heading, homeOf, more, nameIn, optional, reasonLines, stateText, type PageFormat } from './page-parts.ts'; // prettier-ignore
import { tableLines, type Column } from './table.ts';
import { formatTime, formatUptime } from './time-text.ts';

type Stored = DurableObservation['hyperties'][number];
type Live = Observation['report']['hyperties'][number];
type Tally = Stored['mailbox'];
/** A hyperty of the store, and how it is in memory. */
type Row = Stored & { readonly live: Live | undefined };

const MOST = { hyperties: 40, receivers: 5, parked: 5 };
const MAX_STATE_CHARS = 20;
const MAX_PLACE_CHARS = 40;

/** The lines that show what a runtime's store has. */
export function durableLines(
  durable: DurableObservation,
  { at, report }: Pick<Observation, 'at' | 'report'>,
  format: PageFormat,
): readonly string[] {
  const awake = report.hyperties.filter((hyperty) => hyperty.durable === true);
  const live = new Map(awake.map((hyperty) => [hyperty.address, hyperty]));
  const listed = new Set(durable.hyperties.map(({ address }) => address));
  const all: Row[] = [
    ...durable.hyperties.map((stored) => ({ ...stored, live: live.get(stored.address) })),
    ...awake.filter(({ address }) => !listed.has(address)).map(unlisted),
  ];
  return [
    ...hypertyLines(all, { durable, home: homeOf(report.address), at }, format),
    ...outgoingLines(durable, format),
    ...(durable.parked.length === 0 ? [] : ['', ...parkedLines(durable, { at, most: MOST.parked }, format)]),
  ];
}

/** One in memory that the list of a large store leaves out. */
const unlisted = (live: Live): Row => ({
  address: live.address,
  machine: '',
  mailbox: { count: live.mailboxDepth, isMore: false },
  wakes: [],
  live,
});

/** The lines that show parked messages, with what it takes to name one of them. */
export function parkedLines(
  { parked, total }: Pick<DurableObservation, 'parked' | 'total'>,
  { at, most }: { readonly at: number; readonly most: number },
  format: PageFormat,
): readonly string[] {
  const about = `${messages(total.parked)}; "hyperty parked" tries them again or drops them`;
  return [
    heading('Parked', about, format.terminal),
    ...parked.slice(0, most).flatMap((message) => oneParked(message, at, format)),
    ...more(parked.length - most),
  ];
}

function oneParked(
  { address, place, from, type, event, id, attempts, error, at: since }: DurableObservation['parked'][number],
  now: number,
  format: PageFormat,
): readonly string[] {
  const { width, terminal } = format;
  const name = cutMiddle(printable(place), MAX_PLACE_CHARS);
  const facts = `  crashed it ${counted(attempts, 'time', 'times')}, ${formatUptime(now - since)} ago`;
  return [
    `  ${cutMiddle(printable(address), width - 2)}`,
    `    ${terminal.bold(name)}${cutEnd(facts, width - 4 - name.length)}`,
    cutEnd(
      `    ${event === undefined ? printable(type) : `${printable(event)} (${printable(type)})`}`,
      width,
    ),
    ...(id === undefined ? [] : [cutEnd(`    message ${printable(id)}`, width)]),
    cutMiddle(`    from ${printable(from)}`, width),
    ...reasonLines(`${error.name}: ${error.message}`, format),
  ];
}

function hypertyLines(
  all: readonly Row[],
  { durable, home, at }: { readonly durable: DurableObservation; readonly home: string; readonly at: number },
  format: PageFormat,
): readonly string[] {
  const { width, terminal } = format;
  const shown = all.toSorted((one, other) => urgency(other) - urgency(one)).slice(0, MOST.hyperties);
  const awake = all.filter(({ live }) => live).length;
  const about = `${textOf(durable.total.hyperties)} in the store, ${String(awake)} in memory · ${messages(durable.total.mail)} in mailboxes`;
  const table = tableLines(columnsFor(shown, home), shown, {
    width: width - 2,
    style: (cell, { live }, { title }) =>
      title === 'STATUS' && live && live.status !== 'running' ? terminal.bold(cell) : cell,
  });
  return [
    '',
    heading('Durable', about, terminal),
    ...(shown.length === 0 ? [] : [terminal.dim(`  ${table.titles}`)]),
    ...shown.flatMap((row, index) => [
      `  ${table.rows[index] ?? ''}`,
      ...wakeLines(row, { at, width }),
      ...reasonLines(row.live?.reason, format),
    ]),
    ...more(all.length - shown.length),
  ];
}

/** Whoever cannot run stands first, then those for whom most waits, then those in memory. */
const urgency = ({ live, mailbox, machine }: Row): number =>
  (live?.status === 'halted' || machine === undefined ? 1e9 : 0) + mailbox.count * 2 + (live ? 1 : 0);

const columnsFor = (rows: readonly Row[], home: string): readonly Column<Row>[] => [
  { title: 'NAME', text: ({ address }) => nameIn(home, address), flexible: true },
  ...optional(rows, {
    title: 'DEFINITION',
    text: ({ address, machine, version }: Row) =>
      machine === undefined || version === undefined || (version === 1 && nameIn(home, address) === machine)
        ? ''
        : cutEnd(printable(`${machine} ${String(version)}`), MAX_STATE_CHARS),
  }),
  { title: 'STATUS', text: ({ live, machine }) => (machine === undefined ? 'damaged' : printable(live?.status ?? 'not here')) }, // prettier-ignore
  ...optional(rows, {
    title: 'STATE',
    text: ({ live, state }: Row) => {
      const value = live?.state ?? state;
      return value === undefined || isPlain(value) ? '' : cutEnd(stateText(value), MAX_STATE_CHARS);
    },
  }),
  { title: 'MAILBOX', text: ({ mailbox }) => textOf(mailbox), align: 'right' },
];

/** A machine without states has the state value `{}`, which says nothing. */
const isPlain = (state: unknown): boolean =>
  typeof state === 'object' && state !== null && Object.keys(state).length === 0;

function wakeLines(
  { wakes }: Row,
  { at, width }: { readonly at: number; readonly width: number },
): readonly string[] {
  const [next] = wakes;
  if (!next) return [];
  const others = wakes.length > 1 ? `, and ${counted(wakes.length - 1, 'other time', 'other times')}` : '';
  return [cutEnd(`    wakes ${formatTime(next.dueMs, at)} (${causeOf(next)})${others}`, width)];
}

function causeOf({ reminder, event }: Stored['wakes'][number]): string {
  if (reminder !== undefined) return `reminder ${printable(reminder)}`;
  const delayMs = Number(/^after (\d+)$/.exec(event)?.[1] ?? NaN);
  return Number.isNaN(delayMs) ? printable(event) : `after ${formatUptime(delayMs)}`;
}

function outgoingLines(
  { outgoing, total }: DurableObservation,
  { width, terminal }: PageFormat,
): readonly string[] {
  if (outgoing.length === 0) return [];
  return [
    '',
    heading('Outgoing', `${messages(total.outgoing)}, which other runtimes have not taken over`, terminal),
    ...outgoing.slice(0, MOST.receivers).map(({ to, messages: count }) => {
      const number = String(count);
      return `  ${number}  ${cutMiddle(printable(to), width - number.length - 4)}`;
    }),
    ...more(outgoing.length - MOST.receivers),
  ];
}

const textOf = ({ count, isMore }: Tally): string => (isMore ? `more than ${String(count)}` : String(count));

const messages = ({ count, isMore }: Tally): string =>
  isMore ? `more than ${String(count)} messages` : counted(count, 'message', 'messages');
