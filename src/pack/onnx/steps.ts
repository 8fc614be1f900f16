import { type Graph, type GraphNode, listUses } from './graph.ts'
import { toView, Unmatched, type View } from './view.ts'

/** A loop that computes a state from step to step, from zeros on, and does nothing else. */
export interface Steps {
  readonly view: View
  /** How many steps it takes: a scalar around the loop. */
  readonly count: string
  /** The state before a step, and after it: values within the body. */
  readonly before: string
  readonly after: string
  /** The loop's outputs, where they are read: the state after the last step, and that after each step. */
  readonly last: string | undefined
  readonly each: string | undefined
  /** The tensor whose slice of this step a value is; undefined for any other value. */
  readonly sequence: (name: string) => string | undefined
}

const COUNTS: ReadonlySet<string> = new Set(['Identity', 'Cast', 'Squeeze'])

/**
 * Reads the loop that Keras' `rnn` becomes: `while time < length` over a counter, a state and what never changes.
 * Source: onnx.ai/onnx/operators, Loop. @throws Unmatched
 */
export function matchSteps(loop: GraphNode, outer: Graph): Steps {
  const carried = readCarried(loop, outer)
  const { body, fixed, states, counters } = carried
  const view = toView(body, outer, fixed)
  const [state, ...more] = states
  if (state === undefined || more.length > 0) throw new Unmatched(`it carries ${states.length} states`)
  if (!isZeros(view, state.start)) throw new Unmatched('its first state is not zero')
  const [count = '', start = ''] = loop.inputs
  const [proceed = '', ...results] = body.outputs
  const clock = toClock(view, count, body.inputs[0] ?? '', counters)
  const isCounted = count !== '' && clock.goesOn(start, true) && clock.goesOn(proceed, false)
  if (!isCounted) throw new Unmatched('it may stop before its last step')
  const gathered = results.slice(carried.size)
  if (gathered.some(name => view.trace(name) !== view.trace(state.out))) throw new Unmatched('it gathers other values')
  const output = toReader(loop, outer, [state.index, carried.size])
  return {
    view,
    count,
    before: state.in,
    after: state.out,
    last: output(state.index),
    each: output(carried.size),
    sequence: name => toSequence(view, name, clock.isNow, body),
  }
}

const TRUE = 1

interface Carried {
  readonly body: Graph
  readonly size: number
  /** Where a value comes from that the loop never changes, by its name within. */
  readonly fixed: ReadonlyMap<string, string>
  readonly counters: readonly Variable[]
  readonly states: readonly Variable[]
}

/** What a loop carries from step to step: its names within the body, before and after a step. */
interface Variable {
  readonly index: number
  readonly start: string
  readonly in: string
  readonly out: string
}

function readCarried(loop: GraphNode, outer: Graph): Carried {
  const body = loop.attributes.get('body')?.graph
  const starts = loop.inputs.slice(2)
  const size = starts.length
  if (body === undefined || body.inputs.length !== size + 2 || body.outputs.length - size - 1 > 1) {
    throw new Unmatched('it gathers more than one value')
  }
  requireOwnNames(body, outer)
  const view = toView(body, outer)
  const variables = starts.map((start, index) => ({
    index,
    start,
    in: body.inputs[index + 2] ?? '',
    out: view.trace(body.outputs[index + 1] ?? ''),
  }))
  const {
    fixed = [],
    counter = [],
    state = [],
  } = Object.groupBy(variables, variable =>
    variable.out === variable.in ? 'fixed' : countsUp(view, variable) ? 'counter' : 'state',
  )
  return {
    body,
    size,
    fixed: new Map(fixed.map(({ in: name, start }) => [name, start])),
    counters: counter,
    states: state,
  }
}

