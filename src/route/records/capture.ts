import { compile, type JSONValue, TreeInterpreter } from '@jmespath-community/jmespath'
import { RegattaError, toErrorText } from '../../core/errors.ts'
import type { Capture } from '../../core/wire/routes.ts'

/** Takes one value out of one row, by JMESPath; a row without it gives null. */
export type RowPath = (row: unknown) => unknown

/** The compiled form of `Capture`. */
export interface RowPaths {
  /** Absent in `Capture`: the row itself. */
  readonly prediction: RowPath
  readonly series: RowPath | undefined
  readonly at: RowPath | undefined
  readonly entity: RowPath | undefined
  readonly covariate: RowPath | undefined
}

/** Compiles the expressions of a capture. @throws CAPTURE */
export function toRowPaths(capture: Capture): RowPaths {
  return {
    prediction: capture.prediction === undefined ? row => row : toRowPath('prediction', capture.prediction),
    series: capture.series === undefined ? undefined : toRowPath('series', capture.series),
    at: capture.at === undefined ? undefined : toRowPath('at', capture.at),
    entity: capture.entity === undefined ? undefined : toRowPath('entity', capture.entity),
    covariate: capture.covariate === undefined ? undefined : toRowPath('covariate', capture.covariate),
  }
}

function toRowPath(key: string, expression: string): RowPath {
  try {
    const node = compile(expression)
    // Rows come from JSON.parse, so they are what the library calls a JSONValue.
    return row => TreeInterpreter.search(node, row as JSONValue)
  } catch (error) {
    throw new RegattaError(
      'CAPTURE',
      `Cannot use "${expression}" as the path to the ${key}: expected JMESPath, found: ${toErrorText(error)}`,
      { cause: error, fix: 'See https://jmespath.site for the grammar' },
    )
  }
}
