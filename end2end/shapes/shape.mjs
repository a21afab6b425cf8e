// What the types of npm `stripe` promise of an answer, as a function: problems(body) lists where it is not so.
import { readFileSync } from 'node:fs'
import Ajv from 'ajv'
import Ajv2020 from 'ajv/dist/2020.js'

const read = path => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'))

export const schemas = read('schemas.json')

/** The version of npm stripe that the tests run with. */
export const installed = () => read('../node_modules/stripe/package.json').version

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, strict: false })
ajv.addSchema({ $id: 'stripe', definitions: schemas.definitions })

// What our own document says of the same answers.
const openapi = read('../../docs/openapi.json')
const document = new Ajv2020({ allErrors: true, allowUnionTypes: true, strict: false })
document.addSchema({ $id: 'openapi', components: openapi.components })

// In every error, whatever its type.
const ERROR = ajv.compile({
  type: 'object',
  required: ['type', 'message'],
  properties: {
    type: { enum: ['api_error', 'card_error', 'idempotency_error', 'invalid_request_error'] },
    code: { type: 'string' },
    decline_code: { type: 'string' },
    message: { type: 'string', minLength: 1 },
    param: { type: 'string' },
  },
})

const LIST = ajv.compile({
  type: 'object',
  required: ['object', 'data', 'has_more', 'url'],
  properties: { data: { type: 'array' }, has_more: { type: 'boolean' }, url: { type: 'string', pattern: '^/v1/' } },
})

/** Each way in which an answer of the API differs from its type, by its path: `/lines/data/0/period must be object`. */
export function problems(body, path = '') {
  if (body?.error) return run(ERROR, body.error, `${path}/error`)
  const name = body?.deleted ? `deleted_${body.object}` : body?.object
  if (name === 'list') {
    const wrong = run(LIST, body, path)
    return wrong.length ? wrong : body.data.flatMap((one, n) => problems(one, `${path}/data/${n}`))
  }
  const ours = document.getSchema(`openapi#/components/schemas/${name}`)
  const stripes = schemas.definitions[name] && ajv.getSchema(`stripe#/definitions/${name}`)
  if (!ours && !stripes) return [`${path || '/'} is ${name ? `a ${name}, which has no shape here` : 'no object'}`]
  const wrong = stripes ? run(stripes, body, path) : []
  wrong.push(...(ours ? run(ours, body, path).map(problem => `${problem}, says openapi.json`) : [`${path || '/'} is a ${name}, which openapi.json does not have`]))
  return name === 'event' ? [...wrong, ...problems(body.data?.object, `${path}/data/object`)] : wrong
}

function run(validate, value, path) {
  if (validate(value)) return []
  // Of the alternatives that failed (an id, or the object it stands for), what was wrong inside one says most.
  const errors = validate.errors
  const inside = at => errors.some(error => error.instancePath.startsWith(`${at}/`) || (error.instancePath === at && error.keyword === 'required'))
  const vague = error => ['anyOf', 'type'].includes(error.keyword) && inside(error.instancePath)
  const texts = errors.filter(error => !vague(error)).map(error => `${path}${error.instancePath || '/'} ${error.message}${detail(error)}`)
  return [...new Set(texts)]
}

const detail = ({ keyword, params }) =>
  keyword === 'const' ? ` ${JSON.stringify(params.allowedValue)}` : keyword === 'enum' ? ` ${JSON.stringify(params.allowedValues)}` : ''
