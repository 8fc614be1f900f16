import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { makeEnvironment } from '../../examples/forecast/testing/python.ts'

/** The repository, and its folder of clients. */
export const ROOT = resolve(import.meta.dirname, '..', '..')
/** Where the clients' programs lie. */
export const CONFORMANCE = join(ROOT, 'conformance')

/** Files of `conformance/clients/`. */
export const CLIENTS = ['tfs_rest', 'tfs_grpc', 'triton', 'kserve_sdk', 'health', 'decoupled'] as const
/** One of them. */
export type ClientName = (typeof CLIENTS)[number]

/** What every client needs. */
export interface Parts extends Disposable {
  /** The Python that has the clients. */
  readonly python: string
  /** A temporary folder. */
  readonly folder: string
  /** The whole table of models, with the configuration that serves it. */
  readonly models: string
  /** One model of it, with the version that a first deployment gets. */
  readonly deployed: { readonly name: string; readonly models: string; readonly file: string }
}

/** Installs the clients and writes the models. @throws saying what is missing */
export function prepare(): Parts {
  const python = makeEnvironment(join(ROOT, '.venv', 'conformance'), join(CONFORMANCE, 'requirements.txt'), {
    bare: join(CONFORMANCE, 'requirements-bare.txt'),
  })
  const folder = mkdtempSync(join(tmpdir(), 'regatta-conformance-'))
  const models = join(folder, 'models')
  const { status, stderr } = spawnSync(python, [join(CONFORMANCE, 'models.py'), models], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`Cannot write the models: ${stderr}`)
  const deployed = { name: 'mlp', models: join(folder, 'deployed'), file: join(folder, 'deployed/mlp/1/model.onnx') }
  mkdirSync(join(deployed.models, 'mlp', '1'), { recursive: true })
  cpSync(join(models, 'mlp', '3', 'model.onnx'), deployed.file)
  return {
    python,
    folder,
    models,
    deployed,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}
