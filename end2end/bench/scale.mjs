// What numbers cost: renewals that are all due at once, and one renewal and one page among few customers and among many.
// usage: node end2end/bench/scale.mjs [--due N] [--many N]
import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'

import { installation, isBeyond, load, portico, program, report, root, signIn, start, stop } from './stand.mjs'

const { values } = parseArgs({ options: { due: { type: 'string', default: '2000' }, many: { type: 'string', default: '20000' } }, strict: false })
const [DUE, FEW, MANY] = [Number(values.due), 100, Number(values.many)]
// One renewal among few and among many is the mean of so many.
const SAMPLE = Math.min(500, DUE)
const PORT = 4312
const counted = (number) => number.toLocaleString('en')

const demo = (at, ...args) => JSON.parse(portico(at, 'demo', '--json', ...args))

/** How much a server's workers have billed, by its own count. */
async function billed({ url }) {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(/^portico_worker_jobs_total\{kind="billing",outcome="done"\} (\d+)/m.exec(text)?.[1] ?? 0)
}

/** How many renewals a second the workers of one process make of `count` that are due. */
async function renewals(at, count) {
  const served = await start(at, program, ['serve'], `${at.url}/readyz`)
  // What is under way when the clock starts does not count.
  let done = await billed(at)
  const [first, begun] = [done, performance.now()]
  while (done < count) {
    await sleep(20)
    done = await billed(at)
  }
  const rate = (done - first) / (performance.now() - begun) * 1000
  await stop(served)
  return rate
}

/** Renewals a second, all due at once, and how many bytes a customer takes. */
async function dueAtOnce(name, at) {
  demo(at, '--customers', DUE, '--due')
  report(`${counted(DUE)} renewals due at once, ${name}`, Math.round(await renewals(at, DUE)), 'a second')
}

/** The overview's rate, with a link of now. */
async function overview(at) {
  const served = await start(at, program, ['serve', '--no-workers'], `${at.url}/readyz`)
  const page = load(`${at.url}/`, signIn(demo(at).portal_url))
  await stop(served)
  return page.rate
}

async function amongFewAndMany() {
  const at = installation(PORT)
  demo(at, '--customers', FEW)
  const page = await overview(at)
  demo(at, '--customers', 1000 - FEW - SAMPLE)
  demo(at, '--customers', SAMPLE, '--due')
  const among = await renewals(at, SAMPLE)
  const begun = performance.now()
  demo(at, '--customers', MANY)
  report(`${counted(MANY)} customers written in bulk`, (performance.now() - begun) / 1000, 's')
  const books = at.env.PORTICO_DATABASE_URL.replace('sqlite://', '')
  report('  the database, a customer', Math.round(statSync(books).size / (MANY + 1000)), 'bytes')
  const later = await overview(at)
  demo(at, '--customers', SAMPLE, '--due')
  const amongMany = await renewals(at, SAMPLE)
  report(`overview among ${counted(FEW)} customers`, Math.round(page), 'a second')
  report(`overview among ${counted(MANY)}`, Math.round(later), 'a second')
  report('  times slower', page / later, '', 1.25)
  report('one renewal among 1,000 subscriptions', 1000 / among, 'ms')
  report(`one renewal among ${counted(MANY)}`, 1000 / amongMany, 'ms')
  report('  times slower', among / amongMany, '', 1.5)
}

/** A PostgreSQL that keeps what it is told, for as long as `work` takes. */
async function onPostgres(work) {
  const script = join(root, 'build/postgres.sh')
  const url = execFileSync(script, ['start'], { encoding: 'utf8', env: { ...process.env, POSTGRES_DURABLE: '1' } }).trim()
  try {
    await work(url)
  } finally {
    execFileSync(script, ['stop', url])
  }
}

export async function scale() {
  await dueAtOnce('SQLite', installation(PORT))
  await onPostgres((url) => dueAtOnce('PostgreSQL', installation(PORT, url)))
  await amongFewAndMany()
}

if (process.argv[1] === import.meta.filename) {
  await scale()
  process.exitCode = isBeyond() ? 1 : 0
}
