/**
 * What a hyperty is: a descriptor, the events that it accepts and emits, and an ordinary XState machine. The types of
 * a definition follow it to every reference to it, local or remote.
 */
import type { AnyActorLogic, EventFromLogic, SnapshotFrom } from 'xstate';
import * as z from 'zod';
import { parseAddress, type Address } from '../message/address.ts';
import { describeIssues, type EnvelopeHeader } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';

/** Event types and the schema of what each carries besides its `type`. */
export type EventSchemas = Readonly<Record<string, z.ZodObject>>;

/** Fields of an event; zod types an object without any as one that may have none at all, not even a `type`. */
type Fields<T> = T extends Readonly<Record<string, never>> ? unknown : T;

/** The events of a set of schemas as a sender writes them: `{ type, …fields }`. */
export type Sent<S extends EventSchemas> = {
  [K in keyof S & string]: { readonly type: K } & Fields<z.input<S[K]>>;
}[keyof S & string];

/** The events of a set of schemas after validation. */
export type Parsed<S extends EventSchemas> = {
  [K in keyof S & string]: { readonly type: K } & Fields<z.output<S[K]>>;
}[keyof S & string];

/**
 * The events that reach a machine: validated, with the header of the envelope that brought them. Use it for
 * `setup({ types: { events: {} as Accepted<typeof accepts> } })`.
 */
export type Accepted<S extends EventSchemas> = Parsed<S> & { readonly envelope: EnvelopeHeader };

/** What the catalogue will tell about a hyperty. */
export interface Descriptor {
  /** Lower-case words joined by hyphens; also the default last segment of its address. */
  readonly name: string;
  /** Semantic version. */
  readonly version: string;
  /** One sentence for people who look for it. */
  readonly description?: string;
  /** What it offers, for those who search a registry: `chat`, `video`. */
  readonly resources?: readonly string[];
  /** Data schemas that it understands. */
  readonly schemas?: readonly string[];
  /** Registers it nowhere, though its runtime registers what it hosts. */
  readonly unlisted?: boolean;
}

const words = z
  .array(
    z
      .string()
      .min(1)
      .max(256)
      .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'expected text without control characters'),
  )
  .max(32);

const descriptorSchema = z.object({
  name: z
    .string()
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'expected lower-case words joined by hyphens')
    .max(64),
  version: z.string().regex(/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/, 'expected a semantic version such as 1.0.0'),
  description: z.string().max(500).optional(),
  resources: words.optional(),
  schemas: words.optional(),
  unlisted: z.boolean().optional(),
});

/** What XState keeps of a machine; of other versions nobody knows more. */
export interface KeptSnapshot {
  readonly status: string;
  /** State value. */
  readonly value: unknown;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what an earlier version had in it, its author knows
  readonly context: any;
  /** `historyValue`, `children`, and what later versions of XState add. */
  readonly [field: string]: unknown;
}

/** Makes the hyperties of a definition durable, and says how their snapshots are kept. */
export interface Durability {
  /** Version of the shape of the machine's snapshot: a whole number, raised whenever the machine changes in a way that an old one does not fit. */
  readonly version: number;
  /** By version: turns a snapshot of that version into one of the next. */
  readonly migrations?: Readonly<Record<number, (snapshot: KeptSnapshot) => unknown>>;
  /** Shape of the machine's context; one that does not fit is refused before the machine sees it. */
  readonly context?: z.ZodType;
}

/** What an author writes. */
export interface HypertySource<A extends EventSchemas, E extends EventSchemas, M extends AnyActorLogic, X> {
  readonly descriptor: Descriptor;
  /** Events that others may send it. Inputs are validated before they reach the machine. */
  readonly accepts: A;
  /** Events that it sends as answers and emits to subscribers. Validated on their way out. */
  readonly emits: E;
  /** An XState v5 machine (or any other actor logic) whose events are {@link Accepted}. */
  readonly machine: M &
    (Accepted<A> extends EventFromLogic<M> ? unknown : { 'machine does not take these events': Accepted<A> });
  /** What peers may see of a snapshot besides status and state value. Default: nothing of the context. */
  readonly expose?: (snapshot: SnapshotFrom<M>) => X;
  /** Makes it durable: it outlives its process. Default: it does not. */
  readonly durable?: Durability;
}

/** A hyperty's definition, made by {@link defineHyperty}. */
export interface HypertyDefinition<
  A extends EventSchemas = EventSchemas,
  E extends EventSchemas = EventSchemas,
  M extends AnyActorLogic = AnyActorLogic,
  X = unknown,
> {
  readonly descriptor: Descriptor;
  readonly accepts: A;
  readonly emits: E;
  readonly machine: M;
  readonly expose: (snapshot: SnapshotFrom<M>) => X;
  readonly durable?: Durability;
  /** Names a running instance: the address with this definition's types. @throws FabricError `invalid` */
  at(address: string): Peer<A, E, X>;
}

/** Any definition, when its types do not matter. */
export type AnyDefinition = Pick<HypertyDefinition, 'descriptor' | 'accepts' | 'emits'>;

