// The stand that the built program is measured on: a folder of its own, one core for it and the other for who asks.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export const root = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../..')
export const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target')
export const program = process.env.PORTICO ?? join(root, 'target/release/portico')

let failed = false
/** Prints a figure; one beyond its limit fails the run. */
export function report(what, value, unit, limit) {
  const beyond = limit !== undefined && value > limit
  failed ||= beyond
  const shown = Number.isInteger(value) ? value.toLocaleString('en') : value.toFixed(2)
  console.log(`${what.padEnd(54)} ${shown.padStart(12)} ${unit.padEnd(10)} ${limit === undefined ? '' : `at most ${limit.toLocaleString('en')}${beyond ? '   BEYOND' : ''}`}`)
}
export const isBeyond = () => failed

/** Settings for a database in a folder of its own, which goes with this process. */
export function installation(port, database = undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'portico-bench-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PORTICO')))
  const host = `localhost:${port}`
  Object.assign(env, {
    PORTICO_DATABASE_URL: database ?? `sqlite://${folder}/portico.db`,
    PORTICO_SANDBOX_DATABASE_URL: `sqlite://${folder}/sandbox.db`,
    PORTICO_ENCRYPTION_KEY: 'only for a benchmark, on this machine',
    PORTICO_ADDR: `127.0.0.1:${port}`,
    PORTICO_PUBLIC_URL: `http://${host}`,
    PORTICO_LOG: 'warn',
  })
  return { folder, env, host, url: `http://${host}` }
}

/** What a command of the program prints. */
export const portico = ({ folder, env }, ...args) => execFileSync(program, args, { cwd: folder, env, encoding: 'utf8' })

/** Starts a command on the first core, and waits until it answers. */
export async function start({ folder, env }, command, args, url) {
  // Whatever happens, nothing outlives this.
  const child = spawn('taskset', ['-c', '0', command, ...args], { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'] })
  process.once('exit', () => child.kill())
  for (let n = 0; n < 200; n++) {
    if (await fetch(url).then(() => true, () => false)) return child
    await sleep(50)
  }
  throw new Error(`${command} did not start`)
}

export async function stop(child) {
  child.kill('SIGTERM')
  await Promise.race([once(child, 'exit'), sleep(11_000)])
}

export const memory = (child) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) / 1024

export function load(url, cookie, seconds = 8) {
  const out = execFileSync('taskset', ['-c', '1', 'wrk', '-t1', '-c64', `-d${seconds}s`, '--latency', '-H', `Cookie: ${cookie}`, url], { encoding: 'utf8' })
  if (/Non-2xx/.test(out)) throw new Error(`errors under load:\n${out}`)
  const [, p99, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(out)
  return { rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(out)[1]), p99: Number(p99) * { us: 0.001, ms: 1, s: 1000 }[unit] }
}

/** Follows a link as a browser does that a page led here; Node's fetch says of itself where it comes from. */
export function signIn(link) {
  const headers = ['sec-fetch-site: cross-site', 'sec-fetch-mode: navigate', 'sec-fetch-dest: document', 'accept: text/html']
  const head = execFileSync('curl', ['-s', '-D', '-', '-o', '/dev/null', ...headers.flatMap((header) => ['-H', header]), link], { encoding: 'utf8' })
  return /^set-cookie: ([^;]+)/im.exec(head)[1]
}
