import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makePlace, type Place } from '../../bin/testing/place.ts'
import { toLinearModel } from '../../src/train/testing/onnx-model.ts'

/** Its training copies a file of the project, so that no path of this machine is in the command. */
const PROJECT = 'name: linear\ntrain:\n  run: cp model.onnx "$REGATTA_OUTPUT/model.onnx"\n'

/** What `regatta pack --json` tells. */
export interface Packed {
  readonly digest: string
  readonly reference: string
  readonly size: number
  readonly layers: readonly { readonly kind: string; readonly digest: string; readonly size: number }[]
}

/** A project whose trained model is packed into a layout of its own. */
export interface Boathouse extends AsyncDisposable {
  readonly place: Place
  readonly packed: Packed
  /** The folder of the layout. */
  readonly layout: string
  /** The image in its layout, as skopeo names it. */
  readonly source: string
  /** Makes a folder for what a test leaves. */
  makeFolder(name: string): string
}

/** Trains a model whose answer is 3 times what it is given, and packs it. */
export async function openBoathouse(): Promise<Boathouse> {
  const place = makePlace(PROJECT)
  try {
    writeFileSync(join(place.folder, 'model.onnx'), toLinearModel({ weight: 3 }))
    await place.json(['train'])
    const layout = join(place.folder, 'layout')
    await place.json(['pack'])
    const packed = await place.json<Packed>(['pack', '--output', layout])
    return {
      place,
      packed,
      layout,
      source: `oci:${layout}:${packed.reference}`,
      makeFolder(name) {
        const folder = join(place.folder, 'left', name)
        mkdirSync(folder, { recursive: true })
        return folder
      },
      async [Symbol.asyncDispose]() {
        await place[Symbol.asyncDispose]()
        rmSync(place.folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await place[Symbol.asyncDispose]()
    throw error
  }
}
