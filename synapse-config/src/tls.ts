/**
 * Certificates for federation between homeservers that no public authority knows: a small certificate authority of
 * one's own, and server certificates that it signs. Both are ECDSA on P-256, made with Web Crypto.
 */
import 'reflect-metadata'; // @peculiar/x509 resolves its parts with it and does not load without it
import { randomBytes, type webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** A certificate and its private key, both as PEM text. */
export interface KeyAndCertificate {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** For whom a server certificate is, and for how long. */
export interface ServerCertificateOptions {
  /** DNS names that clients use, e.g. `['acme.localhost', 'localhost']`; the first one is the certificate's subject. */
  readonly hostNames: readonly [string, ...string[]];
  /** Addresses that clients use instead of a name, e.g. `['127.0.0.1']`; none by default. */
  readonly ipAddresses?: readonly string[];
  /** Five years by default. */
  readonly validDays?: number;
  /** The moment of signing; now by default. */
  readonly now?: Date;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;

/** A new certificate authority that may sign server certificates and nothing below them; valid for ten years. */
export async function createCertificateAuthority(name: string, now = new Date()): Promise<KeyAndCertificate> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [name] }],
    ...validity(now, 3650),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificatePem: certificate.toString('pem'), privateKeyPem: await exportPem(keys.privateKey) };
}

/** A new key and a certificate for it, signed by `authority`, naming every host in its subject alternative names. */
export async function createServerCertificate(
  authority: KeyAndCertificate,
  options: ServerCertificateOptions,
): Promise<KeyAndCertificate> {
  const { hostNames, ipAddresses = [], validDays = 1825, now = new Date() } = options;
  const keys = await generateKeys();
  const issuer = new x509.X509Certificate(authority.certificatePem);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [{ CN: [hostNames[0]] }],
    issuer: issuer.subjectName,
    ...validity(now, validDays),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: await importPem(authority.privateKeyPem),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        x509.ExtendedKeyUsage.clientAuth,
      ]),
      new x509.SubjectAlternativeNameExtension([
        ...hostNames.map((value) => ({ type: 'dns' as const, value })),
        ...ipAddresses.map((value) => ({ type: 'ip' as const, value })),
      ]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return { certificatePem: certificate.toString('pem'), privateKeyPem: await exportPem(keys.privateKey) };
}

/** A day of slack before, for machines whose clocks differ. */
function validity(now: Date, validDays: number): { notBefore: Date; notAfter: Date } {
  return {
    notBefore: new Date(now.getTime() - DAY_MS),
    notAfter: new Date(now.getTime() + validDays * DAY_MS),
  };
}

/** 16 random bytes with the highest bits 01, so that the number is positive and never shortened (RFC 5280 §4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x3f) | 0x40, 0);
  return bytes.toString('hex');
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function exportPem(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), x509.PemConverter.PrivateKeyTag)}\n`;
}

async function importPem(pem: string): Promise<webcrypto.CryptoKey> {
  const [der] = x509.PemConverter.decode(pem);
  if (der === undefined) throw new TypeError('the authority has no private key in PEM');
  return crypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
}
