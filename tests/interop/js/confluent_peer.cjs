// Confluent's JavaScript client on the other end of a pipe: a JSON line in, a JSON line out.
//
//     node confluent_peer.cjs DIRECTORY-OF-PACKAGES FILE-DESCRIPTOR-SET PACKAGE
//
// Clients and deserializers here have Confluent's default settings, but for what a call says of its login; serializers
// register their schemas, which they do not by default. Bytes travel as hex.

const { readFileSync } = require("node:fs");
const { Agent } = require("node:https");
const { createRequire } = require("node:module");
const { join } = require("node:path");
const { createInterface } = require("node:readline");

const [directory, descriptors, packageName] = process.argv.slice(2);
const requireThere = createRequire(join(directory, "package.json"));
const protobuf = requireThere("@bufbuild/protobuf");
const { FileDescriptorSetSchema } = requireThere("@bufbuild/protobuf/wkt");
const confluent = requireThere("@confluentinc/schemaregistry");

const known = protobuf.createFileRegistry(protobuf.fromBinary(FileDescriptorSetSchema, readFileSync(descriptors)));
const registry = protobuf.createMutableRegistry(known);

let clients = new Map();

// One that logs in is not to try again.
function settings(url, { password, token, token_endpoint, client_id, client_secret, authority, certificate, key }) {
  const found = { baseURLs: [url] };
  if (password || token || token_endpoint || authority) found.maxRetries = 0;
  if (password) found.basicAuthCredentials = { credentialsSource: "USER_INFO", userInfo: password };
  if (token) found.bearerAuthCredentials = { credentialsSource: "STATIC_TOKEN", token, logicalCluster: "lsrc-1" };
  if (token_endpoint) {
    found.bearerAuthCredentials = {
      credentialsSource: "OAUTHBEARER",
      issuerEndpointUrl: token_endpoint,
      clientId: client_id,
      clientSecret: client_secret,
      scope: "registry",
      logicalCluster: "lsrc-1",
      identityPoolId: "pool-1",
    };
  }
  if (authority) {
    const [ca, cert, its] = [authority, certificate, key].map((file) => file && readFileSync(file));
    found.createAxiosDefaults = { httpsAgent: new Agent({ ca, cert, key: its }) };
  }
  return found;
}

function ofRegistry(url, login = {}) {
  const place = url + JSON.stringify(login);
  if (!clients.has(place)) {
    const client = new confluent.SchemaRegistryClient(settings(url, login));
    clients.set(place, { client, serdes: new Map() });
  }
  return clients.get(place);
}

// One serializer, or deserializer, for values and one for keys.
function serde(call, Serde, settings) {
  const { client, serdes } = ofRegistry(call.registry);
  const type = call.is_key ? confluent.SerdeType.KEY : confluent.SerdeType.VALUE;
  const name = `${Serde.name} ${type}`;
  if (!serdes.has(name)) serdes.set(name, new Serde(client, type, settings));
  return serdes.get(name);
}

const operations = {
  async forget() {
    for (const { client } of clients.values()) await client.close();
    clients = new Map();
    return null;
  },
  async serialize(call) {
    const message = protobuf.fromJson(known.getMessage(`${packageName}.${call.message}`), call.json);
    const raw = await serde(call, confluent.ProtobufSerializer, { registry, autoRegisterSchemas: true }).serialize(call.topic, message);
    return raw.toString("hex");
  },
  async deserialize(call) {
    const raw = Buffer.from(call.bytes, "hex");
    const message = await serde(call, confluent.ProtobufDeserializer, {}).deserialize(call.topic, raw);
    const options = { useProtoFieldName: true, registry };
    return protobuf.toJson(known.getMessage(message.$typeName), message, options);
  },
  async client(call) {
    const result = await ofRegistry(call.registry, call.login).client[call.method](...call.arguments);
    return result === undefined ? null : result;
  },
};

async function answer(line) {
  try {
    const call = JSON.parse(line);
    return { result: await operations[call.op](call) };
  } catch (error) {
    return { error: error.constructor.name, text: error.message, code: error.errorCode, status: error.status };
  }
}

(async () => {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await answer(line))}\n`);
  }
  process.exit(0);
})();
