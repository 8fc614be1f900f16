import type { Sql } from './sql.ts'

/** A database: pieces of work, each in one transaction. */
export interface Database extends AsyncDisposable {
  /** Runs work that only reads, on one snapshot. */
  read<result>(work: Work<result>): Promise<result>
  /**
   * Runs work that writes: all of it is stored, or nothing. One such piece runs at a time, in all processes together:
   * it finds everything that others have stored, and nothing changes until it ends. It may be run again where the
   * database asks for it, and so must do nothing else.
   */
  write<result>(work: Work<result>): Promise<result>
  /** Frees the room of old requests at once where the database can; `prune` deletes what is left. */
  dropBefore(request: string): Promise<number>
}

/** A piece of work inside a transaction. */
export type Work<result> = (sql: Sql) => Promise<result>
