import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Arena, type Contender, toRepositories } from './contender.ts'

/** The program as an installed package has it. */
const PROGRAM = resolve(import.meta.dirname, '..', '..', 'dist', 'regatta.js')

/** `regatta pack` and `regatta push`, one after the other. As with the others, the tag moves from image to image. */
export function openRegatta({ base, context, folder, registry }: Arena): Contender {
  const repository = toRepositories(registry, 'regatta')
  const project = join(folder, 'project')
  const command = `'${process.execPath}' '${PROGRAM}'`
  const model = join(context, 'models', 'bench', '1')
  return {
    name: 'regatta',
    async forget() {
      repository.next()
      rmSync(project, { recursive: true, force: true })
      mkdirSync(project, { recursive: true })
      writeFileSync(join(project, 'regatta.yaml'), `name: bench\nimage:\n  base: ${base}\n`)
    },
    toScript: () => `cd '${project}'
${command} pack --model '${model}' > digest
${command} push --force ${repository.reference()} > pushed`,
    async [Symbol.asyncDispose]() {},
  }
}
