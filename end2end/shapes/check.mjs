// Reads everything that a running server has, through the merchant API, and holds each answer against the types of
// npm stripe. A field that is missing or has the wrong type fails, and is named by its path.
// usage: PORTICO_URL=http://localhost:3000 PORTICO_KEY=sk_test_… node shapes/check.mjs [--keep FILE]
// With --keep, the objects are left in the file, each on a line of its own, for other readers (decode/).
import { writeFileSync } from 'node:fs'
import { installed, problems, schemas } from './shape.mjs'

const LISTS = [
  'billing/feedback_options', 'billing_portal/configurations', 'coupons', 'customers', 'events', 'invoices', 'prices', 'products',
  'promotion_codes', 'setup_intents', 'subscriptions?status=all', 'tax_rates', 'webhook_endpoints',
]
// Lists that belong to one object, asked of the first few; and what may be expanded in it.
const WITHIN = {
  customer: ['customers/{id}/payment_methods', 'customers/{id}/tax_ids'],
  invoice: ['invoices/{id}/lines'],
  subscription: ['subscription_items?subscription={id}'],
}
const EXPAND = {
  customer: ['invoice_settings.default_payment_method', 'subscriptions', 'tax_ids'],
  invoice: ['customer', 'payment_intent', 'parent.subscription_details.subscription'],
  promotion_code: ['promotion.coupon', 'customer'],
  subscription: ['customer', 'default_payment_method', 'latest_invoice.payment_intent', 'items.data.price.product'],
}
const PATHS = {
  'billing.feedback_option': 'billing/feedback_options',
  'billing_portal.configuration': 'billing_portal/configurations',
}
const PAGES = 3
const FIRST = 5

const { PORTICO_URL: url, PORTICO_KEY: key } = process.env
const [flag, file] = process.argv.slice(2)
const wrong = new Map()
const seen = new Map()
const kept = []

function judge(path, body) {
  for (const one of body?.object === 'list' ? body.data : [body]) {
    seen.set(one.object, (seen.get(one.object) ?? 0) + 1)
    kept.push(one, ...(one.object === 'event' ? [one.data.object] : []))
  }
  for (const problem of problems(body)) {
    const where = problem.replace(/\/\d+(?=\/|\s)/g, '/*')
    if (!wrong.has(where)) wrong.set(where, path)
  }
}

async function get(path) {
  const answer = await fetch(`${url}/v1/${path}`, { headers: { Authorization: `Bearer ${key}` } })
  const body = await answer.json().catch(() => ({}))
  if (!answer.ok) wrong.set(`answers ${answer.status}: ${body?.error?.message}`, path)
  else judge(path, body)
  return body
}

const query = (path, more) => path + (path.includes('?') ? '&' : '?') + more
const expanded = (path, kind) => query(path, (EXPAND[kind] ?? []).map(field => `expand[]=${field}`).join('&'))

async function walk(list) {
  let after = ''
  for (let page = 0; page < PAGES; page++) {
    const { data = [], has_more } = await get(query(list, `limit=100${after}`))
    if (page === 0) for (const one of data.slice(0, FIRST)) await look(one)
    if (!has_more) return
    after = `&starting_after=${data.at(-1).id}`
  }
}

async function look({ id, object }) {
  await get(expanded(`${PATHS[object] ?? `${object}s`}/${id}`, object))
  for (const path of WITHIN[object] ?? []) await get(path.replace('{id}', id))
}

if (schemas.sdk !== installed()) {
  console.error(`schemas.json is of npm stripe ${schemas.sdk}, installed is ${installed()}: run \`node shapes/generate.mjs\` and read the diff`)
  process.exit(1)
}
if (!url || !key) {
  console.error('PORTICO_URL and PORTICO_KEY say which server to read')
  process.exit(2)
}
await get('account')
for (const list of LISTS) await walk(list)

// async-stripe has no type for a deleted customer expanded in another object, which is what Stripe shows there too.
const lines = kept.map(one => `${JSON.stringify(one)}\n`).filter(line => !line.includes('"deleted":true'))
if (flag === '--keep') writeFileSync(file, lines.join(''))

const counts = [...seen].sort().map(([object, count]) => `${count} ${object}`).join(', ')
for (const [problem, path] of wrong) console.error(`GET /v1/${path}: ${problem}`)
console.log(`${wrong.size ? `${wrong.size} problems` : 'no problem'} in ${counts}`)
process.exit(wrong.size ? 1 : 0)
