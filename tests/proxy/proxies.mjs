// SPDX-License-Identifier: MIT
//
// Proxies in front of a server of a test, with the configurations of docs/operations.md.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { eventually, Program } from '../harness.mjs'

export const NAME = 'build.example.org'
export const PUBLIC_URL = `https://${NAME}`

const operations = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')
const snippet = (language) => new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'm').exec(operations)[1]

/** Replaces what must be there once. */
function put(text, from, to) {
  if (text.split(from).length !== 2) throw new Error(`docs/operations.md: a snippet has not "${from}" once`)
  return text.replace(from, to)
}

/** The certificate of NAME, signed by itself. */
function certificate(dir) {
  const [key, cert] = [join(dir, 'proxy.key'), join(dir, 'proxy.crt')]
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', `/CN=${NAME}`,
    '-addext', `subjectAltName=DNS:${NAME}`, '-keyout', key, '-out', cert], { stdio: 'ignore' })
  return { key, cert }
}

const nginxConf = (dir, servers) => `
${process.getuid() === 0 ? 'user root;' : ''}
pid ${dir}/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy; fastcgi_temp_path ${dir}/fastcgi; uwsgi_temp_path ${dir}/uwsgi; scgi_temp_path ${dir}/scgi;
  ${servers}
}
`

/** What each is started with. config(dir, port, to): the documented one, with TLS. plain: for raw requests; keep: its connections to the server are used again. */
const KINDS = {
  nginx: {
    program: 'nginx',
    args: (file, dir) => ['-p', dir, '-c', file, '-g', 'daemon off;'],
    config(dir, port, to, { key, cert }) {
      let text = put(snippet('nginx'), 'listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
      text = put(put(text, '/etc/ssl/build.example.org.crt', cert), '/etc/ssl/build.example.org.key', key)
      return nginxConf(dir, put(text, 'http://127.0.0.1:8000', `http://127.0.0.1:${to}`))
    },
    plain(dir, port, to, keep) {
      let text = snippet('nginx').replace(/ssl_certificate.*\n/g, '')
      text = put(text, 'listen 443 ssl', `listen 127.0.0.1:${port}`)
      text = put(text, 'http://127.0.0.1:8000', 'http://reqpm')
      return nginxConf(dir, `upstream reqpm { server 127.0.0.1:${to}; ${keep ? 'keepalive 4;' : ''} }\n${text}`)
    },
  },
  caddy: {
    program: 'caddy',
    args: (file) => ['run', '--adapter', 'caddyfile', '--config', file],
    config(dir, port, to, { key, cert }) {
      const text = put(put(snippet('caddy'), 'build.example.org {', `https://build.example.org:${port} {\n    tls ${cert} ${key}`), '127.0.0.1:8000', `127.0.0.1:${to}`)
      return `{\n    admin off\n    auto_https disable_redirects\n    skip_install_trust\n}\n${text}`
    },
    plain(dir, port, to, keep) {
      const transport = `reverse_proxy 127.0.0.1:${to} {\n transport http {\n keepalive ${keep ? '30s' : 'off'}\n }\n }`
      return `{\n    admin off\n    auto_https off\n}\n${put(put(snippet('caddy'), 'build.example.org {', `http://build.example.org:${port} {`), 'reverse_proxy 127.0.0.1:8000', transport)}`
    },
  },
  haproxy: {
    program: 'haproxy',
    args: (file) => ['-db', '-f', file],
    plain: (dir, port, to, keep) => `
defaults
  mode http
  timeout connect 5s
  timeout client 75s
  timeout server 75s
  ${keep ? 'http-reuse always' : 'option http-server-close'}
frontend public
  bind 127.0.0.1:${port}
  default_backend reqpm
backend reqpm
  server reqpm 127.0.0.1:${to}
`,
  },
}

/** The word with which a test is skipped; undefined: the program is here. */
export function missing(kind) {
  const { program } = KINDS[kind]
  return spawnSync('sh', ['-c', `PATH=$PATH:/usr/sbin command -v ${program}`]).status === 0 ? undefined : `${program} is not here`
}

export function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}

/** Starts a proxy to port `to`; plain: without TLS, { keep }. Its { port, ca }. */
export async function startProxy(t, kind, to, dir, plain) {
  const { program, args, config, plain: plainConfig } = KINDS[kind]
  const port = await freePort()
  const home = join(dir, `${kind}-${port}`)
  mkdirSync(home, { recursive: true })
  const pair = plain ? undefined : certificate(home)
  const file = join(home, 'proxy.conf')
  writeFileSync(file, plain ? plainConfig(home, port, to, plain.keep) : config(home, port, to, pair))
  const proxy = new Program(program, args(file, home), { cwd: home, env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin`, HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home } })
  t.after(async () => {
    proxy.process.kill('SIGTERM')
    await proxy.ended
  })
  const there = () => new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => (socket.destroy(), resolve(true)))
    socket.on('error', () => resolve(false))
  })
  await eventually(async () => {
    if (proxy.closed) throw new Error(`${program} does not start:\n${proxy.stdout}${proxy.stderr}`)
    return there()
  }, `the start of ${program}`, 20_000)
  return { port, ca: pair && readFileSync(pair.cert) }
}
