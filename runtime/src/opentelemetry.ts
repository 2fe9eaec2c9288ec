/** `@hyperty/runtime/opentelemetry`: shows in spans of OpenTelemetry what is sent and handled; needs `@opentelemetry/api`. */
export { createTracing } from './observe/tracing.ts';
