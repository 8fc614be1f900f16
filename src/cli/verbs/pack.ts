import type { PackedImage } from '../../pack/index.ts'
import { EXIT } from '../errors.ts'
import type { AheadOfPush, PushWish } from '../moving.node.ts'
import { toExplainedLines, toLoopLines, toPackedJson, toPackedLines } from '../packed-view.ts'
import { type Call, verb } from '../verb.ts'
import type { Workplace } from '../workplace.node.ts'

/** `regatta pack`: a run, or a model made elsewhere, becomes an image. */
export const pack = verb<{
  model: string | undefined
  output: string | undefined
  'model-compression': 'stored' | 'none' | undefined
  loops: 'rewrite' | 'keep' | undefined
  push: boolean
  explain: boolean
  verify: boolean
  insecure: boolean
}>({
  brief: 'Make an image of a run',
  description:
    'Packs the given run (default: the last one that is done), or the folder given with --model, into the image layout ' +
    '`.regatta/oci`. The same input always gives the same digest; a run that is packed already gives its version again.\n\n' +
    'The section `image` of regatta.yaml says what the image stands on, what it runs on, and which server is in it. ' +
    'Layers of a base in a registry are named in the image and never fetched: `regatta push` has the registry mount them.\n\n' +
    "An RNN that TensorFlow exported is a loop of small operators, which takes several times as long as ONNX's own " +
    'operator. Where both models answer random inputs alike, to 1e-5, the image gets the faster one, and names the other.',
  flags: {
    model: {
      kind: 'parsed',
      parse: String,
      brief: 'Pack a model made elsewhere',
      placeholder: 'folder',
      optional: true,
    },
    output: {
      kind: 'parsed',
      parse: String,
      brief: 'Write the image alone into another layout',
      placeholder: 'layout',
      optional: true,
    },
    'model-compression': {
      kind: 'enum',
      values: ['stored', 'none'],
      brief: 'Wrap model layers as gzip that compresses nothing, or not at all (default: image.modelCompression)',
      optional: true,
    },
    loops: {
      kind: 'enum',
      values: ['rewrite', 'keep'],
      brief: "Put ONNX's own operators in the place of loops that do the same, or not (default: image.loops)",
      optional: true,
    },
    push: {
      kind: 'boolean',
      brief: 'Push it to image.repository too, with the version as tag',
      default: false,
      withNegated: false,
    },
    explain: {
      kind: 'boolean',
      brief: 'Say what each layer costs, and why it is there',
      default: false,
      withNegated: false,
    },
    verify: {
      kind: 'boolean',
      brief: 'Read all files and blobs again, and make damaged blobs again',
      default: false,
      withNegated: false,
    },
    insecure: {
      kind: 'boolean',
      brief: 'Allow plain HTTP to registries on other machines',
      default: false,
      withNegated: false,
    },
  },
  args: [{ brief: 'A run, by its id or the first letters of it', placeholder: 'run', optional: true }],
  async run(call, flags, [runId]) {
    const { openConnections, openWorkplace } = await import('../workplace.node.ts')
    const { packInto } = await import('../packing.node.ts')
    const startedAt = call.clock()
    const { 'model-compression': modelCompression, explain, insecure, loops, model, output, push, verify } = flags
    await using reach = openConnections(call, insecure)
    const workplace = await openWorkplace(call)
    await using way = push ? await openWay(call, workplace, { insecure, reach }) : undefined
    const followLayer = way?.followLayer
    const wish = { runId, model, output, modelCompression, loops, insecure, verify, reach, followLayer }
    const packed = await packInto(call, workplace, wish)
    if (!call.json) {
      call.err(toLoopLines(packed))
      call.err(explain ? toExplainedLines(packed) : toPackedLines(packed))
    }
    const pushed = push ? await pushPacked(call, workplace, packed, { insecure, reach, ahead: way?.ahead }) : undefined
    const seconds = (call.clock() - startedAt) / 1000
    if (call.json) call.out(`${JSON.stringify({ ...toPackedJson(packed, seconds, explain), ...pushed })}\n`)
    else call.out(`${packed.digest}\n`)
    return EXIT.done
  },
})

async function openWay(
  call: Call,
  workplace: Workplace,
  registry: Required<Pick<PushWish, 'insecure' | 'reach'>>,
): Promise<AheadOfPush | undefined> {
  const { openAheadOfPush } = await import('../moving.node.ts')
  return openAheadOfPush(call, workplace, registry)
}

/** What differs in the JSON of an image that is pushed. */
async function pushPacked(
  call: Call,
  workplace: Workplace,
  { version }: PackedImage,
  registry: Pick<PushWish, 'insecure' | 'reach' | 'ahead'>,
): Promise<{ readonly reference: string; readonly uploadedBytes: number; readonly runtime: string | null }> {
  const { pushVersion } = await import('../moving.node.ts')
  const { toPushedLines } = await import('../moving.ts')
  const wish = { reference: undefined, version: String(version), ...registry, force: false }
  const { moved, runtime, target } = await pushVersion(call, workplace, wish)
  if (!call.json) call.err(toPushedLines(target, runtime))
  return { reference: target, uploadedBytes: moved.uploadedBytes, runtime: runtime ?? null }
}
