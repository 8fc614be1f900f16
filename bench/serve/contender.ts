import type { BenchModel, ModelName } from './models.ts'
import type { Protocol } from './protocols.ts'

/** A program that is measured: a server, or a loop around the bare runtime that answers nobody. */
export type Contender = ServerContender | LoopContender

interface Common {
  readonly name: string
  /** @default all */
  readonly models?: readonly ModelName[]
  /** What it needs of Python: a file with packages beside its own, and whose interpreter. */
  readonly python?: PythonNeed
  /** A program of Debian that it needs. */
  readonly program?: 'nginx'
}

/** A virtual environment. */
export interface PythonNeed {
  /** Name of the file `peers/NAME.txt` with its packages, and of the environment. */
  readonly requirements: string
  /** @default the first Python that will do */
  readonly interpreter?: string
}

/** A server. */
export interface ServerContender extends Common {
  readonly kind: 'server'
  /** What it speaks; by the first it is seen to have started. */
  readonly protocols: readonly [Protocol, ...Protocol[]]
  /** Also measured with 64 connections, for what batching gains. @default false */
  readonly isBatching?: boolean
  /** Path that a probe of its life asks for, where that is measured. */
  readonly healthPath?: string
  /** Whether its answers are no predictions. @default false */
  readonly isBlind?: boolean
  readonly toLaunch: (place: Place) => Launch
}

/** A loop that calls the runtime for some seconds and then prints one `LoopReport` as JSON. */
export interface LoopContender extends Common {
  readonly kind: 'loop'
  readonly toLaunch: (place: Place, seconds: number) => Launch
}

/** What a contender may use. */
export interface Place {
  readonly model: BenchModel
  /** A folder of its own, empty but for the files that it asked for. */
  readonly folder: string
  readonly ports: { readonly http: number; readonly grpc: number; readonly metrics: number }
  /** Its Python, where it needs one. */
  readonly python: string
  /** Folder of that Python's programs. */
  readonly pythonBin: string
  readonly node: string
  /** Bundle of the model server under test. */
  readonly server: string
}

/** How a contender is started. */
export interface Launch {
  readonly command: readonly [string, ...string[]]
  readonly env?: Readonly<Record<string, string>>
  /** Files to write into its folder first. */
  readonly files?: Readonly<Record<string, string>>
}
