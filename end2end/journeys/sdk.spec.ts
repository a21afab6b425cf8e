// A merchant's backend, once in each SDK; then what the server holds by now against the types of npm stripe, and the page
// that says so against what it would say now. Last, requests that nobody would write, to a server of their own. Each script
// also runs by itself, given PORTICO_URL and PORTICO_KEY; it succeeds by exiting with 0.
import { test } from '@playwright/test'
import { execFile } from 'node:child_process'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { demo, serve, type Demo } from '../server'

const cache = process.env.PORTICO_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'portico')
const python = join(cache, 'python/bin/python')

const SCRIPTS = [
  [process.execPath, 'shapes/parameters.mjs', '--check'],
  [process.execPath, 'journeys/node.mjs'],
  [python, 'journeys/journey.py'],
  [process.execPath, 'shapes/check.mjs'],
  [process.execPath, 'shapes/compatibility.mjs', '--check'],
]

const run = async (program: string, script: string, args: string[], env: NodeJS.ProcessEnv) => {
  const options = { cwd: join(__dirname, '..'), env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...env }, maxBuffer: 16 * 1024 * 1024 }
  await promisify(execFile)(program, [script, ...args], options).catch(error => {
    throw new Error(`${script}:\n${error.stdout}${error.stderr}`)
  })
}

for (const [program, script, ...args] of SCRIPTS) {
  test(script, async () => {
    test.setTimeout(180_000)
    await run(program, script, args, { PORTICO_KEY: process.env.PORTICO_KEY ?? demo().secret_key })
  })
}

// It deletes what other tests look at.
test('journeys/fuzz.py', async () => {
  test.setTimeout(1_800_000)
  const { url, demo, stop } = await serve('fuzz')
  const { secret_key }: Demo = JSON.parse(demo)
  await run(python, 'journeys/fuzz.py', [], { PORTICO_URL: url, PORTICO_KEY: secret_key }).finally(stop)
})
