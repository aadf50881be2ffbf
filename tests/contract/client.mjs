// SPDX-License-Identifier: MIT
//
// Calls of the API by the names in its own description, /api/openapi.json: every answer's status and type must be named there, its
// body valid, and no field unknown to the document.
import assert from 'node:assert/strict'
import Ajv from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { startReqpm } from '../harness.mjs'

class Client {
  constructor(server, document, seen) {
    this.server = server
    this.document = document
    this.seen = seen
    this.operations = {}
    for (const [path, methods] of Object.entries(document.paths))
      for (const [method, operation] of Object.entries(methods)) this.operations[operation.operationId] = { path, method, ...operation }
    this.ajv = new Ajv({ strict: false, allErrors: true })
    addFormats(this.ajv)
    this.ajv.addSchema(closed(document), 'openapi')
    this.validators = {}
  }

  validator(pointer) {
    return (this.validators[pointer] ??= this.ajv.compile({ $ref: `openapi${pointer}` }))
  }

  /** One call of an operation; the answer must be as the document says. */
  async call(id, { path = {}, query, ...options } = {}) {
    const { path: template, method } = this.operations[id]
    const filled = template.replace(/\{(\w+)\}/g, (_, name) => path[name] ?? '1')
    const answer = await this.server.api(filled + (query ? `?${new URLSearchParams(query)}` : ''), { method: method.toUpperCase(), ...options })
    this.check(id, answer)
    return answer
  }

  check(id, answer) {
    const where = `${id} ${answer.status}`
    const { path, method, responses } = this.operations[id]
    assert.ok(responses[answer.status], `${where} is not in the document: ${answer.text()}`)
    this.seen.add(where)
    let pointer = `#/paths/${encodeURIComponent(path.replaceAll('/', '~1'))}/${method}/responses/${answer.status}`
    let response = responses[answer.status]
    if (response.$ref) {
      pointer = response.$ref
      response = this.document.components.responses[response.$ref.split('/').at(-1)]
    }
    for (const header of Object.keys(response.headers ?? {})) assert.ok(answer.headers[header.toLowerCase()], `${where} has no ${header}`)
    const type = answer.headers['content-type']
    if (!response.content) {
      assert.equal(answer.bytes.length, 0, `${where} has a body`)
      return
    }
    assert.ok(response.content[type], `${where}: the type ${type} is not in the document`)
    if (!/json$/.test(type) || !response.content[type].schema) return
    const valid = this.validator(`${pointer}/content/${encodeURIComponent(type.replaceAll('/', '~1'))}/schema`)
    const body = answer.json()
    assert.ok(valid(body), `${where}: ${this.ajv.errorsText(valid.errors)}\n${JSON.stringify(body, null, 1).slice(0, 3000)}`)
    if (answer.status >= 400) assert.equal(body.status, answer.status)
  }
}

/** The same document, in which an object has no other fields than those it names. */
function closed(node) {
  if (Array.isArray(node)) return node.map(closed)
  if (node === null || typeof node !== 'object') return node
  const out = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, closed(value)]))
  if (out.properties && out.additionalProperties === undefined) out.additionalProperties = false
  return out
}

/** A server and its client; seen collects "operation status" of every answer. */
export async function startClient(t, options, seen = new Set()) {
  const server = await startReqpm(t, options)
  const answer = await server.api('/api/openapi.json')
  assert.equal(answer.status, 200)
  return new Client(server, answer.json(), seen)
}
