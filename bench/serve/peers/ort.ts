import { join } from 'node:path'
import type { LoopContender, Place } from '../contender.ts'

/** What the runtime alone costs in Node: one row a call, one thread. */
export const ORT_NODE: LoopContender = {
  kind: 'loop',
  name: 'limit-ort-node',
  toLaunch: (place, seconds) => ({
    command: [place.node, join(import.meta.dirname, 'ort-node-loop.ts'), ...toArguments(place, seconds)],
  }),
}

/** The same in Python. */
export const ORT_PYTHON: LoopContender = {
  kind: 'loop',
  name: 'limit-ort-python',
  python: { requirements: 'fastapi' },
  toLaunch: (place, seconds) => ({
    command: [place.python, join(import.meta.dirname, 'ort_loop.py'), ...toArguments(place, seconds)],
  }),
}

function toArguments({ model }: Place, seconds: number): readonly string[] {
  return [model.path, JSON.stringify(model.shape), model.inputPath, String(seconds)]
}
