/**
 * `world`: companies on one machine that talk over loopback, trust an authority of their own, and never meet a rate
 * limit or a back-off. `production`: a company's real homeserver, behind a reverse proxy, talking to the internet.
 */
export type Profile = 'world' | 'production';
