/** Joins the durable hyperties of a runtime to its bus and its store. */
import { DurableHyperties, type DurableHypertiesDeps } from './durable/durable-hyperties.ts';
import { defaultDurableSettings, type DurableSettings } from './durable/durable-settings.ts';
import type { FabricError } from './message/error.ts';

/** What the durable hyperties of a runtime are made of. */
export interface HousingParts extends Omit<DurableHypertiesDeps, 'settings' | 'deviceLost'> {
  /** What is not given has its default. */
  readonly settings: Partial<DurableSettings> | undefined;
  /** Stops the runtime, as another process runs as its device. */
  readonly stop: () => void;
}

/** Creates the durable hyperties of a runtime; they receive for its bus. */
export function createDurables({ settings, stop, ...parts }: HousingParts): DurableHyperties {
  const deviceLost = (error: FabricError): void => {
    parts.logger.error({ error }, 'the runtime stops: another process runs as its device');
    stop();
  };
  const durables = new DurableHyperties({
    ...parts,
    settings: { ...defaultDurableSettings, ...settings },
    deviceLost,
  });
  parts.bus.house(durables);
  return durables;
}
