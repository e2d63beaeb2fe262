// An OpenID provider for the tests: oidc-provider, with accounts that need no password and a
// back door by which a test makes it answer as an attacker or a broken provider would.
//
//   node provider.js CONFIGURATION.json
//
// The configuration: "address", a file that gets the issuer once it listens; "accounts", claims
// by name; "clients", as oidc-provider wants them; "certificate" and "key", files, for https.
//
// POST /back-door takes what is wrong from now on, {} for nothing; all parts may be left out:
//   id_token   "claims" are put into it (null: removed); "signer" is one of SIGNERS
//   userinfo   claims that are put into it (null: removed)
//   metadata   entries that are put into it (null: removed)
//   published  which of the provider's keys it shows, of "own" and "next"
//   answers    by path: "status", "headers", "body"; "silent" says nothing until the back
//              door is used again, "endless" never ends, "slow" sends an octet now and
//              then, "cut" hangs up half-way
// GET /back-door says how often each path was asked for.

import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';

import Provider from 'oidc-provider';

const configuration = JSON.parse(readFileSync(process.argv[2], 'utf8'));

// --- keys -------------------------------------------------------------------------

// Made when they are needed: each takes a while.
const made = {};
const key = (name) => {
  made[name] ??= generateKeyPairSync('rsa', { modulusLength: 2048 });
  return made[name];
};
const curved = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const privateJwk = (pair, entries) => ({
  ...pair.privateKey.export({ format: 'jwk' }), use: 'sig', ...entries,
});
const publicJwk = (pair, entries) => ({
  ...pair.publicKey.export({ format: 'jwk' }), use: 'sig', ...entries,
});
const RS256 = (kid) => ({ kid, alg: 'RS256' });
const ES256 = { kid: 'curved', alg: 'ES256' };

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const jws = (header, claims, signature) => {
  const input = `${encoded(header)}.${encoded(claims)}`;
  return `${input}.${signature(input).toString('base64url')}`;
};
const byRsa = (kid, name) => (claims) => (
  jws(RS256(kid), claims, (input) => sign('sha256', Buffer.from(input), key(name).privateKey))
);
const byHmac = (secret) => (claims) => (
  jws({ alg: 'HS256', kid: 'own' }, claims, (input) => (
    createHmac('sha256', secret).update(input).digest()
  ))
);
// What can sign an ID token in the place of the provider's own key.
const SIGNERS = {
  own: byRsa('own', 'own'),
  next: byRsa('next', 'next'),
  stranger: byRsa('own', 'stranger'), // says that it is the provider's key
  nobody: (claims) => jws({ alg: 'none' }, claims, () => Buffer.alloc(0)),
  // Those who take any algorithm take a public key, or the client's own secret, for a signature.
  public: byHmac(key('own').publicKey.export({ type: 'spki', format: 'pem' })),
  secret: byHmac(configuration.clients[0].client_secret),
};

// --- the back door ----------------------------------------------------------------

let wrong = {};
const asked = {};
const held = [];

const patched = (entries, patch = {}) => (
  Object.fromEntries(Object.entries({ ...entries, ...patch }).filter(([, value]) => value !== null))
);
const claimsOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));

function answerInstead(res, { status = 200, headers = {}, body = '', ...rest }) {
  if (rest.silent) {
    held.push(res);
    return;
  }
  res.writeHead(status, { 'content-type': 'application/json', ...headers });
  if (rest.endless) {
    const more = () => {
      while (!res.destroyed && res.write(' '.repeat(65536)));
    };
    res.on('drain', more);
    more();
  } else if (rest.slow) {
    const timer = setInterval(() => res.write(' '), 20);
    res.on('close', () => clearInterval(timer));
  } else if (rest.cut) {
    res.write(body, () => res.destroy());
  } else {
    res.end(body);
  }
}

async function read(req) {
  const parts = [];
  for await (const part of req) parts.push(part);
  return Buffer.concat(parts).toString();
}

