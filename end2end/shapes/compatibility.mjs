// Writes docs/compatibility.md: what npm `stripe` can ask and is told, held against docs/openapi.json, which is made from the
// program itself.
// usage: node shapes/compatibility.mjs [--check]     with --check, fails if the page is not what would be written
import { readFileSync, writeFileSync } from 'node:fs'
import { endpoints, plain, version } from './sdk.mjs'
import { schemas as stripe } from './shape.mjs'

const page = new URL('../../docs/compatibility.md', import.meta.url)
const openapi = JSON.parse(readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8'))

// The SDK's resources that Portico is about, the objects that they answer, and what they are called here.
const RESOURCES = [
  ['Account', 'Accounts', 'account'],
  ['Customers', 'Customers', 'customer'],
  ['Products', 'Products', 'product'],
  ['Prices', 'Prices', 'price'],
  ['Coupons', 'Coupons', 'coupon'],
  ['Promotion codes', 'PromotionCodes', 'promotion_code'],
  ['Tax rates', 'TaxRates', 'tax_rate'],
  ['Tax IDs', 'TaxIds', 'tax_id'],
  ['Subscriptions', 'Subscriptions', 'subscription'],
  ['Subscription items', 'SubscriptionItems', 'subscription_item'],
  ['Invoices', 'Invoices', 'invoice'],
  ['Invoice lines', 'InvoiceLineItems', 'line_item'],
  ['Invoice items', 'InvoiceItems', 'invoiceitem'],
  ['Invoice payments', 'InvoicePayments', 'invoice_payment'],
  ['Credit notes', 'CreditNotes', 'credit_note'],
  ['Payment methods', 'PaymentMethods', 'payment_method'],
  ['Setup intents', 'SetupIntents', 'setup_intent'],
  ['Payment intents', 'PaymentIntents', 'payment_intent'],
  ['Charges', 'Charges', 'charge'],
  ['Mandates', 'Mandates', 'mandate'],
  ['Refunds', 'Refunds', 'refund'],
  ['Portal configurations', 'BillingPortal/Configurations', 'billing_portal.configuration'],
  ['Portal sessions', 'BillingPortal/Sessions', 'billing_portal.session'],
  ['Events', 'Events', 'event'],
  ['Webhook endpoints', 'WebhookEndpoints', 'webhook_endpoint'],
  ['Test clocks', 'TestHelpers/TestClocks', 'test_helpers.test_clock'],
]

/** Our endpoints: how the path is written here, and its parameters with what is said of each. */
const ours = new Map()
for (const [path, methods] of Object.entries(openapi.paths)) {
  for (const [method, operation] of Object.entries(methods)) {
    const params = new Map()
    const body = operation.requestBody?.content['application/json'].schema
    if (body) gather(body, [], params)
    for (const { name, in: place, schema } of operation.parameters ?? []) {
      if (place === 'query') note(name, schema, [], params)
    }
    ours.set(`${method.toUpperCase()} ${plain(path)}`, { method: method.toUpperCase(), path, params, answers: Boolean(operation.responses[200]) })
  }
}

function gather(schema, path, params) {
  for (const part of schema.anyOf ?? [schema]) {
    if (part.items) gather(part.items, path, params)
    for (const [name, inner] of Object.entries(part.properties ?? {})) note(name, inner, path, params)
  }
}

function note(name, schema, path, params) {
  const whole = [...path, name]
  // Without a type, a set of words is what may be said and changes nothing.
  const only = schema.enum && !schema.type ? schema.enum : undefined
  params.set(whole.join('.'), only)
  gather(schema, whole, params)
}

// So many fields of one object are told by their number.
const MANY = 5

/** Names without those whose parent is among them as well. */
const outermost = names => names.filter(name => !names.some(other => name.startsWith(`${other}.`)))
const code = name => `\`${name}\``
const bracketed = name => code(name.replace(/\.([^.]+)/g, '[$1]'))
const list = names => (names.length ? names.join(', ') : '–')

/** How the parameters of an endpoint compare. */
function compare(theirs, mine) {
  const has = name => mine.params.has(name) || [...mine.params.keys()].some(known => known.startsWith(`${name}.`))
  // Where ours ends early (`metadata`), it takes whatever Stripe has inside.
  const isInside = name => [...mine.params.keys()].some(known => name.startsWith(`${known}.`) && isOpen(mine, known))
  const wanted = [...theirs.params].sort()
  const supported = wanted.filter(name => has(name) || isInside(name))
  const refused = outermost(wanted.filter(name => !supported.includes(name)))
  const own = outermost([...mine.params.keys()].filter(name => !theirs.params.has(name) && name !== 'expand').sort())
  return { wanted: outermost(wanted), supported: outermost(supported), refused, own }
}
const isOpen = (mine, name) => name.endsWith('metadata') && mine.params.has(name)

const shown = (mine, names) => list(names.map(name => bracketed(name) + (mine.params.get(name) ? ` (only ${mine.params.get(name).map(code).join(', ')})` : '')))

/** Stripe's fields of an object that ours does not have, and ours that Stripe's does not. */
function fields(name) {
  const mine = openapi.components.schemas[name]
  const theirs = stripe.definitions[name]
  if (!mine || !theirs) return undefined
  const [missing, own] = [[], []]
  walk(theirs, mine, [], missing)
  walk(mine, theirs, [], own)
  return { count: Object.keys(theirs.properties).length, missing: missing.sort(), own: own.sort() }
}

/** Notes the fields of one schema that the other has not; objects are looked into where both describe them. */
function walk(one, other, path, found) {
  const inside = schema => schema?.properties ?? schema?.items?.properties
  const [left, right] = [inside(one), inside(other)]
  if (!left || !right) return
  for (const [name, schema] of Object.entries(left)) {
    if (!(name in right)) found.push([...path, name].join('.'))
    else walk(schema, right[name], [...path, name], found)
  }
}

/** Many fields of one object as that object: `capabilities.…` (67). */
function gathered(names) {
  const groups = new Map()
  for (const name of names) {
    const parent = name.slice(0, name.lastIndexOf('.') + 1)
    groups.set(parent, [...(groups.get(parent) ?? []), name])
  }
  return [...groups].flatMap(([parent, all]) => (parent && all.length > MANY ? [`${code(`${parent}…`)} (${all.length})`] : all.map(code)))
}

const sdk = endpoints([...new Set(RESOURCES.map(([, module]) => module))])
const used = new Set()
const sections = []
const totals = []
for (const [title, module, object] of RESOURCES) {
  const theirs = [...sdk.entries()].filter(([, endpoint]) => endpoint.resource === module)
  const here = theirs.filter(([key]) => ours.get(key)?.answers)
  const rows = here.map(([key, endpoint]) => {
    used.add(key)
    const mine = ours.get(key)
    const { supported, refused, own } = compare(endpoint, mine)
    return `| \`${mine.method} ${mine.path}\` | ${shown(mine, supported)} | ${list(refused.map(bracketed))} | ${shown(mine, own)} |`
  })
  const absent = theirs.filter(([key]) => !ours.get(key)?.answers).map(([, { method, path }]) => code(`${method} ${path}`))
  const shape = fields(object)
  totals.push(`| ${here.length || shape ? `[${title}](#${title.toLowerCase().replaceAll(' ', '-')})` : title} | ${theirs.length ? `${here.length} of ${theirs.length}` : '–'} | ${shape ? `${shape.count - shape.missing.filter(name => !name.includes('.')).length} of ${shape.count}` : '–'} |`)
  if (!here.length && !shape) continue
  const text = [`## ${title}`, '']
  if (rows.length) text.push('| Endpoint | Takes | Refuses | Ours |', '|---|---|---|---|', ...rows, '')
  if (absent.length) text.push(`Not here: ${absent.join(', ')}.`, '')
  if (shape) text.push(`Fields of Stripe's that \`${object}\` leaves out: ${list(gathered(shape.missing))}.`, '', `Fields beyond Stripe's: ${list(gathered(shape.own))}.`, '')
  sections.push(text.join('\n'))
}
const rest = [...ours.entries()].filter(([key]) => !used.has(key) && !sdk.has(key)).map(([, { method, path }]) => code(`${method} ${path}`)).sort()

const text = `# Compatibility with Stripe's API

Made from the types of npm \`stripe\` ${version} and from [openapi.json](openapi.json) by \`end2end/shapes/compatibility.mjs\`; not edited by hand.

A parameter under *Refuses* is answered with 400 and its name: nothing is silently ignored. "Only" names the values that may
be sent because they ask for what happens anyway. Parameters and fields that are ours stand beside Stripe's.
Fields that are left out are absent from answers, or come with \`expand\` only; every other one is there, \`null\` where it is empty.

| Resource | Endpoints | Fields |
|---|---|---|
${totals.join('\n')}

${sections.join('\n')}
## Endpoints that the SDK does not have

${rest.length ? rest.join(', ') : 'None'}.
`
if (process.argv.includes('--check')) {
  if (readFileSync(page, 'utf8') !== text) {
    console.error('docs/compatibility.md is not current: run `node shapes/compatibility.mjs` and read the diff')
    process.exit(1)
  }
} else {
  writeFileSync(page, text)
  console.log(`docs/compatibility.md: ${used.size} endpoints, ${sections.length} resources`)
}