/** An address together with the definition of what lives there: what makes a remote reference typed. */
export interface Peer<
  A extends EventSchemas = EventSchemas,
  E extends EventSchemas = EventSchemas,
  X = unknown,
> {
  readonly address: Address;
  readonly accepts: A;
  readonly emits: E;
  /** Type of the exposed part of its snapshots; never set. */
  readonly exposed?: X;
}

/**
 * Makes an XState machine addressable.
 * @throws TypeError when the descriptor is malformed
 * @example
 * ```ts
 * import { defineHyperty, reply, type Accepted } from '@hyperty/runtime';
 * import { setup } from 'xstate';
 * import * as z from 'zod';
 *
 * const accepts = { greet: z.object({ name: z.string() }) };
 * const emits = { greeted: z.object({ text: z.string() }) };
 * export const greeter = defineHyperty({
 *   descriptor: { name: 'greeter', version: '1.0.0' },
 *   accepts,
 *   emits,
 *   machine: setup({ types: { events: {} as Accepted<typeof accepts> } }).createMachine({
 *     on: { greet: { actions: reply(({ event }) => ({ type: 'greeted', text: `Hello ${event.name}` })) } },
 *   }),
 * });
 * ```
 */
export function defineHyperty<
  const A extends EventSchemas,
  const E extends EventSchemas,
  M extends AnyActorLogic,
  X = undefined,
>(source: HypertySource<A, E, M, X>): HypertyDefinition<A, E, M, X> {
  const { accepts, emits, machine } = source;
  const checked = descriptorSchema.safeParse(source.descriptor);
  if (!checked.success) throw new TypeError(`Malformed descriptor: ${describeIssues(checked.error)}.`);
  if (source.durable) checkDurability(source.durable);
  const { durable } = source;
  return {
    descriptor: source.descriptor,
    accepts,
    emits,
    machine,
    expose: source.expose ?? (() => undefined as X),
    ...(durable ? { durable } : {}),
    at: (address) => ({ address: parseAddress(address), accepts, emits }),
  };
}

/** @throws TypeError when versions or migrations make no sense */
function checkDurability({ version, migrations = {} }: Durability): void {
  if (!Number.isSafeInteger(version) || version < 1)
    throw new TypeError(`durable.version must be a whole number from 1 on, got ${version}.`);
  const from = Object.keys(migrations)
    .map(Number)
    .sort((a, b) => a - b);
  const odd = from.find((one) => !Number.isSafeInteger(one) || one < 1 || one >= version);
  if (odd !== undefined)
    throw new TypeError(
      `durable.migrations[${odd}] leads nowhere: migrations[n] leads from version n to n + 1, and this is version ${version}.`,
    );
  const [first = version] = from;
  const gap = Array.from({ length: version - first }, (_, n) => first + n).find((one) => !from.includes(one));
  if (gap !== undefined)
    throw new TypeError(
      `durable.migrations[${gap}] is missing: nothing leads from version ${gap} to ${gap + 1}.`,
    );
}

/** True when `value` was made by {@link defineHyperty}. */
export function isHypertyDefinition(value: unknown): value is HypertyDefinition {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'descriptor' in value && 'accepts' in value && 'emits' in value && 'machine' in value && 'at' in value
  );
}

/**
 * Checks an event against a set of schemas.
 * @returns the event with its validated fields; fields that the schema does not know are dropped
 * @throws FabricError `schema`; the message names the field and what was expected
 */
export function parseEvent<S extends EventSchemas>(schemas: S, event: unknown, who: string): Parsed<S> {
  const type = typeof event === 'object' && event !== null ? (event as { type?: unknown }).type : undefined;
  const schema = typeof type === 'string' && Object.hasOwn(schemas, type) ? schemas[type] : undefined;
  if (!schema) throw unknownEvent(schemas, type, who);
  const result = schema.safeParse(fieldsFor(schema, event as object));
  if (result.success) return { type, ...result.data } as Parsed<S>;
  throw new FabricError(
    'schema',
    `${who}: event "${String(type)}" does not fit: ${describeIssues(result.error)}.`,
    {
      details: {
        event: type,
        issues: result.error.issues.slice(0, 3).map(({ path, message }) => ({ path, message })),
      },
    },
  );
}

/** What a schema sees of an event: one that is particular about other fields must not stumble over the `type`. */
function fieldsFor(schema: z.ZodObject, event: object): object {
  if (!schema.def.catchall || 'type' in schema.shape) return event;
  const { type: _type, ...fields } = event as { readonly type?: unknown };
  return fields;
}

function unknownEvent(schemas: EventSchemas, type: unknown, who: string): FabricError {
  const known = Object.keys(schemas).join(', ') || 'none';
  const shown = typeof type === 'string' ? `"${type.slice(0, 64)}"` : 'without a type';
  return new FabricError('schema', `${who}: event ${shown} is not among: ${known}.`, {
    details: { accepts: Object.keys(schemas) },
  });
}
