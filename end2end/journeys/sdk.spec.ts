// A merchant's backend, once in each SDK; then what the server holds by now against the types of npm stripe, and the page
// that says so against what it would say now. Last, requests that nobody would write, to a server of their own. Each script
// also runs by itself, given PORTICO_URL and PORTICO_KEY; it succeeds by exiting with 0.
import { test } from '@playwright/test'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { demo, serve, type Demo } from '../server'

const cache = process.env.PORTICO_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'portico')
const python = join(cache, 'python/bin/python')

const SCRIPTS = [
  [process.execPath, 'shapes/parameters.mjs', '--check'],
  [process.execPath, 'journeys/node.mjs'],
  [process.execPath, 'journeys/money.mjs'],
  [process.execPath, 'journeys/time.mjs'],
  [process.execPath, 'journeys/references.mjs'],
  [python, 'journeys/journey.py'],
  [python, 'journeys/documents.py'],
  [process.execPath, 'journeys/webhooks.mjs'],
  [python, 'journeys/webhooks.py'],
  [process.execPath, 'shapes/check.mjs'],
  [process.execPath, 'shapes/compatibility.mjs', '--check'],
]

const run = async (program: string, args: string[], env: NodeJS.ProcessEnv = {}) => {
  const options = { cwd: join(__dirname, '..'), env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...env }, maxBuffer: 16 * 1024 * 1024 }
  await promisify(execFile)(program, args, options).catch(error => {
    throw new Error(`${args.join(' ')}:\n${error.stdout}${error.stderr}`)
  })
}
const key = () => process.env.PORTICO_KEY ?? demo().secret_key

for (const [program, script, ...args] of SCRIPTS) {
  test(script, async () => {
    test.setTimeout(process.env.PORTICO_TEST_SCALE === 'release' ? 1_800_000 : 180_000)
    await run(program, [script, ...args], { PORTICO_KEY: key() })
  })
}

// The strictest reader there is: it refuses an object for one field that is missing. It takes minutes to build, so it
// is for a release only.
const strictly = process.env.PORTICO_TEST_SCALE === 'release' ? test : () => {}
strictly('decode', async () => {
  test.setTimeout(1_800_000)
  const folder = mkdtempSync(join(tmpdir(), 'portico-decode-'))
  const objects = join(folder, 'objects')
  await run(process.execPath, ['shapes/check.mjs', '--keep', objects], { PORTICO_KEY: key() })
  await run('cargo', ['run', '--quiet', '--locked', '--manifest-path', 'decode/Cargo.toml', '--', objects])
  rmSync(folder, { recursive: true })
})

// It deletes what other tests look at.
test('journeys/fuzz.py', async () => {
  test.setTimeout(1_800_000)
  const { url, demo, stop } = await serve('fuzz')
  const { secret_key }: Demo = JSON.parse(demo)
  await run(python, ['journeys/fuzz.py'], { PORTICO_URL: url, PORTICO_KEY: secret_key }).finally(stop)
})
