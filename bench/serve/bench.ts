import type { Contender } from './contender.ts'
import type { Prepared } from './prepare.ts'

/** What all measurements of a run share. */
export interface Bench {
  /** For the files of models and servers; removed at the end. */
  readonly folder: string
  /** Bundle of the server under test. */
  readonly server: string
  /** The program wrk. */
  readonly wrk: string
  /** Of one load. */
  readonly seconds: number
  readonly rounds: number
  /** The contenders that can be started, with what they need. */
  readonly prepared: ReadonlyMap<Contender, Prepared>
  /** Tells how far it is. */
  readonly tell: (line: string) => void
}
