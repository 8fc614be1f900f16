import type { Digest } from '../../../core/brands.ts'
import { gzipStored, type ImageLayout, MEDIA_TYPES, type TarEntry, toTarFile, writeTar } from '../../../oci/index.ts'

/** A model's file for tests; the supervisor never looks inside. */
export function toModelFile(version: number, text = 'a model'): TarEntry {
  return toTarFile(`models/forecast/${version}/model.onnx`, new TextEncoder().encode(text))
}

/** Puts an image with one model layer for each list of files into a layout, beside a layer that is no model. */
export async function putImage(layout: ImageLayout, ...modelLayers: (readonly TarEntry[])[]): Promise<Digest> {
  const app = toTarFile('app/signature.json', new TextEncoder().encode('{}'))
  const writeLayer = (files: readonly TarEntry[]) =>
    layout.writeBlob(gzipStored(writeTar(files)), MEDIA_TYPES.layerGzip)
  const layers = [await writeLayer([app])]
  for (const files of modelLayers)
    layers.push({ ...(await writeLayer(files)), annotations: { 'dev.regatta.layer': 'model' } })
  const config = await layout.writeBlob(new TextEncoder().encode('{}'), MEDIA_TYPES.config)
  const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, config, layers } as const
  return (await layout.putManifest(manifest)).digest
}
