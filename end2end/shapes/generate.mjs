// Derives JSON Schemas from the types of npm `stripe` and writes schemas.json, which is committed since this takes a while.
// usage: node shapes/generate.mjs [--check]     with --check, fails if schemas.json is not what would be written
import { readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const here = dirname(fileURLToPath(import.meta.url))
const file = join(here, 'schemas.json')
const sdk = realpathSync(join(here, '../node_modules/stripe'))
const { version } = JSON.parse(readFileSync(join(sdk, 'package.json'), 'utf8'))

// The resources that Portico has: what `object` says, the file of the SDK's type, and the type.
const RESOURCES = {
  account: ['Accounts', 'Account'],
  'billing.feedback_option': ['Billing/FeedbackOptions', 'FeedbackOption'],
  'billing_portal.configuration': ['BillingPortal/Configurations', 'Configuration'],
  'billing_portal.session': ['BillingPortal/Sessions', 'Session'],
  charge: ['Charges', 'Charge'],
  coupon: ['Coupons', 'Coupon'],
  credit_note: ['CreditNotes', 'CreditNote'],
  credit_note_line_item: ['CreditNoteLineItems', 'CreditNoteLineItem'],
  customer: ['Customers', 'Customer'],
  customer_balance_transaction: ['CustomerBalanceTransactions', 'CustomerBalanceTransaction'],
  discount: ['Discounts', 'Discount'],
  event: ['Events', 'EventBase'],
  invoice: ['Invoices', 'Invoice'],
  invoice_payment: ['InvoicePayments', 'InvoicePayment'],
  invoiceitem: ['InvoiceItems', 'InvoiceItem'],
  line_item: ['InvoiceLineItems', 'InvoiceLineItem'],
  mandate: ['Mandates', 'Mandate'],
  payment_intent: ['PaymentIntents', 'PaymentIntent'],
  payment_method: ['PaymentMethods', 'PaymentMethod'],
  plan: ['Plans', 'Plan'],
  price: ['Prices', 'Price'],
  product: ['Products', 'Product'],
  promotion_code: ['PromotionCodes', 'PromotionCode'],
  refund: ['Refunds', 'Refund'],
  setup_intent: ['SetupIntents', 'SetupIntent'],
  subscription: ['Subscriptions', 'Subscription'],
  subscription_item: ['SubscriptionItems', 'SubscriptionItem'],
  tax_id: ['TaxIds', 'TaxId'],
  tax_rate: ['TaxRates', 'TaxRate'],
  'test_helpers.test_clock': ['TestHelpers/TestClocks', 'TestClock'],
  webhook_endpoint: ['WebhookEndpoints', 'WebhookEndpoint'],
}

// JavaScript has one kind of number; on the wire all but these are integers.
const FRACTIONS = new Set(['amount_percent', 'application_fee_percent', 'effective_percentage', 'percent_off', 'percentage'])

// Optional objects by type of payment method: of those that Portico has no word for, nothing needs to be known.
const BY_METHOD = new Set(['PaymentMethod', 'PaymentMethodDetails', 'PaymentMethodOptions', 'NextAction'])
const METHODS = new Set(['card', 'sepa_debit', 'us_bank_account', 'type', 'redirect_to_url'])

const source = name => join(sdk, 'esm/resources', `${name}.d.ts`)
const program = ts.createProgram(Object.values(RESOURCES).map(([name]) => source(name)), {
  strict: true,
  skipLibCheck: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: [],
})
const checker = program.getTypeChecker()
const definitions = {}

/** The schema of a type; `undefined` where the type allows nothing (`deleted?: void`). */
function schema(type, path) {
  if (path.length > 30) throw new Error(`this goes on for ever: ${path.join('.')}`)
  if (type.isUnion()) return union(type, path)
  if (type.flags & (ts.TypeFlags.Void | ts.TypeFlags.Undefined | ts.TypeFlags.Never)) return undefined
  if (type.flags & ts.TypeFlags.Null) return { type: 'null' }
  if (type.isStringLiteral() || type.isNumberLiteral()) return { const: type.value }
  if (type.flags & ts.TypeFlags.BooleanLiteral) return { const: type.intrinsicName === 'true' }
  if (type.flags & ts.TypeFlags.StringLike || isOtherString(type) || isDecimal(type)) return { type: 'string' }
  if (type.flags & ts.TypeFlags.NumberLike) return { type: FRACTIONS.has(path.at(-1)) ? 'number' : 'integer' }
  if (type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return {}
  if (checker.isArrayType(type)) return { type: 'array', items: schema(checker.getTypeArguments(type)[0], [...path, '[]']) ?? {} }
  return resource(type) ?? object(type, path)
}

// `'a' | 'b' | OtherString` is any string: Stripe adds values, and so do we.
const isOtherString = type => type.isIntersection() && type.types.some(part => part.flags & ts.TypeFlags.String)

// The SDK wraps decimals in a class of its own; on the wire they are text.
const isDecimal = type => [type.aliasSymbol, type.symbol].some(symbol => symbol?.name.startsWith('Decimal'))

function union(type, path) {
  if (type.types.every(part => part.flags & ts.TypeFlags.BooleanLike)) return { type: 'boolean' }
  const booleans = type.types.filter(part => part.flags & ts.TypeFlags.BooleanLiteral).length === 2
  const parts = booleans ? [{ type: 'boolean' }] : []
  for (const part of type.types) {
    if (booleans && part.flags & ts.TypeFlags.BooleanLiteral) continue
    const found = schema(part, path)
    // What could be expanded but is none of ours stays an id.
    if (found && !(found === ELSEWHERE && type.types.length > 1)) parts.push(found)
  }
  const distinct = [...new Map(parts.map(part => [JSON.stringify(part), part])).values()]
  const isString = part => part.type === 'string' || typeof part.const === 'string'
  const open = distinct.some(part => part.type === 'string')
  const kept = open ? distinct.filter(part => part.type === 'string' || !isString(part)) : distinct
  if (kept.length === 0) return undefined
  if (kept.length === 1) return kept[0]
  // `null` or one plain object, said so that an error inside it is not hidden behind an alternative.
  const [whole] = kept.filter(part => part.type === 'object')
  if (whole && kept.length === 2 && kept.some(part => part.type === 'null')) return { ...whole, type: ['null', 'object'] }
  const literals = kept.filter(part => 'const' in part)
  if (literals.length === kept.length) return { enum: literals.map(part => part.const) }
  if (literals.length > 1) return { anyOf: [{ enum: literals.map(part => part.const) }, ...kept.filter(part => !('const' in part))] }
  if (kept.every(part => Object.keys(part).length === 1 && typeof part.type === 'string')) return { type: kept.map(part => part.type).sort() }
  return { anyOf: kept }
}

const ELSEWHERE = { type: 'object' }

/** A reference to a resource of ours; `ELSEWHERE` for another's; `undefined` for an object that is none. */
function resource(type) {
  const kind = type.getProperty('object')
  const name = kind && checker.getTypeOfSymbol(kind)
  if (!name?.isStringLiteral() || name.value === 'list' || !type.getProperty('id')) return undefined
  const gone = type.getProperty('deleted')
  const isStub = gone && schema(checker.getTypeOfSymbol(gone), ['deleted'])?.const === true
  if (!RESOURCES[name.value]) return ELSEWHERE
  const key = isStub ? `deleted_${name.value}` : name.value
  if (!definitions[key]) {
    definitions[key] = {}
    Object.assign(definitions[key], object(type, [key]))
  }
  return { $ref: `#/definitions/${key}` }
}

function object(type, path) {
  const index = checker.getIndexInfoOfType(type, ts.IndexKind.String)
  if (index) return { type: 'object', additionalProperties: schema(index.type, [...path, '*']) ?? {} }
  const properties = {}
  const required = []
  for (const property of checker.getPropertiesOfType(type)) {
    const optional = Boolean(property.flags & ts.SymbolFlags.Optional)
    if (optional && BY_METHOD.has(type.symbol?.name) && isPlainObject(property) && !METHODS.has(property.name)) continue
    const found = schema(checker.getTypeOfSymbol(property), [...path, property.name])
    if (!found) continue
    properties[property.name] = found
    if (!optional) required.push(property.name)
  }
  const all = { type: 'object' }
  if (Object.keys(properties).length) all.properties = properties
  if (required.length) all.required = required
  return all
}

/** Whether an optional property holds a plain object, such as `klarna`. */
const isPlainObject = property => Boolean(checker.getNonNullableType(checker.getTypeOfSymbol(property)).flags & ts.TypeFlags.Object)

for (const [name, [module, exported]] of Object.entries(RESOURCES)) {
  const exports = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(source(module))))
  for (const stub of ['', 'Deleted']) {
    const symbol = exports.find(symbol => symbol.name === stub + exported)
    if (symbol) resource(checker.getDeclaredTypeOfSymbol(symbol))
    else if (!stub) throw new Error(`npm stripe ${version} has no ${exported} in ${module} (${name})`)
  }
}

// Names of ours stand beside Stripe's.
definitions.event.properties.type = { type: 'string' }

// One line a property of each resource, so that a new version of the SDK is read as a diff.
const lines = Object.keys(definitions).sort().map(name => {
  const { properties = {}, ...rest } = definitions[name]
  const each = Object.keys(properties).map(key => `      ${JSON.stringify(key)}: ${JSON.stringify(properties[key])}`)
  return `    ${JSON.stringify(name)}: {\n      "properties": {\n${each.map(line => `  ${line}`).join(',\n')}\n      },\n      ${JSON.stringify(rest).slice(1, -1)}\n    }`
})
const text = `{\n  "sdk": ${JSON.stringify(version)},\n  "definitions": {\n${lines.join(',\n')}\n  }\n}\n`
JSON.parse(text)

if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== text) {
    console.error('schemas.json is not current: run `node shapes/generate.mjs` and read the diff')
    process.exit(1)
  }
} else {
  writeFileSync(file, text)
  console.log(`${Object.keys(definitions).length} shapes of npm stripe ${version}`)
}
