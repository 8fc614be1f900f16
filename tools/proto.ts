/** Writes `src/tensor/generated/`, the code of the messages in `src/tensor/proto/`. Nothing is fetched. */
import { execFile } from 'node:child_process'
import { delimiter, join, resolve } from 'node:path'
import { promisify } from 'node:util'

const root = resolve(import.meta.dirname, '..')
const bin = join(root, 'node_modules', '.bin')
const source = join(root, 'src', 'tensor', 'proto')

/** Runs Buf and its plugin, which is a script for the Node that it finds first. */
export async function runBuf(...args: readonly string[]): Promise<void> {
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` }
  await promisify(execFile)(join(bin, 'buf'), args, { cwd: root, env })
}

/** Writes the code into the folder `generated` of another, which replaces one that is there. */
export async function generateMessages(output: string): Promise<void> {
  await runBuf('generate', source, '--template', join(source, 'buf.gen.yaml'), '--output', output)
}

if (import.meta.main) await generateMessages(join(root, 'src', 'tensor'))
