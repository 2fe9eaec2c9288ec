/**
 * The text of a recurrence rule (RFC 5545 §3.3.10), checked before any library sees it: only parts that we know, only
 * combinations that the RFC allows, and nothing so dense that finding one occurrence would be much work.
 */

/** Longest rule in characters. */
export const MAX_RULE_CHARS = 500;
/** Highest COUNT. What goes on for longer is ended by UNTIL. */
const MAX_COUNT = 1000;
/** Most candidates that a rule may name within one of its periods (a year of YEARLY, a day of DAILY). */
const MAX_CANDIDATES = 500;

/** The parts of a rule by name: `FREQ` → `WEEKLY`. */
export type RuleParts = ReadonlyMap<string, string>;

interface Part {
  readonly fits: (value: string) => boolean;
  /** What to write instead; ends the sentence "… must be". */
  readonly wanted: string;
}

const day = '(?:MO|TU|WE|TH|FR|SA|SU)';
const dayPattern = `(?:[+-]?(?:[1-9]|[1-4]\\d|5[0-3]))?${day}`;

const matching = (pattern: RegExp, wanted: string): Part => ({
  fits: (value) => pattern.test(value),
  wanted,
});

/** A list of whole numbers from `min` to `max`; `signed` ones may count from the end. Each only once. */
function listOf(min: number, max: number, signed = false): Part {
  const fitsOne = (item: string): boolean => {
    if (!(signed ? /^[+-]?\d{1,3}$/ : /^\d{1,3}$/).test(item)) return false;
    const size = Math.abs(Number(item));
    return size >= min && size <= max;
  };
  return {
    fits: (value) => areDifferent(value.split(',').map(Number)) && value.split(',').every(fitsOne),
    wanted: `different numbers from ${signed ? '±' : ''}${min} to ${signed ? '±' : ''}${max}, with commas between them`,
  };
}

const areDifferent = (items: readonly unknown[]): boolean => new Set(items).size === items.length;

const partsByName: Readonly<Record<string, Part>> = {
  FREQ: matching(
    /^(?:YEARLY|MONTHLY|WEEKLY|DAILY|HOURLY|MINUTELY)$/,
    'YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY or MINUTELY: a minute is the shortest period',
  ),
  INTERVAL: matching(/^[1-9]\d{0,4}$/, 'a number from 1 to 99999'),
  COUNT: {
    fits: (value) => /^[1-9]\d{0,3}$/.test(value) && Number(value) <= MAX_COUNT,
    wanted: `a number from 1 to ${MAX_COUNT}; use UNTIL for more`,
  },
  UNTIL: { fits: isUtcTime, wanted: 'a time in UTC such as 20271231T225959Z' },
  BYSECOND: matching(/^[0-5]?\d$/, 'one number from 0 to 59: a minute is the shortest period'),
  BYMINUTE: listOf(0, 59),
  BYHOUR: listOf(0, 23),
  BYDAY: {
    fits: (value) =>
      new RegExp(`^${dayPattern}(?:,${dayPattern})*$`).test(value) && areDifferent(value.split(',')),
    wanted: 'different weekdays such as MO,WE or -1FR, with commas between them',
  },
  BYMONTHDAY: listOf(1, 31, true),
  BYYEARDAY: listOf(1, 366, true),
  BYMONTH: listOf(1, 12),
  BYSETPOS: listOf(1, 366, true),
  WKST: matching(new RegExp(`^${day}$`), 'one weekday such as MO'),
};

/** Reads a rule. What is wrong with it is for {@link ruleProblem} to say. */
export const partsOf = (text: string): RuleParts =>
  new Map(
    text.split(';').map((part) => {
      const [name = '', ...values] = part.split('=');
      return [name, values.join('=')];
    }),
  );

/** Says what is wrong with a rule and what to do, as a sentence; undefined when nothing is. */
export function ruleProblem(text: string): string | undefined {
  const parts = partsOf(text);
  for (const [name, value] of parts) {
    const part = Object.hasOwn(partsByName, name) ? partsByName[name] : undefined;
    if (!part) return `"${shown(name)}" is no part of a rule: use ${Object.keys(partsByName).join(', ')}.`;
    if (!part.fits(value)) return `${name} must be ${part.wanted}.`;
  }
  if (parts.size < text.split(';').length) return 'Each part may stand in the rule only once.';
  if (!parts.has('FREQ')) return 'FREQ is missing: begin with one such as FREQ=DAILY.';
  return combinationProblem(parts) ?? densityProblem(parts);
}

