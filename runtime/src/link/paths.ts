/** The paths (protostubs) of one runtime: which one leads to a peer, and what is said outside of links. */
import { addressParts, type RuntimeAddress } from '../message/address.ts';
import { FabricError } from '../message/error.ts';
import type { Logger } from '../platform/logger.ts';
import type { FrameContent, MediaStore, Protostub } from '../protostub/protostub.ts';
import type { Frame } from './frame.ts';

/** What the paths need from the links. */
export interface PathsDeps {
  readonly logger: Logger;
  readonly onFrame: (content: unknown, sender: RuntimeAddress, path: Protostub) => void;
  /** The state of a path has changed, or the path is new and live. */
  readonly onState: (path: Protostub) => void;
  /** A path is gone. */
  readonly onRemoved: () => void;
}

/** All paths of a runtime. */
export class Paths {
  readonly #deps: PathsDeps;
  readonly #undo = new Map<Protostub, () => void>();
  /** Stores of all paths, removed ones too: what was spilled on them may still be on its way. */
  readonly #media = new Set<MediaStore>();
  #paths: readonly Protostub[] = [];

  constructor(deps: PathsDeps) {
    this.#deps = deps;
  }

  /** The media stores of all paths there ever were. */
  get media(): readonly MediaStore[] {
    return [...this.#media];
  }

  /** Adds a path; earlier ones are preferred, unless `first`. Returns the removal. */
  add(path: Protostub, first: boolean): () => void {
    this.#paths = first ? [path, ...this.#paths] : [...this.#paths, path];
    if (path.media) this.#media.add(path.media);
    const undoFrame = path.onFrame((frame, sender) => {
      this.#deps.onFrame(frame, sender, path);
    });
    const undoState = path.onState((state, error) => {
      if (error && state === 'closed')
        this.#deps.logger.error({ error }, `the protostub "${path.name}" closed`);
      this.#deps.onState(path);
    });
    const undo = (): void => {
      undoFrame();
      undoState();
      this.#undo.delete(path);
      this.#paths = this.#paths.filter((other) => other !== path);
      this.#deps.onRemoved();
    };
    this.#undo.set(path, undo);
    if (path.state === 'live') this.#deps.onState(path);
    return undo;
  }

  /** Lets go of all paths. */
  clear(): void {
    for (const undo of [...this.#undo.values()]) undo();
  }

  /** The best path to a peer, or to all runtimes of an owner. */
  to(peer: RuntimeAddress): Protostub | undefined {
    const able = this.#paths.filter((path) => path.state !== 'closed' && path.reaches(peer));
    return able.find(({ state }) => state === 'live') ?? able[0];
  }

  /** Sends a frame to all runtimes of an owner. @throws FabricError `no-route` */
  broadcast(frame: Frame, owner: RuntimeAddress): void {
    const path = this.to(owner);
    if (!path)
      throw new FabricError(
        'no-route',
        `No protostub of this runtime reaches ${addressParts(owner).domain}; add one for it.`,
        { details: { owner } },
      );
    if (path.state === 'live') this.carry(path, frame, owner);
  }

  /** Sends a frame that may get lost. */
  carry(path: Protostub, frame: Frame, to: RuntimeAddress): void {
    path.send(frame as FrameContent, to).catch((error: unknown) => {
      this.#deps.logger.debug({ to, kind: frame.kind, error }, 'a frame was not taken by the message node');
    });
  }

  /** Lets the path find out why an owner's runtimes are silent. */
  async diagnose(owner: RuntimeAddress): Promise<FabricError | undefined> {
    try {
      return await this.to(owner)?.diagnose?.(owner);
    } catch (error) {
      this.#deps.logger.debug({ owner, error }, 'the silence of a peer could not be explained');
      return undefined;
    }
  }
}
