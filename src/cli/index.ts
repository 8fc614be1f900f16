export { main, toVerbPages } from './app.ts'
export { toInstallation, VERSION } from './installation.ts'
export type { Installation, Terminal, World } from './world.ts'
