// Writes data/series.csv, the historical series that the models are trained on: node make-data.ts
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toCsv, toHistory } from './series.ts'

const folder = join(import.meta.dirname, 'data')
mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, 'series.csv'), toCsv(toHistory()))
