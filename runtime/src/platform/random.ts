/** Random bytes from Web Crypto; injected wherever they are used, so that tests can fix them. */
export const randomBytes = (bytes: number): Uint8Array => crypto.getRandomValues(new Uint8Array(bytes));
