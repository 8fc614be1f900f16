import { toRandom } from '../../examples/forecast/random.ts'
import { type Constant, type Node, toModel } from '../../src/serve/testing/onnx-model.ts'

/** Channels of the four stages; each has two blocks. */
const STAGES = [64, 128, 256, 512]
const CLASSES = 1000
/** So many numbers are drawn and used again and again: a prime, so that no row of weights is like another. */
const DRAWN = 65_521

/**
 * Writes ResNet-18 with random weights: x [batch, 3, 224, 224] to y [batch, 1000], 46.8 MB. Batch normalization is
 * folded into the convolutions, as exporters for inference do.
 *
 * Source: He et al. 2016, "Deep Residual Learning for Image Recognition", table 1; weights by He et al. 2015.
 */
export function toResnet18(): Uint8Array {
  const net = openNet()
  let at = net.add('MaxPool', [net.addConvolution('x', [3, 64], 7, 2)], { kernel_shape: [3, 3], ...toPlace(3, 2) })
  let from = 64
  for (const [stage, to] of STAGES.entries()) {
    at = addBlock(net, at, [from, to], stage === 0 ? 1 : 2)
    at = addBlock(net, at, [to, to], 1)
    from = to
  }
  const pooled = net.add('Flatten', [net.add('GlobalAveragePool', [at])])
  net.nodes.push({
    operator: 'Gemm',
    inputs: [pooled, net.addWeights([from, CLASSES], from), net.addWeights([CLASSES], from)],
    outputs: ['y'],
  })
  return toModel({
    nodes: net.nodes,
    inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 3, 224, 224] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', CLASSES] }],
    constants: net.constants,
  })
}

type Channels = readonly [from: number, to: number]

/** Two convolutions around which the input is led, through a third one where the shape changes. */
function addBlock(net: Net, input: string, [from, to]: Channels, stride: number): string {
  const inner = net.addConvolution(input, [from, to], 3, stride)
  const outer = net.addConvolution(inner, [to, to], 3, 1, 'linear')
  const around = from === to ? input : net.addConvolution(input, [from, to], 1, stride, 'linear')
  return net.add('Relu', [net.add('Add', [outer, around])])
}

type Net = ReturnType<typeof openNet>

/** A graph under construction: values are called after the number of their node. */
function openNet() {
  const random = toRandom(18)
  const drawn = Float32Array.from({ length: DRAWN }, () => random(-1, 1))
  const nodes: Node[] = []
  const constants: Record<string, Constant> = {}
  const addWeights = (shape: readonly number[], fanIn: number): string => {
    const name = `w${Object.keys(constants).length}`
    const length = shape.reduce((product, size) => product * size, 1)
    const limit = Math.sqrt(6 / fanIn)
    const values = new Float32Array(length)
    for (let at = 0; at < length; at += 1) values[at] = limit * (drawn[at % DRAWN] ?? 0)
    constants[name] = { shape, values }
    return name
  }
  const add = (operator: string, inputs: readonly string[], attributes: Node['attributes'] = {}): string => {
    const name = `v${nodes.length}`
    nodes.push({ operator, inputs, outputs: [name], attributes })
    return name
  }
  const addConvolution = (input: string, [from, to]: Channels, size: number, stride: number, then = 'relu'): string => {
    const fanIn = from * size * size
    const inputs = [input, addWeights([to, from, size, size], fanIn), addWeights([to], fanIn)]
    const name = add('Conv', inputs, toPlace(size, stride))
    return then === 'relu' ? add('Relu', [name]) : name
  }
  return { nodes, constants, add, addWeights, addConvolution }
}

/** Padding on all four sides that a kernel of odd size needs to keep the size at stride 1. */
function toPlace(size: number, stride: number): { pads: readonly number[]; strides: readonly number[] } {
  return { pads: Array.from({ length: 4 }, () => size >> 1), strides: [stride, stride] }
}