async function backDoor(ctx) {
  if (ctx.method === 'POST') {
    wrong = JSON.parse(await read(ctx.req));
    Object.keys(asked).forEach((path) => delete asked[path]);
    held.splice(0).forEach((res) => res.destroy());
  }
  ctx.body = asked;
}

function forge(ctx) {
  const { body, path } = ctx;
  if (path === '/token' && body?.id_token && wrong.id_token) {
    const claims = patched(claimsOf(body.id_token), wrong.id_token.claims);
    body.id_token = SIGNERS[wrong.id_token.signer ?? 'own'](claims);
  } else if (path === '/me' && ctx.status === 200) {
    ctx.body = patched(body, wrong.userinfo);
  } else if (path === '/.well-known/openid-configuration') {
    ctx.body = patched(body, wrong.metadata);
  } else if (path === '/jwks' && wrong.published) {
    ctx.body = {
      keys: [
        publicJwk(curved, ES256),
        ...wrong.published.map((kid) => publicJwk(key(kid), RS256(kid))),
      ],
    };
  }
}

// --- the provider -----------------------------------------------------------------

async function findAccount(ctx, id) {
  const account = configuration.accounts[id];
  return account && { accountId: id, claims: () => ({ sub: id, ...account }) };
}

// Everybody agrees to everything: PostMaster's tests are about who signs in.
async function loadExistingGrant(ctx) {
  const { client, provider, session } = ctx.oidc;
  const grant = new provider.Grant({ accountId: session.accountId, clientId: client.clientId });
  grant.addOIDCScope(ctx.oidc.params.scope);
  await grant.save();
  return grant;
}

const FORM = `<!doctype html><title>Sign in</title><form method="post">
<input name="account"><button>Sign in</button><button name="cancel" value="1">Cancel</button>
</form>`;

async function interaction(provider, ctx) {
  if (ctx.method === 'GET') {
    ctx.type = 'html';
    ctx.body = FORM;
    return;
  }
  const form = new URLSearchParams(await read(ctx.req));
  const result = form.has('cancel')
    ? { error: 'access_denied', error_description: 'End-User aborted interaction' }
    : { login: { accountId: form.get('account') } };
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result));
  ctx.status = 303;
}

function providerFor(issuer) {
  const provider = new Provider(issuer, {
    clients: configuration.clients,
    jwks: { keys: [privateJwk(key('own'), RS256('own')), privateJwk(curved, ES256)] },
    claims: {
      openid: ['sub'],
      profile: ['name', 'preferred_username'],
      email: ['email', 'email_verified'],
      groups: ['groups'],
    },
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
    cookies: { keys: ['a key for the tests only'] },
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256'] },
    features: { devInteractions: { enabled: false } },
    findAccount,
    interactions: { url: (ctx, { uid }) => `/interaction/${uid}` },
    loadExistingGrant,
    pkce: { required: () => true },
    ttl: {
      AccessToken: 60, AuthorizationCode: 60, Grant: 60, IdToken: 60, Interaction: 60, Session: 60,
    },
  });
  provider.use(async (ctx, next) => {
    if (ctx.path === '/back-door') {
      await backDoor(ctx);
      return;
    }
    asked[ctx.path] = (asked[ctx.path] ?? 0) + 1;
    if (wrong.answers?.[ctx.path]) {
      ctx.respond = false;
      answerInstead(ctx.res, wrong.answers[ctx.path]);
    } else if (ctx.path.startsWith('/interaction/')) {
      await interaction(provider, ctx);
    } else {
      await next();
      forge(ctx);
    }
  });
  return provider.callback();
}

// Tests that were killed cannot end it.
const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(), 1000).unref();

// The port is known only once it listens, and the provider has to know it.
const secure = configuration.certificate && {
  cert: readFileSync(configuration.certificate),
  key: readFileSync(configuration.key),
};
const server = secure ? https.createServer(secure) : http.createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `${secure ? 'https' : 'http'}://127.0.0.1:${server.address().port}`;
  server.on('request', providerFor(issuer));
  writeFileSync(`${configuration.address}.new`, issuer);
  renameSync(`${configuration.address}.new`, configuration.address);
});
