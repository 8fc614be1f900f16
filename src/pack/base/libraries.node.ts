import { open } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { RegattaError, toSystemCode } from '../../core/errors.ts'
import { type ElfNeeds, readElfNeeds } from './elf.ts'

/** A processor, in Go's word for it. */
export type Architecture = ElfNeeds['architecture']

/** What programs need of this machine to run elsewhere. */
export interface HostLibraries {
  readonly architecture: Architecture
  /** Path of the loader, which programs name in full; undefined where no program needs one. */
  readonly loader: string | undefined
  /** Absolute path of each library by its name. */
  readonly libraries: ReadonlyMap<string, string>
}

const TRIPLETS = { amd64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' } as const
/** glibc loads these for names of hosts and users when asked, without naming them (nsswitch.conf(5)). */
const LOADED_LATER = ['libnss_files.so.2', 'libnss_dns.so.2']

/**
 * Finds the shared libraries of programs, theirs in turn, and the loader. A library beside the program that asks for
 * it (`$ORIGIN`) goes where the program goes and is not listed. Nothing is run to find out.
 * @throws BASE_LIBRARY, BASE_PLATFORM, ELF_FORMAT
 */
export async function findLibraries(program: string, natives: readonly string[]): Promise<HostLibraries> {
  const first = await readNeeds(program)
  if (first === undefined) throw notAProgram(program)
  const { architecture, loader } = first
  const libraries = new Map<string, string>()
  const pending = [program, ...natives]
  if (loader !== undefined) pending.push(...(await addLater(architecture, libraries)))
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const needs = await readNeeds(path)
    if (needs === undefined) continue
    if (needs.architecture !== architecture) throw mixed(path, needs.architecture, architecture)
    for (const name of needs.libraries) {
      if (libraries.has(name) || (loader !== undefined && name === basename(loader))) continue
      const found = await findLibrary(name, path, needs)
      if (natives.includes(found)) continue
      libraries.set(name, found)
      pending.push(found)
    }
  }
  return { architecture, loader, libraries }
}

/** The processor that a program of this machine is for. @throws BASE_PLATFORM, ELF_FORMAT */
export async function readArchitecture(program: string): Promise<Architecture> {
  const needs = await readNeeds(program)
  if (needs === undefined) throw notAProgram(program)
  return needs.architecture
}

async function addLater(
  architecture: ElfNeeds['architecture'],
  libraries: Map<string, string>,
): Promise<readonly string[]> {
  const paths: string[] = []
  for (const name of LOADED_LATER) {
    const path = await findIn(toFolders(architecture), name, architecture)
    if (path === undefined) continue
    libraries.set(name, path)
    paths.push(path)
  }
  return paths
}

async function findLibrary(name: string, asker: string, needs: ElfNeeds): Promise<string> {
  const own = needs.folders.map(folder => join(folder.replaceAll(/\$(ORIGIN|\{ORIGIN\})/g, dirname(asker))))
  const folders = [...own, ...toFolders(needs.architecture)]
  const path = await findIn(folders, name, needs.architecture)
  if (path !== undefined) return path
  throw new RegattaError('BASE_LIBRARY', `Cannot find the library "${name}" that "${asker}" needs`, {
    where: `looked in ${folders.join(', ')}`,
    fix: 'Install the package that holds it',
  })
}

async function findIn(
  folders: readonly string[],
  name: string,
  architecture: ElfNeeds['architecture'],
): Promise<string | undefined> {
  for (const folder of folders) {
    const path = join(folder, name)
    if ((await readNeeds(path))?.architecture === architecture) return path
  }
  return undefined
}

/** Where loaders of the usual distributions look, and what administrators add. Source: ld.so(8), ldconfig(8). */
function toFolders(architecture: ElfNeeds['architecture']): readonly string[] {
  const triplet = TRIPLETS[architecture]
  const system = [`/lib/${triplet}`, `/usr/lib/${triplet}`, '/lib64', '/usr/lib64', '/lib', '/usr/lib']
  return [...system, `/usr/local/lib/${triplet}`, '/usr/local/lib64', '/usr/local/lib']
}

/** Undefined where there is no such file, or it is not ELF. */
async function readNeeds(path: string): Promise<ElfNeeds | undefined> {
  try {
    await using file = await open(path)
    return await readElfNeeds(async (offset, length) => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset)
      return buffer.subarray(0, bytesRead)
    })
  } catch (error) {
    if (toSystemCode(error) === 'ENOENT' || toSystemCode(error) === 'ENOTDIR') return undefined
    if (!(error instanceof RegattaError) || error.where !== undefined) throw error
    throw new RegattaError(error.code, error.message, { where: path, cause: error })
  }
}

function notAProgram(path: string): RegattaError {
  return new RegattaError('BASE_PLATFORM', `Cannot make a base layer of "${path}": expected a program for Linux`, {
    fix: 'Run regatta with the Node of a Linux machine',
  })
}

function mixed(path: string, found: string, wanted: string): RegattaError {
  return new RegattaError(
    'BASE_PLATFORM',
    `Cannot make an image: "${path}" is for ${found}, and Node is for ${wanted}`,
    {
      fix: 'npm run build on this machine',
    },
  )
}
