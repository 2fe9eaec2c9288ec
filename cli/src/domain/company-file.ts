/** What a company says of its directory: itself, its bounds, its partners, and the LDAP server that knows its people. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { AUDIENCES, FabricError, FIELD_GROUPS, systemClock, type Logger } from '@hyperty/runtime';
import type { DiscoveryOptions, LdapSettings } from '@hyperty/services';
import { parseYaml } from '@hyperty/synapse-config';
import * as z from 'zod';

const audience = z.enum(AUDIENCES);
const text = z.string().min(1).max(256);
const attribute = z.string().regex(/^[a-z][a-z0-9;-]{0,63}$/i, 'expected the name of an LDAP attribute');

const ldapSchema = z.strictObject({
  url: z.url({ protocol: /^ldaps?$/ }),
  base: text,
  bindDn: text.optional(),
  /** File with the password; or `passwordVariable`, the name of an environment variable. */
  passwordFile: text.optional(),
  passwordVariable: text.optional(),
  filter: text.optional(),
  startTls: z.boolean().optional(),
  /** File with certificate authorities of the server, as PEM. */
  caFile: text.optional(),
  attributes: z
    .partialRecord(z.enum(['user', 'name', 'headline', 'organisation', 'role', 'skills', 'place']), attribute)
    .optional(),
});

const companySchema = z.strictObject({
  company: z
    .strictObject({
      name: text,
      headline: text.optional(),
      place: text.optional(),
      picture: z.string().max(512).optional(),
      audience: audience.optional(),
    })
    .optional(),
  /** The widest audience of each group of fields. */
  bounds: z.partialRecord(z.enum(FIELD_GROUPS), audience).optional(),
  /** Of people who have chosen none. */
  defaultAudience: audience.optional(),
  /** Domains that discovery asks too, and that the audience `partners` means. */
  partners: z.array(text).max(1000).optional(),
  ldap: ldapSchema.optional(),
});

type DirectoryOptions = Pick<
  DiscoveryOptions,
  'company' | 'bounds' | 'defaultAudience' | 'partners' | 'sources'
>;
type LdapFile = z.infer<typeof ldapSchema>;

/**
 * Reads the file, YAML or JSON. Paths in it are relative to its folder.
 * @throws FabricError `not-found`, `invalid`; the message names the field
 */
export async function readCompanyFile(
  path: string,
  { domain, logger }: { readonly domain: string; readonly logger: Logger },
): Promise<DirectoryOptions> {
  const file = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new FabricError('not-found', `The company file ${path} cannot be read.`, { cause });
  });
  const { ldap, ...rest } = parse(file, path);
  if (ldap === undefined) return rest as DirectoryOptions;
  const { createLdapSource } = await import('@hyperty/services');
  const settings = await ldapSettings(ldap, { domain, folder: dirname(resolve(path)) });
  try {
    return {
      ...rest,
      sources: [createLdapSource(settings, { clock: systemClock, logger })],
    } as DirectoryOptions;
  } catch (cause) {
    throw new FabricError('invalid', `${path}: ${(cause as Error).message}`, { cause });
  }
}

function parse(file: string, path: string): z.infer<typeof companySchema> {
  let content: unknown;
  try {
    content = parseYaml(file) ?? {};
  } catch (cause) {
    throw new FabricError('invalid', `${path} is neither YAML nor JSON.`, { cause });
  }
  const result = companySchema.safeParse(content);
  if (result.success) return result.data;
  const issues = result.error.issues
    .slice(0, 3)
    .map(({ path: at, message }) => `${at.join('.') || 'file'}: ${message}`);
  throw new FabricError('invalid', `${path}: ${issues.join('; ')}.`);
}

async function ldapSettings(
  { passwordFile, passwordVariable, caFile, ...ldap }: LdapFile,
  { domain, folder }: { readonly domain: string; readonly folder: string },
) {
  const file = (path: string): string => resolve(folder, path);
  const password =
    passwordFile !== undefined
      ? { file: file(passwordFile) }
      : passwordVariable !== undefined
        ? { variable: passwordVariable }
        : undefined;
  return {
    ...ldap,
    domain,
    ...(password === undefined ? {} : { password }),
    ...(caFile === undefined ? {} : { ca: await readFile(file(caFile), 'utf8') }),
  } as LdapSettings;
}
