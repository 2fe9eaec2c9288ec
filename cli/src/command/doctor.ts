/**
 * `hyperty doctor`: examines a homeserver and an account, or both homeservers of the local world.
 */
import { FabricError } from '@hyperty/runtime';
import { readCredentials, type CredentialOptions } from '../credentials.ts';
import { diagnose, type Credentials } from '../doctor/doctor.ts';
import type { Finding } from '../doctor/finding.ts';
import { parseServerUrl } from '../doctor/server-checks.ts';
import { exitCodes, type ExitCode } from '../exit-code.ts';
import type { Terminal } from '../terminal.ts';
import { accountPassword } from '../world/account.ts';
import { openWorld } from '../world/open-world.ts';

/** What `hyperty doctor` takes. */
export interface DoctorCommandOptions extends CredentialOptions {
  readonly dir: string;
  readonly json?: boolean;
}

interface Diagnosis {
  readonly url: string;
  readonly healthy: boolean;
  readonly findings: readonly Finding[];
}

/** Prints the findings; ends with 0 when none of them is a failure. */
export async function doctor(
  url: string | undefined,
  options: DoctorCommandOptions,
  context: { terminal: Terminal; signal: AbortSignal },
): Promise<ExitCode> {
  const { terminal, signal } = context;
  const patients = url === undefined ? await worldPatients(options) : [await namedPatient(url, options)];
  const diagnoses: Diagnosis[] = [];
  for (const patient of patients) {
    if (options.json !== true) terminal.print(terminal.bold(patient.url));
    const findings = await diagnose({
      ...patient,
      signal,
      onFinding: (finding) => {
        if (options.json !== true) terminal.printFinding(finding);
      },
    });
    diagnoses.push({ url: patient.url, healthy: !findings.some((it) => it.level === 'failure'), findings });
  }
  const healthy = diagnoses.every((it) => it.healthy);
  if (options.json === true) terminal.print(JSON.stringify({ healthy, servers: diagnoses }, null, 2));
  else terminal.print('', summary(diagnoses));
  return healthy ? exitCodes.ok : exitCodes.failed;
}

function summary(diagnoses: readonly Diagnosis[]): string {
  if (!diagnoses.every(({ healthy }) => healthy))
    return 'The fabric cannot work here yet: see the lines with ✗.';
  const isPartial = diagnoses.some(({ findings }) => findings.some(({ level }) => level === 'warning'));
  return isPartial
    ? 'Nothing speaks against the fabric here so far: see the lines with !.'
    : 'The fabric can work here.';
}

interface PatientOptions {
  readonly url: string;
  readonly credentials: Credentials;
}

async function namedPatient(url: string, options: CredentialOptions): Promise<PatientOptions> {
  const credentials = await readCredentials(options);
  try {
    return { url: parseServerUrl(url), credentials };
  } catch (cause) {
    throw new FabricError('invalid', `${url} is not a URL; give one such as https://matrix.example.com`, {
      cause,
    });
  }
}

/** Both companies of the local world, each with the account of its person. */
async function worldPatients(options: DoctorCommandOptions): Promise<PatientOptions[]> {
  const world = await openWorld(options.dir);
  return Promise.all(
    world.companies.map(async (company) => {
      const { baseUrl: url, person: user } = company;
      const password = await accountPassword(world.dir, company, user);
      const credentials: Credentials =
        password === undefined ? { kind: 'none' } : { kind: 'password', user, password };
      return { url, credentials };
    }),
  );
}
