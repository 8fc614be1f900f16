import type { EntryOptions } from '../entry.ts'
import type { Platform } from '../manifest.ts'
import type { Ahead } from './ahead.node.ts'
import type { Document } from './document.ts'
import type { RegistryOptions } from './exchange.node.ts'
import type { TransferEvent } from './transfer.ts'

/** How to move images. */
export interface TransferOptions extends RegistryOptions {
  /** Told of every blob on its way. */
  readonly onProgress?: (event: TransferEvent) => void
}

/** How to push. */
export interface PushOptions extends TransferOptions {
  /** A tag that stands for another digest is moved. @default false */
  readonly force?: boolean
  /** Blobs that are on their way to the same repository already. @default none */
  readonly ahead?: Ahead
}

/** How to pull. */
export interface PullOptions extends TransferOptions {
  /** Of an index, only the manifest for this platform; undefined: the index with all. */
  readonly platform?: Platform
  /**
   * Says under what name and with which annotations an image is entered in the layout; asked before its blobs come.
   * `root` is what the reference stands for: the image itself, or the index that it was chosen from.
   * Undefined, also as its answer: the reference as name, the manifest's annotations
   */
  readonly toEntry?: (image: Document, root: Document) => Promise<EntryOptions | undefined>
}
