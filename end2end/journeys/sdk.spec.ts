// A merchant's backend, once in each SDK; then what the server holds by now against the types of npm stripe, and the page
// that says so against what it would say now. Each script also runs by itself, given PORTICO_URL and PORTICO_KEY; it
// succeeds by exiting with 0.
import { test } from '@playwright/test'
import { execFile } from 'node:child_process'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { demo } from '../server'

const cache = process.env.PORTICO_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'portico')
const python = join(cache, 'python/bin/python')

const SCRIPTS = [
  [process.execPath, 'shapes/parameters.mjs', '--check'],
  [process.execPath, 'journeys/node.mjs'],
  [python, 'journeys/journey.py'],
  [process.execPath, 'shapes/check.mjs'],
  [process.execPath, 'shapes/compatibility.mjs', '--check'],
]

for (const [program, script, ...args] of SCRIPTS) {
  test(script, async () => {
    test.setTimeout(180_000)
    const env = { ...process.env, PORTICO_KEY: process.env.PORTICO_KEY ?? demo().secret_key, PYTHONDONTWRITEBYTECODE: '1' }
    const run = promisify(execFile)(program, [script, ...args], { cwd: join(__dirname, '..'), env, maxBuffer: 16 * 1024 * 1024 })
    await run.catch(error => { throw new Error(`${script}:\n${error.stdout}${error.stderr}`) })
  })
}
