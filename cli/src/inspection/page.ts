/**
 * A runtime's observation as a person reads it: lines for a terminal, none wider than it. Whatever strangers have a say
 * in (addresses, reasons, states) is made printable before it gets here into a line.
 */
import { printable, type Observation } from '@hyperty/runtime/node';
import { formatMs, type Terminal } from '../terminal.ts';
import { tableLines, type Column } from './table.ts';
import { cutEnd, cutMiddle, wrap } from './line-width.ts';

type Report = Observation['report'];
type Hyperty = Report['hyperties'][number];
type Link = Report['links'][number];
type DeadLetter = Observation['latestDeadLetters'][number];

/** Where a page is shown. */
export interface PageFormat {
  /** Columns of the terminal. */
  readonly width: number;
  readonly terminal: Pick<Terminal, 'bold' | 'dim'>;
}

const LATEST_DEAD_LETTERS = 5;
const REASON_LINES = 3;

/** The lines that show one runtime. */
export function pageOf(observation: Observation, format: PageFormat): readonly string[] {
  return [
    ...headLines(observation, format),
    ...hypertyLines(observation, format),
    ...linkLines(observation, format),
    ...deadLetterLines(observation, format),
  ];
}

function headLines({ pid, startedAt, at, report }: Observation, { width, terminal }: PageFormat): string[] {
  const { pendingRequests, deadLetters, outgoing } = report;
  const facts = [
    ...(pid === undefined ? [] : [`process ${String(pid)}`]),
    `up ${formatUptime(at - startedAt)}`,
    counted(pendingRequests, 'request pending', 'requests pending'),
    ...(outgoing === undefined ? [] : [`${String(outgoing)} outgoing`]),
    counted(deadLetters, 'dead letter', 'dead letters'),
  ];
  return [terminal.bold(cutMiddle(printable(report.address), width)), cutEnd(facts.join(' · '), width)];
}

function hypertyLines({ report, omitted }: Observation, { width, terminal }: PageFormat): string[] {
  const { hyperties } = report;
  const home = printable(report.address)
    .replace(/^runtime:/, 'hyperty:')
    .replace(/[^/]*$/, '');
  const nameOf = (address: string): string =>
    address.startsWith(home) ? address.slice(home.length) : address;
  const columns: Column<Hyperty>[] = [
    { title: 'NAME', text: ({ address }) => nameOf(printable(address)), flexible: true },
    {
      title: 'STATUS',
      text: ({ status, durable }) => printable(durable === true ? `${status}, durable` : status),
    },
    ...optional(hyperties, {
      title: 'STATE',
      text: ({ state }) => (state === undefined ? '' : cutEnd(stateText(state), 24)),
    }),
    { title: 'MAILBOX', text: ({ mailboxDepth }) => String(mailboxDepth), align: 'right' },
    ...optional(hyperties, {
      title: 'TIMERS',
      text: ({ timers }) =>
        timers === undefined ? '' : String(typeof timers === 'number' ? timers : timers.length),
      align: 'right',
    }),
  ];
  const table = tableLines(columns, hyperties, {
    width: width - 2,
    style: (cell, { status }, { title }) =>
      title === 'STATUS' && status !== 'running' ? terminal.bold(cell) : cell,
  });
  return [
    '',
    heading('Hyperties', cutMiddle(home, width - 12), terminal),
    ...(hyperties.length === 0 ? ['  none'] : [terminal.dim(`  ${table.titles}`)]),
    ...hyperties.flatMap(({ reason }, at) => [`  ${table.rows[at] ?? ''}`, ...reasonLines(reason, width)]),
    ...more(omitted.hyperties),
  ];
}

const linkColumns: readonly Column<Link>[] = [
  { title: 'STATE', text: ({ state }) => printable(state) },
  { title: 'PATH', text: ({ path }) => printable(path), flexible: true },
  {
    title: 'ROUND TRIP',
    text: ({ roundTripMs }) => (roundTripMs === undefined ? '–' : formatMs(roundTripMs)),
    align: 'right',
  },
  { title: 'SENT', text: ({ lastSent }) => String(lastSent), align: 'right' },
  { title: 'RECEIVED', text: ({ lastReceived }) => String(lastReceived), align: 'right' },
  { title: 'WAITING', text: ({ waiting }) => String(waiting), align: 'right' },
  { title: 'UNACKNOWLEDGED', text: ({ unacknowledged }) => String(unacknowledged), align: 'right' },
];

