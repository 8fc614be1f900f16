import type { Clock } from '../core/clock.ts'

/** All that a command knows of the process it runs in. */
export interface World {
  /** Writes to stdout: the result alone. */
  readonly out: (text: string) => void
  /** Writes to stderr: progress, notes, errors. */
  readonly err: (text: string) => void
  /** The terminal behind stderr, or undefined where there is none. */
  readonly terminal: Terminal | undefined
  /** Whether stdout takes colours. */
  readonly colours: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Aborts at the first Ctrl-C. */
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly installation: Installation
}

/** A terminal that can be repainted. */
export interface Terminal {
  /** Columns now; it may be resized. */
  readonly columns: () => number
  /** Lines now. */
  readonly rows: () => number
  readonly colours: boolean
}

/** Where this regatta's own files lie, all absolute. A command is an argv prefix. */
export interface Installation {
  readonly version: string
  /** The Node that runs regatta; also the one that base `host` puts into images. */
  readonly node: string
  readonly regatta: readonly string[]
  readonly server: readonly string[]
  readonly gateway: readonly string[]
  /** Bundles and native files of the images' runtime layer. */
  readonly runtimeFolder: string
  /** Layers made of them before; not there in a repository. */
  readonly prebuiltFolder: string
  /** The example that `init` and `demo` start from. */
  readonly templateFolder: string
}
