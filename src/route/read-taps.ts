import { toErrorText } from '../core/errors.ts'
import type { Capture } from '../core/wire/routes.ts'
import { type RowPaths, toRowPaths } from './capture.ts'
import { toFailedRecord, toRecord } from './record.ts'
import type { Tap } from './tap.ts'
import { fromTapMessage, type TapMessage, type TapReply } from './tap-message.ts'

/** Reads taps into records, as JSON. The paths of the last capture stay compiled. */
export function toTapsReader(): (message: TapMessage) => TapReply {
  const pathsOf = toLast(compile)
  return message => {
    let unlabelled = 0
    const lines = fromTapMessage(message).map(tap => {
      const paths = pathsOf(tap.capture)
      if ('problem' in paths) return JSON.stringify(toFailedRecord(tap, paths.problem))
      const read = toRecord(tap, { paths, maxBodyBytes: message.maxBodyBytes })
      unlabelled += read.unlabelled
      return JSON.stringify(read.record)
    })
    return { lines, unlabelled }
  }
}

/** The lines of taps that could not be read at all. */
export function toUnreadLines(taps: readonly Tap[], problem: string): readonly string[] {
  return taps.map(tap => JSON.stringify(toFailedRecord(tap, problem)))
}

function compile(capture: Capture): RowPaths | { readonly problem: string } {
  try {
    return toRowPaths(capture)
  } catch (error) {
    return { problem: toErrorText(error) }
  }
}

/** Remembers the last result: captures change only with the routes. */
function toLast<input, output>(make: (input: input) => output): (input: input) => output {
  let last: { readonly key: string; readonly output: output } | undefined
  return input => {
    const key = JSON.stringify(input)
    if (last?.key !== key) last = { key, output: make(input) }
    return last.output
  }
}