/** The peer's address has a line of its own: eighty columns do not hold it beside the numbers. */
function linkLines({ report: { links }, omitted }: Observation, { width, terminal }: PageFormat): string[] {
  const table = tableLines(linkColumns, links, {
    width: width - 4,
    style: (cell, { state }, { title }) =>
      title === 'STATE' && state !== 'open' ? terminal.bold(cell) : cell,
  });
  return [
    '',
    heading('Links', '', terminal),
    ...(links.length === 0 ? ['  none'] : [terminal.dim(`    ${table.titles}`)]),
    ...links.flatMap(({ peer }, at) => [
      `  ${cutMiddle(printable(peer), width - 2)}`,
      `    ${table.rows[at] ?? ''}`,
    ]),
    ...more(omitted.links),
  ];
}

function deadLetterLines(observation: Observation, format: PageFormat): string[] {
  const { report, latestDeadLetters } = observation;
  if (report.deadLetters === 0) return [];
  const latest = latestDeadLetters.slice(-LATEST_DEAD_LETTERS).toReversed();
  const earlier = report.deadLetters - latest.length;
  return [
    '',
    heading('Dead letters', `${String(report.deadLetters)} in all, the latest first`, format.terminal),
    ...latest.flatMap((letter) => oneDeadLetter(letter, observation.at, format)),
    ...more(earlier),
  ];
}

/** Why something is as it is, below it. */
const reasonLines = (reason: string | undefined, width: number): readonly string[] =>
  reason === undefined ? [] : wrap(printable(reason), width - 4, REASON_LINES).map((line) => `    ${line}`);

function oneDeadLetter(letter: DeadLetter, now: number, { width, terminal }: PageFormat): string[] {
  const time = formatTime(letter.at, now);
  const code = printable(letter.code);
  const room = width - time.length - code.length - 6;
  const what = cutMiddle(printable(`${letter.type} to ${letter.to}`), Math.max(8, room));
  return [`  ${time}  ${terminal.bold(code)}  ${what}`, ...reasonLines(letter.message, width)];
}

const heading = (title: string, about: string, terminal: PageFormat['terminal']): string =>
  about === '' ? terminal.bold(title) : `${terminal.bold(title)}  ${terminal.dim(about)}`;

const more = (count: number): readonly string[] => (count > 0 ? [`  … and ${String(count)} more`] : []);

/** A column only where a row has something to say in it. */
const optional = <Row>(rows: readonly Row[], column: Column<Row>): readonly Column<Row>[] =>
  rows.some((row) => column.text(row) !== '') ? [column] : [];

const stateText = (state: unknown): string =>
  printable(typeof state === 'string' ? state : JSON.stringify(state));

const counted = (count: number, one: string, many: string): string =>
  `${String(count)} ${count === 1 ? one : many}`;

/** A time of today as `11:42:03`, one of another day as `2026-11-23 11:42`; in local time. */
function formatTime(at: number, now: number): string {
  const pad = (part: number): string => String(part).padStart(2, '0');
  const date = new Date(at);
  const [day, today] = [date, new Date(now)].map((it) =>
    [it.getFullYear(), it.getMonth() + 1, it.getDate()].map(pad).join('-'),
  );
  const [hours, minutes, seconds] = [date.getHours(), date.getMinutes(), date.getSeconds()].map(pad);
  return day === today
    ? `${hours ?? ''}:${minutes ?? ''}:${seconds ?? ''}`
    : `${day ?? ''} ${hours ?? ''}:${minutes ?? ''}`;
}

/** How long something has run: the two largest units, as `3 min 20 s`. */
export function formatUptime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first < 0) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${String(amount)} ${unit}`)
    .join(' ');
}
