// A merchant's backend in Node, with npm stripe as it is now and as it was at version 17.
// usage: PORTICO_URL=http://localhost:3000 PORTICO_KEY=sk_test_… node journeys/node.mjs
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import {
  DAY, PORTICO_KEY, PORTICO_URL, address, all, checkedFetch, complaints, connect, customerWith as withMethod, ids, journeys, last, plain, refused, unique,
} from './client.mjs'

journeys(Sdk => {
  const stripe = connect(Sdk)
  let price, oneTime

  const customerWith = (method, more) => withMethod(stripe, method, more)
  const subscribe = (customer, more = {}) =>
    stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }], ...more })

  before(async () => {
    price = await stripe.prices.create({
      currency: 'usd', unit_amount: 1900, recurring: { interval: 'month' }, product_data: { name: 'Team' },
    })
    oneTime = await stripe.prices.create({ currency: 'usd', unit_amount: 500, product: price.product })
  })

  test('the account behind the key', async () => {
    const account = await stripe.accounts.retrieve(null)
    assert.match(account.id, /^acct_/)
    assert.equal((await stripe.accounts.retrieve(account.id)).id, account.id)
    assert.equal(account.settings.dashboard.display_name, account.business_profile.name)
  })

  test("the SDK's own way over the wire", async () => {
    const plainly = new Sdk(PORTICO_KEY, address)
    const customer = await plainly.customers.create({ name: 'Plain' })
    assert.equal((await plainly.customers.retrieve(customer.id)).name, 'Plain')
    assert.match(customer.lastResponse.requestId, /^req_/)
  })

  test('a product from its making to its end', async () => {
    const made = await stripe.products.create({
      name: 'Notebook', description: 'Ruled', images: ['https://example.com/a.png'], marketing_features: [{ name: '96 pages' }],
      metadata: { shelf: '4' },
    })
    assert.equal(made.active, true)
    assert.deepEqual(made.marketing_features, [{ name: '96 pages' }])
    const changed = await stripe.products.update(made.id, { name: 'Notebook A5', active: false, description: '', metadata: { shelf: '' } })
    assert.deepEqual([changed.name, changed.active, changed.description, changed.metadata], ['Notebook A5', false, null, {}])
    assert.ok(ids(await all(stripe.products.list({ active: false, limit: 100 }))).includes(made.id))
    assert.ok(!ids(await all(stripe.products.list({ active: true, limit: 100 }))).includes(made.id))
    assert.deepEqual(await plain(stripe.products.del(made.id)), { id: made.id, object: 'product', deleted: true })
    await refused(stripe.products.retrieve(made.id), { statusCode: 404, code: 'resource_missing' })
  })

  test('prices', async () => {
    const product = await stripe.products.create({ name: 'Storage' })
    const yearly = await stripe.prices.create({
      product: product.id, currency: 'EUR', unit_amount: 12000, nickname: 'Yearly', tax_behavior: 'exclusive',
      recurring: { interval: 'year', interval_count: 1 }, lookup_key: unique('storage'), metadata: { tier: 'basic' },
    })
    assert.deepEqual([yearly.currency, yearly.type, yearly.recurring.interval], ['eur', 'recurring', 'year'])
    assert.equal(String(yearly.unit_amount_decimal), '12000')
    assert.deepEqual([oneTime.type, oneTime.recurring], ['one_time', null])
    const changed = await stripe.prices.update(yearly.id, { nickname: 'Each year', active: false })
    assert.deepEqual([changed.nickname, changed.active], ['Each year', false])
    assert.deepEqual(ids((await stripe.prices.list({ product: product.id })).data), [yearly.id])
    assert.deepEqual(ids((await stripe.prices.list({ lookup_keys: [yearly.lookup_key] })).data), [yearly.id])
    const whole = await stripe.prices.retrieve(yearly.id, { expand: ['product'] })
    assert.equal(whole.product.name, 'Storage')
    await stripe.products.update(product.id, { default_price: yearly.id })
    const expanded = await stripe.products.retrieve(product.id, { expand: ['default_price'] })
    assert.equal(expanded.default_price.id, yearly.id)
    await refused(stripe.products.del(product.id), { statusCode: 400 })
  })

  test('a customer: fields set, changed, and cleared with null', async () => {
    const invoice_prefix = unique('MAYA').replace(/\W/g, '').slice(-12).toUpperCase()
    const address = { line1: 'Storgatan 1', city: 'Umeå', postal_code: '903 26', country: 'SE' }
    const made = await stripe.customers.create({
      name: 'Maya Lindqvist', email: 'maya+a@example.com', phone: '+46 70 1', description: 'First', address,
      shipping: { name: 'Maya', address }, preferred_locales: ['sv', 'en'], tax_exempt: 'reverse', invoice_prefix,
      invoice_settings: { footer: 'Tack!', custom_fields: [{ name: 'PO', value: '7' }] }, metadata: { plan: 'team', seat: '3' },
    })
    assert.match(made.id, /^cus_/)
    assert.deepEqual(made.address, { city: 'Umeå', country: 'SE', line1: 'Storgatan 1', line2: null, postal_code: '903 26', state: null })
    assert.deepEqual([made.tax_exempt, made.preferred_locales, made.invoice_prefix], ['reverse', ['sv', 'en'], invoice_prefix])
    const changed = await stripe.customers.update(made.id, { name: 'M. Lindqvist', phone: null, description: '', address: '', shipping: '' })
    assert.deepEqual([changed.name, changed.phone, changed.description, changed.address, changed.shipping], ['M. Lindqvist', null, null, null, null])
    assert.equal(changed.email, 'maya+a@example.com')
    const cleared = await stripe.customers.update(made.id, { preferred_locales: '', tax_exempt: '', invoice_settings: { footer: '', custom_fields: '' } })
    assert.deepEqual([cleared.preferred_locales, cleared.tax_exempt], [[], 'none'])
    assert.deepEqual([cleared.invoice_settings.footer, cleared.invoice_settings.custom_fields], [null, null])
    assert.deepEqual(await plain(stripe.customers.retrieve(made.id)), await plain(cleared))
  })

  test('metadata merges, drops a key, and is cleared', async () => {
    const { id } = await stripe.customers.create({ metadata: { a: '1', b: '2', 'key with + and é': 'ö' } })
    const merged = await stripe.customers.update(id, { metadata: { b: '3', c: 4 } })
    assert.deepEqual(merged.metadata, { a: '1', b: '3', c: '4', 'key with + and é': 'ö' })
    const less = await stripe.customers.update(id, { metadata: { a: null, b: '' } })
    assert.deepEqual(less.metadata, { c: '4', 'key with + and é': 'ö' })
    assert.deepEqual((await stripe.customers.update(id, { metadata: '' })).metadata, {})
  })

  test('25 customers, ten a page, forwards and backwards', async () => {
    const email = `${unique('page')}@example.com`
    const made = []
    for (let n = 0; n < 25; n++) made.push((await stripe.customers.create({ email, name: `Customer ${n}` })).id)
    const newest = made.toReversed()
    const first = await stripe.customers.list({ email, limit: 10 })
    assert.deepEqual([first.object, first.url, first.has_more, ids(first.data)], ['list', '/v1/customers', true, newest.slice(0, 10)])
    const second = await stripe.customers.list({ email, limit: 10, starting_after: first.data.at(-1).id })
    assert.deepEqual([second.has_more, ids(second.data)], [true, newest.slice(10, 20)])
    const third = await stripe.customers.list({ email, limit: 10, starting_after: second.data.at(-1).id })
    assert.deepEqual([third.has_more, ids(third.data)], [false, newest.slice(20)])
    const back = await stripe.customers.list({ email, limit: 10, ending_before: third.data[0].id })
    assert.deepEqual([back.has_more, ids(back.data)], [true, newest.slice(10, 20)])
    assert.deepEqual(ids(await all(stripe.customers.list({ email, limit: 10 }))), newest)
    // Backwards the SDK goes from the oldest to the newest.
    assert.deepEqual(ids(await all(stripe.customers.list({ email, limit: 10, ending_before: made[0] }))), made.slice(1))
    assert.deepEqual(await stripe.customers.list({ email, limit: 10 }).autoPagingToArray({ limit: 12 }).then(ids), newest.slice(0, 12))
    await refused(stripe.customers.list({ limit: 101 }), { statusCode: 400, param: 'limit' })
    await refused(stripe.customers.list({ starting_after: 'cus_none' }), { code: 'resource_missing', param: 'starting_after' })
    const since = await stripe.customers.list({ email, created: { gt: 4_000_000_000 } })
    assert.deepEqual(since.data, [])
  })

  test('payment methods: attach, default, list, detach', async () => {
    const customer = await customerWith('pm_card_visa')
    const method = await stripe.paymentMethods.retrieve(customer.invoice_settings.default_payment_method)
    assert.deepEqual([method.type, method.card.brand, method.card.last4, method.customer], ['card', 'visa', '4242', customer.id])
    const sepa = await stripe.paymentMethods.attach('pm_sepaDebit', { customer: customer.id })
    assert.deepEqual([sepa.type, sepa.sepa_debit.last4], ['sepa_debit', '3000'])
    const bank = await stripe.paymentMethods.attach('pm_usBankAccount', { customer: customer.id })
    assert.equal(bank.us_bank_account.last4, '6789')
    const methods = await stripe.customers.listPaymentMethods(customer.id, {})
    assert.deepEqual(ids(methods.data), [bank.id, sepa.id, method.id])
    assert.deepEqual(ids((await stripe.paymentMethods.list({ customer: customer.id, type: 'card' })).data), [method.id])
    const expanded = await stripe.customers.retrieve(customer.id, { expand: ['invoice_settings.default_payment_method'] })
    assert.equal(expanded.invoice_settings.default_payment_method.id, method.id)
    assert.equal((await stripe.paymentMethods.detach(method.id)).customer, null)
    assert.equal((await stripe.customers.retrieve(customer.id)).invoice_settings.default_payment_method, null)
    const card = { number: '4242424242424242', exp_month: 12, exp_year: 2031, cvc: '123' }
    await refused(stripe.paymentMethods.create({ type: 'card', card }), { statusCode: 400 })
  })

  test('a subscription that is paid at once', async () => {
    const customer = await customerWith('pm_card_visa', { email: 'maya@example.com' })
    const expand = ['latest_invoice.payment_intent', 'customer', 'items.data.price.product']
    const subscription = await subscribe(customer, { items: [{ price: price.id, quantity: 3 }], metadata: { order: '9' }, expand })
    assert.equal(subscription.status, 'active')
    assert.equal(subscription.customer.id, customer.id)
    const [item] = subscription.items.data
    assert.deepEqual([item.quantity, item.price.id, item.price.product.name, item.plan.amount], [3, price.id, 'Team', 1900])
    // Where the period is now, and where SDKs before 2025 look for it.
    assert.deepEqual([item.current_period_start, item.current_period_end], [subscription.current_period_start, subscription.current_period_end])
    const days = (item.current_period_end - item.current_period_start) / DAY
    assert.ok(days >= 28 && days <= 31)
    const invoice = subscription.latest_invoice
    assert.deepEqual([invoice.status, invoice.total, invoice.amount_paid, invoice.amount_remaining], ['paid', 5700, 5700, 0])
    assert.deepEqual([invoice.paid, invoice.subscription, invoice.tax], [true, subscription.id, 0])
    assert.deepEqual([invoice.billing_reason, invoice.customer_email], ['subscription_create', 'maya@example.com'])
    assert.deepEqual(await plain(invoice.parent.subscription_details), { metadata: { order: '9' }, subscription: subscription.id })
    assert.deepEqual([invoice.payment_intent.status, invoice.payment_intent.amount_received], ['succeeded', 5700])
    const intent = await stripe.paymentIntents.retrieve(invoice.payment_intent.id, { expand: ['payment_method'] })
    assert.equal(intent.payment_method.card.last4, '4242')
    assert.deepEqual(ids((await stripe.subscriptionItems.list({ subscription: subscription.id })).data), [item.id])
    assert.deepEqual(ids((await stripe.subscriptions.list({ customer: customer.id })).data), [subscription.id])
    const page = await stripe.customers.retrieve(customer.id, { expand: ['subscriptions'] })
    assert.deepEqual([page.currency, ids(page.subscriptions.data)], ['usd', [subscription.id]])
  })

  test('invoices and their lines', async () => {
    const customer = await customerWith('pm_card_mastercard')
    const subscription = await subscribe(customer)
    const { data: [invoice], has_more } = await stripe.invoices.list({ customer: customer.id })
    assert.deepEqual([invoice.id, has_more], [subscription.latest_invoice, false])
    assert.deepEqual(ids((await stripe.invoices.list({ subscription: subscription.id, status: 'paid' })).data), [invoice.id])
    assert.deepEqual((await stripe.invoices.list({ customer: customer.id, status: 'open' })).data, [])
    assert.match(invoice.number, /^[0-9A-Z]+-0001$/)
    assert.equal(invoice.account_name, (await stripe.accounts.retrieve(null)).business_profile.name)
    const lines = await stripe.invoices.listLineItems(invoice.id)
    assert.deepEqual(ids(lines.data), ids(invoice.lines.data))
    assert.equal(lines.url, `/v1/invoices/${invoice.id}/lines`)
    const [line] = lines.data
    assert.deepEqual([line.amount, line.quantity, line.description], [1900, 1, '1 × Team (at 19.00 USD / month)'])
    assert.deepEqual(await plain(line.pricing.price_details), { price: price.id, product: price.product })
    assert.equal(line.parent.subscription_item_details.subscription_item, subscription.items.data[0].id)
    assert.deepEqual([line.price.id, line.plan.id, line.type, line.proration], [price.id, price.id, 'subscription', false])
    assert.equal((await stripe.invoices.retrieve(invoice.id, { expand: ['customer'] })).customer.id, customer.id)
  })

  test('a trial', async () => {
    const customer = await stripe.customers.create()
    const trial_settings = { end_behavior: { missing_payment_method: 'cancel' } }
    const subscription = await subscribe(customer, { trial_period_days: 14, trial_settings, expand: ['latest_invoice'] })
    assert.equal(subscription.status, 'trialing')
    assert.equal(subscription.trial_end - subscription.trial_start, 14 * DAY)
    assert.equal(subscription.items.data[0].current_period_end, subscription.trial_end)
    assert.equal(subscription.trial_settings.end_behavior.missing_payment_method, 'cancel')
    assert.deepEqual([subscription.latest_invoice.total, subscription.latest_invoice.status], [0, 'paid'])
    assert.equal((await stripe.subscriptions.cancel(subscription.id)).status, 'canceled')
  })

  test('a card that is declined leaves the subscription incomplete', async () => {
    const customer = await customerWith('pm_card_chargeCustomerFail')
    const subscription = await subscribe(customer, { expand: ['latest_invoice.payment_intent'] })
    assert.equal(subscription.status, 'incomplete')
    const invoice = subscription.latest_invoice
    assert.deepEqual([invoice.status, invoice.paid, invoice.attempted, invoice.attempt_count], ['open', false, true, 1])
    assert.equal(invoice.payment_intent.status, 'requires_payment_method')
    const { type, code, decline_code } = invoice.payment_intent.last_payment_error
    assert.deepEqual([type, code, decline_code], ['card_error', 'card_declined', 'generic_decline'])
  })

  test('without a method there is nothing to collect from', async () => {
    const customer = await stripe.customers.create()
    await refused(subscribe(customer), { statusCode: 400, code: 'resource_missing' })
    const waiting = await subscribe(customer, { payment_behavior: 'default_incomplete' })
    assert.equal(waiting.status, 'incomplete')
    const invoiced = await subscribe(customer, { collection_method: 'send_invoice', days_until_due: 30, expand: ['latest_invoice'] })
    assert.deepEqual([invoiced.status, invoiced.latest_invoice.status], ['active', 'open'])
    assert.equal(invoiced.latest_invoice.due_date - invoiced.latest_invoice.created, 30 * DAY)
  })

  test('canceling at the end of the period, undoing it, and canceling at once', async () => {
    const { id } = await subscribe(await customerWith('pm_card_visa'))
    const details = { comment: 'Too many seats', feedback: 'too_expensive' }
    const leaving = await stripe.subscriptions.update(id, { cancel_at_period_end: true, cancellation_details: details })
    assert.deepEqual([leaving.status, leaving.cancel_at_period_end, leaving.cancel_at], ['active', true, leaving.items.data[0].current_period_end])
    assert.deepEqual([leaving.cancellation_details.reason, leaving.cancellation_details.feedback], ['cancellation_requested', 'too_expensive'])
    const staying = await stripe.subscriptions.update(id, { cancel_at_period_end: false })
    assert.deepEqual([staying.cancel_at_period_end, staying.cancel_at, staying.canceled_at], [false, null, null])
    assert.deepEqual([staying.cancellation_details.reason, staying.cancellation_details.feedback], [null, null])
    const gone = await stripe.subscriptions.cancel(id, { cancellation_details: { comment: 'Bye' } })
    assert.deepEqual([gone.status, gone.cancellation_details.comment], ['canceled', 'Bye'])
    assert.equal(gone.ended_at, gone.canceled_at)
    assert.deepEqual((await stripe.subscriptions.list({ customer: gone.customer })).data, [])
    assert.deepEqual(ids((await stripe.subscriptions.list({ customer: gone.customer, status: 'canceled' })).data), [id])
    assert.deepEqual(ids((await stripe.subscriptions.list({ customer: gone.customer, status: 'all' })).data), [id])
  })

  test('a portal configuration', async () => {
    const { data: [usual] } = await stripe.billingPortal.configurations.list({ is_default: true })
    assert.equal(usual.is_default, true)
    assert.equal((await stripe.billingPortal.configurations.retrieve('default')).id, usual.id)
    const made = await stripe.billingPortal.configurations.create({
      business_profile: { headline: 'Your plan', privacy_policy_url: 'https://example.com/privacy' },
      default_return_url: 'https://example.com/account',
      features: {
        customer_update: { enabled: true, allowed_updates: ['email', 'address'] },
        invoice_history: { enabled: true },
        subscription_cancel: { enabled: true, mode: 'at_period_end', cancellation_reason: { enabled: true, options: ['unused', 'other'] } },
        subscription_update: { enabled: true, default_allowed_updates: ['price'], products: [{ product: price.product, prices: [price.id] }] },
      },
      metadata: { team: 'billing' },
    })
    assert.deepEqual(made.features.customer_update, { allowed_updates: ['email', 'address'], enabled: true })
    assert.deepEqual(made.features.subscription_cancel.cancellation_reason.options, ['unused', 'other'])
    assert.equal(made.features.payment_method_update.enabled, false)
    assert.deepEqual([made.is_default, made.active, made.business_profile.headline], [false, true, 'Your plan'])
    const changed = await stripe.billingPortal.configurations.update(made.id, { features: { subscription_cancel: { enabled: false } }, active: false })
    assert.deepEqual([changed.active, changed.features.subscription_cancel.enabled], [false, false])
    assert.deepEqual(changed.features.customer_update, made.features.customer_update)
    assert.ok(ids(await all(stripe.billingPortal.configurations.list({ active: false }))).includes(made.id))
    await refused(stripe.billingPortal.configurations.update(usual.id, { active: false }), { param: 'active' })
    const contradiction = { customer_update: { enabled: true, allowed_updates: '' } }
    await refused(stripe.billingPortal.configurations.create({ features: contradiction }), { param: 'features[customer_update][allowed_updates]' })
  })

  test('a portal session, with parameters that are ours', async () => {
    const customer = await customerWith('pm_card_visa')
    const subscription = await subscribe(customer)
    const session = await stripe.billingPortal.sessions.create({ customer: customer.id, return_url: 'https://example.com/account', locale: 'de' })
    assert.match(session.url, /^https?:\/\/.+\/session\/[\w-]{43}$/)
    assert.deepEqual([session.customer, session.locale, session.return_url], [customer.id, 'de', 'https://example.com/account'])
    assert.equal(session.expires_at - session.created, 30 * 60)
    const more = { customer: customer.id, return_url: 'https://example.com/a', cancel_url: 'https://example.com/b', subscription: subscription.id }
    const known = await stripe.billingPortal.sessions.create(more)
    assert.deepEqual([known.cancel_url, known.subscription], ['https://example.com/b', subscription.id])
    assert.equal((await stripe.rawRequest('POST', '/v1/billing_portal/sessions', more)).cancel_url, 'https://example.com/b')
    const { id } = await stripe.billingPortal.configurations.create({ features: { invoice_history: { enabled: true } } })
    const other = await stripe.billingPortal.sessions.create({ customer: customer.id, configuration: id, expand: ['configuration'] })
    assert.equal(other.configuration.id, id)
    for (const url of ['javascript:alert(1)', 'http://example.com', '/account', 'https://user:secret@example.com']) {
      await refused(stripe.billingPortal.sessions.create({ customer: customer.id, return_url: url }), { code: 'url_invalid', param: 'return_url' })
    }
    await refused(stripe.billingPortal.sessions.create({ customer: 'cus_none' }), { code: 'resource_missing', param: 'customer' })
  })

  test('tax IDs', async () => {
    const customer = await stripe.customers.create({ tax_id_data: [{ type: 'us_ein', value: '12-3456789' }], expand: ['tax_ids'] })
    assert.deepEqual(customer.tax_ids.data.map(one => one.type), ['us_ein'])
    const made = await stripe.customers.createTaxId(customer.id, { type: 'eu_vat', value: 'DE123456789' })
    assert.deepEqual([made.country, made.owner.customer, made.verification.status], ['DE', customer.id, 'unavailable'])
    assert.deepEqual(await plain(stripe.customers.retrieveTaxId(customer.id, made.id)), await plain(made))
    assert.deepEqual(ids(await all(stripe.customers.listTaxIds(customer.id, { limit: 1 }))), [made.id, customer.tax_ids.data[0].id])
    const other = await stripe.taxIds.create({ type: 'gb_vat', value: '000000000', owner: { type: 'customer', customer: customer.id } })
    assert.equal(other.verification.status, 'verified')
    assert.equal((await stripe.customers.deleteTaxId(customer.id, made.id)).deleted, true)
    assert.equal((await stripe.taxIds.del(other.id)).deleted, true)
    await refused(stripe.customers.createTaxId(customer.id, { type: 'eu_vat', value: 'DE1' }), { code: 'tax_id_invalid', param: 'value' })
  })

  test('setup intents', async () => {
    const customer = await stripe.customers.create()
    const made = await stripe.setupIntents.create({ customer: customer.id, automatic_payment_methods: { enabled: true } })
    assert.equal(made.status, 'requires_payment_method')
    const done = await stripe.setupIntents.confirm(made.id, { payment_method: 'pm_card_visa', expand: ['payment_method'] })
    assert.deepEqual([done.status, done.payment_method.customer], ['succeeded', customer.id])
    const declined = { customer: customer.id, payment_method: 'pm_card_chargeDeclined', confirm: true }
    const error = await refused(stripe.setupIntents.create(declined), { statusCode: 402, code: 'card_declined', decline_code: 'generic_decline' })
    assert.ok(error instanceof Sdk.errors.StripeCardError)
    const [failed] = await all(stripe.setupIntents.list({ customer: customer.id }))
    assert.equal(failed.last_setup_error.code, 'card_declined')
    assert.equal((await stripe.setupIntents.cancel(failed.id, { cancellation_reason: 'abandoned' })).status, 'canceled')
  })

  test('webhook endpoints', async () => {
    const made = await stripe.webhookEndpoints.create({ url: 'https://example.com/hooks', enabled_events: ['invoice.paid', 'subscription.updated'] })
    assert.match(made.secret, /^whsec_/)
    const changed = await stripe.webhookEndpoints.update(made.id, { enabled_events: ['*'], disabled: true, description: 'Ours' })
    assert.deepEqual([changed.secret, changed.status, changed.enabled_events], [undefined, 'disabled', ['*']])
    assert.ok(ids(await all(stripe.webhookEndpoints.list())).includes(made.id))
    await refused(stripe.webhookEndpoints.update(made.id, { enabled_events: ['no.event'] }), { param: 'enabled_events[0]' })
    assert.equal((await stripe.webhookEndpoints.del(made.id)).deleted, true)
    await refused(stripe.webhookEndpoints.retrieve(made.id), { statusCode: 404 })
  })

  test('feedback options', { skip: !stripe.billing?.feedbackOptions && 'this SDK has none' }, async () => {
    const made = await stripe.billing.feedbackOptions.create({ description: 'Too many mails' })
    assert.equal((await stripe.billing.feedbackOptions.update(made.id, { description: 'Too much mail' })).description, 'Too much mail')
    const off = await stripe.billing.feedbackOptions.deactivate(made.id)
    assert.deepEqual([off.status, typeof off.status_transitions.deactivated_at], ['inactive', 'number'])
  })

  test('a deleted customer', async () => {
    const customer = await customerWith('pm_card_visa')
    const subscription = await subscribe(customer)
    const stub = { id: customer.id, object: 'customer', deleted: true }
    assert.deepEqual(await plain(stripe.customers.del(customer.id)), stub)
    assert.deepEqual(await plain(stripe.customers.retrieve(customer.id)), stub)
    const { status, customer: owner } = await stripe.subscriptions.retrieve(subscription.id, { expand: ['customer'] })
    assert.deepEqual([status, await plain(owner)], ['canceled', stub])
    await refused(stripe.customers.update(customer.id, { name: 'x' }), { statusCode: 404, code: 'resource_missing' })
  })

  test('events say what happened, in order, and who did it', async () => {
    const customer = await customerWith('pm_card_visa')
    const { id } = await subscribe(customer)
    await stripe.subscriptions.update(id, { cancel_at_period_end: true }, { idempotencyKey: unique('leave') })
    await stripe.subscriptions.update(id, { cancel_at_period_end: false })
    await stripe.subscriptions.cancel(id)
    await stripe.customers.del(customer.id)
    const recent = await all(stripe.events.list({ created: { gte: customer.created }, limit: 100 }))
    const ours = recent.filter(({ data: { object } }) => [object.id, object.customer].includes(customer.id)).reverse()
    assert.deepEqual(ours.map(event => event.type), [
      'customer.created',
      'payment_method.attached',
      'customer.updated',
      'invoice.created',
      'customer.updated', // the first invoice fixes the currency
      'invoice.finalized',
      'customer.subscription.created',
      'payment_intent.created',
      'payment_intent.succeeded',
      'invoice.paid',
      'customer.subscription.updated',
      'customer.subscription.updated',
      'subscription.cancellation_scheduled',
      'customer.subscription.updated',
      'customer.subscription.deleted',
      'customer.deleted',
    ])
    const [created, , defaulted] = ours
    assert.deepEqual([created.api_version, created.origin, created.session], ['2026-10-28.endive', 'api', null])
    assert.match(created.request.id, /^req_/)
    assert.deepEqual(await plain(ours[4].data.previous_attributes), { currency: null, next_invoice_sequence: 1 })
    assert.deepEqual(await plain(defaulted.data.previous_attributes), { invoice_settings: { default_payment_method: null } })
    const leaving = ours.find(event => event.data.previous_attributes?.cancel_at_period_end === false)
    assert.match(leaving.request.idempotency_key, /^leave-/)
    assert.equal(leaving.data.object.cancel_at_period_end, true)
    assert.deepEqual(await plain(stripe.events.retrieve(leaving.id)), await plain(leaving))
    const family = await all(stripe.events.list({ type: 'invoice.*', created: { gte: customer.created } }))
    const invoices = ours.filter(event => event.type.startsWith('invoice.'))
    assert.deepEqual(ids(family.reverse().filter(event => event.data.object.customer === customer.id)), ids(invoices))
  })

  test('a request that was sent twice is done once', async () => {
    const options = { idempotencyKey: unique('once') }
    const first = await stripe.customers.create({ name: 'Once' }, options)
    assert.equal(last.headers.get('idempotent-replayed'), null)
    const again = await stripe.customers.create({ name: 'Once' }, options)
    assert.equal(last.headers.get('idempotent-replayed'), 'true')
    assert.deepEqual(await plain(again), await plain(first))
    assert.equal(again.lastResponse.idempotencyKey, options.idempotencyKey)
    const error = await refused(stripe.customers.create({ name: 'Twice' }, options), { statusCode: 400, rawType: 'idempotency_error' })
    assert.ok(error instanceof Sdk.errors.StripeIdempotencyError)
    await refused(stripe.products.create({ name: 'Once' }, options), { rawType: 'idempotency_error' })
    // What failed validation was never begun: the key is free.
    const key = { idempotencyKey: unique('refused') }
    await refused(stripe.customers.create({ email: 'nonsense' }, key), { statusCode: 400 })
    assert.equal((await stripe.customers.create({ email: 'a@example.com' }, key)).email, 'a@example.com')
  })

  test('each kind of refusal has its class, and names the parameter', async () => {
    const { StripeAuthenticationError, StripeInvalidRequestError, StripePermissionError } = Sdk.errors
    const invalid = await refused(stripe.customers.create({ email: 'nonsense' }), { statusCode: 400, code: 'email_invalid', param: 'email' })
    assert.ok(invalid instanceof StripeInvalidRequestError)
    const unknown = await refused(stripe.customers.create({ nickname: 'M' }), { code: 'parameter_unknown', param: 'nickname' })
    assert.match(unknown.message, /nickname/)
    await refused(stripe.customers.create({ shipping: { name: 'M', address: { line1: '1', planet: 'Mars' } } }), { code: 'parameter_unknown', param: 'shipping[address][planet]' })
    await refused(stripe.customers.list({ colour: 'red' }), { code: 'parameter_unknown', param: 'colour' })
    await refused(stripe.customers.create({ source: 'tok_visa' }), { code: 'parameter_unsupported', param: 'source' })
    await refused(stripe.subscriptions.create({ items: [{ price: price.id }] }), { code: 'parameter_missing', param: 'customer' })
    const customer = await stripe.customers.create()
    await refused(subscribe(customer, { items: [{ price: oneTime.id }] }), { statusCode: 400, param: 'items[0][price]' })
    await refused(subscribe(customer, { items: [{ price: 'price_none' }] }), { code: 'resource_missing', param: 'items[0][price]' })
    await refused(stripe.customers.retrieve(customer.id, { expand: ['nothing'] }), { statusCode: 400, param: 'expand' })
    const missing = await refused(stripe.customers.retrieve('cus_none'), { statusCode: 404, code: 'resource_missing', param: 'id' })
    assert.ok(missing instanceof StripeInvalidRequestError)
    assert.equal(missing.message, "No such customer: 'cus_none'")
    const stranger = await refused(connect(Sdk, 'sk_test_nobody').customers.list(), { statusCode: 401 })
    assert.ok(stranger instanceof StripeAuthenticationError)
    const foreign = await refused(stripe.customers.list({}, { stripeAccount: 'acct_other' }), { statusCode: 403 })
    assert.ok(foreign instanceof StripePermissionError)
    await refused(stripe.rawRequest('GET', '/v1/nothing'), { statusCode: 404 })
  })
})

