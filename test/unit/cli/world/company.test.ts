import assert from 'node:assert/strict';
import { planCompanies } from '../../../../cli/src/world/company.ts';

describe('companies of a world', () => {
  it('are acme with alice and partner with bob, on ports that all differ', async () => {
    const [acme, partner] = await planCompanies();
    assert.ok(acme !== undefined && partner !== undefined);
    assert.deepEqual(
      [acme.name, acme.person, partner.name, partner.person],
      ['acme', 'alice', 'partner', 'bob'],
    );
    const ports = [acme, partner].flatMap((it) => [it.clientPort, it.federationPort]);
    assert.equal(new Set(ports).size, 4);
    assert.equal(acme.serverName, `acme.localhost:${String(acme.federationPort)}`);
    assert.equal(partner.baseUrl, `http://127.0.0.1:${String(partner.clientPort)}`);
  });

  it('keep the port in their name when something forwards from it to another one', async () => {
    const [acme] = await planCompanies({
      acme: { client: 20_000, federation: 20_001, federationListener: 20_002 },
      partner: { client: 20_003, federation: 20_004 },
    });
    assert.equal(acme?.serverName, 'acme.localhost:20001');
    assert.equal(acme.federationPort, 20_002);
  });
});
