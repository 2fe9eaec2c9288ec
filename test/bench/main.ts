/** `npm run bench [-- NAME…]`: measures the fabric beside the raw thing, prints a table, writes `out/bench.json`. */
import { join } from 'node:path';
import { stopSharedWorld } from '../support/world.ts';
import { benchDiscovery } from './discovery.ts';
import { benchDurableThroughput } from './durable-throughput.ts';
import { benchDurable } from './durable.ts';
import { benchIdle } from './idle.ts';
import { benchLocal } from './local.ts';
import { benchLookUp } from './look-up.ts';
import { printTable, writeFigures, type Figure } from './report.ts';
import { benchRegistry } from './registry.ts';
import { benchRest } from './rest.ts';
import { benchRoundTrip } from './round-trip.ts';
import { benchStore } from './store.ts';
import { benchThroughput } from './throughput.ts';
import { benchWorldStart } from './world-start.ts';

const benchmarks: Readonly<Record<string, () => Promise<Figure[]>>> = {
  local: benchLocal,
  idle: benchIdle,
  store: benchStore,
  durable: benchDurable,
  rest: benchRest,
  registry: benchRegistry,
  'round-trip': benchRoundTrip,
  'look-up': benchLookUp,
  throughput: benchThroughput,
  'durable-throughput': benchDurableThroughput,
  discovery: benchDiscovery,
  world: benchWorldStart,
};

const OUT = join(import.meta.dirname, '../../out/bench.json');
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(benchmarks, name));
if (unknown.length > 0) {
  console.error(
    `There is no benchmark "${unknown.join('", "')}"; there are: ${Object.keys(benchmarks).join(', ')}.`,
  );
  process.exit(2);
}

const figures: Figure[] = [];
try {
  for (const [name, bench] of Object.entries(benchmarks)) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    console.error(`measuring ${name} …`);
    figures.push(...(await bench()));
  }
} finally {
  await stopSharedWorld();
}
printTable(figures);
await writeFigures(OUT, figures);
console.log(`\nwritten to ${OUT}`);
