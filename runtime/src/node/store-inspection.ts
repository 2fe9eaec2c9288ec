/** Looks into a store without a runtime. */
import { readDurableReport } from '../durable/durable-report.ts';
import {
  observeDurable,
  parseDurableObservation,
  type DurableObservation,
} from '../observe/durable-observation.ts';
import type { Store } from '../store/store.ts';

/** What a store has of durable hyperties, as a runtime's socket would tell it. @throws FabricError `storage closed` */
export async function observeDurableIn(store: Store): Promise<DurableObservation> {
  return parseDurableObservation(observeDurable(await readDurableReport(store)));
}
