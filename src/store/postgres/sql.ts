import type { PoolClient, QueryResult } from 'pg'
import {
  type Bulk,
  type InputRow,
  type InputType,
  type InputTypes,
  postgresBuilder,
  type Query,
  type Sql,
  type SqlValue,
} from '../sql.ts'

/**
 * What one transaction says to PostgreSQL. Everything is sent at once and done in that order; only what gives rows
 * back is waited for. When a statement is refused, so are those behind it, and the commit undoes all.
 */
export class PostgresSql implements Sql {
  readonly build = postgresBuilder
  readonly #client: PoolClient
  readonly #copyIn: CopyIn
  readonly #sent: Promise<unknown>[] = []

  constructor(client: PoolClient, copyIn: CopyIn) {
    this.#client = client
    this.#copyIn = copyIn
  }

  /** Sends statements that nothing is wanted back from. */
  send(text: string): void {
    this.#note(this.#client.query(text))
  }

  /** Waits for everything that was sent. @throws what was refused first */
  async settle(): Promise<void> {
    await Promise.all(this.#sent)
  }

  async all<row>(query: Query<row>): Promise<readonly row[]> {
    return (await this.#ask(query)).rows as row[]
  }

  async get<row>(query: Query<row>): Promise<row | undefined> {
    return (await this.all(query))[0]
  }

  async run(query: Query<unknown>): Promise<number> {
    return (await this.#ask(query)).rowCount ?? 0
  }

  async bulk<types extends InputTypes, row>(
    query: Bulk<types, row>,
    input: readonly InputRow<types>[],
  ): Promise<readonly row[]> {
    if (input.length === 0) return []
    if (query.into !== undefined) {
      this.#note(this.#copyIn(this.#client, query.into, toCopyText(query.types, input)))
      return []
    }
    const values = Object.entries(query.types).map(([column, type]) => toArray(type, column, input))
    const asked = this.#client.query(query.toSql(toInputTable(query.types)), values)
    if (query.gives) return (await asked).rows as row[]
    this.#note(asked)
    return []
  }

  #ask({ sql, parameters }: Query<unknown>): Promise<QueryResult> {
    return this.#client.query(toNumbered(sql), parameters.map(toStorable))
  }

  #note(sent: Promise<unknown>): void {
    this.#sent.push(sent)
    // `settle` tells of it.
    sent.catch(() => {})
  }
}

/** Sends rows into a table (`postgres-copy.ts`, which loads node-postgres). */
export type CopyIn = (client: PoolClient, into: string, text: string) => Promise<void>

const TYPES = { uuid: 'uuid', text: 'text', integer: 'bigint', real: 'double precision' } as const

function toInputTable(types: InputTypes): string {
  const arrays = Object.values(types).map((type, at) => `$${at + 1}::${TYPES[type]}[]`)
  return `unnest(${arrays.join(', ')}) as input (${Object.keys(types).join(', ')})`
}

/** A column of input rows in PostgreSQL's form of an array (postgresql.org/docs/current/arrays.html, section 8.15.6). */
function toArray(type: InputType, column: string, input: readonly Readonly<Record<string, unknown>>[]): string {
  const toItem = type === 'text' ? toQuoted : String
  let items = ''
  for (const row of input) {
    const value = toStorable(row[column] ?? null)
    items += `${items === '' ? '' : ','}${value === null ? 'NULL' : toItem(value)}`
  }
  return `{${items}}`
}

/** Input rows in the text form of COPY (postgresql.org/docs/current/sql-copy.html, "Text Format"). */
function toCopyText(types: InputTypes, input: readonly Readonly<Record<string, unknown>>[]): string {
  const columns = Object.entries(types)
  let text = ''
  for (const row of input) {
    let line = ''
    for (const [column, type] of columns) {
      const value = toStorable(row[column] ?? null)
      line += `${line === '' ? '' : '\t'}${value === null ? '\\N' : type === 'text' ? toEscaped(String(value)) : value}`
    }
    text += `${line}\n`
  }
  return text
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

function toEscaped(text: string): string {
  return text.replaceAll(/[\\\t\n\r]/g, character => ESCAPES[character] ?? character)
}

function toQuoted(value: string | number): string {
  return `"${String(value).replaceAll(/["\\]/g, '\\$&')}"`
}

const numbered = new Map<string, string>()

/** `?` becomes `$1`, `$2`, …; the room's queries have no other question marks. */
function toNumbered(sql: string): string {
  const known = numbered.get(sql)
  if (known !== undefined) return known
  let at = 0
  const made = sql.replaceAll('?', () => `$${++at}`)
  numbered.set(sql, made)
  return made
}

/** PostgreSQL's texts hold every character but U+0000. */
function toStorable(value: unknown): SqlValue {
  if (typeof value === 'string') return value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value
  if (value === null || typeof value === 'number') return value
  throw new Error(`A query has a parameter of type ${typeof value}`)
}
