/** The application-service registration as the services read it: which tokens they share with their homeserver. */
import { FabricError } from '@hyperty/runtime';
import * as z from 'zod';

const registrationSchema = z.looseObject({
  id: z.string().min(1),
  url: z.string().nullish(),
  as_token: z.string().min(16, 'is too short to be a secret'),
  hs_token: z.string().min(16, 'is too short to be a secret'),
  sender_localpart: z.string().min(1),
  namespaces: z.looseObject({
    users: z.array(z.looseObject({ exclusive: z.boolean(), regex: z.string() })).min(1),
    aliases: z.array(z.looseObject({ exclusive: z.boolean(), regex: z.string() })).optional(),
  }),
});

/** A registration (Application Service API, "Registration"), with the fields that the services use. */
export type Registration = Readonly<z.infer<typeof registrationSchema>>;

/**
 * Checks the content of a registration file.
 * @param where the file, for the message
 * @throws FabricError `invalid`; its message names the field and never a token
 */
export function parseRegistration(content: unknown, where: string): Registration {
  const result = registrationSchema.safeParse(content);
  const remedy = 'Make one with "hyperty registration", and give the same file to the homeserver.';
  if (!result.success) {
    const [issue] = result.error.issues;
    const field = issue?.path.join('.') || 'the whole file';
    throw new FabricError(
      'invalid',
      `${where} is no registration: ${field} ${issue?.message ?? ''}. ${remedy}`,
    );
  }
  const registration = result.data;
  if (registration.as_token === registration.hs_token)
    throw new FabricError('invalid', `${where}: as_token and hs_token must differ. ${remedy}`);
  const reserved = registration.namespaces.users.some(
    ({ exclusive, regex }) => exclusive && matches(regex, '@_hyperty_registry:'),
  );
  if (reserved) return registration;
  const text = `${where} does not reserve the users @_hyperty_…: anybody could make an account of that name. ${remedy}`;
  throw new FabricError('invalid', text);
}

function matches(regex: string, userId: string): boolean {
  try {
    return new RegExp(`^(?:${regex})`).test(userId);
  } catch {
    return false;
  }
}
