/** What the platform under a runtime is and has, as far as code can tell; for the constraints of descriptors. */
import type { RuntimeKind } from './terms.ts';

/** Where code is to run. */
export interface PlatformKind {
  readonly kind: RuntimeKind;
  readonly capabilities: readonly string[];
}

/** What a descriptor asks for. */
export interface Constraints {
  readonly runtimes?: readonly RuntimeKind[] | undefined;
  readonly capabilities?: readonly string[] | undefined;
}

interface Surroundings {
  readonly document?: unknown;
  readonly WorkerGlobalScope?: unknown;
  readonly RTCPeerConnection?: unknown;
  readonly navigator?: {
    readonly mediaDevices?: unknown;
    readonly userAgentData?: { readonly mobile?: boolean };
  };
}

/**
 * Looks around. Camera and microphone count as there when the platform can ask for them; whether a person grants it is
 * seen when they are used. A store is the runtime's, so `storage` is for its owner to add.
 */
export function detectPlatform(around: Surroundings = globalThis): PlatformKind {
  const capabilities = [
    ...(around.RTCPeerConnection === undefined ? [] : ['webrtc']),
    ...(around.navigator?.mediaDevices === undefined ? [] : ['camera', 'microphone']),
  ];
  if (!isBrowser(around)) return { kind: 'node', capabilities };
  const isPhone = around.navigator?.userAgentData?.mobile === true;
  return { kind: isPhone ? 'phone' : 'browser', capabilities };
}

/** What a platform lacks of what a descriptor's constraints ask for, in words. */
export function lackingOf(
  { runtimes, capabilities = [] }: Constraints,
  platform: PlatformKind,
): readonly string[] {
  const isKind = runtimes === undefined || runtimes.includes(platform.kind);
  const lacks = capabilities.filter((it) => !platform.capabilities.includes(it));
  return isKind ? lacks : [`a runtime in ${runtimes.join(' or ')}`, ...lacks];
}

/** True in pages and workers of a browser. */
export const isBrowser = (around: Surroundings = globalThis): boolean =>
  around.document !== undefined || around.WorkerGlobalScope !== undefined;