// What no SDK sends, but a proxy, a script or a mistake does.
for (const [about, { method = 'POST', path = '/v1/customers', type, body, key = PORTICO_KEY }, status] of [
  ['a path that is not there', { path: '/v1/nothing' }, 404],
  ['a method that the path does not have', { method: 'PUT' }, 405],
  ['a body that is too long', { type: 'application/x-www-form-urlencoded', body: `description=${'x'.repeat(1024 * 1024)}` }, 413],
  ['JSON that is cut off', { type: 'application/json', body: '{"name": "M' }, 400],
  ['JSON that is no object', { type: 'application/json', body: '[1]' }, 400],
  ['a form whose brackets do not close', { type: 'application/x-www-form-urlencoded', body: 'metadata[a=1' }, 400],
  ['a form that is no text', { type: 'application/x-www-form-urlencoded', body: 'name=%ff' }, 400],
  ['nobody', { key: '' }, 401],
]) {
  test(`an error is an error in its envelope: ${about}`, async () => {
    const headers = { 'Stripe-Version': '2026-10-28.endive', ...(key && { Authorization: `Bearer ${key}` }), ...(type && { 'Content-Type': type }) }
    const answer = await checkedFetch(new URL(path, PORTICO_URL).href, { method, body, headers })
    const { error } = await answer.json()
    assert.equal(answer.status, status, error?.message)
    assert.equal(answer.headers.get('stripe-should-retry'), 'false')
    assert.equal(error.type, 'invalid_request_error')
    assert.ok(error.code && error.message, JSON.stringify(error))
    assert.deepEqual(complaints.splice(0), [])
  })
}
