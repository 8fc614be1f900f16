import { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Arena, type Contender, toRepositories } from './contender.ts'

const ROOT = resolve(import.meta.dirname, '..', '..')

/** `regatta pack --push`, of a package as it is installed elsewhere: without sources and without this repository's Node. */
export function openRegatta({ base, context, folder, registry }: Arena): Contender {
  const repository = toRepositories(registry, 'regatta')
  const [project, installed] = [join(folder, 'project'), join(folder, 'package')]
  mkdirSync(join(installed, 'bin'), { recursive: true })
  copyFileSync(join(ROOT, 'bin', 'regatta.js'), join(installed, 'bin', 'regatta.js'))
  copyFileSync(join(ROOT, 'package.json'), join(installed, 'package.json'))
  symlinkSync(join(ROOT, 'dist'), join(installed, 'dist'))
  const model = join(context, 'models', 'bench', '1')
  return {
    name: 'regatta',
    async forget() {
      repository.next()
      rmSync(project, { recursive: true, force: true })
      mkdirSync(project, { recursive: true })
      const image = { base, repository: repository.reference().replace(/:model$/, '') }
      writeFileSync(join(project, 'regatta.yaml'), JSON.stringify({ name: 'bench', image }))
    },
    toScript: () =>
      `'${process.execPath}' '${installed}/bin/regatta.js' pack --push --cwd '${project}' --model '${model}' > pushed`,
    async [Symbol.asyncDispose]() {},
  }
}
