// An identity server of others: OpenID Connect's `oidc-provider`, giving signed tokens to clients with a secret.
//
//     node identity_server.mjs DIRECTORY-OF-PACKAGES AUDIENCE '[{"id": "ann", "secret": "…", "role": "writer:*"}]'
//
// It prints its address, and serves until its standard input ends.

import { createRequire } from "node:module";
import { createServer } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [directory, audience, known] = process.argv.slice(2);
const found = createRequire(join(directory, "package.json")).resolve("oidc-provider");
const { Provider } = await import(pathToFileURL(found));

const clients = JSON.parse(known);
const roles = new Map(clients.map(({ id, role }) => [id, role]));

const server = createServer((request, response) => provider.callback()(request, response));
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: clients.map(({ id, secret, method }) => ({
    client_id: id,
    client_secret: secret,
    grant_types: ["client_credentials"],
    redirect_uris: [],
    response_types: [],
    token_endpoint_auth_method: method ?? "client_secret_basic",
  })),
  scopes: ["registry"],
  extraTokenClaims: (_, token) => ({ roles: [roles.get(token.clientId)] }),
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => `urn:${audience}`,
      getResourceServerInfo: () => ({
        scope: "registry",
        audience,
        accessTokenFormat: "jwt",
        accessTokenTTL: 120,
        jwt: { sign: { alg: "RS256" } },
      }),
    },
  },
});

process.stdin.on("end", () => process.exit(0)).resume();
console.log(issuer);
