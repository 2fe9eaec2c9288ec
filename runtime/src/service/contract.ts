/**
 * Contracts of a domain's services: which operations a service has and what goes in and out. Shared by who calls and who
 * serves. An operation is an `execute` whose body is `{type: <operation>, …input}` and whose answer's value is the output;
 * one that can be followed is a `subscribe` with the same body, followed by updates.
 */
import type * as z from 'zod';
import { describeIssues } from '../message/envelope.ts';
import { FabricError } from '../message/error.ts';

/** What goes in and out of one operation. */
export interface OperationContract {
  /** An object; it must not have a field `type`, which names the operation on the wire. */
  readonly input: z.ZodType<object>;
  readonly output: z.ZodType;
  /** What comes after the output to who follows the operation. Absent: it cannot be followed. */
  readonly update?: z.ZodType;
}

/** The operations of a service by their names. */
export type Operations = Readonly<Record<string, OperationContract>>;

/** What a service offers, and to whom it answers: `domain://<service>.<domain>`. */
export interface ServiceContract<O extends Operations = Operations> {
  /** Its name: `registry`, `catalogue`, `discovery`. */
  readonly service: string;
  readonly operations: O;
}

/** Names of a contract's operations. */
export type OperationName<O extends Operations> = keyof O & string;
/** What a caller gives. */
export type InputOf<C extends OperationContract> = z.input<C['input']>;
/** What a handler gets: checked, with defaults. */
export type ParsedInputOf<C extends OperationContract> = z.output<C['input']>;
/** What comes back. */
export type OutputOf<C extends OperationContract> = z.output<C['output']>;
/** What follows. */
export type UpdateOf<C extends OperationContract> = C['update'] extends z.ZodType<infer U> ? U : never;

/** Declares a contract. @throws TypeError when the service's name could not stand in an address */
export function defineContract<const O extends Operations>(contract: ServiceContract<O>): ServiceContract<O> {
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(contract.service))
    throw new TypeError(`"${contract.service}" is no service name: lower-case letters, digits and hyphens.`);
  return contract;
}

/**
 * Reads what came from outside. `what` begins the message of the error.
 * @throws FabricError `schema`; its message names the field and what was expected
 */
export function parseBy<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new FabricError('schema', `${what}: ${describeIssues(result.error)}.`);
}
