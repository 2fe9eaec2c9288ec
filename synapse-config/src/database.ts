/**
 * Where a homeserver keeps its data: SQLite in its own folder for a world or a trial, PostgreSQL for production.
 */

/** A database of a homeserver. */
export type Database =
  | { readonly kind: 'sqlite'; /** Absolute path. */ readonly path: string }
  | {
      readonly kind: 'postgresql';
      readonly host: string;
      /** 5432 by default. */
      readonly port?: number;
      readonly user: string;
      readonly password: string;
      /** The database's name; `synapse` by default. It must have been created with `LC_COLLATE=C LC_CTYPE=C`. */
      readonly database?: string;
      /** Connections kept open; 5 to 10 by default. */
      readonly poolMin?: number;
      readonly poolMax?: number;
    };

/** Synapse's `database` section for `database`. */
export function databaseConfig(database: Database): Record<string, unknown> {
  if (database.kind === 'sqlite') return { name: 'sqlite3', args: { database: database.path } };
  const { host, port = 5432, user, password, poolMin = 5, poolMax = 10 } = database;
  return {
    name: 'psycopg2',
    args: {
      host,
      port,
      user,
      password,
      dbname: database.database ?? 'synapse',
      cp_min: poolMin,
      cp_max: poolMax,
    },
  };
}
