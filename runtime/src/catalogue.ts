/** `@hyperty/runtime/catalogue`: the catalogue's contract, its packages, and deploying from it. */
export { catalogueContract, type CatalogueEntry, type CatalogueFind } from './catalogue/contract.ts';
export {
  DESCRIPTOR_FORMAT,
  descriptorJsonSchema,
  draftField,
  MAX_PACKAGE_BYTES,
  type CodeDescriptor,
  type Descriptor,
  type DescriptorDraft,
  type UnsignedDescriptor,
} from './catalogue/descriptor.ts';
export {
  catalogueUrl,
  isCatalogueUrl,
  parseCatalogueUrl,
  type CatalogueUrl,
} from './catalogue/catalogue-url.ts';
export {
  DEFAULT_TAG,
  descriptorKinds,
  isExactVersion,
  nameField,
  runtimeKinds,
  versionField,
  type DescriptorKind,
  type RuntimeKind,
} from './catalogue/terms.ts';
export {
  checkAgreement,
  checkPackageSize,
  decodePackage,
  encodePackage,
  hostModuleNames,
  type HostModuleName,
  PACKAGE_FORMAT,
  type Manifest,
  type SourcePackage,
} from './catalogue/source-package.ts';
export {
  createPublisherKey,
  isSignedByPublisher,
  isSuccession,
  signDescriptor,
  signSuccession,
  type PublisherKey,
} from './catalogue/signature.ts';
export { canonicalJson, sha256Of } from './catalogue/plain-json.ts';
export { fromBase64, toBase64 } from './catalogue/base64.ts';
export { importModule, instantiatePackage, MODULE_FOOT, MODULE_HEAD, type HostModules, type ImportModule } from './catalogue/module-text.ts'; // prettier-ignore
export { createPackageCache, type PackageCache } from './catalogue/package-cache.ts';
export { detectPlatform, lackingOf, type PlatformKind } from './catalogue/platform-kind.ts';
export type { DeployOptions, LoadedHyperty, LoadOptions } from './catalogue/deploy.ts';
export { deploy, hostModules, load, type Deployed } from './deployment.ts';
