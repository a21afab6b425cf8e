// Measures the built program: bytes, speed beside a bare axum page that runs the same queries, memory, the edit-build loop.
// Figures with a limit fail the run when they are beyond it.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { brotliDecompressSync } from 'node:zlib'

import { changes } from './changes.mjs'
import { measure } from './speed.mjs'

const root = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../..')
const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target')
const folder = mkdtempSync(join(tmpdir(), 'portico-bench-'))
const database = `sqlite://${folder}/portico.db`
const [port, barePort] = [4310, 4311]
const host = `localhost:${port}`
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PORTICO_')))
Object.assign(env, { PORTICO_DATABASE_URL: database, PORTICO_ADDR: `127.0.0.1:${port}`, PORTICO_PUBLIC_URL: `http://${host}` })

let failed = false
function report(what, value, unit, limit) {
  const beyond = limit !== undefined && value > limit
  failed ||= beyond
  const shown = Number.isInteger(value) ? value.toLocaleString('en') : value.toFixed(2)
  console.log(`${what.padEnd(46)} ${shown.padStart(12)} ${unit.padEnd(10)} ${limit === undefined ? '' : `at most ${limit.toLocaleString('en')}${beyond ? '   BEYOND' : ''}`}`)
}

/** One core for what is measured, the other for what asks. */
async function start(command, args, url) {
  // Whatever happens, nothing outlives this.
  const child = spawn('taskset', ['-c', '0', command, ...args], { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'] })
  process.once('exit', () => child.kill())
  for (let n = 0; n < 200; n++) {
    if (await fetch(url).then(() => true, () => false)) return child
    await sleep(50)
  }
  throw new Error(`${command} did not start`)
}
const stop = async (child) => { child.kill('SIGTERM'); await Promise.race([once(child, 'exit'), sleep(11_000)]) }
const memory = (child) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) / 1024

function load(url, cookie, seconds = 8) {
  const out = execFileSync('taskset', ['-c', '1', 'wrk', '-t1', '-c64', `-d${seconds}s`, '--latency', '-H', `Cookie: ${cookie}`, url], { encoding: 'utf8' })
  if (/Non-2xx/.test(out)) throw new Error(`errors under load:\n${out}`)
  const [, p99, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(out)
  return { rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(out)[1]), p99: Number(p99) * { us: 0.001, ms: 1, s: 1000 }[unit] }
}

/** Follows a link as a browser does that a page led here; Node's fetch says of itself where it comes from. */
function signIn(link) {
  const headers = ['sec-fetch-site: cross-site', 'sec-fetch-mode: navigate', 'sec-fetch-dest: document', 'accept: text/html']
  const head = execFileSync('curl', ['-s', '-D', '-', '-o', '/dev/null', ...headers.flatMap((header) => ['-H', header]), link], { encoding: 'utf8' })
  return /^set-cookie: ([^;]+)/im.exec(head)[1]
}

// Node's fetch hides how many bytes came; ask for brotli by hand.
function get(path, cookie) {
  const out = execFileSync('curl', ['-s', '-H', 'accept-encoding: br', '-H', 'accept: text/html', '-H', `cookie: ${cookie}`, '-H', 'sec-fetch-site: none', `http://${host}${path}`], { maxBuffer: 1 << 26 })
  return out
}

const build = () => execFileSync('cargo', ['build', '-q', '--workspace', '--bin', 'portico'], { cwd: root, env: { ...env, CARGO_TARGET_DIR: target }, stdio: 'inherit' })

function buildLoop(file, label) {
  build()
  const now = new Date()
  utimesSync(join(root, file), now, now)
  const begun = process.hrtime.bigint()
  build()
  report(`edit-build loop, ${label}`, Number(process.hrtime.bigint() - begun) / 1e9, 's', 60)
}

try {
  const demo = JSON.parse(execFileSync(join(root, 'target/release/portico'), ['demo', '--json'], { cwd: folder, env, encoding: 'utf8' }))
  execFileSync('cargo', ['build', '-q', '--release', '-p', 'server', '--example', 'bare'], { cwd: root, env: { ...env, CARGO_TARGET_DIR: target }, stdio: 'inherit' })
  const portico = await start(join(root, 'target/release/portico'), ['serve'], `http://${host}/readyz`)
  const cookie = signIn(demo.portal_url)

  const html = get('/', cookie)
  const text = brotliDecompressSync(html).toString()
  const assets = [...new Set([...text.matchAll(/(?:href|src)="?(\/(?:pkg\/[^" >]+|favicon[^" >]+))"?/g)].map((m) => m[1]))]
  const bytes = Object.fromEntries(assets.map((path) => [path, get(path, cookie).length]))
  if (!assets.some((path) => path.endsWith('.wasm'))) throw new Error('the overview names no WASM')
  report('overview, everything, brotli', html.length + Object.values(bytes).reduce((a, b) => a + b, 0), 'bytes', 240_000)
  report('  its document', html.length, 'bytes')
  for (const path of assets) report(`  ${path.replace(/\.[0-9a-f]{6,}\./, '.')}`, bytes[path], 'bytes')
  // One file of code serves all pages: what a further page costs is its document, or the data of its view.
  const [subscription] = /\/subscriptions\/sub_\w+/.exec(text) ?? []
  for (const path of ['/invoices', subscription, `${subscription}/cancel`]) {
    report(`  a further page, ${path.replace(/sub_\w+/, '{id}')}`, get(path, cookie).length, 'bytes')
  }

  report('memory, idle', memory(portico), 'MiB')
  const speed = await measure(`http://${host}/`, cookie)
  report('overview on a slow phone, first paint', Math.round(speed.first), 'ms', 700)
  report('  largest paint', Math.round(speed.largest), 'ms', 700)
  report('  hydrated', Math.round(speed.hydrated), 'ms', 2200)
  report('  blocking time', Math.round(speed.blocking), 'ms', 100)
  report('  layout shift', speed.shift, '', 0.01)
  const page = load(`http://${host}/`, cookie)
  report('memory, after load', memory(portico), 'MiB')
  const asked = await changes(`http://${host}`, demo.secret_key)
  await stop(portico)
  const bare = await start(join(target, 'release/examples/bare'), [`127.0.0.1:${barePort}`, database, host, String(text.length)], `http://127.0.0.1:${barePort}/`)
  const baseline = load(`http://127.0.0.1:${barePort}/`, cookie)
  await stop(bare)
  report('overview, rendered', Math.round(page.rate), 'a second')
  report('bare axum page, same queries and size', Math.round(baseline.rate), 'a second')
  report('  times slower', baseline.rate / page.rate, '', 6)
  report('overview, p99 at 64 connections', page.p99, 'ms')
  report('bare axum page, p99', baseline.p99, 'ms')
  report('  times slower', page.p99 / baseline.p99, '')
  report('previews of a change', Math.round(asked.previews), 'a second')
  report('reading the subscription', Math.round(asked.reads), 'a second')
  report('  times slower', asked.reads / asked.previews, '')
  report('a change with one past invoice', asked.young, 'ms')
  report('a change with a thousand', asked.old, 'ms')
  report('  times slower', asked.old / asked.young, '', 2)

  buildLoop('app/src/pages/overview.rs', 'a page')
  buildLoop('billing/src/lib.rs', 'the books')
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exitCode = failed ? 1 : 0
