import type { SchemaElement } from 'hyparquet'
import { ByteWriter, parquetWriteRows } from 'hyparquet-writer'
import type { OutcomeJson } from '../../control/index.ts'
import { RegattaError } from '../../core/errors.ts'
import { COLUMNS } from './lines.ts'

/** Rows of a row group: as many as are held in memory. */
const GROUP_ROWS = 20_000
/** Outcomes by which it is told what kind of values the race has. */
const SAMPLE = 1000

/** What predictions and truths of a race are. */
type Kind = 'number' | 'text' | 'boolean' | 'list'

type Column = (typeof COLUMNS)[number]['name']

/**
 * Writes outcomes as a Parquet file, a row group at a time. Values of predictions and truths are numbers, texts,
 * booleans or lists of numbers, as the first of them are; instants are UTC in ms.
 *
 * @throws EXPORT_KIND where a later value is of another kind
 */
export async function writeParquet(
  outcomes: AsyncIterable<OutcomeJson>,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const iterator = outcomes[Symbol.asyncIterator]()
  const sample: OutcomeJson[] = []
  while (sample.length < SAMPLE) {
    const next = await iterator.next()
    if (next.done === true) break
    sample.push(next.value)
  }
  const kinds = { prediction: toKind(sample, 'prediction'), truth: toKind(sample, 'truth') }
  async function* rows(): AsyncGenerator<Record<string, unknown>> {
    for (const outcome of sample) yield toRow(outcome, kinds)
    for await (const outcome of { [Symbol.asyncIterator]: () => iterator }) yield toRow(outcome, kinds)
  }
  const columns = COLUMNS.map(({ name }) => ({ name }))
  const options = { writer: toWriter(write), columns, schema: toSchema(kinds), rowGroupSize: GROUP_ROWS }
  await parquetWriteRows({ ...options, rows: rows(), createdBy: 'regatta' })
}

/** Hands on what has gathered after each row group and at the end. */
function toWriter(write: (bytes: Uint8Array) => Promise<void>): ByteWriter {
  const writer = new ByteWriter()
  const flush = async (): Promise<void> => {
    const bytes = writer.getBytes().slice()
    writer.index = 0
    await write(bytes)
  }
  return Object.assign(writer, { flush, finish: flush })
}

type Kinds = Readonly<Record<'prediction' | 'truth', Kind>>

function toKind(sample: readonly OutcomeJson[], of: 'prediction' | 'truth'): Kind {
  const [first] = sample
  return first === undefined ? 'number' : kindOf(first[of])
}

function kindOf(value: OutcomeJson['prediction']): Kind {
  if (typeof value === 'number') return 'number'
  if (typeof value === 'string') return 'text'
  return typeof value === 'boolean' ? 'boolean' : 'list'
}

function toRow(outcome: OutcomeJson, kinds: Kinds): Record<string, unknown> {
  checkKind(outcome, 'prediction', kinds.prediction)
  checkKind(outcome, 'truth', kinds.truth)
  const row: Record<Column, unknown> = Object.fromEntries(COLUMNS.map(({ name, of }) => [name, of(outcome)])) as Record<
    Column,
    unknown
  >
  const targetAt = outcome.targetAt === null ? null : new Date(outcome.targetAt)
  return { ...row, at: new Date(outcome.at), target_at: targetAt }
}

function checkKind(outcome: OutcomeJson, of: 'prediction' | 'truth', kind: Kind): void {
  const found = kindOf(outcome[of])
  if (found === kind) return
  const { request, row } = outcome
  throw new RegattaError('EXPORT_KIND', `Cannot write the ${of} of ${request}/${row}: a ${found} after a ${kind}`, {
    fix: 'A column of Parquet holds one kind of values: export as .ndjson or .csv',
  })
}

const TYPES = {
  request: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  row: { type: 'INT32' },
  variant: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  version: { type: 'INT32' },
  at: { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' },
  series: { type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
  target_at: { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS', repetition_type: 'OPTIONAL' },
  loss: { type: 'DOUBLE', repetition_type: 'OPTIONAL' },
  served: { type: 'BOOLEAN' },
  propensity: { type: 'DOUBLE' },
  epoch: { type: 'INT32' },
  // A row may have any form.
  input: { type: 'BYTE_ARRAY', converted_type: 'JSON', repetition_type: 'OPTIONAL' },
  output: { type: 'BYTE_ARRAY', converted_type: 'JSON', repetition_type: 'OPTIONAL' },
  entity: { type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
  covariate: { type: 'DOUBLE', repetition_type: 'OPTIONAL' },
  pinned: { type: 'BOOLEAN' },
  champion: { type: 'BOOLEAN' },
} as const satisfies Record<Exclude<Column, 'prediction' | 'truth'>, Omit<SchemaElement, 'name'>>

function toSchema(kinds: Kinds): SchemaElement[] {
  const columns = COLUMNS.flatMap(({ name }): SchemaElement[] =>
    name === 'prediction' || name === 'truth'
      ? toValueColumn(name, kinds[name])
      : [{ name, repetition_type: 'REQUIRED', ...TYPES[name] }],
  )
  return [{ name: 'outcomes', num_children: COLUMNS.length }, ...columns]
}

function toValueColumn(name: string, kind: Kind): SchemaElement[] {
  const repetition_type = 'REQUIRED'
  switch (kind) {
    case 'number':
      return [{ name, type: 'DOUBLE', repetition_type }]
    case 'text':
      return [{ name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type }]
    case 'boolean':
      return [{ name, type: 'BOOLEAN', repetition_type }]
    case 'list':
      // The three levels of a list (Parquet's LogicalTypes.md, "Lists").
      return [
        { name, repetition_type, converted_type: 'LIST', num_children: 1 },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        { name: 'element', type: 'DOUBLE', repetition_type },
      ]
    default:
      return kind satisfies never
  }
}
