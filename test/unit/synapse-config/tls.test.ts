import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createCertificateAuthority, createServerCertificate } from '@hyperty/synapse-config';

const now = new Date('2026-11-24T12:00:00Z');
const hostNames = ['acme.localhost', 'localhost'] as const;

describe('certificates', () => {
  it('of a server chain up to the authority and fit their key', async () => {
    const authority = await createCertificateAuthority('test', now);
    const server = await createServerCertificate(authority, { hostNames, now });
    const ca = new X509Certificate(authority.certificatePem);
    const certificate = new X509Certificate(server.certificatePem);
    assert.ok(certificate.checkIssued(ca));
    assert.ok(certificate.verify(ca.publicKey));
    assert.ok(certificate.checkPrivateKey(createPrivateKey(server.privateKeyPem)));
    assert.equal(certificate.ca, false);
    assert.equal(ca.ca, true);
    assert.ok(ca.verify(ca.publicKey));
  });

  it('name every host and address, and no other', async () => {
    const authority = await createCertificateAuthority('test', now);
    const { certificatePem } = await createServerCertificate(authority, {
      hostNames,
      ipAddresses: ['127.0.0.1'],
      now,
    });
    const certificate = new X509Certificate(certificatePem);
    assert.equal(certificate.checkHost('acme.localhost'), 'acme.localhost');
    assert.equal(certificate.checkHost('localhost'), 'localhost');
    assert.equal(certificate.checkIP('127.0.0.1'), '127.0.0.1');
    assert.equal(certificate.checkHost('partner.localhost'), undefined);
    assert.equal(certificate.subject, 'CN=acme.localhost');
  });

  it('are valid from a day before until their days are over', async () => {
    const authority = await createCertificateAuthority('test', now);
    const { certificatePem } = await createServerCertificate(authority, { hostNames, validDays: 10, now });
    const { validFromDate, validToDate } = new X509Certificate(certificatePem);
    assert.equal(validFromDate.toISOString(), '2026-11-23T12:00:00.000Z');
    assert.equal(validToDate.toISOString(), '2026-12-04T12:00:00.000Z');
  });

  it('have serial numbers of their own, positive and of full length', async () => {
    const authority = await createCertificateAuthority('test', now);
    const serials = new Set<string>();
    for (let count = 0; count < 20; count++) {
      const { certificatePem } = await createServerCertificate(authority, { hostNames, now });
      serials.add(new X509Certificate(certificatePem).serialNumber);
    }
    assert.equal(serials.size, 20);
    for (const serial of serials) assert.match(serial, /^[4-7][0-9A-F]{31}$/);
  });

  it('of another authority are not accepted', async () => {
    const [one, two] = await Promise.all([
      createCertificateAuthority('one'),
      createCertificateAuthority('two'),
    ]);
    const { certificatePem } = await createServerCertificate(one, { hostNames });
    assert.equal(
      new X509Certificate(certificatePem).verify(new X509Certificate(two.certificatePem).publicKey),
      false,
    );
  });
});