const shown = (text: string): string => JSON.stringify(text.slice(0, 20)).slice(1, -1);

/**
 * What RFC 5545 §3.3.10 forbids to combine, and what programs do not agree about: BYWEEKNO, BYYEARDAY with other days,
 * and numbered weekdays with plain ones or with BYMONTHDAY.
 */
function combinationProblem(parts: RuleParts): string | undefined {
  const freq = frequencyOf(parts);
  const numbered =
    parts
      .get('BYDAY')
      ?.split(',')
      .filter((item) => /\d/.test(item)) ?? [];
  const hasNumber = numbered.length > 0;
  if (parts.has('COUNT') && parts.has('UNTIL')) return 'Use COUNT or UNTIL, not both.';
  if (hasNumber && !['MONTHLY', 'YEARLY'].includes(freq))
    return 'A number in BYDAY needs FREQ=MONTHLY or FREQ=YEARLY.';
  if (hasNumber && parts.has('BYMONTHDAY')) return 'A number in BYDAY cannot stand with BYMONTHDAY.';
  if (hasNumber && numbered.length < lengthOf(parts, 'BYDAY', 0))
    return 'Give each weekday in BYDAY a number, or none.';
  if (parts.has('BYMONTHDAY') && freq === 'WEEKLY') return 'BYMONTHDAY cannot stand with FREQ=WEEKLY.';
  if (parts.has('BYYEARDAY') && !isByYearDayAlone(parts))
    return 'BYYEARDAY needs FREQ=YEARLY and no BYMONTH, BYMONTHDAY or BYDAY.';
  if (parts.has('BYSETPOS') && ![...parts.keys()].some((name) => /^BY(?!SETPOS)/.test(name)))
    return 'BYSETPOS needs another part to choose from, such as BYDAY.';
  return undefined;
}

const isByYearDayAlone = (parts: RuleParts): boolean =>
  frequencyOf(parts) === 'YEARLY' && !['BYMONTH', 'BYMONTHDAY', 'BYDAY'].some((name) => parts.has(name));

function densityProblem(parts: RuleParts): string | undefined {
  const candidates = daysPerPeriod(parts) * timesPerDay(parts);
  if (candidates <= MAX_CANDIDATES) return undefined;
  return `The rule names up to ${candidates} times in each period, at most ${MAX_CANDIDATES} are allowed: use a FREQ of shorter periods.`;
}

function timesPerDay(parts: RuleParts): number {
  const freq = frequencyOf(parts);
  if (freq === 'MINUTELY') return 1;
  return lengthOf(parts, 'BYMINUTE', 1) * (freq === 'HOURLY' ? 1 : lengthOf(parts, 'BYHOUR', 1));
}

/** At most so many days of one period are looked at. */
function daysPerPeriod(parts: RuleParts): number {
  const freq = frequencyOf(parts);
  if (freq === 'WEEKLY') return lengthOf(parts, 'BYDAY', 1);
  if (freq === 'YEARLY') return daysPerYear(parts);
  return freq === 'MONTHLY' ? daysPerMonth(parts) : 1;
}

function daysPerYear(parts: RuleParts): number {
  if (parts.has('BYYEARDAY')) return lengthOf(parts, 'BYYEARDAY', 1);
  const isByDay = parts.has('BYDAY') || parts.has('BYMONTHDAY');
  return daysPerMonth(parts) * lengthOf(parts, 'BYMONTH', isByDay ? 12 : 1);
}

function daysPerMonth(parts: RuleParts): number {
  if (parts.has('BYMONTHDAY')) return lengthOf(parts, 'BYMONTHDAY', 1);
  return parts.has('BYDAY') ? Math.min(31, lengthOf(parts, 'BYDAY', 1) * 5) : 1;
}

/** The frequency of a rule that {@link ruleProblem} has found nothing wrong with. */
export const frequencyOf = (parts: RuleParts): string => parts.get('FREQ') ?? '';

const lengthOf = (parts: RuleParts, name: string, otherwise: number): number =>
  parts.get(name)?.split(',').length ?? otherwise;

/** `20271231T225959Z`, and a date that exists. */
function isUtcTime(value: string): boolean {
  const [, year, month, date, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(value) ?? [];
  return year !== undefined && existsInUtc(`${year}-${month}-${date}T${hour}:${minute}:${second}`);
}

/** True when a date-time such as `2027-12-31T09:00:00` is one of the calendar, from 1970 on. */
export function existsInUtc(text: string): boolean {
  const time = Date.parse(`${text}Z`);
  return time >= 0 && new Date(time).toISOString().startsWith(text);
}
