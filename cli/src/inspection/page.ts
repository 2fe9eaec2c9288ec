/**
 * A runtime's observation as a person reads it: lines for a terminal, none wider than it, but for the receiver of a dead
 * letter where the page is whole. Whatever strangers have a say in (addresses, reasons, states) is made printable before
 * it gets here into a line.
 */
import { printable, type DurableObservation, type Observation } from '@hyperty/runtime/node';
import { formatMs } from '../terminal.ts';
import { durableLines } from './durable-page.ts';
import { cutEnd, cutMiddle } from './line-width.ts';
import { counted, heading, homeOf, more, nameIn, optional, reasonLines, stateText, type PageFormat } from './page-parts.ts'; // prettier-ignore
import { tableLines, type Column } from './table.ts';
import { formatTime, formatUptime } from './time-text.ts';

type Report = Observation['report'];
type Hyperty = Report['hyperties'][number];
type Link = Report['links'][number];
type DeadLetter = Observation['latestDeadLetters'][number];

const LATEST_DEAD_LETTERS = 5;

/** The lines that show one runtime; `durable` is what its store has, where it has one. */
export function pageOf(
  observation: Observation,
  format: PageFormat,
  durable?: DurableObservation,
): readonly string[] {
  return [
    ...headLines(observation, format),
    ...hypertyLines(observation, format, durable),
    ...(durable ? durableLines(durable, observation, format) : []),
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

/** Durable ones are left to the part that shows the store. */
function hypertyLines(
  { report, omitted }: Observation,
  format: PageFormat,
  durable: DurableObservation | undefined,
): string[] {
  const { width, terminal } = format;
  const hyperties = report.hyperties.filter((it) => !durable || it.durable !== true);
  if (hyperties.length === 0 && (durable?.hyperties.length ?? 0) > 0 && omitted.hyperties === 0) return [];
  const home = homeOf(report.address);
  const columns: Column<Hyperty>[] = [
    { title: 'NAME', text: ({ address }) => nameIn(home, address), flexible: true },
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
    ...hyperties.flatMap(({ reason }, at) => [`  ${table.rows[at] ?? ''}`, ...reasonLines(reason, format)]),
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

function oneDeadLetter(letter: DeadLetter, now: number, format: PageFormat): string[] {
  const { width, terminal, isWhole = false } = format;
  const time = formatTime(letter.at, now);
  const code = printable(letter.code);
  const room = width - time.length - code.length - 6;
  const what = printable(`${letter.type} to ${letter.to}`);
  const head = `  ${time}  ${terminal.bold(code)}`;
  const reason = reasonLines(letter.message, format);
  if (isWhole && what.length > room) return [head, `    ${what}`, ...reason];
  return [`${head}  ${cutMiddle(what, Math.max(8, room))}`, ...reason];
}