/** One name stands for one value (ONNX IR, "Names Within a Graph"). */
function requireOwnNames(body: Graph, outer: Graph): void {
  const names = [...body.producers.keys(), ...body.constants.keys(), ...body.inputs]
  const twice = names.find(
    name => outer.producers.has(name) || outer.constants.has(name) || outer.inputs.includes(name),
  )
  if (twice !== undefined) throw new Unmatched(`"${twice}" is two values`)
}

/** 0, 1, 2, …: a scalar that starts at 0, and one is added to it. */
function countsUp(view: View, variable: Variable): boolean {
  const node = view.produce(variable.out)
  if (node?.op !== 'Add' || !node.inputs.includes(variable.in)) return false
  return node.inputs.some(name => readScalar(view, name) === 1) && readScalar(view, variable.start) === 0
}

interface Clock {
  /** Whether a value is the number of this step, from 0 on. */
  readonly isNow: (name: string) => boolean
  /** Whether a condition holds in every step but the last: before the first one, or after this one. */
  readonly goesOn: (name: string, isStart: boolean) => boolean
}

function toClock(view: View, count: string, iteration: string, counters: readonly Variable[]): Clock {
  const names = (end: 'in' | 'out'): readonly string[] => counters.map(counter => counter[end])
  const isNow: Clock['isNow'] = name => [iteration, ...names('in')].includes(view.trace(name, COUNTS))
  const isNext = (name: string): boolean => names('out').includes(view.trace(name, COUNTS))
  const steps = readScalar(view, count)
  const isEnd = (name: string): boolean =>
    view.trace(name, COUNTS) === view.trace(count, COUNTS) || (steps !== undefined && readScalar(view, name) === steps)
  const goesOn: Clock['goesOn'] = (name, isStart) => {
    const node = view.produce(view.trace(name))
    const [left = '', right = ''] = node?.inputs ?? []
    if (node?.op === 'And') return goesOn(left, isStart) && goesOn(right, isStart)
    if (node?.op !== 'Less') return readScalar(view, name) === TRUE
    return isEnd(right) && (isStart ? readScalar(view, left) === 0 : isNow(left) || isNext(left))
  }
  return { isNow, goesOn }
}

/** The one number that a value without dimensions is. */
function readScalar(view: View, name: string): number | undefined {
  const constant = view.constant(view.trace(name, COUNTS))
  return constant?.dims.length === 0 ? constant.read()?.[0] : undefined
}

function isZeros(view: View, name: string): boolean {
  const traced = view.trace(name)
  const node = view.produce(traced)
  if (node?.op === 'Expand') return isZeros(view, node.inputs[0] ?? '')
  if (node?.op === 'ConstantOfShape') return node.attributes.get('value')?.tensor?.read()?.[0] === 0
  return (
    view
      .constant(traced)
      ?.read()
      ?.every(value => value === 0) ?? false
  )
}

function toSequence(view: View, name: string, isNow: Clock['isNow'], body: Graph): string | undefined {
  const node = view.produce(view.trace(name))
  const [data = '', index = ''] = node?.inputs ?? []
  const sequence = view.trace(data)
  const isWithin = body.producers.has(sequence) || body.inputs.includes(sequence)
  const isStep = node?.op === 'Gather' && (node.attributes.get('axis')?.int ?? 0) === 0 && isNow(index)
  return isStep && !isWithin ? sequence : undefined
}

/** Tells which output is read after the loop. The counter and what never changes are in the way where they are. */
function toReader(loop: GraphNode, outer: Graph, wanted: readonly number[]): (index: number) => string | undefined {
  const uses = new Set([...outer.nodes.flatMap(listUses), ...outer.outputs])
  const read = [...loop.outputs.keys()].filter(index => uses.has(loop.outputs[index] ?? ''))
  const other = read.find(index => !wanted.includes(index))
  if (other !== undefined) throw new Unmatched(`its output "${loop.outputs[other]}" is read`)
  if (read.length === 0) throw new Unmatched('nobody reads what it computes')
  return index => (read.includes(index) ? loop.outputs[index] : undefined)
}
