/** URLs of what catalogues have: `catalogue://<domain>/<kind>/<name>[@<range, version or tag>]`. */
import { serviceAddress } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import { descriptorKinds, nameField, wantedField, type DescriptorKind } from './terms.ts';

/** The parts of a catalogue's URL. */
export interface CatalogueUrl {
  readonly domain: string;
  readonly kind: DescriptorKind;
  readonly name: string;
  /** Absent: what the tag `latest` leads to. */
  readonly wanted?: string;
}

const MAX_CHARS = 512;
/** Nothing is decoded: what a name or a range may hold needs no encoding. */
const SHAPE = /^catalogue:\/\/([^/@\s%]+)\/([^/@%]+)\/([^/@%]+)(?:@([^/@%]+))?$/i;

/** True when `text` is meant to be the URL of a catalogue. */
export const isCatalogueUrl = (text: string): boolean => /^catalogue:/i.test(text);

/** Reads a catalogue's URL. @throws FabricError `invalid`; the message says which part is wrong */
export function parseCatalogueUrl(text: string): CatalogueUrl {
  const match = text.length > MAX_CHARS ? null : SHAPE.exec(text);
  if (!match) throw notAUrl(text, 'expected catalogue://domain/kind/name@range');
  const [, domain = '', kindText = '', name = '', wanted] = match;
  const kind = descriptorKinds.find((it) => it === kindText);
  if (kind === undefined) throw notAUrl(text, `"${kindText}" is none of ${descriptorKinds.join(', ')}`);
  if (!nameField.safeParse(name).success)
    throw notAUrl(text, 'a name has lower-case letters, digits and hyphens');
  if (wanted !== undefined && !wantedField.safeParse(wanted).success)
    throw notAUrl(text, `"${wanted}" is no range, version or tag`);
  const service = serviceAddress({ service: 'catalogue', domain }); // checks the domain
  const canonical = service.slice('domain://catalogue.'.length);
  return { domain: canonical, kind, name, ...(wanted === undefined ? {} : { wanted }) };
}

/** Writes a catalogue's URL. */
export const catalogueUrl = ({ domain, kind, name, wanted }: CatalogueUrl): string =>
  `catalogue://${domain}/${kind}/${name}${wanted === undefined ? '' : `@${wanted}`}`;

function notAUrl(text: string, why: string): FabricError {
  const shown = JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
  return new FabricError('invalid', `${shown} is no URL of a catalogue: ${why}.`);
}
