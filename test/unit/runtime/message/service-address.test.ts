/** Addresses of a domain's services: who owns them, and where they are served. */
import assert from 'node:assert/strict';
import { ownerOf, ownsAddress, parseAddress, runtimeAddress, serviceAddress, serviceParts, serviceRuntime } from '@hyperty/runtime'; // prettier-ignore
import { refusedAs } from '../../../support/refused.ts';

const registry = serviceAddress({ service: 'registry', domain: 'acme.example:8448' });

describe('the address of a service', () => {
  it('names service and domain, and gives them back', () => {
    assert.equal(registry, 'domain://registry.acme.example:8448');
    assert.deepEqual(serviceParts(registry), { service: 'registry', domain: 'acme.example:8448' });
  });

  it('belongs to the account of the service, and is served on its one device', () => {
    assert.equal(ownerOf(registry), 'acme.example:8448/_hyperty_registry');
    const runtime = serviceRuntime(registry);
    assert.equal(runtime, 'runtime://acme.example:8448/_hyperty_registry/hyperty');
    assert.ok(ownsAddress(runtime, registry));
  });

  it('is nobody else’s: not of people, of other services, nor of other domains', () => {
    const others = [
      { domain: 'acme.example:8448', owner: 'registry' },
      { domain: 'acme.example:8448', owner: '_hyperty_catalogue' },
      { domain: 'acme.example', owner: '_hyperty_registry' },
      { domain: 'evil.example', owner: '_hyperty_registry' },
      { domain: 'registry.acme.example:8448', owner: '_hyperty_registry' },
    ];
    for (const other of others)
      assert.equal(
        ownsAddress(runtimeAddress({ ...other, device: 'hyperty' }), registry),
        false,
        other.owner,
      );
  });

  it('is no other address', () => {
    for (const text of [
      'hyperty://registry.acme.example/a/b',
      'domain://registry',
      'domain://registry.acme.example/x',
    ])
      assert.equal(serviceParts(parseAddress(text)), undefined, text);
  });

  it('cannot be made of what would name something else', () => {
    const wrong = [
      { service: 'a.b', domain: 'acme.example' },
      { service: '', domain: 'acme.example' },
      { service: 'Registry', domain: 'acme.example' },
      { service: 'registry', domain: '' },
      { service: 'registry', domain: 'acme.example/alice' },
      { service: 'registry', domain: '[::1]:8448' },
    ];
    for (const parts of wrong)
      assert.throws(() => serviceAddress(parts), refusedAs('invalid'), JSON.stringify(parts));
  });
});
