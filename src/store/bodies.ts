import type { PredictionRecord } from '../core/wire/records.ts'
import { bulkInsert, type Sql } from './sql.ts'

/** What version 7 of the schema adds: rows of requests and answers as JSON, where somebody asked for them. */
export function toBodyTables({ uuid, integer, end }: Dialect): readonly string[] {
  return [
    `create table body (
      request ${uuid} not null, row ${integer} not null, variant ${integer} not null, input text, output text,
      primary key (request, row, variant))${end}`,
  ]
}

interface Dialect {
  readonly uuid: string
  readonly integer: string
  readonly end: string
}

/** Stores what records have of the rows of requests and answers. */
export async function addBodies(sql: Sql, records: readonly PredictionRecord[]): Promise<void> {
  const rows = records.flatMap(({ request, rows, variant }) =>
    rows.flatMap(({ input, output }, row) =>
      input === undefined && output === undefined
        ? []
        : [{ request, row, variant, input: toText(input), output: toText(output) }],
    ),
  )
  await sql.bulk(insertBodies, rows)
}

function toText(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value)
}

const insertBodies = bulkInsert('body', {
  ...({ request: 'uuid', row: 'integer', variant: 'integer', input: 'text', output: 'text' } as const),
})
