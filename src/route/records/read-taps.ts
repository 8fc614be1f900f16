import { toErrorText } from '../../core/errors.ts'
import type { Capture } from '../../core/wire/routes.ts'
import { type RowPaths, toRowPaths } from './capture.ts'
import { readRows, toLine } from './read-rows.ts'
import type { Tap } from './tap.ts'
import { fromTapMessage, type TapMessage, type TapReply } from './tap-message.ts'

type Compiled = RowPaths | { readonly error: string }

/** Reads taps into records, as JSON. The paths of the captures seen last stay compiled. */
export function toTapsReader(): (message: TapMessage) => TapReply {
  let known: ReadonlyMap<string, Compiled> = new Map()
  return message => {
    const compiled = message.captures.map(capture => {
      const key = JSON.stringify(capture)
      return { capture, key, paths: known.get(key) ?? compile(capture) }
    })
    known = new Map(compiled.map(({ key, paths }) => [key, paths]))
    const pathsOf = new Map(compiled.map(({ capture, paths }) => [capture, paths]))
    let unlabelled = 0
    const lines = fromTapMessage(message).map((content, index) => {
      const paths = pathsOf.get(content.capture) ?? compile(content.capture)
      const { maxBodyBytes } = message
      const read = 'error' in paths ? paths : readRows(content, { paths, maxBodyBytes })
      if ('rows' in read) unlabelled += read.unlabelled
      return toLine(message.heads[index] ?? '{}', read)
    })
    return { lines, unlabelled }
  }
}

/** The lines of taps that could not be read at all. */
export function toUnreadLines(taps: readonly Tap[], error: string): readonly string[] {
  return taps.map(tap => toLine(JSON.stringify(tap.head), { error }))
}

function compile(capture: Capture): Compiled {
  try {
    return toRowPaths(capture)
  } catch (error) {
    return { error: toErrorText(error) }
  }
}
