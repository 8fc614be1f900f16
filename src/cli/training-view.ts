import { toFigure } from '../core/figure.ts'
import type { TrainingEvent } from '../train/index.ts'
import { toLiveLine } from './progress.ts'
import { paint, toBar, toDuration } from './terminal.ts'
import type { World } from './world.ts'

/** Shows a training command as it goes: a line that is repainted on a terminal, a line per tenth elsewhere. */
export interface TrainingView {
  readonly onEvent: (event: TrainingEvent) => void
  readonly close: () => void
}

/** The total is the run's `epochs` (or `steps`) parameter; without one there is no bar and no time left. */
export function toTrainingView(world: World): TrainingView {
  const live = toLiveLine(world)
  let total: number | undefined
  let startedAt = world.clock()
  let tenths = 0
  const show = (step: number, values: Readonly<Record<string, number>>): void => {
    const figures = Object.entries(values)
      .map(([name, value]) => `${name} ${toFigure(value)}`)
      .join('  ')
    if (total === undefined) {
      live.show(`step ${step}  ${figures}`)
      return
    }
    const fraction = Math.min(1, step / total)
    const left = fraction === 0 ? undefined : ((world.clock() - startedAt) * (1 - fraction)) / fraction
    const text = `epoch ${step}/${total}  ${toBar(fraction, 24)}  ${figures}  ${left === undefined ? '' : `${toDuration(left)} left`}`
    live.show(text)
    if (world.terminal === undefined && Math.floor(fraction * 10) > tenths) {
      tenths = Math.floor(fraction * 10)
      live.milestone(text)
    }
  }
  return {
    onEvent(event) {
      switch (event.kind) {
        case 'started': {
          const { epochs, steps } = event.run.params
          total = [epochs, steps].find(value => typeof value === 'number' && value > 0) as number | undefined
          startedAt = world.clock()
          return live.milestone(`run ${event.run.id}  ${toParamsText(event.run.params)}`)
        }
        case 'metric':
          return show(event.step, event.values)
        case 'output':
          return live.milestone(`  ${event.line}`)
        case 'finished': {
          const { record } = event.run
          const took = toDuration(record.endedAt - record.startedAt)
          if (record.state === 'done') return live.milestone(`trained in ${took}`)
          return live.milestone(
            `${paint(world.terminal?.colours ?? false, 'red', record.state)} after ${took}: ${record.reason}`,
          )
        }
        default:
          return event satisfies never
      }
    },
    close: live.clear,
  }
}

/** Parameters on one line: `hidden=100 epochs=1000`. */
export function toParamsText(params: Readonly<Record<string, unknown>>): string {
  return Object.entries(params)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ')
}
