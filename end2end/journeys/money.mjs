// What a merchant's backend does to prices, seats and invoices, in npm stripe as it is now and as it was at version 17;
// every sum is worked out here by hand.
// usage: PORTICO_URL=http://localhost:3000 PORTICO_KEY=sk_test_… node journeys/money.mjs
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { advance, all, connect, customerWith, ids, journeys, plain, refused, unique } from './client.mjs'

journeys(Sdk => {
  const stripe = connect(Sdk)

  const price = (unit_amount, more = {}) => stripe.prices.create({
    currency: 'usd', unit_amount, recurring: { interval: 'month' }, product_data: { name: unique('Plan') }, ...more,
  })
  const subscribe = async (items, more = {}, customer = undefined) => {
    const { id } = customer ?? await customerWith(stripe, 'pm_card_visa')
    return stripe.subscriptions.create({ customer: id, items, ...more, expand: ['latest_invoice'] })
  }
  /** A subscription in the middle of an April: exactly half of its period is left. */
  const subscribeHalfway = async items => {
    const clock = await stripe.testHelpers.testClocks.create({ frozen_time: Date.UTC(2027, 3, 1) / 1000 })
    const subscription = await subscribe(items, {}, await customerWith(stripe, 'pm_card_visa', { test_clock: clock.id }))
    await advance(stripe, clock, Date.UTC(2027, 3, 16) / 1000)
    return subscription
  }
  const change = (subscription, update, more = {}) => stripe.subscriptions.update(subscription.id, {
    items: [{ id: subscription.items.data[0].id, ...update }],
    proration_behavior: 'always_invoice',
    ...more,
    expand: ['latest_invoice'],
  })
  const amounts = invoice => invoice.lines.data.map(line => line.amount).sort((a, b) => a - b)

  test('an upgrade in the middle of the period is charged at once', async () => {
    const [basic, pro] = [await price(1000), await price(2000)]
    const before = await subscribeHalfway([{ price: basic.id }])
    const after = await change(before, { price: pro.id })
    const invoice = after.latest_invoice
    assert.deepEqual(amounts(invoice), [-500, 1000])
    assert.ok(invoice.lines.data.every(line => line.proration && line.period.end === before.items.data[0].current_period_end))
    assert.deepEqual([invoice.total, invoice.amount_paid, invoice.status, invoice.billing_reason], [500, 500, 'paid', 'subscription_update'])
    const [item] = after.items.data
    assert.deepEqual([item.price.id, item.current_period_end], [pro.id, before.items.data[0].current_period_end])
  })

  test('a downgrade leaves credit, which the next invoice uses up', async () => {
    const [basic, pro] = [await price(1000), await price(2000)]
    const before = await subscribeHalfway([{ price: pro.id }])
    const after = await change(before, { price: basic.id })
    const invoice = after.latest_invoice
    assert.deepEqual([amounts(invoice), invoice.total, invoice.amount_due, invoice.status], [[-1000, 500], -500, 0, 'paid'])
    assert.equal((await stripe.customers.retrieve(before.customer)).balance, -500)
    const [entry] = await all(stripe.customers.listBalanceTransactions(before.customer))
    assert.deepEqual([entry.amount, entry.ending_balance, entry.invoice], [-500, -500, invoice.id])
    const more = await subscribe([{ price: basic.id }], {}, { id: before.customer })
    const { total, amount_due, amount_paid, starting_balance, ending_balance } = more.latest_invoice
    assert.deepEqual([total, amount_due, amount_paid, starting_balance, ending_balance], [1000, 500, 500, -500, 0])
    assert.equal((await stripe.customers.retrieve(before.customer)).balance, 0)
  })

  test('seats up and down in one day cost nothing in the end', async () => {
    const seat = await price(999)
    const before = await subscribeHalfway([{ price: seat.id, quantity: 3 }])
    const up = await change(before, { quantity: 8 })
    const down = await change(before, { quantity: 3 })
    assert.equal(up.latest_invoice.total + down.latest_invoice.total, 0)
    assert.equal(down.items.data[0].quantity, 3)
    assert.equal((await stripe.customers.retrieve(before.customer)).balance, down.latest_invoice.total)
  })

  test('changes wait for the next invoice, or cost nothing, where that is asked', async () => {
    const [basic, pro] = [await price(1000), await price(3000)]
    const before = await subscribeHalfway([{ price: basic.id }])
    const waiting = await change(before, { price: pro.id }, { proration_behavior: 'create_prorations' })
    assert.equal(waiting.latest_invoice.id, before.latest_invoice.id)
    const items = await all(stripe.invoiceItems.list({ customer: before.customer, pending: true }))
    assert.deepEqual(items.map(item => item.amount).sort((a, b) => a - b), [-500, 1500])
    const free = await subscribeHalfway([{ price: basic.id }])
    await change(free, { price: pro.id }, { proration_behavior: 'none' })
    assert.deepEqual(await all(stripe.invoiceItems.list({ customer: free.customer })), [])
    assert.equal((await all(stripe.invoices.list({ customer: free.customer }))).length, 1)
  })

  test('from a month to a year: a new period from now, less what is left of the old one', async () => {
    const monthly = await price(1000)
    const yearly = await stripe.prices.create({ product: monthly.product, currency: 'usd', unit_amount: 10000, recurring: { interval: 'year' } })
    const before = await subscribeHalfway([{ price: monthly.id }])
    const after = await change(before, { price: yearly.id })
    const [item] = after.items.data
    const days = (item.current_period_end - item.current_period_start) / 86_400
    assert.ok(days === 365 || days === 366)
    assert.ok(item.current_period_start >= before.items.data[0].current_period_start)
    assert.deepEqual(amounts(after.latest_invoice), [-500, 10000])
    assert.equal(after.latest_invoice.amount_paid, 9500)
  })

  test('an item is added and removed', async () => {
    const [plan, support] = [await price(1000), await price(500)]
    const before = await subscribeHalfway([{ price: plan.id }])
    const more = { proration_behavior: 'always_invoice', expand: ['latest_invoice'] }
    const added = await stripe.subscriptions.update(before.id, { ...more, items: [{ price: support.id, quantity: 2 }] })
    assert.deepEqual([amounts(added.latest_invoice), added.items.data.length], [[500], 2])
    const { id } = added.items.data.find(item => item.price.id === support.id)
    const removed = await stripe.subscriptions.update(before.id, { ...more, items: [{ id, deleted: true }] })
    assert.deepEqual([amounts(removed.latest_invoice), removed.items.data.length], [[-500], 1])
  })

  test('canceling at once gives back the time that was paid for', async () => {
    const before = await subscribeHalfway([{ price: (await price(3000)).id }])
    const gone = await stripe.subscriptions.cancel(before.id, { prorate: true, invoice_now: true, expand: ['latest_invoice'] })
    const { total } = gone.latest_invoice
    assert.equal(total, -1500)
    assert.deepEqual([gone.status, (await stripe.customers.retrieve(before.customer)).balance], ['canceled', total])
  })

  test('coupons: once, by a code, and as often as they are meant to be', async () => {
    const coupon = await stripe.coupons.create({ percent_off: 25, duration: 'once', max_redemptions: 1 })
    // The current version names what a code is for.
    const of = stripe.billing?.feedbackOptions ? { promotion: { type: 'coupon', coupon: coupon.id } } : { coupon: coupon.id }
    const { id: promotion_code, code } = await stripe.promotionCodes.create({ ...of, code: unique('SPRING').toUpperCase() })
    assert.deepEqual(ids(await all(stripe.promotionCodes.list({ code }))), [promotion_code])
    const plan = await price(999)
    const { latest_invoice: invoice } = await subscribe([{ price: plan.id }], { discounts: [{ promotion_code }] })
    assert.deepEqual([invoice.subtotal, invoice.total, invoice.total_discount_amounts.map(one => one.amount)], [999, 749, [250]])
    assert.equal((await stripe.coupons.retrieve(coupon.id)).times_redeemed, 1)
    await refused(subscribe([{ price: plan.id }], { discounts: [{ promotion_code }] }), { statusCode: 400 })
  })

  test('an amount off is spread over the lines', async () => {
    const coupon = await stripe.coupons.create({ amount_off: 500, currency: 'usd', duration: 'forever' })
    const items = [{ price: (await price(1000)).id }, { price: (await price(2000)).id }]
    const { latest_invoice: invoice } = await subscribe(items, { discounts: [{ coupon: coupon.id }] })
    const off = invoice.lines.data.map(line => line.discount_amounts[0].amount).sort((a, b) => a - b)
    assert.deepEqual([invoice.total, off], [2500, [166, 334]])
  })

  test('currencies without and with three decimals', async () => {
    for (const [currency, from, to, expected] of [['jpy', 999, 1999, [-500, 1000]], ['kwd', 1010, 2010, [-505, 1005]]]) {
      const product_data = { name: unique('Plan') }
      const [less, more] = [await price(from, { currency, product_data }), await price(to, { currency, product_data })]
      const before = await subscribeHalfway([{ price: less.id }])
      assert.deepEqual([before.currency, before.latest_invoice.total], [currency, from])
      const { latest_invoice: invoice } = await change(before, { price: more.id })
      assert.deepEqual([amounts(invoice), invoice.total, invoice.currency], [expected, expected[0] + expected[1], currency])
    }
  })

  test('tax on top, and tax within', async () => {
    const on = await stripe.taxRates.create({ display_name: 'VAT', percentage: 19, inclusive: false, country: 'DE' })
    const within = await stripe.taxRates.create({ display_name: 'VAT', percentage: 4, inclusive: true, country: 'ES' })
    const { latest_invoice: exclusive } = await subscribe([{ price: (await price(1050)).id }], { default_tax_rates: [on.id] })
    assert.deepEqual([exclusive.subtotal, exclusive.tax, exclusive.total, exclusive.total_excluding_tax], [1050, 200, 1250, 1050])
    const { latest_invoice: inclusive } = await subscribe([{ price: (await price(299)).id }], { default_tax_rates: [within.id] })
    // The tax is rounded first: 299 × 4 / 104 = 11.5, and 0.12 and 2.87 are 2.99.
    assert.deepEqual([inclusive.tax, inclusive.total, inclusive.total_excluding_tax], [12, 299, 287])
  })

  test('a balance pays', async () => {
    const customer = await customerWith(stripe, 'pm_card_visa')
    await stripe.customers.createBalanceTransaction(customer.id, { amount: -3000, currency: 'usd', description: 'Sorry' })
    const plan = await price(2000)
    const first = await subscribe([{ price: plan.id }], {}, customer)
    assert.deepEqual([first.status, first.latest_invoice.amount_due, first.latest_invoice.status], ['active', 0, 'paid'])
    const second = await subscribe([{ price: plan.id }], {}, customer)
    assert.deepEqual([second.latest_invoice.amount_due, second.latest_invoice.amount_paid], [1000, 1000])
    const entries = await all(stripe.customers.listBalanceTransactions(customer.id))
    assert.deepEqual(entries.map(({ type, amount, ending_balance }) => [type, amount, ending_balance]), [
      ['applied_to_invoice', 1000, 0], ['applied_to_invoice', 2000, -1000], ['adjustment', -3000, -3000],
    ])
  })

  test('an invoice by hand, credited, and refunded as far as it was paid', async () => {
    const customer = await customerWith(stripe, 'pm_card_visa')
    const draft = await stripe.invoices.create({ customer: customer.id, auto_advance: false })
    await stripe.invoiceItems.create({ customer: customer.id, invoice: draft.id, amount: 4000, currency: 'usd', description: 'Setup' })
    const open = await stripe.invoices.finalizeInvoice(draft.id)
    assert.deepEqual([open.status, open.amount_due], ['open', 4000])
    const paid = await stripe.invoices.pay(draft.id)
    assert.deepEqual([paid.status, paid.amount_paid], ['paid', 4000])
    const note = await stripe.creditNotes.create({ invoice: paid.id, amount: 1500, refund_amount: 1500, reason: 'order_change' })
    assert.deepEqual([note.total, note.status, note.refunds.length], [1500, 'issued', 1])
    const { amount, status } = await stripe.refunds.retrieve(note.refunds[0].refund)
    assert.deepEqual([amount, status], [1500, 'succeeded'])
    await refused(stripe.creditNotes.create({ invoice: paid.id, amount: 2501, refund_amount: 2501 }), { statusCode: 400 })
    const other = await stripe.invoices.create({ customer: customer.id, auto_advance: false })
    assert.deepEqual(await plain(stripe.invoices.del(other.id)), { id: other.id, object: 'invoice', deleted: true })
  })

  test('pausing collection, and pausing', async () => {
    const before = await subscribe([{ price: (await price(1000)).id }])
    const held = await stripe.subscriptions.update(before.id, { pause_collection: { behavior: 'void' } })
    assert.deepEqual([held.status, held.pause_collection.behavior], ['active', 'void'])
    const going = await stripe.subscriptions.update(before.id, { pause_collection: '' })
    assert.equal(going.pause_collection, null)
  })

  test('graduated and volume tiers', async () => {
    const tiers = [{ up_to: 5, unit_amount: 700 }, { up_to: 10, unit_amount: 650 }, { up_to: 'inf', unit_amount: 600 }]
    for (const [tiers_mode, quantity, expected] of [['volume', 6, 3900], ['graduated', 6, 4150], ['volume', 11, 6600], ['graduated', 20, 12750]]) {
      const plan = await price(undefined, { billing_scheme: 'tiered', tiers_mode, tiers })
      const { latest_invoice } = await subscribe([{ price: plan.id, quantity }])
      assert.equal(latest_invoice.total, expected, `${quantity} at ${tiers_mode}`)
    }
  })

  test('the 21st change of a day is one too many', async () => {
    const seat = await price(100)
    const before = await subscribe([{ price: seat.id, quantity: 1 }])
    for (let n = 2; n <= 21; n++) await change(before, { quantity: n })
    const error = await refused(change(before, { quantity: 22 }), { statusCode: 429 })
    assert.ok(error instanceof Sdk.errors.StripeRateLimitError)
    assert.deepEqual(ids((await stripe.subscriptions.retrieve(before.id)).items.data), ids(before.items.data))
  })
})
