'use strict';
// matrix-bot-sdk reads names of this module when it is loaded, and makes objects of it only for encrypted rooms.
class NoEncryption {
  constructor() {
    throw new Error(
      'The native encryption module is not installed: services of the fabric do not encrypt rooms.',
    );
  }
}
const names = { StoreType: { Sled: 0, Sqlite: 1 } };
module.exports = new Proxy(names, {
  get: (known, name) => (name === '__esModule' ? false : (known[name] ?? NoEncryption)),
});
