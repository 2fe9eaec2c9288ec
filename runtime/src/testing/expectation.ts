/** What cases of a contract expect; any test runner understands the errors. */
import { FabricError, type ErrorCode } from '../message/error.ts';

/** @throws Error saying what does not hold */
export function expectTrue(condition: boolean, what: string): void {
  if (!condition) throw new Error(`Contract broken: ${what}.`);
}

/** Compares as JSON, without regard to the order of keys. @throws Error showing both */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  const [is, wanted] = [sorted(actual), sorted(expected)];
  if (is !== wanted)
    throw new Error(`Contract broken: ${what}: expected ${shown(wanted)}, got ${shown(is)}.`);
}

/** Expects a FabricError with one of `codes`. @throws Error telling what came instead */
export async function expectRefusal(
  work: Promise<unknown>,
  codes: readonly ErrorCode[],
  what: string,
): Promise<FabricError> {
  let outcome: unknown = 'success';
  try {
    await work;
  } catch (caught) {
    if (caught instanceof FabricError && codes.includes(caught.code)) return caught;
    outcome = caught;
  }
  throw new Error(`Contract broken: ${what}: expected ${codes.join(' or ')}, got ${String(outcome)}.`, {
    cause: outcome,
  });
}

/** Expects a programmer's mistake to be refused. @throws Error telling what came instead */
export async function expectTypeError(work: () => Promise<unknown>, what: string): Promise<void> {
  const caught = await work().then(
    () => undefined,
    (error: unknown) => error,
  );
  expectTrue(caught instanceof TypeError, `${what}: expected a TypeError, got ${String(caught)}`);
}

const shown = (text: string): string => (text.length > 500 ? `${text.slice(0, 500)}…` : text);

function sorted(value: unknown): string {
  const inOrder = (_key: string, inner: unknown): unknown =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner;
  return JSON.stringify([value], inOrder).slice(1, -1);
}
