/** `@hyperty/runtime`: hosts hyperties; runs anywhere; knows no Matrix. */

// For authors of hyperties
export { ask, type AskInput, type AskOptions } from './actor/ask.ts';
export { effect, type EffectScope } from './actor/effect.ts';
export { defineHyperty, isHypertyDefinition } from './actor/hyperty.ts';
export type { Accepted, AnyDefinition, Descriptor, Durability, KeptSnapshot, EventSchemas, HypertyDefinition, HypertySource, Parsed, Peer, Sent } from './actor/hyperty.ts'; // prettier-ignore
export {
  remote,
  type RemoteInput,
  type RemoteLogic,
  type RemoteRef,
  type RemoteSnapshot,
} from './actor/remote.ts';
export { forget, remind, type ReminderOptions } from './actor/remind.ts';
export { tell, type Telling } from './actor/tell.ts';
export { progress, reply, type AnswerEvent, type ReplyOptions } from './actor/reply.ts';
export type { HostOptions, HostedStatus } from './actor/hosting.ts';
export type { SupervisionOptions } from './actor/supervision.ts';

// For those who run them
export { createRuntime, type Runtime } from './runtime.ts';
export type { Hosted, RuntimeOptions, RuntimeReport } from './runtime-types.ts';
export type { HostedKind } from './durable/durable-host.ts';
export type { DurableSettings } from './durable/durable-settings.ts';
export type {
  DurableReport,
  DurableSummary,
  ParkedSummary,
  Tally,
  WakeTime,
} from './durable/durable-report.ts';
export type { ParkedMessage } from './durable/parking.ts';
export { defaultLinkSettings, type LinkSettings } from './link/settings.ts';
export type { LinkReport } from './link/link.ts';
export type { DeadLetter, DeadLetterLog } from './bus/dead-letters.ts';
export type { Pipeline, Stage } from './bus/pipeline.ts';
export { atMost, delay, systemClock, type Clock, type Timer } from './platform/clock.ts';
export { consoleLogger, silentLogger, type LogFields, type Logger } from './platform/logger.ts';
export type { OpenSpan, SpanWork, Tracing } from './platform/tracing.ts';
export { createMemoryStorage, type KeyValueStorage } from './platform/storage.ts';

// Stores
export type { ChangeListener, Entry, Lease, LeaseRequest, Range, Store, Write } from './store/store.ts';
export {
  batchOf,
  checkKey,
  checkLease,
  fencedOff,
  limitOf,
  MAX_RANGE,
  storeClosed,
  under,
} from './store/store.ts';
export { createMemoryMedium, createMemoryStore } from './store/memory-store.ts';
export type { MemoryMedium, MemoryStoreOptions } from './store/memory-store.ts';
export { Watchers } from './store/watchers.ts';

// Schedules
export { parseSchedule, type MissedPolicy, type Schedule, type ScheduleInput } from './schedule/schedule.ts';

// Services of a domain
export { defineContract, parseBy } from './service/contract.ts';
export type { InputOf, OperationContract, OperationName, Operations, OutputOf, ParsedInputOf, ServiceContract, UpdateOf } from './service/contract.ts'; // prettier-ignore
export type { CallOptions, DomainServices, FollowListener, ServiceRef } from './service/services.ts';
export type { Following, ServedService, ServiceHandler, ServiceRequest } from './service/service-endpoint.ts';
export { AUDIENCES, discoveryContract, entrySchema, FIELD_GROUPS } from './discovery/contract.ts';
export type { Audience, DiscoveryAnswer, DiscoveryEntry, DiscoveryQuery, DiscoveryUpdate, FieldGroup, PublishedProfile, Unanswered } from './discovery/contract.ts'; // prettier-ignore
export { discover, watchDiscovery, type DiscoverLogic, type DiscoverSnapshot, type DiscoveryListener } from './discovery/discover.ts'; // prettier-ignore
export type { Found } from './discovery/found.ts';
export { LEASE_SECONDS, registryContract } from './registry/contract.ts';
export { createRegistryClient, type RegistryAsker, type RegistryClient, type RegistryListener, type RegistryQuestion } from './registry/registry-client.ts'; // prettier-ignore
export type { RegistrarOptions } from './registry/registrar.ts';
export type {
  EntryDraft,
  EntryKind,
  EntryState,
  RegistryCriteria,
  RegistryEntry,
} from './registry/contract.ts';

// Messages
export { addressParts, domainOf, hypertyAddress, isAddress, ownerOf, ownsAddress, parseAddress, runtimeAddress, runtimeParts, SERVICE_DEVICE, SERVICE_OWNER_PREFIX, serviceAddress, serviceParts, serviceRuntime } from './message/address.ts'; // prettier-ignore
export type {
  Address,
  AddressParts,
  HypertyAddress,
  RuntimeAddress,
  ServiceAddress,
} from './message/address.ts';
export { decodeEnvelope, envelopeJsonSchema, messageTypes } from './message/envelope.ts';
export type { Envelope, EnvelopeHeader, MessageType, ResponseBody } from './message/envelope.ts';
export { errorTable, FabricError, isErrorCode } from './message/error.ts';
export type { ErrorBody, ErrorCode, ErrorDetails, ErrorKind } from './message/error.ts';

// For those who write protostubs
export type {
  FrameContent,
  FrameListener,
  MediaStore,
  Protostub,
  ProtostubState,
} from './protostub/protostub.ts';
export {
  createMemoryHub,
  type FaultPlan,
  type FrameFate,
  type MemoryHub,
  type MemoryHubOptions,
} from './protostub/memory.ts';
