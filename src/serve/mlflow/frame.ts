import { isList, type JsonNode, type NamedTensors, parseTfsInputs } from '../../tensor/index.ts'
import type { ModelInput } from '../engine/engine.ts'
import { Refusal } from '../errors.ts'

/** A table: each row has a cell for every column. */
export interface Frame {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly JsonNode[])[]
}

/**
 * Turns a table into a model's inputs: columns that are named as the inputs are those; those of a model with one input
 * are its features, in their order. @throws BAD_REQUEST; TENSOR_SHAPE, TENSOR_TYPE, TENSOR_VALUE
 */
export function toFrameTensors({ columns, rows }: Frame, inputs: readonly ModelInput[]): NamedTensors {
  if (rows.length === 0) throw toRefusal('Cannot predict for a table without rows')
  const uneven = rows.findIndex(row => row.length !== columns.length)
  if (uneven !== -1) {
    const found = rows[uneven]?.length ?? 0
    throw toRefusal(`Cannot use row ${uneven} of the table: expected ${columns.length} cells, found ${found}`)
  }
  const twice = columns.find((name, at) => columns.indexOf(name) !== at)
  if (twice !== undefined) throw toRefusal(`Cannot use the table: column "${twice}" stands in it twice`)
  const missing = inputs.filter(({ name }) => !columns.includes(name))
  const [only] = inputs
  if (missing.length === 0 && columns.length === inputs.length) {
    return parseTfsInputs(new Map(inputs.map(input => [input.name, toColumn(rows, columns, input)])), inputs)
  }
  if (only !== undefined && inputs.length === 1)
    return parseTfsInputs(new Map([[only.name, toRows(rows, only)]]), inputs)
  const extra = columns.filter(column => !inputs.some(({ name }) => name === column))
  const [wanted, found] = [missing.map(({ name }) => name).join(', '), extra.join(', ')]
  throw toRefusal(`Cannot use the table's columns: missing are {${wanted}}, and the model has no {${found}}`)
}

/** One column as an input: cells of an input with a second dimension of one feature stand in lists. */
function toColumn(rows: Frame['rows'], columns: readonly string[], input: ModelInput): JsonNode {
  const at = columns.indexOf(input.name)
  const isNested = input.shape.length === 2
  return rows.map(row => {
    const cell = toCell(row[at] ?? null, input)
    return isNested && !isList(cell) ? [cell] : cell
  })
}

/** All columns as the features of one input; an input without a second dimension takes one column. */
function toRows(rows: Frame['rows'], input: ModelInput): JsonNode {
  const isFlat = input.shape.length === 1 && rows[0]?.length === 1
  return rows.map(row => {
    const cells = row.map(cell => toCell(cell, input))
    return isFlat ? (cells[0] ?? null) : cells
  })
}

/** Tables say that a number is missing by null, which is NaN where the type has that. */
function toCell(cell: JsonNode, { dtype }: ModelInput): JsonNode {
  if (cell !== null || !dtype.startsWith('float')) return cell
  return { kind: 'number', value: Number.NaN, isInteger: false, exact: undefined }
}

function toRefusal(text: string): Refusal {
  return new Refusal('BAD_REQUEST', text)
}
